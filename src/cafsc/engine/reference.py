"""What `cafsc.engine.loops` does, in plain NumPy: for small data, and to compare with.

Sums run in the same order there, so the two give the same bits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cafsc.engine.groups import Array, Groups, Ranking
from cafsc.engine.rows import Rows


def column_sums(rows: Rows, sums: NDArray[Any]) -> None:
    """Add each value to its column's sum, in the precision of `sums` and in the order of the rows."""
    np.add.at(sums, rows.indices, rows.data)


def row_moments(rows: Rows, moments: Array) -> None:
    """Sum and sum of squares of each row, rows x 2."""
    matrix, ones = rows.matrix(), np.ones(rows.n_columns)
    moments[:, 0] = matrix @ ones
    moments[:, 1] = matrix.multiply(matrix).tocsr() @ ones


def group_sums(rows: Rows, groups: Groups, sums: Array) -> None:
    """Sum of each row's values over each group of columns, rows x groups."""
    near, far = groups.memberships
    matrix = rows.matrix()
    sums[:] = (matrix @ near).toarray() + (matrix @ far).toarray()


def combine(sums: Array, share: Array, target: NDArray[np.int64], weight: Array, scores: Array) -> None:
    """Scores of sets from sums over groups; see `cafsc.engine.means.Combination`."""
    n_controls = len(share)
    scores[:] = 0.0
    for j, of in enumerate(target):
        scores[:, of] += weight[j] * sums[:, n_controls + j]
    for control in range(n_controls):
        scores -= share[control] * sums[:, control, None]


def rank_sums(
    rows: Rows,
    groups: Groups,
    ranking: Ranking,
    sums: Array | None,
    ucell: Array | None,
    aucell: Array | None,
    zeros: Array,
    moments: Array,
) -> int:
    """Sums over groups of what each value of a row gains by its rank, and of the values; see `cafsc.engine.ranks`.

    Parameters
    ----------
    rows, groups, ranking
        What is ranked, and how.
    sums
        Rows x groups, if wanted: sums of the values.
    ucell, aucell
        Rows x groups that are no controls, if wanted: sums of the gains, less what as many zeros gain.
    zeros
        Rows x 2: what a zero gains of each.
    moments
        As `row_moments` has them, but added value by distinct value, upwards.

    Returns
    -------
    The first row with a value that is not above 0, infinite, or not a number; -1 if there is none.
    """
    n_genes, n_detected, max_rank, n_up, zeros_tied, target_sum = ranking
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero(~((rows.data > 0) & np.isfinite(rows.data)))
    if bad.size:
        return int(np.searchsorted(rows.indptr, bad[0], side="right")) - 1
    values = np.empty(rows.data.size)
    gain = np.empty((rows.data.size, 2))
    for row in range(rows.n_rows):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        distinct, number, count = np.unique(
            rows.data[part].astype(np.float64), return_inverse=True, return_counts=True
        )
        n_values = int(count.sum())
        zeros[row] = 0.0
        if zeros_tied and n_genes > n_values:
            zeros[row, 0] = max(0.0, max_rank - (n_values + n_genes + 1) / 2.0)
        if n_detected > n_values:
            at_zero = _recovery(np.array(n_values + 1), np.array(n_detected), n_up)
            zeros[row, 1] = at_zero / (n_detected - n_values)
        if target_sum > 0.0:
            # Added one by one, and with the logarithm of the C library: NumPy's differs in the last bit.
            depth = _total(count * distinct)
            distinct = np.array([math.log1p(value * (target_sum / depth)) for value in distinct])
        moments[row] = _total(count * distinct), _total(count * (distinct * distinct))
        before = n_values - np.cumsum(count)
        by_rank = np.empty((distinct.size, 2))
        by_rank[:, 0] = np.maximum(0.0, max_rank - (2 * before + count + 1) / 2.0) - zeros[row, 0]
        by_rank[:, 1] = _recovery(before + 1, before + count, n_up) / count - zeros[row, 1]
        values[part] = distinct[number]
        gain[part] = by_rank[number]
    by_group = np.empty((rows.n_rows, groups.n_groups))
    for of_rows, into in ((values, sums), (gain[:, 0], ucell), (gain[:, 1], aucell)):
        if into is not None:
            group_sums(Rows(of_rows.copy(), rows.indices, rows.indptr, rows.n_columns), groups, by_group)
            into[:] = by_group[:, groups.n_groups - into.shape[1] :]
    return -1


def _total(values: Array) -> float:
    """Sum of numbers in their order; NumPy's own sum pairs them."""
    return float(np.add.accumulate(values)[-1]) if values.size else 0.0


def _recovery(first: NDArray[np.int64], last: NDArray[np.int64], n_up: int) -> Array:
    """Sum of n_up - rank over the ranks from first to last, where it is above 0."""
    last = np.minimum(last, n_up)
    n = np.maximum(last - first + 1, 0)
    return np.asarray(n * (2 * n_up - first - last) / 2.0)
