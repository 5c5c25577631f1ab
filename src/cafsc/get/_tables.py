"""The result tables: columns, dtypes and order of rows as `cafsc.get.schema` declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from natsort import natsorted

from cafsc._keys import Keys
from cafsc.errors import InputError
from cafsc.get import schema
from cafsc.get._records import RUN_AGAIN, part, results
from cafsc.get.schema import Column, Table

if TYPE_CHECKING:
    from anndata import AnnData


def clusters(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """State, support and call of each fibroblast cluster.

    Returns
    -------
    DataFrame, one row per cluster in natural order; none where no fibroblast was kept. The last columns,
    ``scheme_<id>`` (str), are the labels in each published scheme.

    Examples
    --------
    >>> cafsc.get.clusters(adata)[["cluster", "subtype", "support", "call"]]
      cluster subtype  support   call
    0       0   myCAF     0.97    pro
    1       1    iCAF     0.94  mixed
    """
    return _table(adata, key_added, schema.CLUSTERS)


def cancers(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """Call of each cluster in the given cancer, and in every other that a claim about a present subject names.

    Returns
    -------
    DataFrame, one row per cluster and cancer, by cluster, then falling ``n_own``.

    Examples
    --------
    >>> cafsc.get.cancers(adata).pivot(index="cluster", columns="cancer", values="call")
    """
    return _table(adata, key_added, schema.CANCERS)


def evidence(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """Every published claim that bears on a cluster, with its source and weight.

    Returns
    -------
    DataFrame, one row per claim and cluster, by cluster, side, falling weight, claim.

    Examples
    --------
    >>> cafsc.get.evidence(adata).query("counted")[["cluster", "side", "weight", "doi"]]
    """
    return _table(adata, key_added, schema.EVIDENCE)


def scores(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """Score of each catalogue set in each cluster, and its dependence on depth and stress.

    Returns
    -------
    DataFrame, one row per cluster and set, by cluster, kind (state, subtype, program), scheme, set.

    Examples
    --------
    >>> cafsc.get.scores(adata).query("kind == 'program' and fdr < 0.05")[["cluster", "label", "effect"]]
    """
    return _table(adata, key_added, schema.SCORES)


def markers(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """Marker genes of each fibroblast cluster against the other fibroblasts.

    Returns
    -------
    DataFrame, one row per cluster and gene, by cluster, then falling score.

    Examples
    --------
    >>> cafsc.get.markers(adata).groupby("cluster").head(10)
    """
    return _table(adata, key_added, schema.MARKERS)


def cells(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """Lineage of each cell, whether it was kept as a fibroblast, and the state and call of its cluster.

    Returns
    -------
    DataFrame, one row per cell in the order of ``adata.obs``: its columns such as ``obs["caf_lineage"]``, without
    their prefix. Those of clusters are missing where the cell was refused.

    Examples
    --------
    >>> cafsc.get.cells(adata)["gate"].value_counts()
    """
    results(adata, key_added)
    keys = Keys(key_added)
    missing = [name for name in (keys.lineage, keys.gate) if name not in adata.obs]
    if missing:
        raise InputError(f"obs has no column {', '.join(missing)}", fix="run cafsc.tl.gate first")
    out = {"cell": pd.Series(adata.obs_names.astype(str), dtype=object)}
    for column in schema.CELLS.columns[1:]:
        stored = adata.obs.get(f"{key_added}_{column.name}", pd.Series(index=adata.obs_names, dtype=object))
        out[column.name] = _typed(stored.reset_index(drop=True), column)
    return pd.DataFrame(out)


def _table(adata: AnnData, key_added: str, table: Table) -> pd.DataFrame:
    """A table of ``uns`` with the columns, dtypes and order of rows that the schema declares."""
    stored = part(adata, key_added, table.name, table.step)
    where = f"uns[{Keys(key_added).uns!r}][{table.name!r}]"
    if not isinstance(stored, pd.DataFrame):
        raise InputError(f"{where} is a {type(stored).__name__}", expected="a table", fix=RUN_AGAIN)
    former = {c.alias: c.name for c in table.columns if c.alias and c.name not in stored}
    stored = stored.rename(columns=former).reset_index(drop=True)
    missing = [c.name for c in table.columns if not c.optional and c.name not in stored]
    if missing and len(stored):
        raise InputError(f"{where} has no column {', '.join(missing)}", fix=RUN_AGAIN)
    columns = list(table.columns)
    if table.extra:
        columns += [Column(c, "") for c in map(str, stored) if c.startswith(table.extra)]
    full = stored.reindex(columns=[column.name for column in columns])
    try:
        frame = pd.DataFrame({column.name: _typed(full[column.name], column) for column in columns})
    except (TypeError, ValueError) as error:
        raise InputError(f"{where} holds a value of the wrong type: {error}", fix=RUN_AGAIN) from error
    ranks = pd.DataFrame({key: _rank(frame, table, key) for key in table.order})
    frame = frame.loc[ranks.sort_values(list(table.order), kind="stable").index].reset_index(drop=True)
    return frame.assign(**{column.alias: frame[column.name] for column in columns if column.alias})


def _rank(frame: pd.DataFrame, table: Table, key: str) -> pd.Series:
    """What rows are sorted by: natural order of clusters, order of codes, or the values, falling after ``-``."""
    name = key.removeprefix("-")
    values = frame[name]
    if name == "cluster":
        return values.map({cluster: i for i, cluster in enumerate(natsorted(sorted(set(values))))})
    if codes := table[name].codes:
        return values.map({code: i for i, code in enumerate(codes)}).fillna(len(codes))
    return -values if key.startswith("-") else values


def _typed(values: pd.Series, column: Column) -> pd.Series:
    """Values in the dtype that the schema declares; missing is ``""``, 0 or false where the dtype has no other."""
    match column.dtype:
        case "str":
            return values.astype(object).where(values.notna(), "").map(str).astype(object)
        case "category" if isinstance(values.dtype, pd.CategoricalDtype):
            return values
        case "category":
            return values.where(values.isna(), values.astype(str)).astype("category")
        case "boolean":
            return values.astype("boolean")
    numbers = pd.to_numeric(values).astype(np.float64)
    return numbers if column.dtype == "float64" else numbers.fillna(0).astype(column.dtype)
