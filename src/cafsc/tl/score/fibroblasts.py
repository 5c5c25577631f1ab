"""The kept fibroblasts of an AnnData with their neighbours, as the arrays that scoring and naming work on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from cafsc._config import ScoreConfig
from cafsc._keys import KEPT, Keys, require
from cafsc.io.read import BLOCK
from cafsc.pp.blocks import CountRows
from cafsc.pp.cluster import place_others, scattered
from cafsc.pp.embed import Names, embed, neighbor_graph
from cafsc.pp.normalize import count_rows, log1p_depth, symbol_columns
from cafsc.tl.score.controls import Array, Index

if TYPE_CHECKING:
    from anndata import AnnData

# Cells pooled where there are few: an eighth of the fibroblasts, but no fewer than this.
_MIN_NEIGHBORS = 8
# Most detected genes, from which the neighbours are found: in shallow data they carry the states.
_N_TOP_GENES = 1000
_N_PCS = 10


@dataclass(frozen=True)
class Fibroblasts:
    """Kept cells with their neighbours.

    Attributes
    ----------
    rows
        Row numbers in the AnnData.
    source
        Counts of all cells of the AnnData.
    sketch
        Positions in `rows`, sorted, of the cells among which neighbours were sought: all but for very many fibroblasts.
    counts
        Counts of the sketch: cells x genes, float64.
    graph
        Cells x cells, 1 for a cell and each neighbour, which is in the sketch.
    bins
        Expression bin of each gene, by its level in a tumour of every lineage. Bins of the sample itself would compare
        a sample of one state with that state.
    columns
        Column of each symbol.
    species
        ``human`` or ``mouse``.
    """

    rows: Index
    source: CountRows
    sketch: Index
    counts: sparse.csr_matrix
    graph: sparse.csr_matrix
    bins: Index
    columns: Mapping[str, int]
    species: str

    @property
    def is_whole(self) -> bool:
        """Whether the sketch holds every kept cell."""
        return self.sketch.size == self.rows.size

    @cached_property
    def sketch_graph(self) -> sparse.csr_matrix:
        """The neighbours of the cells of the sketch: cells x cells."""
        return sparse.csr_matrix(self.graph[self.sketch][:, self.sketch])

    @cached_property
    def single_lognorm(self) -> sparse.csr_matrix:
        """Log-expression of each cell of the sketch by itself: cells x genes."""
        return log1p_depth(self.counts)

    @property
    def n_pooled(self) -> int:
        """Cells that were pooled into one."""
        return max(1, round(float(self.graph.nnz) / max(self.rows.size, 1)))

    def pooled(self) -> Iterator[tuple[Index, sparse.csr_matrix]]:
        """Positions of blocks of cells, and log1p of their counts summed with their neighbours': cells x genes.

        One shallow cell alone says little about its state.
        """
        edges = self.graph[:, self.sketch]
        in_sketch = np.isin(np.arange(self.rows.size), self.sketch)
        for start in range(0, self.rows.size, BLOCK):
            here = np.arange(start, min(start + BLOCK, self.rows.size))
            counts = edges[here] @ self.counts
            outside = np.flatnonzero(~in_sketch[here])
            if outside.size:
                own = self.source.take(self.rows[here[outside]])
                place = np.ones(outside.size), (outside, np.arange(outside.size))
                counts = counts + sparse.csr_matrix(place, shape=(here.size, outside.size)) @ own
            yield here, log1p_depth(counts)

    def cluster_means(self, membership: Array) -> Array:
        """Mean pooled log-expression of clusters (cells x clusters, 0 or 1): clusters x genes."""
        sums = np.zeros((membership.shape[1], self.source.shape[1]))
        for here, lognorm in self.pooled():
            sums += (lognorm.T @ membership[here]).T
        return np.asarray(sums / np.maximum(membership.sum(axis=0), 1.0)[:, None])

    def cluster_sums(self, codes: Index, n_clusters: int) -> Array:
        """Sums of counts over the cells of each cluster: clusters x genes."""
        return kept_sums(self.source, self.rows, codes, n_clusters)

    def spread(self, values: Array) -> Array:
        """Values of the cells of the sketch (cells x columns), and for the others the mean over their neighbours.

        NaN stays out of the means, and stands where a cell has no neighbour with a value.
        """
        if self.is_whole:
            return values
        edges = self.graph[:, self.sketch]
        known = np.isfinite(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            out = np.asarray((edges @ np.where(known, values, 0.0)) / (edges @ known.astype(np.float64)))
        out[self.sketch] = values
        return out


def kept_sums(source: CountRows, rows: Index, codes: Index, n_groups: int) -> Array:
    """Sums of counts over groups of some rows, sorted, with the group of each: groups x genes."""
    everywhere = np.full(source.shape[0], -1, dtype=np.int64)
    everywhere[rows] = codes
    return source.group_sums(everywhere, n_groups, rows)


def kept_rows(adata: AnnData, key_added: str) -> Index:
    """Row numbers of the fibroblasts that the gate kept.

    Raises
    ------
    InputError
        If the gate has not run.
    """
    keys = Keys(key_added)
    require(adata, keys, {("obs", keys.gate): "tl.gate"})
    return np.flatnonzero((adata.obs[keys.gate] == KEPT).to_numpy())


def tissue_bins(adata: AnnData, key_added: str) -> Index:
    """Expression bin of each gene in a tumour of every lineage, as `cafsc.tl.score` wrote it.

    Raises
    ------
    InputError
        If `cafsc.tl.score` has not run.
    """
    keys = Keys(key_added)
    require(adata, keys, {("var", keys.expression_bin): "tl.score"})
    return np.asarray(adata.var[keys.expression_bin], dtype=np.int64)


def fibroblasts(adata: AnnData, key_added: str) -> Fibroblasts:
    """Read the kept cells of a scored AnnData.

    Raises
    ------
    InputError
        If `cafsc.tl.score` has not run.
    """
    keys = Keys(key_added)
    require(adata, keys, {("obsm", keys.scores): "tl.score", ("obsp", keys.neighbors): "tl.score"})
    rows = kept_rows(adata, key_added)
    source = count_rows(adata, key_added=key_added)
    sketch = np.arange(rows.size)
    if keys.sketch in adata.obs:
        sketch = np.flatnonzero(adata.obs[keys.sketch].to_numpy(dtype=bool)[rows])
    return Fibroblasts(
        rows=rows,
        source=source,
        sketch=sketch,
        counts=source.take(rows[sketch]),
        graph=sparse.csr_matrix(adata.obsp[keys.neighbors])[rows][:, rows],
        bins=tissue_bins(adata, key_added),
        columns=symbol_columns(adata, key_added=key_added),
        species=str(adata.uns[keys.uns]["species"]),
    )


def neighbourhoods(
    rows: CountRows, kept: Index, sketch: Index, config: ScoreConfig, batch: Names | None, seed: int
) -> tuple[Array, sparse.csr_matrix]:
    """Principal components of the fibroblasts (rows `kept`) and their neighbours, sought in a sketch of them.

    Returns fibroblasts x components, and fibroblasts x fibroblasts, 1 for the cell itself and its neighbours.
    """
    embedding = embed(
        rows.take(kept[sketch]),
        n_top_genes=_N_TOP_GENES,
        n_pcs=_N_PCS,
        variable=False,
        batch=None if batch is None else batch[kept[sketch]],
        seed=seed,
    )
    # Fewer neighbours where there are few cells, so that a small state is not averaged away.
    n_pooled = min(config.n_neighbors, max(_MIN_NEIGHBORS, sketch.size // 8), sketch.size)
    edges = neighbor_graph(embedding.scores, n_pooled)
    outside = np.setdiff1d(np.arange(kept.size), sketch, assume_unique=True)
    if not outside.size:
        return embedding.scores, edges
    placed, near = place_others(rows, embedding, kept[outside], n_pooled - 1)
    inside = edges.tocoo()
    start = np.concatenate([sketch[inside.row], outside, np.repeat(outside, n_pooled - 1)])
    end = np.concatenate([sketch[inside.col], outside, sketch[near.ravel()]])
    graph = sparse.csr_matrix((np.ones(start.size), (start, end)), shape=(kept.size, kept.size))
    return scattered(kept.size, sketch, embedding.scores, outside, placed), graph
