"""The kept fibroblasts of an AnnData, as the arrays that scoring and naming work on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._keys import KEPT, Keys
from cafsc.errors import InputError
from cafsc.io.read import BLOCK
from cafsc.pp.blocks import CountRows
from cafsc.pp.normalize import TARGET_SUM, count_rows, log1p_depth, symbol_columns
from cafsc.tl.gate.mixture import weighted_sums
from cafsc.tl.score.controls import Array, Index
from cafsc.tl.score.pool import pooled_lognorm

if TYPE_CHECKING:
    from anndata import AnnData


T = TypeVar("T")


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
        Positions in ``rows``, sorted, of the cells among which neighbours were sought: all of them, but for very
        many fibroblasts.
    counts
        Counts of the sketch: cells x genes, float64.
    graph
        Cells x cells, 1 for a cell and each neighbour, which is in the sketch.
    bins
        Expression bin of each gene, by its level in a tumour of every lineage: a sample of fibroblasts alone,
        or of one state, would else compare that state with itself.
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
        return self.graph if self.is_whole else sparse.csr_matrix(self.graph[self.sketch][:, self.sketch])

    @cached_property
    def single_lognorm(self) -> sparse.csr_matrix:
        """Log-expression of each cell of the sketch by itself: cells x genes."""
        return log1p_depth(self.counts, TARGET_SUM)

    @property
    def n_pooled(self) -> int:
        """Cells that were pooled into one."""
        return max(1, round(float(self.graph.nnz) / max(self.rows.size, 1)))

    def _pooled(self, here: Index) -> sparse.csr_matrix:
        """Pooled log-expression of successive cells."""
        return pooled_lognorm(self.counts, self.graph[here[0] : here[-1] + 1])

    def map_pooled(
        self, function: Callable[[sparse.csr_matrix, Any], T], beside: Any
    ) -> Iterator[tuple[Index, T]]:
        """Positions of blocks of cells, and `function` of their pooled log-expression and their rows of `beside`.

        The columns of a row come in any order. On a cluster if there is one and the cells are too many for memory.
        """
        if self.is_whole:
            starts = range(0, self.rows.size, BLOCK)
            for start in starts:
                here = np.arange(start, min(start + BLOCK, self.rows.size))
                yield here, function(self._pooled(here), beside[here])
            return
        known = np.zeros(self.rows.size, dtype=bool)
        known[self.sketch] = True
        work = _Pooled(function, self.counts)
        edges = self.graph[:, self.sketch]
        everywhere = _Beside(self.rows, edges, ~known, beside)
        for piece, found in self.source.map_with(work, everywhere, self.rows):
            yield np.searchsorted(self.rows, piece), found

    def cluster_means(self, membership: Array) -> Array:
        """Mean pooled log-expression of clusters: clusters x genes."""
        size = np.maximum(membership.sum(axis=0), 1.0)
        sums = np.zeros((membership.shape[1], self.source.shape[1]))
        for _, found in self.map_pooled(weighted_sums, membership):
            sums += found
        return np.asarray(sums / size[:, None])

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
        n_known = np.asarray(edges @ known.astype(np.float64))
        with np.errstate(invalid="ignore", divide="ignore"):
            out = np.asarray(edges @ np.where(known, values, 0.0)) / n_known
        out[self.sketch] = values
        return np.asarray(out)


@dataclass(frozen=True)
class _Beside:
    """What goes with each of the kept cells, looked up by row number."""

    rows: Index
    edges: sparse.csr_matrix
    brings_own: NDArray[np.bool_]
    beside: Any

    def __getitem__(self, piece: Index) -> tuple[sparse.csr_matrix, NDArray[np.bool_], Any]:
        here = np.searchsorted(self.rows, piece)
        return self.edges[here], self.brings_own[here], self.beside[here]


@dataclass(frozen=True)
class _Pooled(Generic[T]):
    """A function of pooled log-expression, called with the counts of some cells."""

    function: Callable[[sparse.csr_matrix, Any], T]
    counts: sparse.csr_matrix

    def __call__(self, own: sparse.csr_matrix, beside: tuple[sparse.csr_matrix, NDArray[np.bool_], Any]) -> T:
        edges, brings_own, more = beside
        brought = sparse.csr_matrix(sparse.diags(brings_own.astype(np.float64)) @ own)
        return self.function(pooled_lognorm(self.counts, edges, own=brought), more)


def kept_sums(source: CountRows, rows: Index, codes: Index, n_groups: int) -> Array:
    """Sums of counts over groups of some rows: groups x genes.

    Parameters
    ----------
    rows
        Row numbers, sorted.
    codes
        Group of each of these rows.
    """
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
    if keys.gate not in adata.obs:
        raise InputError(f"obs[{keys.gate!r}] is missing", fix="run cafsc.tl.gate(adata) first")
    return np.flatnonzero((adata.obs[keys.gate] == KEPT).to_numpy())


def tissue_bins(adata: AnnData, key_added: str) -> Index:
    """Expression bin of each gene in a tumour of every lineage, as `cafsc.tl.score` wrote it.

    Raises
    ------
    InputError
        If `cafsc.tl.score` has not run.
    """
    keys = Keys(key_added)
    if keys.expression_bin not in adata.var:
        raise InputError(f"var[{keys.expression_bin!r}] is missing", fix="run cafsc.tl.score(adata) first")
    return np.asarray(adata.var[keys.expression_bin], dtype=np.int64)


def fibroblasts(adata: AnnData, key_added: str) -> Fibroblasts:
    """Read the kept cells of a scored AnnData.

    Raises
    ------
    InputError
        If `cafsc.tl.score` has not run.
    """
    keys = Keys(key_added)
    if keys.scores not in adata.obsm:
        raise InputError(f"obsm[{keys.scores!r}] is missing", fix="run cafsc.tl.score(adata) first")
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
