"""Pool the counts of like cells: one shallow cell alone says little about its state."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import ScoreConfig
from cafsc.pp._components import Components, principal_components
from cafsc.pp._nearest import nearest
from cafsc.pp._neighbors import Array, most_detected_genes, neighbor_graph
from cafsc.pp.blocks import CountRows, Index
from cafsc.pp.normalize import log1p_depth, scale_depth


def state_space(
    counts: sparse.csr_matrix,
    config: ScoreConfig,
    target_sum: float = 1e4,
    batch: NDArray[np.object_] | None = None,
) -> tuple[Components, sparse.csr_matrix]:
    """Principal components of fibroblasts and their neighbours.

    The most detected genes are used, not the most variable ones: among cells of one lineage the states show in
    well-measured genes, and dispersion picks noise in shallow data.

    Returns
    -------
    The components, and cells x cells with 1 for the cell itself and each neighbour.
    """
    genes = most_detected_genes(counts, config.n_top_genes)
    components = principal_components(log1p_depth(counts, target_sum), genes, config.n_pcs, batch)
    return components, neighbor_graph(components.scores, n_pooled(counts.shape[0], config))


def space_of_all(
    rows: CountRows,
    kept: Index,
    sketch: Index,
    config: ScoreConfig,
    batch: NDArray[np.object_] | None = None,
    target_sum: float = 1e4,
) -> tuple[Array, sparse.csr_matrix, sparse.csr_matrix]:
    """`state_space` of many fibroblasts, of which some stand for all.

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
    Counts of the sketch; fibroblasts x components; fibroblasts x fibroblasts, 1 for the cell itself and its
    neighbours, which are in the sketch.
    """
    counts = rows.take(kept[sketch])
    mine = None if batch is None else batch[kept[sketch]]
    space, edges = state_space(counts, config, target_sum, mine)
    known = space.scores
    if sketch.size == kept.size:
        return counts, known, edges
    outside = np.setdiff1d(np.arange(kept.size), sketch, assume_unique=True)
    components = np.empty((kept.size, known.shape[1]))
    components[sketch] = known
    n_others = min(n_pooled(sketch.size, config), sketch.size) - 1
    graphs = [edges.tocoo()]
    ends = [(sketch[graphs[0].row], sketch[graphs[0].col]), (outside, outside)]
    find = partial(_placed_and_near, space=space, n_others=n_others, target_sum=target_sum)
    beside = np.full(rows.shape[0], None, dtype=object) if batch is None else batch
    for piece, (found, near) in rows.map_with(find, beside, kept[outside]):
        here = np.searchsorted(kept, piece)
        components[here] = found
        ends.append((np.repeat(here, n_others), sketch[near.ravel()]))
    start, end = (np.concatenate(side) for side in zip(*ends, strict=True))
    graph = sparse.csr_matrix((np.ones(start.size), (start, end)), shape=(kept.size, kept.size))
    return counts, components, graph


def _placed_and_near(
    counts: sparse.csr_matrix,
    batch: NDArray[np.object_],
    space: Components,
    n_others: int,
    target_sum: float,
) -> tuple[Array, Index]:
    """Where other cells lie, cells x components, and the nearest of those that the components were found in."""
    found = space.place(log1p_depth(counts, target_sum), batch)
    return found, nearest(found, space.scores, n_others)


def n_pooled(n_cells: int, config: ScoreConfig) -> int:
    """Cells to pool: fewer where there are few, so that a small state is not averaged away."""
    return min(config.n_neighbors, max(config.min_neighbors, n_cells // 8))


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
