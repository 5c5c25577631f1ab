"""What is done to whole cells, compiled; `cafsc.engine.cells` says what each function does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.engine.cells import _FIRST, _SECOND, _STEP, MOST_DRAWN, _mixed
from cafsc.engine.compiled import compiled

Array = NDArray[Any]
_COUNTS = 512
_PAIRS, _FOURS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_EIGHTS, _ADDED = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_ONE, _ALL = np.uint64(1), ~np.uint64(0)
_ONE_ROW, _ALWAYS = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.bool_)


def _unsigned(columns: Array) -> Array:
    """Columns without a sign: of any other index numba would ask whether it counts from the end."""
    return columns.view(f"u{columns.itemsize}")


@numba.njit(nogil=True)
def _n_ones(bits: Any) -> Any:
    """Ones in a word, without asking anything that a processor could guess wrong."""
    bits -= (bits >> np.uint64(1)) & _PAIRS
    bits = (bits & _FOURS) + ((bits >> np.uint64(2)) & _FOURS)
    bits = (bits + (bits >> np.uint64(4))) & _EIGHTS
    return (bits * _ADDED) >> np.uint64(56)


@numba.njit(nogil=True)
def _bits(place: Any) -> Any:
    z = (place ^ (place >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@numba.njit(nogil=True)
def _half_of_many(place: Any, count: Any) -> Any:
    """What is left of a count: ones among random bits, word by word."""
    total = np.uint64(0)
    left = np.int64(min(count, MOST_DRAWN))
    while left > 0:
        bits = _bits(place)
        place = bits + _STEP
        total += _n_ones(bits & (_ALL if left >= 64 else (_ONE << np.uint64(left)) - _ONE))
        left -= 64
    if count > MOST_DRAWN:
        deviation = np.sqrt(count) / np.sqrt(MOST_DRAWN)
        return np.float32(np.rint(0.5 * count + (np.float64(total) - 0.5 * MOST_DRAWN) * deviation))
    return np.float32(total)


@compiled
def _thin(
    data: Array,
    indices: Array,
    indptr: Array,
    start: Any,
    halves: Array,
    kept: Array,
    columns: Array,
    rows: Array,
) -> None:
    n = np.uint64(0)
    rows[0] = 0
    for row in range(indptr.size - 1):
        high = np.uint64(row) << np.uint64(32)
        values, genes = data[indptr[row] : indptr[row + 1]], indices[indptr[row] : indptr[row + 1]]
        size = np.uint64(values.size)
        # One word of bits is enough for nearly all; without a question in between these become vector instructions.
        for k in range(size):
            few = np.uint64(np.int32(values[k])) & np.uint64(63)
            halves[k] = _n_ones(_bits((high | np.uint64(genes[k])) * _STEP + start) & ((_ONE << few) - _ONE))
        for k in range(size):
            half = np.float32(halves[k])
            if values[k] >= 64:
                half = _half_of_many((high | np.uint64(genes[k])) * _STEP + start, np.float64(values[k]))
            # Written in any case: whether a molecule stays is what no processor can foresee.
            kept[n] = half
            columns[n] = genes[k]
            n += np.uint64(half > 0)
        rows[row + 1] = n


def thinner(counts: sparse.csr_matrix) -> Callable[[int], sparse.csr_matrix]:
    """See `cafsc.engine.cells.thinner`."""
    longest = int(np.diff(counts.indptr).max(initial=0))

    def draw(key: int) -> sparse.csr_matrix:
        # Every cell's row is read once a neighbour: what is narrow and without zeros is read sooner.
        kept, columns = np.empty(counts.nnz, dtype=np.float32), np.empty(counts.nnz, dtype=np.int32)
        rows = np.empty(counts.shape[0] + 1, dtype=counts.indptr.dtype)
        start = _mixed(np.array([key], dtype=np.uint64))[0]
        into = np.empty(longest, dtype=np.uint64), kept, _unsigned(columns), rows
        _thin(counts.data, _unsigned(counts.indices), counts.indptr, start, *into)
        return sparse.csr_matrix((kept[: rows[-1]], columns[: rows[-1]], rows), shape=counts.shape)

    return draw


@numba.njit(nogil=True)
def _add_neighbours(
    data: Array,
    indices: Array,
    indptr: Array,
    cells: Array,
    drawn: Array,
    total: Array,
    genes: Array,
    n: Any,
    depth: float,
) -> Any:
    """Add up rows in `total`, and list in `genes` from `n` on the columns that were zero before.

    The end of the list, and `depth` with all values added.
    """
    for cell in cells:
        if drawn[cell]:
            values, columns = data[indptr[cell] : indptr[cell + 1]], indices[indptr[cell] : indptr[cell + 1]]
            for k in range(values.size):
                gene, value = columns[k], values[k]
                before = total[gene]
                # Written in any case, and only then counted: half of them are new, in no order.
                genes[n] = gene
                n += np.uint64((before == 0) & (value != 0))
                total[gene] = before + value
                depth += value
    return n, depth


@numba.njit(nogil=True)
def _logarithm(value: Any, rate: Any, known: Array) -> Any:
    """Of 1 + value x rate. Counts are few different whole numbers: each logarithm is taken once a cell."""
    count = np.uint64(value) if value < _COUNTS else np.uint64(0)
    if count == value:
        if known[count] < 0:
            known[count] = np.log1p(value * rate)
        return known[count]
    return np.log1p(value * rate)


@compiled
def _pool(
    data: Array,
    indices: Array,
    indptr: Array,
    edges: Array,
    edge_start: Array,
    drawn: Array,
    own_data: Array,
    own_indices: Array,
    own_indptr: Array,
    target_sum: float,
    total: Array,
    out_data: Array,
    out_indices: Array,
    out_indptr: Array,
) -> None:
    known = np.empty(_COUNTS)
    n = np.uint64(0)
    out_indptr[0] = 0
    for row in range(edge_start.size - 1):
        first = n
        cells = edges[edge_start[row] : edge_start[row + 1]]
        n, depth = _add_neighbours(data, indices, indptr, cells, drawn, total, out_indices, n, 0.0)
        if own_indptr.size > 1:
            own = own_data, own_indices, own_indptr[row : row + 2]
            n, depth = _add_neighbours(*own, _ONE_ROW, _ALWAYS, total, out_indices, n, depth)
        rate = target_sum / depth if depth > 0 else 0.0
        known[:] = -1.0
        for i in range(first, n):
            gene = out_indices[i]
            out_data[i] = _logarithm(total[gene], rate, known)
            total[gene] = 0
        out_indptr[row + 1] = n


def pooled_lognorm(
    counts: sparse.csr_matrix,
    graph: sparse.csr_matrix,
    target_sum: float,
    *,
    drawn: NDArray[np.bool_] | None = None,
    own: sparse.csr_matrix | None = None,
) -> sparse.csr_matrix:
    """See `cafsc.engine.cells.pooled_lognorm`."""
    n_cells, n_genes = graph.shape[0], counts.shape[1]
    drawn = np.ones(counts.shape[0], dtype=bool) if drawn is None else drawn
    own = sparse.csr_matrix((0, n_genes)) if own is None else own
    # No row has more genes than its neighbours have together.
    width = np.concatenate([[0], np.cumsum(np.diff(counts.indptr)[graph.indices])])
    most = np.diff(width[graph.indptr]) + (np.diff(own.indptr) if own.shape[0] else 0)
    if min(counts.data.min(initial=0), own.data.min(initial=0)) >= 0:
        # Nor more than there are, where no sum can fall back to zero and its gene be listed again.
        most = np.minimum(most, n_genes)
    # One place more: a gene is written before it is known to be a new one.
    room = int(most.sum()) + 1
    data, indices = np.empty(room), np.empty(room, dtype=np.int32)
    indptr = np.empty(n_cells + 1, dtype=np.int64)
    _pool(
        counts.data, _unsigned(counts.indices), counts.indptr, graph.indices, graph.indptr, drawn,
        own.data, _unsigned(own.indices), own.indptr, target_sum, np.zeros(n_genes), data, _unsigned(indices), indptr,
    )  # fmt: skip
    out = sparse.csr_matrix((n_cells, n_genes))
    # Put in by hand: scipy would copy what is less than half of the room that was taken, which was never touched.
    out.data, out.indices, out.indptr = data[: indptr[-1]], indices[: indptr[-1]], indptr
    return out


@compiled
def _add_weighted(
    data: Array, indices: Array, indptr: Array, weights: Array, least_weight: float, sums: Array
) -> None:
    for row in range(indptr.size - 1):
        for group in range(weights.shape[1]):
            weight = weights[row, group]
            if weight > least_weight:
                for k in range(indptr[row], indptr[row + 1]):
                    sums[group, indices[k]] += weight * data[k]


def weighted_sums(x: sparse.csr_matrix, weights: Array, least_weight: float) -> Array:
    """See `cafsc.engine.cells.weighted_sums`."""
    sums = np.zeros((weights.shape[1], x.shape[1]))
    weights = np.ascontiguousarray(weights, dtype=np.float64)
    _add_weighted(x.data, x.indices, x.indptr, weights, least_weight, sums)
    return sums


@compiled
def _row_products(data: Array, indices: Array, indptr: Array, rows: Array, table: Array, out: Array) -> None:
    # Sums in an array of its own and unsigned indices: only so the inner loop becomes vector instructions. Four values
    # at a time: the sums are read and written a quarter as often.
    width = np.uint32(table.shape[1])
    sums = np.empty(width)
    for i, row in enumerate(rows):
        sums[:] = 0.0
        values, genes = data[indptr[row] : indptr[row + 1]], indices[indptr[row] : indptr[row + 1]]
        whole = values.size // 4 * 4
        for k in range(0, whole, 4):
            a, b, c, d = values[k], values[k + 1], values[k + 2], values[k + 3]
            of_a, of_b, of_c, of_d = (
                table[genes[k]],
                table[genes[k + 1]],
                table[genes[k + 2]],
                table[genes[k + 3]],
            )
            for column in range(width):
                sums[column] += (a * of_a[column] + b * of_b[column]) + (c * of_c[column] + d * of_d[column])
        for k in range(whole, values.size):
            value, of_value = values[k], table[genes[k]]
            for column in range(width):
                sums[column] += value * of_value[column]
        out[i] = sums


def row_products(x: sparse.csr_matrix, table: Array, rows: Array | None = None) -> Array:
    """See `cafsc.engine.cells.row_products`."""
    rows = np.arange(x.shape[0]) if rows is None else rows
    out = np.empty((rows.size, table.shape[1]))
    table = np.ascontiguousarray(table, dtype=np.float64)
    _row_products(x.data, _unsigned(x.indices), x.indptr, rows, table, out)
    return out
