"""The loops over stored values, compiled; `cafsc.engine.reference` has the same functions in NumPy.

Every function does its sums in float64 and in the order in which the values are stored, so that both give the same
bits, on any number of threads, however the rows are cut up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cafsc.engine import reference
from cafsc.engine.compiled import compiled
from cafsc.engine.groups import FIELD_BITS, N_IDLE, Groups
from cafsc.engine.rank_loops import rank_sums
from cafsc.engine.rows import Rows

__all__ = ["column_sums", "combine", "group_sums", "rank_sums", "row_moments"]

Array = NDArray[Any]

_SECOND = np.uint64(FIELD_BITS)
_THIRD = np.uint64(2 * FIELD_BITS)
_HAS_THIRD = np.uint64(3 * FIELD_BITS + 1)
_HAS_MORE = np.uint64(3 * FIELD_BITS + 2)
_ONE = np.uint64(1)


@compiled
def _column_sums(data: Array, indices: Array, sums: Array) -> None:
    for k in range(data.size):
        sums[indices[k]] += data[k]


@compiled
def _row_moments(data: Array, indptr: Array, moments: Array) -> None:
    for row in range(indptr.size - 1):
        total = 0.0
        squares = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            value = np.float64(data[k])
            total += value
            squares += value * value
        moments[row, 0] = total
        moments[row, 1] = squares


@compiled
def _group_sums(
    data: Array,
    indices: Array,
    indptr: Array,
    longest: int,
    record: Array,
    start: Array,
    group: Array,
    sums: Array,
) -> None:
    n_groups = sums.shape[1]
    near = np.empty(n_groups + N_IDLE)
    far = np.empty(n_groups + N_IDLE)
    waiting = np.empty(longest + 1, dtype=np.uint32)
    for row in range(indptr.size - 1):
        near[:] = 0.0
        far[:] = 0.0
        n_waiting = np.uint64(0)
        # Slices and unsigned columns: numba would ask of any other index whether it counts from the end.
        values, columns = data[indptr[row] : indptr[row + 1]], indices[indptr[row] : indptr[row + 1]]
        for k in range(values.size):
            value = np.float64(values[k])
            entry = record[columns[k]]
            near[np.uint16(entry)] += value
            near[np.uint16(entry >> _SECOND)] += value
            waiting[n_waiting] = k
            n_waiting += (entry >> _HAS_THIRD) & _ONE
        for j in range(n_waiting):
            k = waiting[j]
            value = np.float64(values[k])
            column = columns[k]
            entry = record[column]
            far[np.uint16(entry >> _THIRD)] += value
            if entry >> _HAS_MORE:
                for at in range(start[column], start[column + 1]):
                    far[group[at]] += value
        for j in range(n_groups):
            sums[row, j] = near[j] + far[j]


@compiled
def _combine(sums: Array, share: Array, target: Array, weight: Array, scores: Array) -> None:
    # Four controls at a time, one after the other as ever: the scores are read and written a quarter as often.
    n_controls = share.shape[0]
    whole = n_controls // 4 * 4
    for row in range(sums.shape[0]):
        total, score = sums[row], scores[row]
        score[:] = 0.0
        for j in range(target.size):
            score[target[j]] += weight[j] * total[n_controls + j]
        for k in range(0, whole, 4):
            a, b, c, d = total[k], total[k + 1], total[k + 2], total[k + 3]
            of_a, of_b, of_c, of_d = share[k], share[k + 1], share[k + 2], share[k + 3]
            for j in range(score.size):
                score[j] = score[j] - of_a[j] * a - of_b[j] * b - of_c[j] * c - of_d[j] * d
        for k in range(whole, n_controls):
            for j in range(score.size):
                score[j] -= share[k, j] * total[k]


def column_sums(rows: Rows, sums: Array) -> None:
    """Add each value to its column's sum, in the precision of `sums` and in the order of the rows."""
    _column_sums(rows.data, rows.columns, sums)


def row_moments(rows: Rows, moments: Array) -> None:
    """Sum and sum of squares of each row, rows x 2."""
    _row_moments(rows.data, rows.indptr, moments)


def group_sums(rows: Rows, groups: Groups, sums: Array) -> None:
    """Sum of each row's values over each group of columns, rows x groups."""
    if groups.fit:
        _group_sums(rows.data, rows.columns, rows.indptr, rows.longest, *groups.tables, sums)
    else:
        reference.group_sums(rows, groups, sums)


def combine(sums: Array, share: Array, target: Array, weight: Array, scores: Array) -> None:
    """Scores of sets from sums over groups; see `cafsc.engine.means.Combination`."""
    _combine(sums, share, target, weight, scores)
