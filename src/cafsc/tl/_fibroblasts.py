"""The kept fibroblasts of an AnnData, as the arrays that scoring and naming work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from cafsc._config import NormalizeConfig
from cafsc._errors import InputError
from cafsc._keys import KEPT, Keys
from cafsc.pp.normalize import count_matrix, log1p_depth, symbol_columns
from cafsc.tl._controls import Array, Index
from cafsc.tl._pool import pooled_lognorm

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True)
class Fibroblasts:
    """Kept cells with their neighbours.

    Attributes
    ----------
    rows
        Row numbers in the AnnData.
    counts
        Cells x genes, float64.
    graph
        Cells x cells, 1 for a cell and each neighbour.
    bins
        Expression bin of each gene, by its level in a tumour of every lineage: a sample of fibroblasts alone,
        or of one state, would else compare that state with itself.
    columns
        Column of each symbol.
    species
        ``human`` or ``mouse``.
    """

    rows: Index
    counts: sparse.csr_matrix
    graph: sparse.csr_matrix
    bins: Index
    columns: Mapping[str, int]
    species: str

    @cached_property
    def lognorm(self) -> sparse.csr_matrix:
        """Pooled log-expression: cells x genes."""
        return pooled_lognorm(self.counts, self.graph)

    @cached_property
    def single_lognorm(self) -> sparse.csr_matrix:
        """Log-expression of each cell by itself: cells x genes."""
        return log1p_depth(self.counts, NormalizeConfig().target_sum)

    @property
    def n_pooled(self) -> int:
        """Cells that were pooled into one."""
        return max(1, round(float(self.graph.nnz) / max(self.rows.size, 1)))

    def cluster_means(self, membership: Array) -> Array:
        """Mean pooled log-expression of clusters: clusters x genes."""
        size = np.maximum(membership.sum(axis=0), 1.0)
        sums = np.asarray((self.lognorm.T @ membership).T, dtype=np.float64)
        return np.asarray(sums / size[:, None])


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
    return Fibroblasts(
        rows=rows,
        counts=count_matrix(adata, key_added=key_added)[rows],
        graph=sparse.csr_matrix(adata.obsp[keys.neighbors])[rows][:, rows],
        bins=tissue_bins(adata, key_added),
        columns=symbol_columns(adata, key_added=key_added),
        species=str(adata.uns[keys.uns]["species"]),
    )
