"""UCell: how far the genes of a set rank above the others within a cell (doi:10.1016/j.csbj.2021.06.043)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.engine import GeneSet, membership
from cafsc.errors import InputError

Array = NDArray[Any]


def ucell(
    values: Any,
    sets: Sequence[GeneSet],
    max_rank: int = 1500,
    *,
    zeros_tied: bool = True,
    missing_last: bool = False,
) -> NDArray[np.float64]:
    """UCell scores of many sets.

    Parameters
    ----------
    values
        Cells x genes, CSR or dense, 0 or more: counts or log-normalised expression.
    sets
        Columns of each set.
    max_rank
        Ranks beyond count as this one.
    zeros_tied
        Whether undetected genes share their mean rank. Otherwise they rank last, as in pyUCell. The two differ only
        where fewer genes are detected than about ``2 * max_rank - n_genes``.
    missing_last
        Whether genes of a set that the matrix lacks count as ranked last, as in pyUCell. Otherwise they do not count.

    Returns
    -------
    Cells x sets, float64, 0..1: score of the up genes minus score of the down genes, at least 0. NaN for a set
    without genes in the matrix. Tied genes have the mean of their ranks.

    Raises
    ------
    InputError
        If a value is negative, infinite or not a number.
    """
    matrix = sparse.csr_matrix(values)
    if not np.isfinite(matrix.data).all() or matrix.data.min(initial=0.0) < 0:
        raise InputError(
            "the matrix has values that are negative, infinite or not a number",
            expected="values of 0 or more, to be ranked",
            fix="give counts or log-normalised values, not scaled ones",
        )
    if not matrix.data.all():
        matrix = matrix.copy()
        matrix.eliminate_zeros()
    n_cells, n_genes = matrix.shape
    n_detected = np.diff(matrix.indptr)
    zero_gain = np.zeros(n_cells)
    if zeros_tied:
        zero_gain = np.maximum(0.0, max_rank - (n_detected + n_genes + 1) / 2.0) * (n_detected < n_genes)
    ranked = matrix.data.copy()
    for start, stop in pairwise(matrix.indptr):
        ranked[start:stop].sort()
    up, down = membership(sets, "up", n_genes), membership(sets, "down", n_genes)
    sides = sparse.hstack([up, down], format="csr")
    size = np.asarray(sides.sum(axis=0)).ravel()
    gains = zero_gain[:, None] * size
    longest = int(n_detected.max(initial=0))
    _kernel()(
        matrix.data, matrix.indices, matrix.indptr, ranked, longest,
        sides.indptr, sides.indices, float(max_rank), zero_gain, gains,
    )  # fmt: skip
    named = size.copy()
    if missing_last:
        n_missing = np.array([members.n_genes - members.up.size - members.down.size for members in sets])
        named[: len(sets)] += np.where(size[: len(sets)] > 0, n_missing, 0)
    # In the best case the genes hold the first ranks.
    best = named * max_rank - named * (named + 1) / 2.0
    gains *= np.divide(1.0, best, out=np.zeros_like(best), where=best > 0)
    scores = np.maximum(gains[:, : len(sets)] - gains[:, len(sets) :], 0.0)
    scores[:, size[: len(sets)] + size[len(sets) :] == 0] = np.nan
    return np.asarray(scores, dtype=np.float64)


def _add_gains(
    values: Array,
    genes: Array,
    starts: Array,
    ranked: Array,
    longest: int,
    side_starts: Array,
    side_of: Array,
    max_rank: float,
    zero_gain: Array,
    gains: Array,
) -> None:
    """Add max_rank - rank (at least 0) of each stored value, less the gain of a zero, to the sides of its gene.

    Parameters
    ----------
    values, genes, starts
        Cells x genes in CSR.
    ranked
        The values of each cell in ascending order.
    longest
        Stored values of the fullest cell.
    side_starts, side_of
        Genes x sides in CSR: the sides that each gene belongs to.
    zero_gain
        Gain of a gene that is not detected, (cells,).
    gains
        Cells x sides, changed in place.
    """
    distinct = np.empty(longest, values.dtype)
    gain = np.empty(longest, np.float64)
    for cell in range(starts.size - 1):
        first, last = starts[cell], starts[cell + 1]
        n_distinct = 0
        start = first
        while start < last:
            stop = start + 1
            while stop < last and ranked[stop] == ranked[start]:
                stop += 1
            # The largest value has rank 1; equal values share the mean of their ranks.
            rank = last - (start + stop - 1) / 2
            distinct[n_distinct] = ranked[start]
            gain[n_distinct] = max(0.0, max_rank - rank) - zero_gain[cell]
            n_distinct += 1
            start = stop
        for k in range(first, last):
            sides = side_of[side_starts[genes[k]] : side_starts[genes[k] + 1]]
            if sides.size:
                at = np.searchsorted(distinct[:n_distinct], values[k])
                for side in sides:
                    gains[cell, side] += gain[at]


@cache
def _kernel() -> Callable[..., None]:
    """`_add_gains` as machine code, kept on disk for the next process where a folder can be written to."""
    import numba

    try:
        return numba.njit(nogil=True, cache=True)(_add_gains)
    except RuntimeError:  # numba found no such folder.
        return numba.njit(nogil=True)(_add_gains)
