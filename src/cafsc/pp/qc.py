"""What each cell holds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc import genes
from cafsc._config import QCConfig
from cafsc._keys import Keys, require
from cafsc.pp.check.matrix import cell_shares
from cafsc.pp.normalize import count_rows

if TYPE_CHECKING:
    from anndata import AnnData

_METRICS = ("total_counts", "n_genes_by_counts", "pct_counts_mt")


def qc(adata: AnnData, *, key_added: str = "caf", config: QCConfig | None = None) -> None:
    """Quality metrics of each cell by `scanpy.pp.calculate_qc_metrics`; no cell is removed.

    Parameters
    ----------
    adata
        After `cafsc.pp.normalize`, cells x genes.
    key_added
        Prefix of the slots written.
    config
        Fewest genes a cell needs.

    Notes
    -----
    Writes, under scanpy's names with the prefix, ``obs["<key_added>_total_counts"]`` (float64; counts, or
    pseudo-counts where the input has none), ``obs["<key_added>_n_genes_by_counts"]`` (int64),
    ``obs["<key_added>_pct_counts_mt"]`` (float64, percent of counts; 0 without mitochondrial genes) and
    ``obs["<key_added>_low_quality"]`` (bool, too few genes for a name). In a dataset of two species, cells with
    more than half of their counts in genes of the other one are of low quality too, and
    ``obs["<key_added>_pct_counts_foreign"]`` (float64) has that percentage.

    Raises
    ------
    InputError
        If `cafsc.pp.normalize` has not run.

    Examples
    --------
    >>> cafsc.pp.qc(adata)  # doctest: +SKIP
    >>> adata.obs["caf_total_counts"].median()  # doctest: +SKIP
    """
    config = config or QCConfig()
    keys = Keys(key_added)
    require(adata, keys, {("var", keys.symbol): "pp.normalize"})
    rows = count_rows(adata, key_added=key_added)
    measure = partial(_metrics, mitochondrial=genes.is_mitochondrial(adata.var[keys.symbol]))
    found = pd.concat([metrics for _, metrics in rows.map(measure)])
    for name in _METRICS:
        adata.obs[f"{key_added}_{name}"] = found[name].to_numpy()
    low_quality = found["n_genes_by_counts"].to_numpy() < config.min_genes
    if keys.foreign in adata.var:
        foreign = cell_shares((counts for _, counts in rows.blocks()), adata.var[keys.foreign].to_numpy(bool))
        adata.obs[f"{key_added}_pct_counts_foreign"] = 100.0 * foreign
        low_quality |= foreign > 0.5
    adata.obs[keys.low_quality] = low_quality


def _metrics(counts: sparse.csr_matrix, mitochondrial: NDArray[np.bool_]) -> pd.DataFrame:
    import scanpy as sc
    from anndata import AnnData

    cells = AnnData(
        counts, var=pd.DataFrame({"mt": mitochondrial}, index=np.arange(counts.shape[1]).astype(str))
    )
    found, _ = sc.pp.calculate_qc_metrics(cells, qc_vars=["mt"], percent_top=None, log1p=False)
    return pd.DataFrame(found[list(_METRICS)].fillna(0.0).astype({"n_genes_by_counts": np.int64}))
