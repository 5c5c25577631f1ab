"""Which cells are fibroblasts: lineages compete, and every refusal has a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc import sig
from cafsc._config import GateConfig
from cafsc._keys import Keys
from cafsc._threads import one_thread
from cafsc.pp.cluster import cluster, usable_cells
from cafsc.pp.embed import sketch_rows
from cafsc.pp.normalize import TARGET_SUM, count_rows, symbol_columns
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.gate.held_out import doublet_components, held_out_profiles, left_out
from cafsc.tl.gate.mixture import (
    Array,
    Capping,
    average_shares,
    fit_capped,
    log_shares,
    one_hot,
    pseudobulk,
    shrunk,
    weighted_sums,
)
from cafsc.tl.gate.panels import (
    confident_levels,
    coverage_weights,
    lineage_panels,
    marker_floor,
    panel_scores,
    relative_levels,
)
from cafsc.tl.gate.tissue_model import (
    GRADED,
    TissueModel,
    component_lineages,
    fibroblast_doublets,
    mixed_components,
)

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue
# Counts a cell may bring into the likelihood; beyond it overdispersion would make every call certain.
_DEPTH_CAP = 1000.0
# Counts of the average cell added to each component's profile.
_SHRINKAGE = 200.0
_N_ITERATIONS = 10
# Standard errors of its counts that are taken off a component's level before it can be a gene's reference.
_REFERENCE_ERROR = 2.0
# Cells below which a component between fibroblast and pericyte is not split.
_MIN_GRADED_SPLIT = 30
# What a marker that is not in the data counts as one that is not expressed, where lineages compete.
_UNMEASURED_WEIGHT = 0.5


@one_thread()
def fit_tissue(
    counts: sparse.csr_matrix,
    clusters: NDArray[np.int64],
    panels: Mapping[str, Sequence[int]],
    floor: Array,
    config: GateConfig,
    target_sum: float = 1e4,
    sizes: Mapping[str, int] | None = None,
    *,
    others: bool = False,
) -> tuple[TissueModel, TissueModel, Array]:
    """The components of a tissue with their lineages.

    A mixture of multinomials moves cells (counts: cells x genes) from the fine cluster they fell into (negative:
    takes no part) to the one their counts fit. The components' pooled counts, deep enough to be read, then compete
    for the lineages by their markers' columns (`panels`; `sizes` has the number of markers of each whole panel) and
    the lowest reference level of each gene (`floor`, counts per ten thousand). A component in which two lineages are
    strong is split by them and fitted again.

    Returns the model for these cells, the model for held-out cells (the same without `others`), and the weight of
    each cell in each component.
    """
    labels = _without_tiny(clusters, config.min_cells)
    capping = Capping.fit(counts, _DEPTH_CAP)
    if labels.max(initial=-1) < 0:
        empty = TissueModel.empty(list(panels), floor, capping)
        return empty, empty, np.zeros((len(labels), 0))
    x = capping.apply(counts)
    depth = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    trust = coverage_weights(panels, sizes, _UNMEASURED_WEIGHT)
    for attempt in range(2):
        n_components = int(labels.max(initial=-1)) + 1
        weights = fit_capped(
            x, one_hot(labels, n_components), shrinkage=_SHRINKAGE, n_iterations=_N_ITERATIONS
        )
        bulk = pseudobulk(counts, weights, target_sum)
        sure = confident_levels(bulk, depth @ weights, _REFERENCE_ERROR, target_sum)
        levels, reference = relative_levels(bulk, weights.sum(axis=0), floor, config.min_cells, sure)
        scores = panel_scores(levels, panels)
        if attempt == 0:
            labels = _split_ambiguous(counts, weights, scores * trust, panels, reference, config, target_sum)
            if labels.max(initial=-1) + 1 == n_components:
                break
    trusted = scores * trust
    best = component_lineages(scores, trusted, config)
    sums = weighted_sums(x, weights)
    profile = shrunk(sums, average_shares(x), _SHRINKAGE)
    model = TissueModel(
        tuple(panels), capping, profile, log_shares(weights), trusted.to_numpy(),
        best, tuple(fibroblast_doublets(trusted, config)), np.full(len(best), config.min_doublet_gain), reference,
    )  # fmt: skip
    without = left_out(x, weights, sums, _SHRINKAGE)
    for component, *pair in doublet_components(profile, without, model.apart):
        first, second = sorted(str(best[one]) for one in pair)
        model = replace(model, doublets=(*model.doublets, (component, first, second)))
    if not others:
        return model, model, weights
    new = held_out_profiles(sums, model.profile, without, model.apart)
    gain = model.min_doublet_gain + new.gain
    return model, replace(model, profile=new.profile, min_doublet_gain=gain), weights


def _without_tiny(clusters: NDArray[np.int64], min_cells: int) -> NDArray[np.int64]:
    """Clusters renumbered, cells of those under ``min_cells`` at -1: the mixture finds them a place.

    Cells that are all alike fall into splinters, for nothing holds any two of them together: where most cells do,
    the splinters are one cluster.
    """
    inside = clusters >= 0
    sizes = np.bincount(clusters[inside], minlength=1)
    large = sizes >= min_cells
    numbers = np.where(large, np.cumsum(large) - 1, -1)
    labels = np.where(inside, numbers[clusters], -1)
    splinters = inside & (labels < 0)
    if 2 * splinters.sum() > inside.sum():
        labels[splinters] = large.sum()
    return np.asarray(labels, dtype=np.int64)


def _split_ambiguous(
    counts: sparse.csr_matrix,
    weights: Array,
    scores: pd.DataFrame,
    panels: Mapping[str, Sequence[int]],
    reference: Array,
    config: GateConfig,
    target_sum: float,
) -> NDArray[np.int64]:
    """Give the cells of an ambiguous component to two, by which of its two lineages they show more of."""
    labels = weights.argmax(axis=1)
    n_components = scores.shape[0]
    for component, first, second in mixed_components(scores, config):
        cells = np.flatnonzero(labels == component)
        # Fibroblasts grade into pericytes: a handful of cells that no clustering parts is not parted by force.
        least = _MIN_GRADED_SPLIT if {first, second} == GRADED else 2 * config.min_cells
        if cells.size < least:
            continue
        depth = np.asarray(counts[cells].sum(axis=1)).ravel()
        rate = target_sum / np.where(depth > 0, depth, 1.0)
        shown = []
        for name in (first, second):
            markers = list(panels[name])
            level = counts[cells][:, markers].toarray() * rate[:, None] / reference[markers]
            shown.append(np.minimum(level, 1.0).mean(axis=1))
        rival = shown[1] > shown[0]
        if min(rival.sum(), (~rival).sum()) >= config.min_cells:
            labels[cells[rival]] = n_components
            n_components += 1
    return np.asarray(labels, dtype=np.int64)


def gate(
    adata: AnnData,
    *,
    catalogue: Catalogue | None = None,
    levels: ReferenceLevels | None = None,
    key_added: str = "caf",
    config: GateConfig | None = None,
    seed: int = 0,
) -> None:
    """Tell fibroblasts from every other lineage.

    Parameters
    ----------
    adata
        After `cafsc.pp.normalize`; clustered here if `cafsc.pp.cluster` has not run.
    catalogue
        Lineage panels; the shipped ones if not given.
    levels
        Reference levels of the markers; the shipped ones if not given.

    Notes
    -----
    Writes ``obs["<key_added>_lineage"]`` and ``obs["<key_added>_gate"]`` (categorical),
    ``obsm["<key_added>_lineage_scores"]`` (DataFrame, cells x lineages, 0..1) and
    ``var["<key_added>_reference_level"]`` (float64, counts per ten thousand in the tissue's component that
    expresses a gene most). Reason codes: ``kept``, ``not_fibroblast:<lineage>``, ``doublet:<a>+<b>``,
    ``unknown_lineage``, ``low_quality``. A mixture of multinomials fitted by expectation-maximisation
    (doi:10.1111/j.2517-6161.1977.tb01600.x); markers from ``signatures/lineages.yaml``. Of more than
    ``config.components.max_cells`` cells a random sample is fitted, and the others are placed by the same likelihood,
    of profiles that take into account how few cells each was made of.
    """
    config = config or GateConfig()
    catalogue = catalogue or sig.load()
    keys = Keys(key_added)
    if keys.tissue_cluster not in adata.obs:
        cluster(adata, map_cells=False, key_added=key_added, config=config.components, seed=seed)
    rows = count_rows(adata, key_added=key_added)
    usable = usable_cells(adata, key_added)
    clusters = adata.obs[keys.tissue_cluster].cat.codes.to_numpy(dtype=np.int64).copy()
    clusters[~usable] = -1
    panels = lineage_panels(
        catalogue, symbol_columns(adata, key_added=key_added), str(adata.uns[keys.uns]["species"])
    )
    floor = marker_floor(panels, levels or reference_levels(), adata.n_vars)
    columns = {name: list(markers.values()) for name, markers in panels.items()}
    sizes = {name: len(panel.core) for name, panel in catalogue.lineages.items()}
    chosen = sketch_rows(usable, config.components.max_cells, seed)
    counts = rows.take(chosen)
    others = np.setdiff1d(np.arange(adata.n_obs), chosen, assume_unique=True)
    model, model_of_others, weights = fit_tissue(
        counts,
        clusters[chosen],
        columns,
        floor,
        config,
        TARGET_SUM,
        sizes,
        others=others.size > 0,
    )
    lineage, reason = np.full(adata.n_obs, "", dtype=object), np.full(adata.n_obs, "", dtype=object)
    scores = np.zeros((adata.n_obs, len(columns)))
    lineage[chosen], reason[chosen], scores[chosen] = model.place(counts, usable[chosen], weights)
    del counts, weights
    for piece, found in rows.map(model_of_others.place, others, usable):
        lineage[piece], reason[piece], scores[piece] = found
    adata.obs[keys.lineage] = pd.Categorical(lineage.astype(str))
    adata.obs[keys.gate] = pd.Categorical(reason.astype(str))
    adata.obsm[keys.lineage_scores] = pd.DataFrame(scores, index=adata.obs_names, columns=list(columns))
    adata.var[keys.reference_level] = model.reference
