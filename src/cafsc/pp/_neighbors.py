"""Features, neighbours and communities: pure functions on arrays.

Everything here is deterministic: float64, exact neighbours, rounded edge weights and a
seeded Leiden. Labels do not change with the number of threads.
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.pp._nearest import nearest

Array = NDArray[np.float64]
Index = NDArray[np.int64]

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
    mean = column_sums(normalized, normalized.data) / max(n_cells, 1)
    square = column_sums(normalized, normalized.data**2) / max(n_cells, 1)
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


def most_detected_genes(counts: sparse.csr_matrix, n_top_genes: int) -> Index:
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


def column_sums(matrix: sparse.csr_matrix, values: Array) -> Array:
    """Sum of each column if ``values`` stood where the matrix has its own."""
    with_values = sparse.csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape)
    return np.asarray(with_values.T @ np.ones(matrix.shape[0]), dtype=np.float64)


def _n_positive(matrix: sparse.csr_matrix) -> Index:
    """Number of values above zero in each column."""
    positive = matrix.data > 0
    columns = matrix.indices if positive.all() else matrix.indices[positive]
    return np.bincount(columns, minlength=matrix.shape[1])


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
