"""What a score is worth: its dependence on depth and dissociation stress, and a second opinion by ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import ScoreConfig
from cafsc._keys import Keys
from cafsc._threads import one_thread
from cafsc.errors import InputError, OptionError
from cafsc.tl.gate.mixture import one_hot
from cafsc.tl.score.controls import Array
from cafsc.tl.score.fibroblasts import Fibroblasts, fibroblasts
from cafsc.tl.score.set_columns import scored_sets
from cafsc.tl.score.statistics import column_ranks

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

STRESS = "dissociation-stress"
"""Programme of the catalogue that stands for what dissociation does to cells."""
_N_PERMUTATIONS = 1000


def calibrate(
    adata: AnnData,
    *,
    catalogue: Catalogue | None = None,
    prerank: bool = False,
    key_added: str = "caf",
    config: ScoreConfig | None = None,
    seed: int = 0,
) -> None:
    """Add to the table of scores how far each depends on depth and stress, and what is left without them.

    Parameters
    ----------
    adata
        After `cafsc.tl.programs`.
    catalogue
        Sets; the shipped ones if not given.
    prerank
        Also run gseapy's prerank on each cluster's genes, ranked by their difference from the other kept
        fibroblasts: a second opinion that shares no step with ours. Needs gseapy.
    seed
        For prerank's permutations.

    Notes
    -----
    The effect itself, against random sets matched for size and expression and widened for the correlation between
    genes, comes from `cafsc.tl.label`. Adds to ``uns["cafsc"]["scores"]``: ``depth_rho`` and ``stress_rho``
    (Spearman correlation over kept cells of the set's score with the cell's log depth and with its score of the
    dissociation programme, -1..1), ``mean_adjusted`` (the cluster's mean score after a linear fit of both over
    all kept cells is taken out, natural log units) and, with `prerank`, ``nes`` (normalised enrichment score) and
    ``nes_fdr`` (Subramanian 2005, doi:10.1073/pnas.0506580102; gseapy, doi:10.1093/bioinformatics/btac757).

    Raises
    ------
    InputError
        If `cafsc.tl.programs` has not run.
    OptionError
        If prerank is asked for and gseapy is not installed.
    """
    config = config or ScoreConfig()
    catalogue = catalogue or sig.load()
    keys = Keys(key_added)
    if keys.programs not in adata.obsm:
        raise InputError(f"obsm[{keys.programs!r}] is missing", fix="run cafsc.tl.programs(adata) first")
    cells = fibroblasts(adata, key_added)
    table: pd.DataFrame = adata.uns[keys.uns]["scores"].copy()
    names = list(scored_sets(catalogue, cells.species, cells.columns))
    scores = adata.obsm[keys.scores].to_numpy()[cells.rows].astype(np.float64)
    programs = adata.obsm[keys.programs].iloc[cells.rows]
    nuisance = _nuisance(cells, _depth(adata, cells, key_added), programs)
    cluster = adata.obs[keys.cluster].astype(object).to_numpy()[cells.rows]
    everything = np.column_stack([scores, programs.to_numpy()])
    place = {name: index for index, name in enumerate([*names, *map(str, programs)])}
    rho = _spearman(everything, nuisance)
    adjusted = without(everything, nuisance)
    means = {name: adjusted[cluster == name].mean(axis=0) for name in pd.unique(table["cluster"])}
    columns = [place.get(str(name), -1) for name in table["set"]]
    for index, column in enumerate(("depth_rho", "stress_rho")):
        table[column] = [rho[where, index] if where >= 0 else np.nan for where in columns]
    table["mean_adjusted"] = [
        means[name][where] if where >= 0 else np.nan
        for name, where in zip(table["cluster"], columns, strict=True)
    ]
    if prerank:
        table = _with_prerank(table, adata, cells, catalogue, keys, seed)
    adata.uns[keys.uns]["scores"] = table


def _nuisance(cells: Fibroblasts, own_depth: Array, programs: pd.DataFrame) -> Array:
    """Cells x (log depth of the pooled cell, stress score)."""
    depth = cells.graph @ own_depth
    stress = programs[STRESS].to_numpy() if STRESS in programs else np.zeros(cells.rows.size)
    return np.column_stack([np.log(np.maximum(depth, 1.0)), stress])


def _depth(adata: AnnData, cells: Fibroblasts, key_added: str) -> Array:
    """Counts of each kept cell by itself."""
    known = f"{key_added}_total_counts"
    if known in adata.obs:
        return np.asarray(adata.obs[known], dtype=np.float64)[cells.rows]
    blocks = cells.source.blocks(cells.rows)
    found = [np.asarray(counts.sum(axis=1)).ravel() for _, counts in blocks]
    return np.concatenate([np.zeros(0), *found])


@one_thread()
def _spearman(values: Array, other: Array) -> Array:
    """Rank correlation of each column of one with each of the other; 0 where a column does not vary."""
    if len(values) < 3:
        return np.zeros((values.shape[1], other.shape[1]))
    one, two = (_standard(column_ranks(columns)) for columns in (values, other))
    return np.asarray(one.T @ two)


def _standard(ranks: Array) -> Array:
    centred = ranks - ranks.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    return np.asarray(centred / np.where(length > 0, length, 1.0))


@one_thread()
def without(values: Array, nuisance: Array) -> Array:
    """Columns with the linear part of nuisance columns taken out; the mean over all cells stays."""
    if len(values) <= nuisance.shape[1] + 1:
        return values
    centred = nuisance - nuisance.mean(axis=0)
    slope, *_ = np.linalg.lstsq(centred, values - values.mean(axis=0), rcond=None)
    return np.asarray(values - centred @ slope)


def _with_prerank(
    table: pd.DataFrame, adata: AnnData, cells: Fibroblasts, catalogue: Catalogue, keys: Keys, seed: int
) -> pd.DataFrame:
    try:
        import gseapy
    except ImportError as error:
        raise OptionError("prerank needs gseapy", fix="pip install gseapy, or leave prerank out") from error
    symbols = adata.var[keys.symbol].to_numpy(dtype=object)
    sets = {
        name: [str(symbols[column]) for column in columns.up]
        for name, columns in scored_sets(catalogue, cells.species, cells.columns).items()
        if columns.up.size
    }
    categories = adata.obs[keys.cluster].cat.categories
    codes = adata.obs[keys.cluster].cat.codes.to_numpy(dtype=np.int64)[cells.rows]
    membership = one_hot(codes, len(categories))
    means = cells.cluster_means(membership)
    rest = cells.cluster_means(1.0 - membership) if len(categories) > 1 else np.zeros_like(means)
    table["nes"], table["nes_fdr"] = np.nan, np.nan
    for index, name in enumerate(categories):
        ranking = pd.Series(means[index] - rest[index], index=symbols)
        ranking = ranking[means.max(axis=0) > 0].sort_values(ascending=False, kind="stable")
        found = gseapy.prerank(
            rnk=ranking,
            gene_sets=sets,
            min_size=3,
            max_size=1000,
            permutation_num=_N_PERMUTATIONS,
            seed=seed,
            threads=1,
            outdir=None,
            no_plot=True,
        ).res2d.set_index("Term")
        here = table.index[(table["cluster"] == name) & table["set"].isin(found.index)]
        table.loc[here, "nes"] = found.loc[table.loc[here, "set"], "NES"].astype(float).to_numpy()
        table.loc[here, "nes_fdr"] = found.loc[table.loc[here, "set"], "FDR q-val"].astype(float).to_numpy()
    return table
