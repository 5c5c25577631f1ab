"""How far scores depend on depth and on dissociation stress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from cafsc import sig
from cafsc._keys import Keys, require
from cafsc._threads import one_thread
from cafsc.tl.score.controls import Array
from cafsc.tl.score.fibroblasts import Fibroblasts, fibroblasts
from cafsc.tl.score.set_columns import scored_sets

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

STRESS = "dissociation-stress"
"""Programme of the catalogue that stands for what dissociation does to cells."""


def calibrate(adata: AnnData, *, catalogue: Catalogue | None = None, key_added: str = "caf") -> None:
    """Add to the table of scores how far each depends on depth and stress, and what is left without them.

    Parameters
    ----------
    adata
        After `cafsc.pp.qc` and `cafsc.tl.programs`.
    catalogue
        Sets; the shipped ones if not given.
    key_added
        Prefix of the slots of the run.

    Notes
    -----
    Adds to ``uns["cafsc"]["scores"]``: ``depth_rho`` and ``stress_rho`` (Spearman correlation over kept cells of the
    set's score with the cell's log depth and with its score of the dissociation programme, -1..1) and
    ``mean_adjusted`` (the cluster's mean score after a linear fit of both over all kept cells is taken out, natural log
    units).

    Raises
    ------
    InputError
        If `cafsc.pp.qc` or `cafsc.tl.programs` has not run.

    Examples
    --------
    >>> cafsc.tl.calibrate(adata)  # doctest: +SKIP
    >>> cafsc.get.scores(adata)[["cluster", "set", "depth_rho"]]  # doctest: +SKIP
    """
    catalogue = catalogue or sig.load()
    keys = Keys(key_added)
    needed = {("obs", keys.total_counts): "pp.qc", ("obsm", keys.programs): "tl.programs"}
    table: pd.DataFrame = require(adata, keys, needed)["scores"].copy()
    cells = fibroblasts(adata, key_added)
    names = list(scored_sets(catalogue, cells.species, cells.columns))
    programs = adata.obsm[keys.programs].iloc[cells.rows]
    scores = adata.obsm[keys.scores].to_numpy()[cells.rows].astype(np.float64)
    everything = np.column_stack([scores, programs.to_numpy()])
    place = {name: index for index, name in enumerate([*names, *map(str, programs)])}
    depth = adata.obs[keys.total_counts].to_numpy(dtype=np.float64)[cells.rows]
    nuisance = _nuisance(cells, depth, programs)
    rho = _spearman(everything, nuisance)
    adjusted = pd.DataFrame(without(everything, nuisance))
    means = adjusted.groupby(adata.obs[keys.cluster].astype(str).to_numpy()[cells.rows]).mean()
    known = table["set"].isin(place).to_numpy()
    columns = table["set"].map(place).fillna(-1).to_numpy(dtype=np.int64)
    for index, column in enumerate(("depth_rho", "stress_rho")):
        table[column] = np.where(known, rho[columns, index], np.nan)
    row = means.index.get_indexer(pd.Index(table["cluster"].astype(str)))
    table["mean_adjusted"] = np.where(known, means.to_numpy()[row, columns], np.nan)
    adata.uns[keys.uns]["scores"] = table


def _nuisance(cells: Fibroblasts, own_depth: Array, programs: pd.DataFrame) -> Array:
    """Cells x (log depth of the pooled cell, stress score)."""
    depth = cells.graph @ own_depth
    stress = programs[STRESS].to_numpy() if STRESS in programs else np.zeros(cells.rows.size)
    return np.column_stack([np.log(np.maximum(depth, 1.0)), stress])


def _spearman(values: Array, other: Array) -> Array:
    """Rank correlation of each column of one with each of the other; 0 where a column does not vary."""
    if len(values) < 3:
        return np.zeros((values.shape[1], other.shape[1]))
    one, two = (_standard(stats.rankdata(columns, axis=0)) for columns in (values, other))
    with one_thread():
        return np.asarray(one.T @ two)


def _standard(ranks: Array) -> Array:
    centred = ranks - ranks.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    return np.asarray(centred / np.where(length > 0, length, 1.0))


def without(values: Array, nuisance: Array) -> Array:
    """Columns with the linear part of nuisance columns taken out; the mean over all cells stays."""
    if len(values) <= nuisance.shape[1] + 1:
        return values
    centred = nuisance - nuisance.mean(axis=0)
    with one_thread():
        slope, *_ = np.linalg.lstsq(centred, values - values.mean(axis=0), rcond=None)
        return np.asarray(values - centred @ slope)
