"""Pool the counts of like cells: one shallow cell alone says little about its state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import ScoreConfig
from cafsc.pp.blocks import CountRows, Index
from cafsc.pp.cluster import place_others, scattered
from cafsc.pp.embed import Array, Embedding, embed, neighbor_graph
from cafsc.pp.normalize import scale_depth

# Cells pooled where there are few: an eighth of the fibroblasts, but no fewer than this.
_MIN_NEIGHBORS = 8
# Most detected genes, from which the neighbours are found: in shallow data they carry the states.
_N_TOP_GENES = 1000
_N_PCS = 10


def state_space(
    rows: CountRows,
    kept: Index,
    sketch: Index,
    config: ScoreConfig,
    batch: NDArray[np.object_] | None,
    seed: int,
) -> tuple[Embedding, Array, sparse.csr_matrix]:
    """Principal components of fibroblasts and their neighbours, which are sought in a sketch of them.

    Parameters
    ----------
    rows
        Counts of all cells.
    kept
        Row numbers of the fibroblasts.
    sketch
        Positions in ``kept``, sorted: the fibroblasts among which neighbours are sought.

    Returns
    -------
    The embedding of the sketch; fibroblasts x components; fibroblasts x fibroblasts, 1 for the cell itself and its
    neighbours, which are in the sketch.
    """
    mine = None if batch is None else batch[kept[sketch]]
    embedding = embed(
        rows.take(kept[sketch]),
        n_top_genes=_N_TOP_GENES,
        n_pcs=_N_PCS,
        variable=False,
        batch=mine,
        seed=seed,
    )
    n_neighbors = min(n_pooled(sketch.size, config), sketch.size)
    edges = neighbor_graph(embedding.scores, n_neighbors)
    outside = np.setdiff1d(np.arange(kept.size), sketch, assume_unique=True)
    if not outside.size:
        return embedding, embedding.scores, edges
    placed, near = place_others(rows, embedding, kept[outside], n_neighbors - 1)
    inside = edges.tocoo()
    start = np.concatenate([sketch[inside.row], outside, np.repeat(outside, n_neighbors - 1)])
    end = np.concatenate([sketch[inside.col], outside, sketch[near.ravel()]])
    graph = sparse.csr_matrix((np.ones(start.size), (start, end)), shape=(kept.size, kept.size))
    return embedding, scattered(kept.size, sketch, embedding.scores, outside, placed), graph


def n_pooled(n_cells: int, config: ScoreConfig) -> int:
    """Cells to pool: fewer where there are few, so that a small state is not averaged away."""
    return min(config.n_neighbors, max(_MIN_NEIGHBORS, n_cells // 8))


def pooled_lognorm(
    counts: sparse.csr_matrix,
    graph: sparse.csr_matrix,
    target_sum: float = 1e4,
    *,
    own: sparse.csr_matrix | None = None,
) -> sparse.csr_matrix:
    """log1p of each cell's counts summed with its neighbours', scaled to a common depth: cells x genes.

    Parameters
    ----------
    counts
        Neighbours x genes.
    graph
        Cells x neighbours, 1 for a neighbour.
    own
        Cells x genes: counts of cells that are not among the neighbours, with empty rows for those that are.

    Returns
    -------
    Cells x genes, CSR; the columns of a row come in any order.
    """
    pooled = graph @ counts
    if own is not None:
        pooled = pooled + own
    scaled = scale_depth(pooled, target_sum)
    np.log1p(scaled.data, out=scaled.data)
    return scaled
