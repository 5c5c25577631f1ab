"""What each cell holds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import QCConfig
from cafsc._keys import Keys, require
from cafsc.pp.check.values import is_mitochondrial
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
    ``obs["<key_added>_low_quality"]`` (bool, too few genes for a name).

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
    measure = partial(_metrics, mitochondrial=is_mitochondrial(adata.var[keys.symbol]))
    found = pd.concat([metrics for _, metrics in rows.map(measure)])
    for name in _METRICS:
        adata.obs[f"{key_added}_{name}"] = found[name].to_numpy()
    adata.obs[keys.low_quality] = found["n_genes_by_counts"].to_numpy() < config.min_genes


def _metrics(counts: sparse.csr_matrix, mitochondrial: NDArray[np.bool_]) -> pd.DataFrame:
    import scanpy as sc
    from anndata import AnnData

    cells = AnnData(
        counts, var=pd.DataFrame({"mt": mitochondrial}, index=np.arange(counts.shape[1]).astype(str))
    )
    found, _ = sc.pp.calculate_qc_metrics(cells, qc_vars=["mt"], percent_top=None, log1p=False)
    return pd.DataFrame(found[list(_METRICS)].fillna(0.0).astype({"n_genes_by_counts": np.int64}))
