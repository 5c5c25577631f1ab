"""The cell table: one row a cell of the input."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc._keys import Keys
from cafsc.errors import InputError
from cafsc.get._slots import RUN_AGAIN, results

if TYPE_CHECKING:
    from anndata import AnnData


def cells(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """What each cell is, whether it was kept as a fibroblast, and what its cluster was called.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    key_added
        The ``key_added`` of that run.

    Returns
    -------
    DataFrame, one row a cell in the order of ``adata.obs``, with a running index:

    ``cell`` : str
        Name of the cell, from ``obs_names``.
    ``lineage`` : category of str
    ``gate`` : category of str
        ``kept``, or the code of the reason why not.
    ``cluster``, ``subtype``, ``cell_subtype``, ``call`` : category of str
        Of the cell's cluster; ``cell_subtype`` of the cell by itself. Missing where the cell was not kept.
    ``confidence`` : float64, 0..1
        Support of the subtype; NaN where the cell was not kept.

    Raises
    ------
    cafsc.InputError
        The AnnData holds no result under ``key_added``, or its ``obs`` columns are gone.
    """
    results(adata, key_added)
    keys = Keys(key_added)
    gone = [name for name in (keys.lineage, keys.gate) if name not in adata.obs]
    if gone:
        raise InputError(f"obs has no column {', '.join(gone)}", fix=RUN_AGAIN)
    columns: dict[str, pd.Series] = {"cell": pd.Series(adata.obs_names.astype(str), dtype=object)}
    for name in ("lineage", "gate", "cluster", "subtype", "cell_subtype"):
        columns[name] = _category(adata, getattr(keys, name))
    columns["confidence"] = _number(adata, keys.confidence)
    columns["call"] = _category(adata, keys.call)
    return pd.DataFrame(columns)


def _category(adata: AnnData, column: str) -> pd.Series:
    # Without a single kept fibroblast the columns about clusters may be absent: every value is missing.
    if column not in adata.obs:
        return pd.Series(pd.Categorical([None] * adata.n_obs, categories=pd.Index([], dtype=object)))
    values: pd.Series = adata.obs[column].reset_index(drop=True)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values
    named: pd.Series = values.where(values.isna(), values.astype(str)).astype("category")
    return named


def _number(adata: AnnData, column: str) -> pd.Series:
    if column not in adata.obs:
        return pd.Series(np.full(adata.n_obs, np.nan))
    values: pd.Series = adata.obs[column].reset_index(drop=True).astype("float64")
    return values
