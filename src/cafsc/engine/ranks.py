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


def ucell_weights(sides: Sides, sets: Sequence[Columns], max_rank: int, *, missing_last: bool) -> Array:
    """What a gain counts in the UCell score of each side, (sides,).

    ``missing_last`` counts genes that the matrix lacks as ranked last; otherwise they do not count.
    """
    named = sides.size.astype(np.float64)
    if missing_last:
        n_missing = np.array([members.n_genes - members.up.size - members.down.size for members in sets])
        named += np.where(sides.sign > 0, n_missing[sides.set], 0)
    # The best case: the genes hold the first ranks, so the gain falls short of n x max_rank.
    best = named * max_rank - named * (named + 1) / 2.0
    return np.divide(1.0, best, out=np.zeros_like(best), where=best > 0)


def aucell_weights(sides: Sides, n_up: int) -> Array:
    """The same for AUCell: nothing, for genes against a set."""
    first = np.minimum(sides.size, n_up - 1)
    best = first * n_up - first * (first + 1) / 2.0
    return np.asarray((sides.sign > 0) / best)


def rank_scores(gains: Array, zeros: Array, sides: Sides, weights: Array, out: Array) -> None:
    """UCell or AUCell, rows x sets, 0..1, NaN for a set without genes; genes against a set are taken off, down to 0.

    Parameters
    ----------
    gains
        What the genes of each side gain, rows x sides; changed on the way.
    zeros
        What a zero gains, (rows,): gains were counted from there. Mostly nothing.
    sides, weights
        Whose genes they are, and what a gain counts.
    """
    cells = np.flatnonzero(zeros)
    gains[cells] += zeros[cells, None] * sides.size
    gains *= weights
    sides.by_set(gains, out)
    np.maximum(out, 0.0, out=out)
