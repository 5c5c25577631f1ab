"""Embed and cluster all cells of the tissue."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import ClusterConfig
from cafsc._keys import Keys
from cafsc.errors import OptionError
from cafsc.pp.blocks import CountRows
from cafsc.pp.embed import (
    Array,
    Embedding,
    Index,
    Names,
    embed,
    leiden,
    nearest,
    neighbor_graph,
    shared_neighbors,
    sketch_rows,
    umap,
)
from cafsc.pp.normalize import count_rows, log1p_depth

if TYPE_CHECKING:
    from anndata import AnnData

Number = TypeVar("Number", np.float64, np.int64)

# A cell outside the sketch lies on the map where the mean of so many of its nearest cells does.
_N_PLACED = 5


def cluster(
    adata: AnnData,
    *,
    batch_key: str | None = None,
    map_cells: bool = True,
    key_added: str = "caf",
    config: ClusterConfig | None = None,
    seed: int = 0,
) -> None:
    """Embed and cluster all cells, finely; the gate starts from these clusters.

    Parameters
    ----------
    adata
        After `cafsc.pp.normalize`, cells x genes.
    batch_key
        ``obs`` column of batches; the components are corrected by Harmony (doi:10.1038/s41592-019-0619-0).
    map_cells
        Also make a UMAP for people to look at; no later step reads it.
    key_added
        Prefix of the slots written.
    config
        Numbers of genes, components and neighbours, and the resolution.
    seed
        Of the sketch, PCA, Leiden and UMAP.

    Notes
    -----
    Writes ``obsm["X_<key_added>_tissue_pca"]`` (float64, cells x components), ``obsm["X_<key_added>_tissue_umap"]``
    (float64, cells x 2) and ``obs["<key_added>_tissue_cluster"]`` (categorical, numbered from the largest down).
    Variable genes, scaling, PCA, Leiden and UMAP are scanpy's (doi:10.1186/s13059-017-1382-0), on exact neighbours and
    a shared-neighbour graph. Of more than ``config.max_cells`` cells a random sketch is clustered; a cell outside it
    takes the cluster of its nearest cell.

    Raises
    ------
    InputError
        If `cafsc.pp.normalize` has not run.
    OptionError
        If ``obs`` has no column `batch_key`.

    Examples
    --------
    >>> cafsc.pp.cluster(adata)  # doctest: +SKIP
    >>> adata.obs["caf_tissue_cluster"].value_counts()  # doctest: +SKIP
    """
    config = config or ClusterConfig(resolution=3.0)
    keys = Keys(key_added)
    rows = count_rows(adata, key_added=key_added)
    batch = batch_labels(adata, batch_key)
    chosen = sketch_rows(usable_cells(adata, key_added), config.max_cells, seed)
    embedding = embed(
        rows.take(chosen),
        n_top_genes=config.n_top_genes,
        n_pcs=config.n_pcs,
        variable=True,
        batch=None if batch is None else batch[chosen],
        seed=seed,
    )
    graph = shared_neighbors(neighbor_graph(embedding.scores, config.n_neighbors))
    labels = leiden(graph, config.resolution, seed)
    layout = umap(embedding.scores, seed) if map_cells else np.empty((chosen.size, 0))
    scores, codes, coordinates = embedding.scores, labels, layout
    others = np.setdiff1d(np.arange(adata.n_obs), chosen, assume_unique=True)
    if others.size:
        placed, near = place_others(rows, embedding, others, _N_PLACED)
        scores = scattered(adata.n_obs, chosen, embedding.scores, others, placed)
        codes = scattered(adata.n_obs, chosen, labels, others, labels[near[:, 0]])
        coordinates = scattered(adata.n_obs, chosen, layout, others, layout[near].mean(axis=1))
    names = pd.Index([str(label) for label in range(int(labels.max(initial=-1)) + 1)])
    adata.obsm[keys.tissue_pca] = scores
    adata.obs[keys.tissue_cluster] = pd.Categorical.from_codes(codes, categories=names)
    if map_cells:
        adata.obsm[keys.tissue_umap] = coordinates


def batch_labels(adata: AnnData, batch_key: str | None) -> Names | None:
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


def usable_cells(adata: AnnData, key_added: str) -> NDArray[np.bool_]:
    """Cells that hold enough to be looked at; all where `cafsc.pp.qc` has not run."""
    low_quality = Keys(key_added).low_quality
    if low_quality not in adata.obs:
        return np.ones(adata.n_obs, dtype=bool)
    return np.asarray(~adata.obs[low_quality].to_numpy(dtype=bool))


def place_others(
    rows: CountRows, embedding: Embedding, others: Index, n_neighbors: int
) -> tuple[Array, Index]:
    """Components of cells outside the sketch (row numbers, sorted), and the positions of their nearest cells in it."""
    place = partial(_placed, embedding=embedding, n_neighbors=n_neighbors)
    found = [placed for _, placed in rows.map(place, others)]
    scores, near = zip(*found, strict=True)
    return np.concatenate(scores), np.concatenate(near)


def _placed(counts: sparse.csr_matrix, embedding: Embedding, n_neighbors: int) -> tuple[Array, Index]:
    scores = embedding.place(log1p_depth(counts))
    return scores, nearest(scores, embedding.scores, n_neighbors)


def scattered(
    n_rows: int, rows: Index, values: NDArray[Number], others: Index, other_values: NDArray[Number]
) -> NDArray[Number]:
    """One array of ``n_rows`` rows from the values at some rows and at all others."""
    out = np.empty((n_rows, *values.shape[1:]), dtype=values.dtype)
    out[rows], out[others] = values, other_values
    return out
