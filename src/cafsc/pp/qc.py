"""What each cell holds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import QCConfig
from cafsc._keys import Keys, require
from cafsc.pp.check.values import is_mitochondrial
from cafsc.pp.normalize import count_rows

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
    require(adata, Keys(key_added), {("var", Keys(key_added).symbol): "pp.normalize"})
    mito = np.flatnonzero(is_mitochondrial(adata.var[Keys(key_added).symbol]))
    found = [
        held
        for _, held in count_rows(adata, key_added=key_added).map(
            partial(what_cells_hold, mitochondrial=mito)
        )
    ]
    total, n_genes, mito_counts = np.concatenate(found, axis=1)
    adata.obs[f"{key_added}_n_counts"] = total
    adata.obs[f"{key_added}_n_genes"] = n_genes.astype(np.int64)
    adata.obs[f"{key_added}_pct_mito"] = 100.0 * mito_counts / np.where(total > 0, total, 1.0)
    adata.obs[f"{key_added}_low_quality"] = n_genes < config.min_genes


def what_cells_hold(counts: sparse.csr_matrix, mitochondrial: NDArray[np.int64]) -> NDArray[np.float64]:
    """Counts, genes detected, and mitochondrial counts of each cell: three x cells."""
    weight = np.zeros(counts.shape[1])
    weight[mitochondrial] = 1.0
    detected = counts if (counts.data > 0).all() else counts > 0
    n_genes = np.diff(counts.indptr) if detected is counts else np.asarray(detected.sum(axis=1)).ravel()
    return np.vstack([np.asarray(counts.sum(axis=1)).ravel(), n_genes, counts @ weight])
