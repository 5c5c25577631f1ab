"""Features, principal components, neighbours and communities: pure functions on arrays.

Everything here is deterministic: float64, full decompositions, exact neighbours, rounded edge weights and a
seeded Leiden. Labels do not change with the number of threads.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._threads import reproducible
from cafsc.pp._leading import gram, leading_vectors
from cafsc.pp._nearest import nearest

Array = NDArray[np.float64]
Index = NDArray[np.int64]

CLIP = 10.0
_ROWS = 512
"""Cells that are made dense at a time; their number changes the last bits."""
_N_BINS = 20
_MIN_CELLS = 3
_MIN_JACCARD = 1 / 15
ROUNDING = 1e-9


def variable_genes(normalized: sparse.csr_matrix, n_top_genes: int) -> Index:
    """Genes with the highest dispersion among genes of like mean.

    Parameters
    ----------
    normalized
        Cells x genes, scaled to a common depth, not logged.
    n_top_genes
        How many to return, at most.

    Returns
    -------
    Column indices, sorted. Method: log(variance / mean), centred and scaled within bins of the mean
    (Satija 2015, doi:10.1038/nbt.3192), with quantile bins so that every bin holds genes.
    """
    n_cells = normalized.shape[0]
    mean = _column_sums(normalized, normalized.data) / max(n_cells, 1)
    square = _column_sums(normalized, normalized.data**2) / max(n_cells, 1)
    variance = (square - mean**2) * n_cells / max(n_cells - 1, 1)
    detected = _n_positive(normalized)
    # Rounding leaves a constant gene a variance a little above zero.
    candidates = np.flatnonzero((detected >= _MIN_CELLS) & (variance > ROUNDING * square))
    if candidates.size <= n_top_genes:
        return candidates.astype(np.int64)
    log_mean = np.log(mean[candidates])
    dispersion = np.log(variance[candidates] / mean[candidates])
    bins = np.digitize(log_mean, np.quantile(log_mean, np.linspace(0, 1, _N_BINS + 1)[1:-1]))
    excess = np.empty_like(dispersion)
    for b in np.unique(bins):
        inside = bins == b
        excess[inside] = dispersion[inside] - np.median(dispersion[inside])
    # A gene tied with the last one taken is taken too: the order of the genes does not matter.
    least = np.partition(excess, -n_top_genes)[-n_top_genes]
    return np.asarray(candidates[excess >= least], dtype=np.int64)


def detected_genes(counts: sparse.csr_matrix, n_top_genes: int) -> Index:
    """Column indices of the genes detected in most cells, sorted.

    Ties go to the gene with more counts, then to the one that they vary more in; what is still tied with the last
    gene taken is taken too, so that the order of the genes does not matter.
    """
    detected = _n_positive(counts)
    total = np.asarray(counts.sum(axis=0)).ravel()
    square = np.asarray(counts.multiply(counts).sum(axis=0)).ravel()
    order = np.lexsort((-square, -total, -detected))
    last = order[min(n_top_genes, order.size) - 1]
    tied = (detected == detected[last]) & (total == total[last]) & (square == square[last])
    top = np.union1d(order[:n_top_genes], np.flatnonzero(tied))
    return np.asarray(top[detected[top] > 0], dtype=np.int64)


def _column_sums(matrix: sparse.csr_matrix, values: Array) -> Array:
    """Sum of each column if ``values`` stood where the matrix has its own."""
    with_values = sparse.csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
    return np.asarray(with_values.T @ np.ones(matrix.shape[0]), dtype=np.float64)


def _n_positive(matrix: sparse.csr_matrix) -> Index:
    """Number of values above zero in each column."""
    positive = matrix.data > 0
    columns = matrix.indices if positive.all() else matrix.indices[positive]
    return np.bincount(columns, minlength=matrix.shape[1])


def principal_components(
    lognorm: sparse.csr_matrix, genes: Index, n_pcs: int, batch: NDArray[np.object_] | None = None
) -> Array:
    """Principal components of scaled genes.

    Parameters
    ----------
    lognorm
        Cells x genes, log1p of depth-normalised counts.
    genes
        Columns to use.
    n_pcs
        Components to return, fewer where the data have a smaller rank.
    batch
        Batch of each cell: genes are centred within each, so that a shift common to a batch is no component.

    Returns
    -------
    Cells x components, float64, the largest first; the entry of largest size in each is positive.
    """
    columns = lognorm[:, genes]
    groups = _groups(batch, columns.shape[0])
    means, deviation = _moments(columns, groups)
    varies = np.flatnonzero(deviation > ROUNDING)
    rank = min(n_pcs, min(columns.shape[0], varies.size) - 1)
    if rank < 1:
        return np.zeros((lognorm.shape[0], 1))
    scaled = _Scaled(columns[:, varies], means[:, varies], deviation[varies], groups)
    return _leading_components(scaled, rank)


def _groups(batch: NDArray[np.object_] | None, n_cells: int) -> Index:
    """Number of each cell's batch, from 0."""
    if batch is None:
        return np.zeros(n_cells, dtype=np.int64)
    return np.asarray(np.unique(batch.astype(str), return_inverse=True)[1], dtype=np.int64)


def _moments(columns: sparse.csr_matrix, groups: Index) -> tuple[Array, Array]:
    """Mean of each gene in each group (groups x genes), and its deviation around them (genes)."""
    n_genes = columns.shape[1]
    means, squares = np.zeros((int(groups.max(initial=-1)) + 1, n_genes)), np.zeros(n_genes)
    for group, mean in enumerate(means):
        rows = columns[groups == group] if len(means) > 1 else columns
        mean[:] = _column_sums(rows, rows.data) / max(rows.shape[0], 1)
        # What is stored and what is not: the zeros lie as far from the mean as the mean from zero.
        n_zeros = rows.shape[0] - np.bincount(rows.indices, minlength=n_genes)
        squares += _column_sums(rows, (rows.data - mean[rows.indices]) ** 2)
        squares += n_zeros * mean**2
    return means, np.sqrt(squares / max(columns.shape[0], 1))


@dataclass(frozen=True)
class _Scaled:
    """Genes centred within each group of cells, divided by their deviation and clipped, made as they are needed."""

    columns: sparse.csr_matrix
    means: Array
    deviation: Array
    groups: Index

    def rows(self, start: int, stop: int) -> Array:
        """Dense rows: cells x genes."""
        block = self.columns[start:stop].toarray()
        block -= self.means[self.groups[start:stop]] if len(self.means) > 1 else self.means
        block /= self.deviation
        np.clip(block, -CLIP, CLIP, out=block)
        return np.asarray(block, dtype=np.float64)

    def blocks(self) -> Iterator[Array]:
        """All cells, block by block."""
        n_cells = self.columns.shape[0]
        return (self.rows(start, min(start + _ROWS, n_cells)) for start in range(0, n_cells, _ROWS))


def _leading_components(scaled: _Scaled, rank: int) -> Array:
    """Scores on the leading components, by the smaller of the two Gram matrices; signs by the largest entry."""
    n_cells, n_genes = scaled.columns.shape
    with reproducible():
        if n_cells <= n_genes:
            whole = scaled.rows(0, n_cells)
            values, vectors = leading_vectors(gram([np.ascontiguousarray(whole.T)], n_cells), rank)
            scores = vectors * np.sqrt(np.maximum(values, 0.0))
        else:
            _, vectors = leading_vectors(gram(scaled.blocks(), n_genes), rank)
            scores = np.concatenate([block @ vectors for block in scaled.blocks()])
    scores = scores[:, ::-1]
    extreme = scores[np.abs(scores).argmax(axis=0), np.arange(rank)]
    return np.asarray(scores * np.where(extreme < 0, -1.0, 1.0), dtype=np.float64)


def neighbor_graph(components: Array, n_neighbors: int) -> sparse.csr_matrix:
    """Exact nearest neighbours: cells x cells, 1 for the cell itself and its nearest, by Euclidean distance."""
    n_cells = components.shape[0]
    n_neighbors = min(n_neighbors, n_cells)
    found = nearest(components, components, n_neighbors)
    # Of many copies of one cell, others may come first.
    itself = np.arange(n_cells)
    missing = (found != itself[:, None]).all(axis=1)
    found[missing, -1] = itself[missing]
    starts = np.arange(0, found.size + 1, n_neighbors or 1)
    return sparse.csr_matrix(
        (np.ones(found.size), np.sort(found, axis=1).ravel(), starts), shape=(n_cells, n_cells)
    )


def shared_neighbors(graph: sparse.csr_matrix) -> sparse.coo_matrix:
    """Jaccard overlap of neighbourhoods, upper triangle, rounded, weak edges left out.

    Shared-neighbour graphs follow Jarvis and Patrick 1973 (doi:10.1109/T-C.1973.223640).
    """
    shared = (graph @ graph.T).tocoo()
    size = np.asarray(graph.sum(axis=1)).ravel()
    weight = shared.data / (size[shared.row] + size[shared.col] - shared.data)
    keep = (shared.row < shared.col) & (weight > _MIN_JACCARD)
    rounded = np.round(weight[keep], 6)
    return sparse.coo_matrix((rounded, (shared.row[keep], shared.col[keep])), shape=shared.shape)


def communities(edges: sparse.coo_matrix, resolution: float, seed: int) -> Index:
    """Leiden communities by modularity (doi:10.1038/s41598-019-41695-z), numbered from the largest down."""
    # Not at the top of the file: where no cells are clustered, nothing is waited for.
    import igraph

    graph = igraph.Graph(n=edges.shape[0], edges=np.column_stack([edges.row, edges.col]))
    igraph.set_random_number_generator(random.Random(seed))
    try:
        found = graph.community_leiden(
            objective_function="modularity", weights=edges.data, resolution=resolution, n_iterations=-1
        )
    finally:
        igraph.set_random_number_generator(random)
    return by_size(np.asarray(found.membership, dtype=np.int64))


def by_size(labels: Index) -> Index:
    """Renumber labels 0, 1, ... from the largest group down; ties go to the group seen first."""
    _, first, inverse, size = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((first, -size))
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return rank[inverse].astype(np.int64)
