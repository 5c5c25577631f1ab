"""The loop that ranks the values of each cell, compiled; `cafsc.engine.reference` has the same in NumPy."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from cafsc.engine import reference
from cafsc.engine.compiled import compiled
from cafsc.engine.groups import FIELD_BITS, N_IDLE, Groups, Ranking
from cafsc.engine.rows import Rows

Array = NDArray[Any]

_SECOND = np.uint64(FIELD_BITS)
_THIRD = np.uint64(2 * FIELD_BITS)
_HAS_SECOND = np.uint64(3 * FIELD_BITS)
_HAS_THIRD = np.uint64(3 * FIELD_BITS + 1)
_HAS_MORE = np.uint64(3 * FIELD_BITS + 2)
_ONE = np.uint64(1)
# The values of a cell are few, as they come of counts: they are told apart by their bits, in a small hash table.
_SLOTS = 1024
_SLOT_SHIFT = np.uint64(64 - 10)
_LAST_SLOT = np.uint64(_SLOTS - 1)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MOST_DISTINCT = 256
# Where they are many, a row is cut into buckets of like values, and those are sorted.
_BUCKETS = 4096
_GAPS = (10_007, 4_003, 1_601, 701, 301, 132, 57, 23, 10, 4, 1)
_TOO_MANY = -1
_NOT_RANKABLE = -2


@numba.njit(nogil=True)
def _few_distinct(
    data: Array,
    bits: Array,
    limit: np.uint64,
    keys: Array,
    ids: Array,
    order: Array,
    counts: Array,
    values: Array,
) -> int:
    """Number each value of a row by its slot in `keys`, into `ids`; count each number, and keep its value.

    Returns how many numbers there are, listed in `order`; or `_TOO_MANY`, for a value that cannot be ranked as well.
    Only a zero gets no number, as its bits are those of an empty slot: then fewer values are counted than there are.
    """
    n_distinct = 0
    for k in range(bits.size):
        key = np.uint64(bits[k])
        slot = (key * _SPREAD) >> _SLOT_SHIFT
        if keys[slot] != key:
            while keys[slot] != key:
                if keys[slot] == 0:
                    keys[slot] = key
                    order[n_distinct] = slot
                    values[slot] = data[k]
                    counts[slot, 0] = 0
                    counts[slot, 1] = 0
                    n_distinct += 1 if key <= limit else _MOST_DISTINCT + 1
                    break
                slot = (slot + _ONE) & _LAST_SLOT
            if n_distinct > _MOST_DISTINCT:
                n_distinct = _TOO_MANY
                break
        ids[k] = slot
        # Two counts, in turn: most values are the same, and an addition need not wait for the one before.
        counts[slot, k & 1] += 1
    keys[:] = 0
    return n_distinct


@numba.njit(nogil=True)
def _sort(key: Array, place: Array, first: int, last: int) -> None:
    """Sort a stretch of keys, and their places with them (Shell's sort: most stretches are of a few)."""
    for gap in _GAPS:
        for i in range(first + gap, last):
            this, its_place = key[i], place[i]
            j = i
            while j >= first + gap and key[j - gap] > this:
                key[j], place[j] = key[j - gap], place[j - gap]
                j -= gap
            key[j], place[j] = this, its_place


@numba.njit(nogil=True)
def _many_distinct(
    data: Array,
    bits: Array,
    limit: np.uint64,
    work: Array,
    place: Array,
    ids: Array,
    order: Array,
    counts: Array,
    values: Array,
) -> int:
    """The same for any row, by sorting: the bits of positive numbers are in the order of the numbers."""
    n = bits.size
    least, largest = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0)
    for k in range(n):
        key = np.uint64(bits[k])
        if key - _ONE >= limit:
            return _NOT_RANKABLE
        work[0, k] = key
        place[0, k] = k
        least, largest = min(least, key), max(largest, key)
    shift = np.uint64(0)
    while (largest - least) >> shift >= _BUCKETS:
        shift += _ONE
    ends = np.zeros(_BUCKETS + 1, dtype=np.int64)
    for k in range(n):
        ends[((work[0, k] - least) >> shift) + _ONE] += 1
    for bucket in range(_BUCKETS):
        ends[bucket + 1] += ends[bucket]
    for k in range(n):
        bucket = (work[0, k] - least) >> shift
        to = ends[bucket]
        ends[bucket] = to + 1
        work[1, to] = work[0, k]
        place[1, to] = place[0, k]
    before = 0
    for bucket in range(_BUCKETS):
        # What was the bucket's start has become its end.
        end = ends[bucket]
        if end - before > 1:
            _sort(work[1], place[1], before, end)
        before = end
    n_distinct = 0
    for k in range(n):
        if k == 0 or work[1, k] != work[1, k - 1]:
            values[n_distinct] = data[place[1, k]]
            order[n_distinct] = n_distinct
            counts[n_distinct, 0] = 0
            counts[n_distinct, 1] = 0
            n_distinct += 1
        ids[place[1, k]] = n_distinct - 1
        counts[n_distinct - 1, 0] += 1
    return n_distinct


@numba.njit(nogil=True)
def _ascending(values: Array, order: Array, n: int) -> None:
    """Sort few numbers by their values; where they are many they are in order already."""
    for i in range(1, n):
        this = order[i]
        j = i
        while j > 0 and values[order[j - 1]] > values[this]:
            order[j] = order[j - 1]
            j -= 1
        order[j] = this


@numba.njit(nogil=True)
def _recovery(first: int, last: int, n_up: int) -> float:
    """Sum of n_up - rank over the ranks from first to last, where it is above 0."""
    last = min(last, n_up)
    if last < first:
        return 0.0
    n = last - first + 1
    return n * (2 * n_up - first - last) / 2.0


@numba.njit(nogil=True)
def _gain_by_rank(
    order: Array,
    n_distinct: int,
    counts: Array,
    values: Array,
    ranking: tuple[int, int, int, int, bool, float],
    gain: Array,
    zeros: Array,
    moments: Array,
) -> tuple[int, float]:
    """What each number of a row counts: its value, and its gains less those of a zero.

    Returns how many values were counted, and their sum.
    """
    n_genes, n_detected, max_rank, n_up, zeros_tied, target_sum = ranking
    n_values = 0
    depth = 0.0
    for j in range(n_distinct):
        number = order[j]
        counts[number, 0] += counts[number, 1]
        n_values += counts[number, 0]
        depth += counts[number, 0] * values[number]
    scale = target_sum / depth if depth > 0.0 else 0.0
    zeros[:] = 0.0
    if zeros_tied and n_genes > n_values:
        zeros[0] = max(0.0, max_rank - (n_values + n_genes + 1) / 2.0)
    if n_detected > n_values:
        zeros[1] = _recovery(n_values + 1, n_detected, n_up) / (n_detected - n_values)
    moments[:] = 0.0
    n_before = n_values
    for j in range(n_distinct):
        number = order[j]
        count = counts[number, 0]
        n_before -= count
        value = values[number]
        if target_sum > 0.0:
            value = math.log1p(value * scale)
        moments[0] += count * value
        moments[1] += count * (value * value)
        values[number] = gain[number, 0] = value
        gain[number, 1] = max(0.0, max_rank - (2 * n_before + count + 1) / 2.0) - zeros[0]
        gain[number, 2] = _recovery(n_before + 1, n_before + count, n_up) / count - zeros[1]
    return n_values, depth


def _added(typing: Any, into: Any, this: Any, of: Any, number: Any) -> Any:
    """Add row `number` of one table of four columns to row `this` of another, in one go; of a loop numba makes four."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        places = [
            builder.bitcast(
                builder.gep(
                    context.make_array(signature.args[at])(context, builder, arguments[at]).data,
                    [builder.shl(arguments[at + 1], ir.Constant(ir.IntType(64), 2))],
                ),
                ir.VectorType(ir.DoubleType(), 4).as_pointer(),
            )
            for at in (0, 2)
        ]
        total = builder.fadd(*(builder.load(place, align=8) for place in places))
        builder.store(total, places[0], align=8)
        return context.get_dummy_value()

    return types.void(into, types.uint64, of, types.uint64), code


_add_four: Any = intrinsic(_added)


@numba.njit(nogil=True)
def _gather(
    ids: Array,
    columns: Array,
    record: Array,
    start: Array,
    group: Array,
    values: Array,
    gain: Array,
    waiting: Array,
    control: Array,
    near: Array,
    far: Array,
) -> None:
    """Add up a row's gains by group: of controls only the values."""
    control[:] = 0.0
    near[:] = 0.0
    far[:] = 0.0
    n_waiting = np.uint64(0)
    for k in range(columns.size):
        entry = record[columns[k]]
        control[np.uint16(entry)] += values[ids[k]]
        # Written always and kept only if needed: a branch on it would be guessed wrong too often.
        waiting[n_waiting] = k
        n_waiting += (entry >> _HAS_SECOND) & _ONE
    n_longer = np.uint64(0)
    for j in range(n_waiting):
        k = waiting[j]
        entry = record[columns[k]]
        _add_four(near, np.uint16(entry >> _SECOND), gain, ids[k])
        waiting[n_longer] = k
        n_longer += (entry >> _HAS_THIRD) & _ONE
    for j in range(n_longer):
        k = waiting[j]
        entry = record[columns[k]]
        _add_four(far, np.uint16(entry >> _THIRD), gain, ids[k])
        if entry >> _HAS_MORE:
            for at in range(start[columns[k]], start[columns[k] + _ONE]):
                _add_four(far, group[at], gain, ids[k])


@compiled
def _rank_sums(
    data: Array,
    bits: Array,
    limit: np.uint64,
    columns: Array,
    indptr: Array,
    longest: int,
    record: Array,
    start: Array,
    group: Array,
    ranking: tuple[int, int, int, int, bool, float],
    sums: Array,
    ucell: Array,
    aucell: Array,
    zeros: Array,
    moments: Array,
) -> int:
    """`bits` are those of `data`, and `limit` is one less than those of infinity."""
    n_groups = sums.shape[1]
    n_controls = n_groups - ucell.shape[1]
    size = max(longest, _SLOTS) + 1
    keys = np.zeros(_SLOTS, dtype=np.uint64)
    work = np.empty((2, longest), dtype=np.uint64)
    place = np.empty((2, longest), dtype=np.uint32)
    ids = np.empty(longest, dtype=np.uint32)
    waiting = np.empty(longest + 1, dtype=np.uint32)
    order = np.empty(size, dtype=np.int64)
    counts = np.empty((size, 2), dtype=np.int32)
    values = np.empty(size, dtype=np.float64)
    gain = np.zeros((size, 4))
    control = np.empty(n_groups + N_IDLE)
    near = np.empty((n_groups + N_IDLE, 4))
    far = np.empty((n_groups + N_IDLE, 4))
    for row in range(indptr.size - 1):
        first, last = indptr[row], indptr[row + 1]
        n_distinct = _few_distinct(
            data[first:last], bits[first:last], limit, keys, ids, order, counts, values
        )
        if n_distinct == _TOO_MANY:
            n_distinct = _many_distinct(
                data[first:last], bits[first:last], limit, work, place, ids, order, counts, values
            )
        if n_distinct == _NOT_RANKABLE:
            return row
        _ascending(values, order, n_distinct)
        n_values, depth = _gain_by_rank(
            order, n_distinct, counts, values, ranking, gain, zeros[row], moments[row]
        )
        if n_values < last - first or depth == np.inf:
            return row
        _gather(ids, columns[first:last], record, start, group, values, gain, waiting, control, near, far)
        for j in range(n_groups):
            _add_four(near, j, far, j)
            sums[row, j] = control[j] + near[j, 0]
            if j >= n_controls:
                ucell[row, j - n_controls] = near[j, 1]
                aucell[row, j - n_controls] = near[j, 2]
    return -1


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
    """Sums over groups of what each value of a row gains by its rank, and of the values; see the same in NumPy."""
    if not groups.fit:
        return reference.rank_sums(rows, groups, ranking, sums, ucell, aucell, zeros, moments)
    bits = rows.data.view(f"u{rows.data.itemsize}")
    limit = np.uint64(np.array(np.inf, dtype=rows.data.dtype).view(bits.dtype)) - _ONE
    n_sides = groups.n_groups - groups.n_controls
    sums = np.empty((rows.n_rows, groups.n_groups)) if sums is None else sums
    ucell, aucell = (np.empty((rows.n_rows, n_sides)) if into is None else into for into in (ucell, aucell))
    into = (sums, ucell, aucell, zeros, moments)
    given = (rows.data, bits, limit, rows.columns, rows.indptr, rows.longest)
    return int(_rank_sums(*given, *groups.tables, tuple(ranking), *into))
