"""What each cell holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cafsc._config import QCConfig
from cafsc.pp.normalize import count_matrix
from cafsc.pp.values import is_mitochondrial

if TYPE_CHECKING:
    from anndata import AnnData


def qc(adata: AnnData, *, key_added: str = "caf", config: QCConfig | None = None) -> None:
    """Count what each cell holds; no cell is removed.

    Notes
    -----
    Writes ``obs["<key_added>_n_counts"]`` (float64; counts, or pseudo-counts where the input has none),
    ``obs["<key_added>_n_genes"]`` (int64, genes detected), ``obs["<key_added>_pct_mito"]`` (float64, percent
    of counts) and ``obs["<key_added>_low_quality"]`` (bool, too few genes to be called anything). Run
    `cafsc.pp.normalize` first.
    """
    config = config or QCConfig()
    counts = count_matrix(adata, key_added=key_added)
    total = np.asarray(counts.sum(axis=1)).ravel()
    n_genes = np.asarray((counts > 0).sum(axis=1)).ravel().astype(np.int64)
    mito = is_mitochondrial(adata.var_names)
    mito_counts = np.asarray(counts[:, mito].sum(axis=1)).ravel() if mito.any() else np.zeros_like(total)
    adata.obs[f"{key_added}_n_counts"] = total
    adata.obs[f"{key_added}_n_genes"] = n_genes
    adata.obs[f"{key_added}_pct_mito"] = 100.0 * mito_counts / np.where(total > 0, total, 1.0)
    adata.obs[f"{key_added}_low_quality"] = n_genes < config.min_genes
