"""Cluster all cells of the tissue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import ClusterConfig, NormalizeConfig
from cafsc._errors import OptionError
from cafsc._keys import Keys
from cafsc.pp._neighbors import (
    Array,
    Index,
    communities,
    neighbor_graph,
    principal_components,
    shared_neighbors,
    variable_genes,
)
from cafsc.pp.normalize import count_matrix, log1p_depth, scale_depth

if TYPE_CHECKING:
    from anndata import AnnData


def embed_and_cluster(
    counts: sparse.csr_matrix,
    config: ClusterConfig,
    seed: int = 0,
    target_sum: float = 1e4,
    batch: NDArray[np.object_] | None = None,
) -> tuple[Array, Index]:
    """Principal components (cells x components) and Leiden labels of one group of cells."""
    genes = variable_genes(scale_depth(counts, target_sum), config.n_top_genes)
    components = principal_components(log1p_depth(counts, target_sum), genes, config.n_pcs, batch)
    graph = neighbor_graph(components, config.n_neighbors)
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
    (doi:10.1038/s41598-019-41695-z). Same input and seed, same labels, on any number of threads.
    """
    config = config or ClusterConfig(resolution=3.0)
    keys = Keys(key_added)
    counts = count_matrix(adata, key_added=key_added)
    components, labels = embed_and_cluster(
        counts, config, seed, NormalizeConfig().target_sum, batch_labels(adata, batch_key)
    )
    adata.obsm[keys.tissue_pca] = components
    names = [str(label) for label in range(int(np.max(labels, initial=-1)) + 1)]
    adata.obs[keys.tissue_cluster] = pd.Categorical([names[label] for label in labels], categories=names)
