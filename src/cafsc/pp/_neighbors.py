"""Features, principal components, neighbours and communities: pure functions on arrays.

Everything here is deterministic: float64, full decompositions, exact neighbours, rounded edge weights and a
seeded Leiden. Labels do not change with the number of threads.
"""

from __future__ import annotations

import random

import igraph
import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from sklearn.neighbors import NearestNeighbors

from cafsc._threads import reproducible

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_CLIP = 10.0
_N_BINS = 20
_MIN_CELLS = 3
_MIN_JACCARD = 1 / 15
_ROUNDING = 1e-9


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
    mean = np.asarray(normalized.mean(axis=0)).ravel()
    square = np.asarray(normalized.multiply(normalized).mean(axis=0)).ravel()
    variance = (square - mean**2) * n_cells / max(n_cells - 1, 1)
    detected = np.asarray((normalized > 0).sum(axis=0)).ravel()
    # Rounding leaves a constant gene a variance a little above zero.
    candidates = np.flatnonzero((detected >= _MIN_CELLS) & (variance > _ROUNDING * square))
    if candidates.size <= n_top_genes:
        return candidates.astype(np.int64)
    log_mean = np.log(mean[candidates])
    dispersion = np.log(variance[candidates] / mean[candidates])
    bins = np.digitize(log_mean, np.quantile(log_mean, np.linspace(0, 1, _N_BINS + 1)[1:-1]))
    excess = np.empty_like(dispersion)
    for b in np.unique(bins):
        inside = bins == b
        excess[inside] = dispersion[inside] - np.median(dispersion[inside])
    top = np.argsort(-excess, kind="stable")[:n_top_genes]
    return np.sort(candidates[top]).astype(np.int64)


def detected_genes(counts: sparse.csr_matrix, n_top_genes: int) -> Index:
    """Column indices of the genes detected in most cells, sorted; ties go to the earlier column."""
    detected = np.asarray((counts > 0).sum(axis=0)).ravel()
    top = np.argsort(-detected, kind="stable")[:n_top_genes]
    return np.sort(top[detected[top] > 0]).astype(np.int64)


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
    scaled = lognorm[:, genes].toarray().astype(np.float64)
    for cells in _groups(batch, scaled.shape[0]):
        scaled[cells] -= scaled[cells].mean(axis=0)
    deviation = scaled.std(axis=0)
    varies = deviation > _ROUNDING
    scaled = scaled[:, varies] / deviation[varies]
    np.clip(scaled, -_CLIP, _CLIP, out=scaled)
    rank = min(n_pcs, min(scaled.shape) - 1)
    if rank < 1:
        return np.zeros((lognorm.shape[0], 1))
    return _leading_components(scaled, rank)


def _leading_components(centred: Array, rank: int) -> Array:
    """Scores on the leading components, by the smaller of the two Gram matrices; signs by the largest entry."""
    with reproducible():
        if centred.shape[0] <= centred.shape[1]:
            size = centred.shape[0]
            values, vectors = linalg.eigh(centred @ centred.T, subset_by_index=(size - rank, size - 1))
            scores = vectors * np.sqrt(np.maximum(values, 0.0))
        else:
            size = centred.shape[1]
            _, vectors = linalg.eigh(centred.T @ centred, subset_by_index=(size - rank, size - 1))
            scores = centred @ vectors
    scores = scores[:, ::-1]
    extreme = scores[np.abs(scores).argmax(axis=0), np.arange(rank)]
    return np.asarray(scores * np.where(extreme < 0, -1.0, 1.0), dtype=np.float64)


def _groups(batch: NDArray[np.object_] | None, n_cells: int) -> list[Index]:
    if batch is None:
        return [np.arange(n_cells)]
    return [np.flatnonzero(batch == name) for name in np.unique(batch)]


def neighbor_graph(components: Array, n_neighbors: int) -> sparse.csr_matrix:
    """Exact nearest neighbours: cells x cells, 1 for the cell itself and its nearest, by Euclidean distance."""
    n_neighbors = min(n_neighbors, components.shape[0])
    with reproducible():
        search = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(components)
        graph = search.kneighbors_graph(components, mode="connectivity")
    graph.setdiag(1)
    graph.sort_indices()
    return sparse.csr_matrix(graph)


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
