"""Functional programmes: what the fibroblasts do, beside what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import ScoreConfig
from cafsc._keys import Keys, require
from cafsc.tl.gate.mixture import one_hot
from cafsc.tl.score.catalogue import both_scores
from cafsc.tl.score.fibroblasts import fibroblasts
from cafsc.tl.score.set_columns import set_columns
from cafsc.tl.score.table import SetInfo, cluster_effects, score_table

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue


def programs(
    adata: AnnData,
    *,
    catalogue: Catalogue | None = None,
    key_added: str = "caf",
    config: ScoreConfig | None = None,
) -> None:
    """Score the functional programmes in every kept fibroblast and every cluster.

    Parameters
    ----------
    adata
        After `cafsc.tl.label`.
    catalogue
        Programmes; the shipped ones if not given.

    Notes
    -----
    Writes ``obsm["<key_added>_programs"]`` (DataFrame, cells x programmes, float32, NaN where not kept; the same
    score as `cafsc.tl.score`, without a reference level) and adds rows of kind ``program`` to the table
    ``scores``: effect in standard deviations of matched random sets. A programme is expression, not activity.

    Raises
    ------
    InputError
        If `cafsc.tl.label` has not run.
    """
    config = config or ScoreConfig()
    catalogue = catalogue or sig.load()
    keys = Keys(key_added)
    require(adata, keys, {("uns", "scores"): "tl.label"})
    cells = fibroblasts(adata, key_added)
    sets = {
        name: set_columns(program.up, program.down, "human", cells.species, cells.columns)
        for name, program in catalogue.programs.items()
    }
    members = list(sets.values())
    out = np.full((adata.n_obs, len(sets)), np.nan, dtype=np.float32)
    table: pd.DataFrame = adata.uns[keys.uns]["scores"]
    table = table[table["kind"] != "program"]
    if cells.rows.size:
        cluster = adata.obs[keys.cluster].cat
        codes = cluster.codes.to_numpy(dtype=np.int64)[cells.rows]
        names = list(cluster.categories)
        membership = one_hot(codes, len(names))
        scores, ucell = np.empty((cells.rows.size, len(sets))), np.empty((cells.rows.size, len(sets)))
        means = np.zeros((len(names), adata.n_vars))
        for here, lognorm in cells.pooled():
            scores[here], ucell[here] = both_scores(lognorm, cells.bins, members, config.max_rank)
            means += (lognorm.T @ membership[here]).T
        means /= np.maximum(membership.sum(axis=0), 1.0)[:, None]
        out[cells.rows] = scores
        effects = cluster_effects(means, cells.single_lognorm, membership[cells.sketch], cells.bins, members)
        info = {name: SetInfo(catalogue.programs[name].label, "program", "") for name in sets}
        rows = score_table(names, codes, scores, ucell, effects, sets, info, cells.n_pooled)
        table = pd.concat([table, rows], ignore_index=True)
    adata.obsm[keys.programs] = pd.DataFrame(out, index=adata.obs_names, columns=list(sets))
    adata.uns[keys.uns]["scores"] = table
