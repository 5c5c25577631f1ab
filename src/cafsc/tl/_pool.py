"""Pool the counts of like cells: one shallow cell alone says little about its state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import ScoreConfig
from cafsc.pp._neighbors import Array, detected_genes, neighbor_graph, principal_components
from cafsc.pp.normalize import log1p_depth, scale_rows


def state_space(
    counts: sparse.csr_matrix,
    config: ScoreConfig,
    target_sum: float = 1e4,
    batch: NDArray[np.object_] | None = None,
) -> tuple[Array, sparse.csr_matrix]:
    """Principal components of fibroblasts and their neighbours.

    The most detected genes are used, not the most variable ones: among cells of one lineage the states show in
    well-measured genes, and dispersion picks noise in shallow data.

    Returns
    -------
    Cells x components, and cells x cells with 1 for the cell itself and each neighbour.
    """
    genes = detected_genes(counts, config.n_top_genes)
    components = principal_components(log1p_depth(counts, target_sum), genes, config.n_pcs, batch)
    return components, neighbor_graph(components, n_pooled(counts.shape[0], config))


def n_pooled(n_cells: int, config: ScoreConfig) -> int:
    """Cells to pool: fewer where there are few, so that a small state is not averaged away."""
    return min(config.n_neighbors, max(config.min_neighbors, n_cells // 8))


def pooled_lognorm(
    counts: sparse.csr_matrix, graph: sparse.csr_matrix, target_sum: float = 1e4
) -> sparse.csr_matrix:
    """log1p of each cell's counts summed with its neighbours', scaled to a common depth: cells x genes."""
    pooled = sparse.csr_matrix(graph @ counts, dtype=np.float64)
    # In place, columns as they come: the pooled matrix is the largest there is, and its order does not matter.
    scale_rows(pooled, target_sum)
    np.log1p(pooled.data, out=pooled.data)
    return pooled
