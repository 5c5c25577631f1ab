"""What is done to whole cells, compiled; `cafsc.engine.cells` says what each function does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.engine.cells import _FIRST, _SECOND, _STEP, _mixed
from cafsc.engine.compiled import compiled

Array = NDArray[Any]
_COUNTS = 512


@compiled
def _thin(
    data: Array, indices: Array, indptr: Array, start: Any, kept: Array, columns: Array, rows: Array
) -> None:
    one, all_ones = np.uint64(1), ~np.uint64(0)
    n = 0
    rows[0] = 0
    for row in range(indptr.size - 1):
        high = np.uint64(row) << np.uint64(32)
        for k in range(indptr[row], indptr[row + 1]):
            place = (high | np.uint64(indices[k])) * _STEP + start
            left = np.int64(data[k])
            total = 0
            while left > 0:
                z = (place ^ (place >> np.uint64(30))) * _FIRST
                z = (z ^ (z >> np.uint64(27))) * _SECOND
                z = z ^ (z >> np.uint64(31))
                place = z + _STEP
                bits = z & (all_ones if left >= 64 else (one << np.uint64(left)) - one)
                while bits:
                    bits &= bits - one
                    total += 1
                left -= 64
            if total:
                kept[n] = total
                columns[n] = indices[k]
                n += 1
        rows[row + 1] = n


def thinner(counts: sparse.csr_matrix) -> Callable[[int], sparse.csr_matrix]:
    """See `cafsc.engine.cells.thinner`."""

    def draw(key: int) -> sparse.csr_matrix:
        # Every cell's row is read once a neighbour: what is narrow and without zeros is read sooner.
        kept, columns = np.empty(counts.nnz, dtype=np.float32), np.empty(counts.nnz, dtype=np.int32)
        rows = np.empty(counts.shape[0] + 1, dtype=counts.indptr.dtype)
        start = _mixed(np.array([key], dtype=np.uint64))[0]
        _thin(counts.data, counts.indices, counts.indptr, start, kept, columns, rows)
        return sparse.csr_matrix((kept[: rows[-1]], columns[: rows[-1]], rows), shape=counts.shape)

    return draw


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
    n = 0
    known = np.empty(_COUNTS)
    out_indptr[0] = 0
    for row in range(edge_start.size - 1):
        for e in range(edge_start[row], edge_start[row + 1]):
            cell = edges[e]
            if drawn[cell]:
                for k in range(indptr[cell], indptr[cell + 1]):
                    total[indices[k]] += data[k]
        if own_indptr.size > 1:
            for k in range(own_indptr[row], own_indptr[row + 1]):
                total[own_indices[k]] += own_data[k]
        depth = 0.0
        first = n
        for gene in range(total.size):
            value = total[gene]
            if value != 0:
                out_data[n] = value
                out_indices[n] = gene
                depth += value
                total[gene] = 0
                n += 1
        rate = target_sum / depth if depth > 0 else 0.0
        known[:] = -1.0
        for i in range(first, n):
            value = out_data[i]
            # Counts are few different whole numbers: each logarithm is taken once a cell.
            count = np.int64(value) if value < _COUNTS else 0
            if count > 0 and count == value:
                if known[count] < 0:
                    known[count] = np.log1p(value * rate)
                out_data[i] = known[count]
            else:
                out_data[i] = np.log1p(value * rate)
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
    # No row has more genes than its neighbours have together, nor more than there are.
    width = np.concatenate([[0], np.cumsum(np.diff(counts.indptr)[graph.indices])])
    most = np.diff(width[graph.indptr]) + (np.diff(own.indptr) if own.shape[0] else 0)
    room = int(np.minimum(most, n_genes).sum())
    data, indices = np.empty(room), np.empty(room, dtype=np.int32)
    indptr = np.empty(n_cells + 1, dtype=np.int64)
    _pool(
        counts.data, counts.indices, counts.indptr, graph.indices, graph.indptr, drawn,
        own.data, own.indices, own.indptr, target_sum, np.zeros(n_genes), data, indices, indptr,
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
def _row_products(data: Array, indices: Array, indptr: Array, table: Array, out: Array) -> None:
    # Sums in an array of its own and unsigned indices: only so the inner loop becomes vector instructions.
    width = np.uint32(table.shape[1])
    sums = np.empty(width)
    for row in range(np.uint32(indptr.size - 1)):
        sums[:] = 0.0
        for k in range(indptr[row], indptr[row + 1]):
            value = data[k]
            gene = np.uint32(indices[k])
            for column in range(width):
                sums[column] += value * table[gene, column]
        out[row] = sums


def row_products(x: sparse.csr_matrix, table: Array) -> Array:
    """See `cafsc.engine.cells.row_products`."""
    out = np.zeros((x.shape[0], table.shape[1]))
    _row_products(x.data, x.indices, x.indptr, np.ascontiguousarray(table, dtype=np.float64), out)
    return out
