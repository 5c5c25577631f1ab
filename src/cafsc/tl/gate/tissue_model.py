"""The components of a tissue, the lineage of each, and where they place a cell: functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import GateConfig
from cafsc._keys import DOUBLET, FIBROBLAST, KEPT, UNKNOWN
from cafsc._threads import one_thread
from cafsc.tl.gate.doublets import PairProfiles, doublet_partners
from cafsc.tl.gate.mixture import Array, Capping, posterior

LOW_QUALITY = "low_quality"
UNKNOWN_LINEAGE = "unknown_lineage"
GRADED = frozenset({FIBROBLAST, "pericyte"})
MESENCHYMAL = frozenset({FIBROBLAST, "pericyte", "smooth_muscle", "mesothelial", "adipocyte"})
"""Lineages between which cells truly lie; elsewhere two at once means two cells."""
Names = NDArray[np.object_]
# Share of the fibroblast panel above which a component is fibroblast even where it looks mural too.
_FIBROBLAST_PANEL = 0.5
# Share of the pericyte panel's level that the fibroblast panel must reach for that: nearly a tie.
_MURAL_TIE = 0.8
# A second lineage above this share of the first makes a component ambiguous: it is split once more.
_RIVAL = 0.6


@dataclass(frozen=True)
class TissueModel:
    """A fitted mixture with lineages.

    Attributes
    ----------
    lineages
        Names of the lineages that compete.
    capping
        Genes and counts that take part in the likelihood.
    profile
        Components x genes that take part: share of each.
    log_prior
        Components: logarithm of their share of the cells.
    scores
        Components x lineages, 0..1.
    best
        Lineage of each component.
    doublets
        Components that are droplets of two cells: (component, first lineage, second lineage).
    min_doublet_gain
        Components: log-likelihood by which a second, unlike lineage must explain a cell better than it alone.
    reference
        Genes, counts per ten thousand: the level at which a gene counts as fully expressed here.
    """

    lineages: tuple[str, ...]
    capping: Capping
    profile: Array
    log_prior: Array
    scores: Array
    best: Names
    doublets: tuple[tuple[int, str, str], ...]
    min_doublet_gain: Array
    reference: Array

    @cached_property
    def apart(self) -> NDArray[np.bool_]:
        """Components x components: which two cannot be one cell."""
        return np.array([[unlike(a, b) for b in self.best] for a in self.best], dtype=bool)

    @cached_property
    def _pairs(self) -> PairProfiles:
        return PairProfiles(self.profile, self.apart)

    @cached_property
    def _log_profile(self) -> Array:
        """Genes x components."""
        return np.ascontiguousarray(np.log(self.profile).T)

    @classmethod
    def empty(cls, lineages: list[str], floor: Array, capping: Capping) -> TissueModel:
        """No cell holds enough to be called anything."""
        none = np.zeros((0, len(lineages)))
        no_gene = np.zeros((0, capping.genes.size))
        return cls(
            tuple(lineages), capping, no_gene, np.zeros(0), none, np.zeros(0, dtype=object), (), np.zeros(0), floor,
        )  # fmt: skip

    @one_thread()
    def place(
        self, counts: sparse.csr_matrix, usable: NDArray[np.bool_], weights: Array | None = None
    ) -> tuple[Names, Names, Array]:
        """Lineage, reason code and lineage scores (cells x lineages) of each cell.

        `usable` cells hold enough for a name. `weights` (cells x components) is the posterior of the mixture if not
        given.
        """
        n_cells = counts.shape[0]
        if not self.best.size or not n_cells:
            unknown, low = (
                np.full(n_cells, UNKNOWN, dtype=object),
                np.full(n_cells, LOW_QUALITY, dtype=object),
            )
            return unknown, low, np.zeros((n_cells, len(self.lineages)))
        x = self.capping.apply(counts)
        single = x @ self._log_profile
        if weights is None:
            weights = posterior(single + self.log_prior)
        # A lineage gathers the weight of all its components: a cell torn between two of them is still sure.
        kinds = sorted(set(self.best))
        per_kind = np.column_stack([weights[:, self.best == kind].sum(axis=1) for kind in kinds])
        lineage = np.array(kinds, dtype=object)[per_kind.argmax(axis=1)]
        reason = np.array([f"not_fibroblast:{name}" for name in lineage], dtype=object)
        reason[lineage == FIBROBLAST] = KEPT
        reason[lineage == UNKNOWN] = UNKNOWN_LINEAGE
        component = weights.argmax(axis=1)
        for index, first, second in self.doublets:
            inside = component == index
            lineage[inside], reason[inside] = DOUBLET, f"doublet:{first}+{second}"
        partner = doublet_partners(x, self._pairs, self.min_doublet_gain, single)
        for cell in np.flatnonzero(partner >= 0):
            pair = sorted({str(self.best[component[cell]]), str(self.best[partner[cell]])})
            lineage[cell], reason[cell] = DOUBLET, f"doublet:{'+'.join(pair)}"
        lineage[~usable], reason[~usable] = UNKNOWN, LOW_QUALITY
        with one_thread():
            return lineage, reason, np.asarray(weights @ self.scores)


def component_lineages(levels: pd.DataFrame, trusted: pd.DataFrame, config: GateConfig) -> Names:
    """Lineage of each component, or ``unknown``, from its mean relative marker levels (components x lineages).

    `trusted` is the same, less where markers of a panel are not in the data.
    """
    values = trusted.to_numpy()
    names = np.array(trusted.columns, dtype=object)
    best = names[values.argmax(axis=1)]
    # Mural cells lack the matrix panel: a fibroblast that also shows mural genes (CD146+) is still one.
    mural = best == "pericyte"
    if FIBROBLAST in names:
        panel = trusted[FIBROBLAST].to_numpy()
        level = values.max(axis=1)
        best[mural & (panel >= _FIBROBLAST_PANEL) & (panel >= _MURAL_TIE * level)] = FIBROBLAST
    least = np.where(best == FIBROBLAST, config.min_fibroblast_score, config.min_score)
    best[levels.to_numpy()[np.arange(len(values)), values.argmax(axis=1)] < least] = UNKNOWN
    return np.asarray(best, dtype=object)


def mixed_components(scores: pd.DataFrame, config: GateConfig) -> list[tuple[int, str, str]]:
    """Components in which a second lineage is nearly as strong as the first: (component, first, second)."""
    values = scores.to_numpy()
    names = list(scores.columns)
    out = []
    for component in range(len(values)):
        order = np.argsort(-values[component], kind="stable")
        first, second = values[component, order[0]], values[component, order[1]]
        if first >= config.min_score and second >= config.min_score and second > _RIVAL * first:
            out.append((component, names[order[0]], names[order[1]]))
    return out


def fibroblast_doublets(scores: pd.DataFrame, config: GateConfig) -> list[tuple[int, str, str]]:
    """Of `mixed_components`, those of fibroblasts and a lineage that no fibroblast can be.

    The panels of mural cells and fibroblasts overlap in life; two unlike lineages in one component do not.
    """
    return [
        (component, first, second)
        for component, first, second in mixed_components(scores, config)
        if FIBROBLAST in (first, second) and scores.iloc[component].max() > 0 and unlike(first, second)
    ]


def unlike(first: str, second: str) -> bool:
    """Whether two lineages in one droplet mean two cells; nothing is known of an unknown one."""
    if UNKNOWN in (first, second) or first == second:
        return False
    return not (first in MESENCHYMAL and second in MESENCHYMAL)
