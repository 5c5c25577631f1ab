"""Cluster all cells of the tissue."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import ClusterConfig
from cafsc._keys import Keys
from cafsc.errors import OptionError
from cafsc.pp._components import Components, principal_components
from cafsc.pp._neighbors import (
    Array,
    Index,
    communities,
    neighbor_graph,
    shared_neighbors,
    variable_genes,
)
from cafsc.pp.blocks import CountRows
from cafsc.pp.normalize import TARGET_SUM, count_rows, log1p_depth, scale_depth
from cafsc.pp.sketch import centroids, nearest_centroid, sketch_rows

if TYPE_CHECKING:
    from anndata import AnnData


def embed_and_cluster(
    counts: sparse.csr_matrix,
    config: ClusterConfig,
    seed: int = 0,
    target_sum: float = 1e4,
    batch: NDArray[np.object_] | None = None,
) -> tuple[Components, Index]:
    """Principal components and Leiden labels of one group of cells."""
    scaled = scale_depth(counts, target_sum)
    genes = variable_genes(scaled, config.n_top_genes)
    # In place: nobody asks for the values before the logarithm any more.
    np.log1p(scaled.data, out=scaled.data)
    components = principal_components(scaled, genes, config.n_pcs, batch)
    graph = neighbor_graph(components.scores, config.n_neighbors)
    return components, communities(shared_neighbors(graph), config.resolution, seed)


def batch_labels(adata: AnnData, batch_key: str | None) -> NDArray[np.object_] | None:
    """Batch of each cell as strings, or None without a key.

    Raises
    ------
    OptionError
        If ``obs`` has no such column; lists those it has.
    """
    if batch_key is None:
        return None
    if batch_key not in adata.obs:
        raise OptionError(
            f"obs has no column {batch_key!r}",
            expected=f"one of {', '.join(map(str, adata.obs.columns)) or 'no column at all'}",
            fix="name an existing column",
        )
    return np.asarray(adata.obs[batch_key].astype(str), dtype=object)


def cluster(
    adata: AnnData,
    *,
    batch_key: str | None = None,
    key_added: str = "caf",
    config: ClusterConfig | None = None,
    seed: int = 0,
) -> None:
    """Embed and cluster all cells, finely; the gate starts from these clusters.

    Parameters
    ----------
    batch_key
        ``obs`` column of batches; genes are centred within each before the components are found.

    Notes
    -----
    Writes ``obsm["X_<key_added>_tissue_pca"]`` (float64, cells x components) and
    ``obs["<key_added>_tissue_cluster"]`` (categorical, numbered from the largest down). Exact neighbours on
    principal components of the most dispersed genes, shared-neighbour graph, Leiden by modularity
    (doi:10.1038/s41598-019-41695-z). Of more than ``max_cells`` cells a random sample is clustered; the others are
    placed among its components and take the cluster of the nearest centre. Same input and seed, same labels, on any
    number of threads.
    """
    config = config or ClusterConfig(resolution=3.0)
    keys = Keys(key_added)
    rows = count_rows(adata, key_added=key_added)
    batch = batch_labels(adata, batch_key)
    chosen = sketch_rows(usable_cells(adata, key_added), config.max_cells, seed)
    counts = rows.take(chosen)
    mine = None if batch is None else batch[chosen]
    components, labels = embed_and_cluster(counts, config, seed, TARGET_SUM, mine)
    scores = components.scores
    n_clusters = int(np.max(labels, initial=-1)) + 1
    if chosen.size < adata.n_obs:
        scores, labels = _place_all(rows, components, labels, chosen, TARGET_SUM, batch)
    names = [str(label) for label in range(n_clusters)]
    adata.obsm[keys.tissue_pca] = scores
    adata.obs[keys.tissue_cluster] = pd.Categorical([names[label] for label in labels], categories=names)


def usable_cells(adata: AnnData, key_added: str) -> NDArray[np.bool_]:
    """Cells that hold enough to be looked at; all where `cafsc.pp.qc` has not run."""
    low_quality = f"{key_added}_low_quality"
    if low_quality not in adata.obs:
        return np.ones(adata.n_obs, dtype=bool)
    return np.asarray(~adata.obs[low_quality].to_numpy(dtype=bool))


def _place_all(
    rows: CountRows,
    components: Components,
    labels: Index,
    chosen: Index,
    target_sum: float,
    batch: NDArray[np.object_] | None,
) -> tuple[Array, Index]:
    """Components and clusters of all cells; those of the chosen ones stay what they are."""
    n_cells = rows.shape[0]
    centres = centroids(components.scores, labels, int(labels.max()) + 1)
    others = np.setdiff1d(np.arange(n_cells), chosen, assume_unique=True)
    out, found = np.empty((n_cells, components.scores.shape[1])), np.empty(n_cells, dtype=np.int64)
    out[chosen], found[chosen] = components.scores, labels
    place = partial(_placed, components=components, target_sum=target_sum)
    beside = np.full(n_cells, None, dtype=object) if batch is None else batch
    for piece, placed in rows.map_with(place, beside, others):
        out[piece], found[piece] = placed, nearest_centroid(placed, centres)
    return out, found


def _placed(
    counts: sparse.csr_matrix, batch: NDArray[np.object_], components: Components, target_sum: float
) -> Array:
    return components.place(log1p_depth(counts, target_sum), batch)
