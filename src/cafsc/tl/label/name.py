"""Name the fibroblasts: harmonised states, published schemes, or ``unresolved`` with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import LabelConfig, MarkerConfig, ScoreConfig
from cafsc._keys import UNRESOLVED, Keys
from cafsc.errors import OptionError
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.gate.mixture import one_hot, scaled_sums
from cafsc.tl.label.activation import activation_panel, activation_score
from cafsc.tl.label.clusters import given_clusters, joined_clusters, state_clusters
from cafsc.tl.label.evidence import ClusterName, StateEvidence, name_cluster
from cafsc.tl.label.markers import marker_levels
from cafsc.tl.label.schemes import SchemeContext, scheme_label
from cafsc.tl.label.states import (
    MINOR_LEVEL,
    StateSpace,
    assign_states,
    competing_states,
    resampled_agreement,
    settle_states,
)
from cafsc.tl.score.controls import Array, Index, SetColumns
from cafsc.tl.score.fibroblasts import Fibroblasts, fibroblasts
from cafsc.tl.score.set_columns import columns_of, scored_sets
from cafsc.tl.score.table import SetInfo, cluster_effects, score_table

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

_N_TOP_GENES = 8
_TABLE = "cluster n_cells fraction subtype support reason runner_up margin top_genes"
# Share of the tissue's strongest component that a gene which a state must lack may reach.
_MAX_EXCLUDED = 0.2


def label(
    adata: AnnData,
    *,
    catalogue: Catalogue | None = None,
    levels: ReferenceLevels | None = None,
    schemes: Sequence[str] | None = None,
    cluster_key: str | None = None,
    key_added: str = "caf",
    config: LabelConfig | None = None,
    score_config: ScoreConfig | None = None,
    marker_config: MarkerConfig | None = None,
    seed: int = 0,
) -> None:
    """Name every kept fibroblast and every cluster of them.

    Parameters
    ----------
    adata
        After `cafsc.tl.score`.
    catalogue, levels
        States, schemes and reference levels; the shipped ones if not given.
    schemes
        Published schemes to name clusters in; all of the catalogue if not given.
    cluster_key
        ``obs`` column with clusters of your own; else Leiden clusters that do not cross a border between states.
    config, score_config, marker_config
        When a name is earned.
    seed
        For Leiden and the resampling.

    Notes
    -----
    A cell takes the primary state (myCAF or iCAF) whose sets, averaged over papers, stand higher above their
    reference level; a minor state takes it only where strong. A cluster takes the state of its cells if the
    state's sets are covered, ahead of matched chance, ahead of the runner-up, and stable when cells and counts
    are thinned; else it is ``unresolved`` with a reason: ``too_few_cells``, ``low_coverage``, ``no_evidence``,
    ``mixed:A+B``, ``low_margin``, ``low_support``, ``excluded_gene:G`` (an apCAF that is a leucocyte),
    ``not_activated`` (the fibroblasts of the sample lack what those of tumours show: an iCAF cannot be told from a
    fibroblast of normal tissue by itself).

    Writes ``obs["<key_added>_cluster"]``, ``_subtype``, ``_cell_subtype``, ``_<scheme>`` (categorical, missing
    where not kept), ``_confidence`` (float64, 0..1, of the cluster),
    ``_cell_support`` (float64, 0..1, of the cell, NaN where no resample asked it) and, in ``uns["cafsc"]``, the
    tables ``clusters`` and ``scores`` (see `cafsc.get`).

    Raises
    ------
    InputError
        If `cafsc.tl.score` has not run.
    OptionError
        If the cluster key or a scheme is not there.
    """
    config = config or LabelConfig()
    levels = levels or reference_levels()
    score_config = score_config or ScoreConfig()
    marker_config = marker_config or MarkerConfig()
    catalogue = catalogue or sig.load()
    keys = Keys(key_added)
    cells = fibroblasts(adata, key_added)
    wanted = list(catalogue.schemes) if schemes is None else list(schemes)
    for scheme in wanted:
        catalogue.sets_in_scheme(scheme)

    sets = scored_sets(catalogue, cells.species, cells.columns)
    centred = adata.obsm[keys.scores].to_numpy()[cells.rows].astype(np.float64)
    evidence = _settled(catalogue, cells, sets, centred, levels, config, seed)
    clusters, names = _clusters(adata, cells, evidence.states, cluster_key, config, seed)
    sums = cells.cluster_sums(clusters, len(names))
    activated = _is_activated(catalogue, cells, sums.sum(axis=0), levels, config)
    evidence = replace(evidence, activated=activated)
    membership = one_hot(clusters, len(names))
    mean_level = cells.cluster_means(membership)
    members = list(sets.values())
    effects = cluster_effects(mean_level, cells.single_lognorm, membership[cells.sketch], cells.bins, members)
    n_neighbors = cells.n_pooled
    found = [
        name_cluster(np.flatnonzero(clusters == index), effects.effect[index], evidence, config, n_neighbors)
        for index in range(len(names))
    ]
    tissue = adata.var[keys.reference_level].to_numpy(dtype=np.float64)
    found = [
        _without_excluded(name, scaled_sums(sums[[index]], 1e4)[0], catalogue, cells, tissue, config)
        for index, name in enumerate(found)
    ]
    markers = marker_levels(sums, tissue, marker_config)
    context = SchemeContext(
        catalogue, sets, list(sets), cells.columns, cells.species, markers, config, marker_config, n_neighbors
    )
    scheme_labels = {
        scheme: [
            scheme_label(scheme, index, centred[clusters == index], effects.effect[index], context)
            for index in range(len(names))
        ]
        for scheme in wanted
    }
    _write_obs(adata, keys, cells.rows, clusters, names, found, evidence, scheme_labels)
    table = _cluster_table(clusters, names, found, scheme_labels)
    symbols = adata.var[keys.symbol].to_numpy(dtype=object)
    genes = [
        ", ".join(_top_genes(index, mean_level, name.subtype, evidence.space, list(sets.values()), symbols))
        for index, name in enumerate(found)
    ]
    table["top_genes"] = pd.Series(genes, dtype=object)
    info = {
        name: SetInfo(catalogue.sets[name].label, "subtype", ",".join(catalogue.sets[name].schemes))
        for name in sets
    }
    ucell = adata.obsm[keys.ucell].to_numpy()[cells.rows].astype(np.float64)
    adata.uns[keys.uns]["clusters"] = table
    adata.uns[keys.uns]["scores"] = score_table(
        names, clusters, centred, ucell, effects, sets, info, n_neighbors
    )


def _without_excluded(
    name: ClusterName,
    level: Array,
    catalogue: Catalogue,
    cells: Fibroblasts,
    tissue: Array,
    config: LabelConfig,
) -> ClusterName:
    """Take the name from a cluster that expresses what its state must lack: it is a doublet or another lineage."""
    if name.subtype not in catalogue.states:
        return name
    for gene in catalogue.states[name.subtype].excludes:
        for column in columns_of([gene], "human", cells.species, cells.columns):
            if level[column] > _MAX_EXCLUDED * tissue[column]:
                return replace(name, subtype=UNRESOLVED, reason=f"excluded_gene:{gene}")
    return name


def _settled(
    catalogue: Catalogue,
    cells: Fibroblasts,
    sets: Mapping[str, SetColumns],
    centred: Array,
    levels: ReferenceLevels,
    config: LabelConfig,
    seed: int,
) -> StateEvidence:
    """The state of every cell, and how often resamples agree with it."""
    states = {name: (state.members, state.primary) for name, state in catalogue.states.items()}
    space = competing_states(states, sets, config)
    scores = space.scores(centred)
    first = assign_states(scores, space, MINOR_LEVEL)
    agreement = np.zeros(scores.shape)
    if cells.rows.size >= 2:
        agreement = resampled_agreement(
            cells.counts,
            cells.sketch_graph,
            cells.bins,
            list(sets.values()),
            np.array([levels.sets.get(name, 0.0) for name in sets]),
            np.array([levels.errors.get(name, 0.0) for name in sets]),
            space,
            config,
            seed,
        )
        agreement = cells.spread(agreement)
        first = settle_states(first, agreement, scores, space, config)
    return StateEvidence(space, first, scores, centred, agreement)


def _is_activated(
    catalogue: Catalogue, cells: Fibroblasts, total: Array, levels: ReferenceLevels, config: LabelConfig
) -> bool:
    """Whether these are fibroblasts of a tumour; `total` is the sum of counts over all of them: genes."""
    panel = activation_panel(catalogue, cells.columns, cells.species)
    activation = activation_score(total, panel, levels, config)
    return activation is None or activation >= config.min_activation


def _clusters(
    adata: AnnData, cells: Fibroblasts, states: Index, cluster_key: str | None, config: LabelConfig, seed: int
) -> tuple[Index, list[str]]:
    if cluster_key is None:
        labels, names = state_clusters(
            cells.sketch_graph, states[cells.sketch], config.resolution, config.min_cells, seed
        )
        return (
            (labels, names) if cells.is_whole else joined_clusters(cells.graph, cells.sketch, labels, states)
        )
    if cluster_key not in adata.obs:
        raise OptionError(
            f"obs has no column {cluster_key!r}",
            expected=f"one of {', '.join(map(str, adata.obs.columns))}",
            fix="name an existing column, or leave the cluster key out",
        )
    return given_clusters(adata.obs[cluster_key].astype(str).to_numpy()[cells.rows].tolist())


def _write_obs(
    adata: AnnData,
    keys: Keys,
    rows: Index,
    clusters: Index,
    names: list[str],
    found: list[ClusterName],
    evidence: StateEvidence,
    scheme_labels: Mapping[str, list[str]],
) -> None:
    def put(column: str, values: list[str], categories: list[str] | None = None) -> None:
        out = np.full(adata.n_obs, None, dtype=object)
        out[rows] = np.array(values, dtype=object)
        adata.obs[column] = pd.Categorical(out, categories=categories or sorted(set(values)))

    states = evidence.space.names
    put(keys.cluster, [names[index] for index in clusters], names)
    put(keys.subtype, [found[index].subtype for index in clusters])
    put(keys.cell_subtype, [states[state] if state >= 0 else UNRESOLVED for state in evidence.states])
    for scheme, labels in scheme_labels.items():
        put(keys.scheme(scheme), [labels[index] for index in clusters])
    confidence = np.full(adata.n_obs, np.nan)
    confidence[rows] = [found[index].support for index in clusters]
    adata.obs[keys.confidence] = confidence
    held = np.flatnonzero(evidence.states >= 0)
    support = np.full(adata.n_obs, np.nan)
    support[rows[held]] = evidence.agreement[held, evidence.states[held]]
    adata.obs[keys.cell_support] = support


def _cluster_table(
    clusters: Index, names: list[str], found: list[ClusterName], scheme_labels: Mapping[str, list[str]]
) -> pd.DataFrame:
    size = np.bincount(clusters, minlength=len(names))
    rows = [
        {
            "cluster": names[index],
            "n_cells": int(size[index]),
            "fraction": float(size[index] / size.sum()),
            "subtype": name.subtype,
            "support": name.support,
            "reason": name.reason,
            "runner_up": name.runner_up,
            "margin": name.margin,
            "top_genes": "",
            **{f"scheme_{scheme}": labels[index] for scheme, labels in scheme_labels.items()},
        }
        for index, name in enumerate(found)
    ]
    return pd.DataFrame(rows, columns=[*_TABLE.split(), *(f"scheme_{scheme}" for scheme in scheme_labels)])


def _top_genes(
    index: int,
    mean_level: Array,
    subtype: str,
    space: StateSpace,
    sets: list[SetColumns],
    symbols: np.ndarray,
) -> list[str]:
    """Genes that carried the name: of the state's sets, those furthest above the mean of the other clusters."""
    if subtype not in space.names:
        return []
    members = space.members[space.names.index(subtype)]
    candidates = np.unique(np.concatenate([sets[member].up for member in members]))
    others = np.delete(mean_level, index, axis=0)
    contrast = mean_level[index] - (others.mean(axis=0) if len(others) else 0.0)
    best = candidates[np.argsort(-contrast[candidates], kind="stable")][:_N_TOP_GENES]
    return [str(symbols[column]) for column in best if contrast[column] > 0]
