"""Which cells are fibroblasts: lineages compete, and every refusal has a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc import sig
from cafsc._config import GateConfig, NormalizeConfig
from cafsc._keys import DOUBLET, FIBROBLAST, KEPT, UNKNOWN, Keys
from cafsc.pp.cluster import cluster
from cafsc.pp.normalize import count_matrix, symbol_columns
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl._doublets import doublet_partners
from cafsc.tl._mixture import Array, fit_mixture, one_hot, pseudobulk
from cafsc.tl._panels import (
    confident_levels,
    coverage_weights,
    lineage_panels,
    marker_floor,
    panel_scores,
    relative_levels,
)

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

LOW_QUALITY = "low_quality"
UNKNOWN_LINEAGE = "unknown_lineage"


@dataclass(frozen=True)
class Lineages:
    """What the gate decided, one entry a cell.

    Attributes
    ----------
    lineage
        Name of the lineage, ``doublet`` or ``unknown``.
    reason
        ``kept`` or the code why not.
    scores
        Cells x lineages, 0..1: mean relative marker level of the components a cell belongs to, less where
        markers of the panel are not in the data.
    reference
        Genes, counts per ten thousand: the level at which a gene counts as fully expressed here.
    """

    lineage: NDArray[np.object_]
    reason: NDArray[np.object_]
    scores: pd.DataFrame
    reference: Array


def decide_lineages(
    counts: sparse.csr_matrix,
    clusters: NDArray[np.int64],
    panels: Mapping[str, Sequence[int]],
    floor: Array,
    config: GateConfig,
    target_sum: float = 1e4,
    sizes: Mapping[str, int] | None = None,
) -> Lineages:
    """Give every cell a lineage.

    Parameters
    ----------
    counts
        Cells x genes.
    clusters
        Fine cluster of each cell; negative where a cell takes no part.
    panels
        Columns of each lineage's markers.
    floor
        Genes: lowest reference level, counts per ten thousand.
    sizes
        Markers that each lineage's panel has when all are measured; those in ``panels`` if not given.

    Returns
    -------
    Lineage, reason and scores of each cell. A mixture of multinomials moves cells from the cluster they fell
    into to the one their counts fit; the components' pooled counts, deep enough to be read, then compete for
    the lineages. A component in which two lineages are strong is split by them and fitted again.
    """
    labels = _without_tiny(clusters, config.min_cells)
    depth = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    trust = coverage_weights(panels, sizes, config.unmeasured_weight)
    if labels.max(initial=-1) < 0:
        return _nobody(len(labels), list(panels), floor)
    for attempt in range(2):
        n_components = int(labels.max(initial=-1)) + 1
        weights = fit_mixture(
            counts,
            one_hot(labels, n_components),
            depth_cap=config.depth_cap,
            shrinkage=config.shrinkage,
            n_iterations=config.n_iterations,
        )
        bulk = pseudobulk(counts, weights, target_sum)
        sure = confident_levels(bulk, depth @ weights, config.reference_error, target_sum)
        levels, reference = relative_levels(bulk, weights.sum(axis=0), floor, config.min_cells, sure)
        scores = panel_scores(levels, panels)
        if attempt == 0:
            labels = _split_ambiguous(counts, weights, scores * trust, panels, reference, config, target_sum)
            if labels.max(initial=-1) + 1 == n_components:
                break
    return _settled(counts, weights, scores, trust, clusters, reference, config)


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


def _nobody(n_cells: int, names: list[str], floor: Array) -> Lineages:
    """No cell holds enough to be called anything."""
    return Lineages(
        np.full(n_cells, UNKNOWN, dtype=object),
        np.full(n_cells, LOW_QUALITY, dtype=object),
        pd.DataFrame(0.0, index=range(n_cells), columns=names),
        floor,
    )


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
    for component, first, second in ambiguous(scores, config):
        cells = np.flatnonzero(labels == component)
        # Fibroblasts grade into pericytes: a handful of cells that no clustering parts is not parted by force.
        least = config.min_graded_split if {first, second} == GRADED else 2 * config.min_cells
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


def ambiguous(scores: pd.DataFrame, config: GateConfig) -> list[tuple[int, str, str]]:
    """Components in which a second lineage is nearly as strong as the first: (component, first, second)."""
    values = scores.to_numpy()
    names = list(scores.columns)
    out = []
    for component in range(len(values)):
        order = np.argsort(-values[component], kind="stable")
        first, second = values[component, order[0]], values[component, order[1]]
        if first >= config.min_score and second >= config.min_score and second > config.rival * first:
            out.append((component, names[order[0]], names[order[1]]))
    return out


def _settled(
    counts: sparse.csr_matrix,
    weights: Array,
    levels: pd.DataFrame,
    trust: pd.Series[float],
    clusters: NDArray[np.int64],
    reference: Array,
    config: GateConfig,
) -> Lineages:
    scores = levels * trust
    values = scores.to_numpy()
    names = np.array(scores.columns, dtype=object)
    best = names[values.argmax(axis=1)]
    # Mural cells lack the matrix panel: a fibroblast that also shows mural genes (CD146+) is still one.
    mural = best == "pericyte"
    if FIBROBLAST in names:
        panel = scores[FIBROBLAST].to_numpy()
        level = values.max(axis=1)
        best[mural & (panel >= config.fibroblast_panel) & (panel >= config.mural_tie * level)] = FIBROBLAST
    least = np.where(best == FIBROBLAST, config.min_fibroblast_score, config.min_score)
    best[levels.to_numpy()[np.arange(len(values)), values.argmax(axis=1)] < least] = UNKNOWN
    # A lineage gathers the weight of all its components: a cell torn between two of them is still sure.
    kinds = sorted(set(best))
    per_kind = np.column_stack([weights[:, best == kind].sum(axis=1) for kind in kinds])
    lineage = np.array(kinds, dtype=object)[per_kind.argmax(axis=1)]
    reason = np.array([f"not_fibroblast:{name}" for name in lineage], dtype=object)
    reason[lineage == FIBROBLAST] = KEPT
    reason[lineage == UNKNOWN] = UNKNOWN_LINEAGE
    component = weights.argmax(axis=1)
    for index, first, second in ambiguous(scores, config):
        # The panels of mural cells and fibroblasts overlap in life; two unlike lineages in one component do not.
        if FIBROBLAST in (first, second) and values[index].max() > 0 and _unlike(first, second):
            inside = component == index
            lineage[inside] = DOUBLET
            reason[inside] = f"doublet:{first}+{second}"
    unlike = np.array([[_unlike(a, b) for b in best] for a in best])
    partner = doublet_partners(
        counts,
        weights,
        unlike,
        depth_cap=config.depth_cap,
        shrinkage=config.shrinkage,
        min_gain=config.min_doublet_gain,
    )
    for cell in np.flatnonzero(partner >= 0):
        pair = sorted({str(best[component[cell]]), str(best[partner[cell]])})
        lineage[cell], reason[cell] = DOUBLET, f"doublet:{'+'.join(pair)}"
    outside = clusters < 0
    lineage[outside], reason[outside] = UNKNOWN, LOW_QUALITY
    return Lineages(lineage, reason, pd.DataFrame(weights @ values, columns=scores.columns), reference)


GRADED = frozenset({FIBROBLAST, "pericyte"})
MESENCHYMAL = frozenset({FIBROBLAST, "pericyte", "smooth_muscle", "mesothelial", "adipocyte"})
"""Lineages between which cells truly lie; elsewhere two at once means two cells."""


def _unlike(first: str, second: str) -> bool:
    """Whether two lineages in one droplet mean two cells; nothing is known of an unknown one."""
    if UNKNOWN in (first, second) or first == second:
        return False
    return not (first in MESENCHYMAL and second in MESENCHYMAL)


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
    (doi:10.1111/j.2517-6161.1977.tb01600.x); markers from ``signatures/lineages.yaml``.
    """
    config = config or GateConfig()
    catalogue = catalogue or sig.load()
    keys = Keys(key_added)
    if keys.tissue_cluster not in adata.obs:
        cluster(adata, key_added=key_added, config=config.components, seed=seed)
    counts = count_matrix(adata, key_added=key_added)
    clusters = adata.obs[keys.tissue_cluster].cat.codes.to_numpy(dtype=np.int64).copy()
    low_quality = f"{key_added}_low_quality"
    if low_quality in adata.obs:
        clusters[adata.obs[low_quality].to_numpy(dtype=bool)] = -1
    panels = lineage_panels(
        catalogue, symbol_columns(adata, key_added=key_added), str(adata.uns[keys.uns]["species"])
    )
    floor = marker_floor(panels, levels or reference_levels(), adata.n_vars, config)
    columns = {name: list(markers.values()) for name, markers in panels.items()}
    sizes = {name: len(panel.core) for name, panel in catalogue.lineages.items()}
    found = decide_lineages(counts, clusters, columns, floor, config, NormalizeConfig().target_sum, sizes)
    adata.obs[keys.lineage] = pd.Categorical(found.lineage.astype(str))
    adata.obs[keys.gate] = pd.Categorical(found.reason.astype(str))
    adata.obsm[keys.lineage_scores] = found.scores.set_index(adata.obs_names)
    adata.var[keys.reference_level] = found.reference
