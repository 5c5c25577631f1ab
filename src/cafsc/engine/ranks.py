"""UCell and AUCell: both are a sum, over the genes of a set, of how far each is ranked above a limit.

UCell gives a gene max(0, max_rank - rank), tied genes at their mean rank; AUCell max(0, n_up - rank), tied genes the
mean of what their ranks give, which is what a random order of the tied gives on average.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cafsc.engine.groups import Array, Columns, Sides


def default_n_up(n_genes: int) -> int:
    """Genes that AUCell looks at by default: one in twenty, and at least 2."""
    return int(np.clip(math.ceil(0.05 * n_genes), 2, max(n_genes, 2)))


def ucell_scores(
    gains: Array, zeros: Array, sides: Sides, sets: Sequence[Columns], max_rank: int, *, missing_last: bool
) -> Array:
    """UCell from what the genes of each side gain, rows x sides, and what a zero gains, (rows,).

    Returns rows x sets, 0..1, NaN for a set without genes. Genes against a set are taken off, down to 0.
    ``missing_last`` counts genes that the matrix lacks as ranked last; otherwise they do not count.
    """
    named = sides.size.astype(np.float64)
    if missing_last:
        n_missing = np.array([members.n_genes - members.up.size - members.down.size for members in sets])
        named += np.where(sides.sign > 0, n_missing[sides.set], 0)
    # The best case: the genes hold the first ranks, so the gain falls short of n x max_rank.
    best = named * max_rank - named * (named + 1) / 2.0
    scale = np.divide(1.0, best, out=np.zeros_like(best), where=best > 0)
    found = sides.by_set(_with_zeros(gains, zeros, sides) * scale, len(sets))
    return np.maximum(found, 0.0, out=found)


def aucell_scores(gains: Array, zeros: Array, sides: Sides, n_sets: int, n_up: int) -> Array:
    """AUCell from what the genes of each side gain, rows x sides, and what a zero gains, (rows,).

    Returns rows x sets, 0..1, NaN for a set without genes that count for it.
    """
    first = np.minimum(sides.size, n_up - 1)
    best = first * n_up - first * (first + 1) / 2.0
    return sides.by_set(_with_zeros(gains, zeros, sides) * ((sides.sign > 0) / best), n_sets)


def _with_zeros(gains: Array, zeros: Array, sides: Sides) -> Array:
    """Gains of all genes of a side: those of a cell's values were counted from what its zeros gain, mostly nothing."""
    cells = np.flatnonzero(zeros)
    if cells.size:
        gains = gains.copy()
        gains[cells] += zeros[cells, None] * sides.size
    return gains
