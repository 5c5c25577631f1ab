"""What is done to whole cells: their counts thinned, pooled and summed in groups; in NumPy and SciPy.

`cafsc.engine.cell_loops` has the same functions compiled, for many cells.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[Any]

_COMPILED_FROM = 1_500
_WORD_BITS = 64
MOST_DRAWN = 4096
"""Molecules of one entry that are drawn one by one."""
_DENSE_SHARE = 0.1
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def cell_kernels(n_cells: int) -> ModuleType:
    """This module, or for a dataset of many cells the compiled one: loading it takes longer than few cells do."""
    name = "cell_loops" if n_cells >= _COMPILED_FROM else "cells"
    return importlib.import_module(f"cafsc.engine.{name}")


def thinner(counts: sparse.csr_matrix) -> Callable[[int], sparse.csr_matrix]:
    """What draws half of the molecules of every entry.

    Parameters
    ----------
    counts
        Cells x genes, whole numbers.

    Returns
    -------
    A function of a key below 2^64 that says which draw: the thinned counts, float32, without entries that lose all.
    A molecule's fate hangs on the key, its row and its gene alone: not on storage, nor on what is in the other rows.

    Notes
    -----
    Half of n molecules is the number of ones among n random bits. The bits are those of SplitMix64
    (Steele 2014, doi:10.1145/2660193.2660195) at a place that the cell and the gene give. Of more than `MOST_DRAWN`
    molecules, whose number is no longer told from a normal one, so many are drawn, and what is left of all is as many
    standard deviations from a half as what is left of these.
    """
    cell = np.repeat(np.arange(counts.shape[0], dtype=np.uint64) << np.uint64(32), np.diff(counts.indptr))
    place = (cell | counts.indices.astype(np.uint64)) * _STEP
    n = np.minimum(counts.data, MOST_DRAWN).astype(np.int64)
    # One word of bits is enough for nearly all entries; all of its bits cannot be asked for by one shift.
    few = np.minimum(n, _WORD_BITS - 1).astype(np.uint64)
    mask = np.where(n >= _WORD_BITS, ~np.uint64(0), (np.uint64(1) << few) - np.uint64(1))
    many = np.flatnonzero(n > _WORD_BITS)
    most = np.flatnonzero(counts.data > MOST_DRAWN)
    deviation = np.sqrt(counts.data[most]) / np.sqrt(MOST_DRAWN)

    def draw(key: int) -> sparse.csr_matrix:
        bits = _mixed(place + _mixed(np.array([key], dtype=np.uint64)))
        kept = np.bitwise_count(bits & mask).astype(np.float32)
        left, more, state = n[many] - _WORD_BITS, many, bits[many]
        while more.size:
            state = _mixed(state + _STEP)
            shift = np.minimum(left, _WORD_BITS - 1).astype(np.uint64)
            asked = np.where(left >= _WORD_BITS, ~np.uint64(0), (np.uint64(1) << shift) - np.uint64(1))
            kept[more] += np.bitwise_count(state & asked)
            again = left > _WORD_BITS
            left, more, state = left[again] - _WORD_BITS, more[again], state[again]
        kept[most] = np.rint(0.5 * counts.data[most] + (kept[most] - 0.5 * MOST_DRAWN) * deviation)
        stays = kept > 0
        ends = np.concatenate([[0], np.cumsum(stays)])[counts.indptr].astype(counts.indptr.dtype)
        return sparse.csr_matrix((kept[stays], counts.indices[stays], ends), shape=counts.shape)

    return draw


def _mixed(state: Array) -> Array:
    z = (state ^ (state >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return np.asarray(z ^ (z >> np.uint64(31)))


def pooled_lognorm(
    counts: sparse.csr_matrix,
    graph: sparse.csr_matrix,
    target_sum: float,
    *,
    drawn: NDArray[np.bool_] | None = None,
    own: sparse.csr_matrix | None = None,
) -> sparse.csr_matrix:
    """log1p of the counts of each cell's neighbours together, scaled to a common depth.

    Parameters
    ----------
    counts
        Neighbours x genes.
    graph
        Cells x neighbours: a stored entry is a neighbour.
    target_sum
        The depth.
    drawn
        Neighbours that count; all if not given.
    own
        Cells x genes: counts that a cell brings itself; a cell that is its own neighbour has an empty row.

    Returns
    -------
    Cells x genes, float64 CSR; the columns of a row come in any order.
    """
    weight = np.ones(graph.nnz) if drawn is None else drawn[graph.indices].astype(np.float64)
    edges = sparse.csr_matrix((weight, graph.indices.copy(), graph.indptr.copy()), shape=graph.shape)
    edges.eliminate_zeros()
    filled = counts.nnz > _DENSE_SHARE * counts.shape[0] * counts.shape[1]
    # Where most entries of the sums are filled, adding whole rows is quicker than finding places.
    pooled = _compressed(edges @ counts.toarray()) if filled else edges @ counts.astype(np.float64)
    if own is not None:
        pooled = sparse.csr_matrix(pooled + own)
    depth = np.asarray(pooled.sum(axis=1)).ravel()
    pooled.data *= np.repeat(target_sum / np.where(depth > 0, depth, 1.0), np.diff(pooled.indptr))
    np.log1p(pooled.data, out=pooled.data)
    return pooled


def _compressed(dense: Array) -> sparse.csr_matrix:
    """CSR of an array that is mostly filled, float64, without the coordinates that scipy would make first."""
    stored = dense != 0
    ends = np.concatenate([[0], np.cumsum(stored.sum(axis=1))])
    indices = np.tile(np.arange(dense.shape[1], dtype=np.int32), dense.shape[0])[stored.ravel()]
    return sparse.csr_matrix((dense[stored].astype(np.float64, copy=False), indices, ends), shape=dense.shape)


def weighted_sums(x: sparse.csr_matrix, weights: Array, least_weight: float) -> Array:
    """Sums over cells: groups x genes, float64.

    Parameters
    ----------
    x
        Cells x genes.
    weights
        Cells x groups. Nearly all of a cell's weight lies in one group: only weights above ``least_weight`` count.
    """
    used = sparse.csr_matrix(np.where(weights > least_weight, weights, 0.0).T)
    return np.asarray((used @ x).toarray(), dtype=np.float64)


def row_products(x: sparse.csr_matrix, table: Array, rows: Array | None = None) -> Array:
    """``x @ table`` for a table of genes x columns in C order: cells x columns, float64; of some rows if given."""
    return np.asarray((x if rows is None else x[rows]) @ table, dtype=np.float64)
