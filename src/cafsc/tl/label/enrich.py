"""Marker genes of the clusters by scanpy, and a second opinion on their names by gseapy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._keys import UNRESOLVED, Keys, require
from cafsc.tl.gate.mixture import one_hot
from cafsc.tl.score.controls import Array
from cafsc.tl.score.fibroblasts import Fibroblasts, fibroblasts
from cafsc.tl.score.set_columns import scored_sets

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

MARKER_COLUMNS = ("cluster", "gene", "log_fold_change", "share_in", "share_out", "score", "p_adjusted")
_N_MARKERS = 50
_N_PERMUTATIONS = 200
_MIN_GENES = 5


def markers(adata: AnnData, *, key_added: str = "caf") -> None:
    """Genes that are higher in each cluster than in the other kept fibroblasts.

    Parameters
    ----------
    adata
        After `cafsc.tl.label`.
    key_added
        Prefix of the slots of the run.

    Notes
    -----
    Writes ``uns["cafsc"]["markers"]`` (see `cafsc.get.markers`): of each cluster the 50 genes with the highest t
    statistic by `scanpy.tl.rank_genes_groups`, with log2 fold change, shares of cells in which the gene is detected,
    and adjusted p-value. With a single cluster, or none, the table is empty. Clusters were made from these genes, so
    the p-values rank genes and do not test the clusters.

    Raises
    ------
    InputError
        If `cafsc.tl.label` has not run.

    Examples
    --------
    >>> cafsc.tl.markers(adata)  # doctest: +SKIP
    >>> cafsc.get.markers(adata).query("cluster == '0'").head()  # doctest: +SKIP
    """
    keys = Keys(key_added)
    require(adata, keys, {("obs", keys.cluster): "tl.label"})
    cells = fibroblasts(adata, key_added)
    cluster = adata.obs[keys.cluster].astype(str).to_numpy()[cells.rows[cells.sketch]]
    found = _ranked(cells, cluster, adata.var[keys.symbol].astype(str).to_numpy())
    adata.uns[keys.uns]["markers"] = found.reset_index(drop=True)


def _ranked(cells: Fibroblasts, cluster: np.ndarray, symbols: np.ndarray) -> pd.DataFrame:
    import scanpy as sc
    from anndata import AnnData

    size = pd.Series(cluster).value_counts()
    groups = sorted(size.index[size > 1])
    if len(size) < 2 or not groups:
        return pd.DataFrame(columns=list(MARKER_COLUMNS))
    inside = AnnData(cells.single_lognorm, obs=pd.DataFrame({"cluster": pd.Categorical(cluster)}))
    inside.var_names = pd.Index(symbols)
    sc.tl.rank_genes_groups(inside, "cluster", groups=groups, method="t-test", pts=True, n_genes=_N_MARKERS)
    found = sc.get.rank_genes_groups_df(inside, group=groups)
    found["group"] = found["group"] if "group" in found else groups[0]
    names = {
        "group": "cluster",
        "names": "gene",
        "logfoldchanges": "log_fold_change",
        "pct_nz_group": "share_in",
        "pct_nz_reference": "share_out",
        "scores": "score",
        "pvals_adj": "p_adjusted",
    }
    found = found.rename(columns=names)[list(MARKER_COLUMNS)]
    found = found.astype({"cluster": str, "gene": str})
    return pd.DataFrame(found.replace([np.inf, -np.inf], np.nan))


def second_opinion(
    adata: AnnData, *, catalogue: Catalogue | None = None, key_added: str = "caf", seed: int = 0
) -> None:
    """Ask gseapy which state each cluster's ranked genes are enriched in.

    Parameters
    ----------
    adata
        After `cafsc.tl.label`.
    catalogue
        States and their sets; the shipped ones if not given.
    key_added
        Prefix of the slots of the run.
    seed
        Of the permutations.

    Notes
    -----
    Genes are ranked by the difference of their mean log-expression from the other kept fibroblasts; those of a single
    cluster by their level above genes of like expression. ``gseapy.prerank`` (doi:10.1093/bioinformatics/btac757, after
    doi:10.1073/pnas.0506580102) tests the union of each state's sets. Adds to ``uns["cafsc"]["clusters"]``:
    ``enriched_state`` (the state with the highest normalised enrichment score above 0, or ""), ``enriched_score``
    (that score), ``enriched_fdr`` and ``enriched_agrees`` (boolean, missing where one of the two names
    nothing). It does not change a name.

    Raises
    ------
    InputError
        If `cafsc.tl.label` has not run.

    Examples
    --------
    >>> cafsc.tl.second_opinion(adata)  # doctest: +SKIP
    >>> cafsc.get.clusters(adata)[["cluster", "subtype", "enriched_state"]]  # doctest: +SKIP
    """
    catalogue = catalogue or sig.load()
    keys = Keys(key_added)
    needed = {("uns", "clusters"): "tl.label", ("obs", keys.cluster): "tl.label"}
    table: pd.DataFrame = require(adata, keys, needed)["clusters"].copy()
    cells = fibroblasts(adata, key_added)
    symbols = adata.var[keys.symbol].astype(str).to_numpy()
    sets = _state_genes(catalogue, cells, symbols)
    rows = []
    if len(table):
        names = table["cluster"].astype(str).tolist()
        cluster = adata.obs[keys.cluster].astype(str).to_numpy()[cells.rows[cells.sketch]]
        codes = pd.Categorical(cluster, categories=names).codes.astype(np.int64)
        sums = (cells.single_lognorm.T @ one_hot(codes, len(names))).T
        size = np.bincount(codes[codes >= 0], minlength=len(names)).astype(np.float64)
        means = sums / np.maximum(size, 1.0)[:, None]
        rows = [
            _enriched(_ranking(index, means, size, cells), symbols, sets, seed) for index in range(len(names))
        ]
    found = pd.DataFrame(rows, columns=["enriched_state", "enriched_score", "enriched_fdr"])
    for column in found:
        table[column] = found[column].to_numpy()
    named = (table["subtype"] != UNRESOLVED) & (table["enriched_state"] != "")
    agrees = (table["subtype"] == table["enriched_state"]).astype("boolean")
    table["enriched_agrees"] = agrees.where(named)
    adata.uns[keys.uns]["clusters"] = table


def _state_genes(catalogue: Catalogue, cells: Fibroblasts, symbols: np.ndarray) -> dict[str, list[str]]:
    """Measured genes of the sets of each state."""
    sets = scored_sets(catalogue, cells.species, cells.columns)
    out = {}
    for name, state in catalogue.states.items():
        columns = sorted({column for member in state.members if member in sets for column in sets[member].up})
        if len(columns) >= _MIN_GENES:
            out[name] = [str(symbols[column]) for column in columns]
    return out


def _ranking(index: int, means: Array, size: Array, cells: Fibroblasts) -> Array:
    """Genes: how far the level of one cluster lies above that of the others; NaN where no cluster expresses them."""
    others = np.delete(np.arange(len(means)), index)
    if others.size:
        rest = size[others] @ means[others] / size[others].sum()
    else:
        # Nothing to compare with in this sample: genes of like expression in a tumour stand in.
        in_bin = np.bincount(cells.bins, weights=means[index])
        rest = (in_bin / np.maximum(np.bincount(cells.bins), 1))[cells.bins]
    return np.where(means.max(axis=0) > 0, means[index] - rest, np.nan)


def _enriched(
    ranking: Array, symbols: np.ndarray, sets: dict[str, list[str]], seed: int
) -> tuple[str, float, float]:
    """State in which the top of a ranking is enriched most, its normalised score and false discovery rate."""
    import gseapy

    ranked = pd.Series(ranking, index=symbols).dropna().sort_index(kind="stable")
    ranked = ranked.sort_values(ascending=False, kind="stable")
    # gseapy leaves the order of tied genes open: here they are ordered by symbol.
    ranked -= np.arange(len(ranked)) * 1e-9
    known = set(ranked.index)
    here = {name: genes for name, genes in sets.items() if len(known.intersection(genes)) >= _MIN_GENES}
    if not here or ranked.nunique() < 2:
        return "", float("nan"), float("nan")
    found = gseapy.prerank(
        rnk=ranked,
        gene_sets=here,
        min_size=_MIN_GENES,
        max_size=len(ranked),
        permutation_num=_N_PERMUTATIONS,
        seed=seed,
        threads=1,
        outdir=None,
        no_plot=True,
    ).res2d
    scores = pd.to_numeric(found["NES"], errors="coerce")
    if not (scores > 0).any():
        return "", float("nan"), float("nan")
    best = found.loc[scores.idxmax()]
    return str(best["Term"]), float(best["NES"]), float(best["FDR q-val"])
