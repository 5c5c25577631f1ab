"""Claims of the literature about one cluster: how present their subject is, and how much they weigh."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cafsc._config import MarkerConfig
from cafsc._keys import Keys
from cafsc.pp.normalize import count_rows, symbol_columns
from cafsc.tl.label.markers import marker_levels
from cafsc.tl.score.fibroblasts import kept_rows, kept_sums
from cafsc.tl.score.set_columns import set_columns
from cafsc.tl.verdict.weigh import Vote

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue
    from cafsc.sig.catalogue import CatalogueClaim

MIN_SIGNATURE = 3
"""Genes from which on a set is scored as a signature. One or two genes are markers."""
_MIN_EFFECT = 2.0
_FULL_EFFECT = 6.0
"""Null standard deviations at which a signature begins to count, and at which a programme counts in full."""
# Natural-log units above its reference at which a set counts as fully present.
_FULL_LEVEL = 0.3


@dataclass(frozen=True, kw_only=True)
class WeightedClaim(Vote):
    """A claim as a vote; its weight is that for the cancer and species x the `presence` of its subject, 0..1."""

    entry: CatalogueClaim
    presence: float


def weighted_claims(
    entries: Iterable[tuple[CatalogueClaim, float]], catalogue: Catalogue, cancer: str | None, species: str
) -> list[WeightedClaim]:
    """Claims with the presence of their subject, weighted for a cancer and species; those of no weight are left out."""
    out = []
    for entry, presence in entries:
        claim, paper = entry.claim, entry.paper.key
        weight = presence * claim_weight(entry, catalogue, cancer, species)
        own, group = claim.evidence != ["review"], catalogue.group_of(paper)
        vote = (paper, claim.effect, weight, own, group, claim.about)
        if weight > 0:
            out.append(WeightedClaim(*vote, entry=entry, presence=presence))
    return out


def claim_weight(entry: CatalogueClaim, catalogue: Catalogue, cancer: str | None, species: str) -> float:
    """Level of evidence x fit of the cancer x fit of the species x specificity of the subject."""
    weights = catalogue.weights
    claim = entry.claim
    evidence = max(weights.evidence[level] for level in claim.evidence)
    cancer_weight = weights.cancer[cancer_fit(claim.cancer, catalogue, cancer)]
    species_weight = weights.species["same" if species in claim.species else "other"]
    return evidence * cancer_weight * species_weight * weights.subject.get(_kind(claim.about, catalogue), 1.0)


def _kind(about: str, catalogue: Catalogue) -> Any:
    """``state``, ``set``, ``marker`` (a set of one or two genes), ``program`` or ``gene``."""
    kind, _, name = about.partition(":")
    if kind == "set" and len(catalogue.sets[name].definition.genes) < MIN_SIGNATURE:
        return "marker"
    return kind


def cancer_fit(named: Sequence[str], catalogue: Catalogue, cancer: str | None) -> Any:
    """Fit of a claim's cancers to the sample's: ``same``, ``same_organ``, ``pan``, ``other`` or ``unknown``."""
    if cancer is None:
        return "unknown"
    if cancer in named:
        return "same"
    organ = catalogue.cancers[cancer].organ
    if any(name in catalogue.cancers and catalogue.cancers[name].organ == organ for name in named):
        return "same_organ"
    return "pan" if "pan" in named else "other"


class Subjects:
    """Presence of every subject of a claim in every cluster of a labelled AnnData."""

    def __init__(
        self,
        adata: AnnData,
        catalogue: Catalogue,
        keys: Keys,
        markers: MarkerConfig,
    ) -> None:
        slot = adata.uns[keys.uns]
        self.clusters: pd.DataFrame = slot["clusters"]
        scores = slot["scores"].to_dict("records")
        self.scores = {(str(row["cluster"]), str(row["set"])): row for row in scores}
        self.species = str(slot["species"])
        self.columns = symbol_columns(adata, key_added=keys.key_added)
        self.catalogue, self.marker_config = catalogue, markers
        kept = kept_rows(adata, keys.key_added)
        codes = adata.obs[keys.cluster].cat.codes.to_numpy(dtype=np.int64)[kept]
        counts = count_rows(adata, key_added=keys.key_added)
        sums = kept_sums(counts, kept, codes, len(self.clusters))
        reference = adata.var[keys.reference_level].to_numpy(dtype=np.float64)
        self.markers = marker_levels(sums, reference, markers)

    def claims(self, index: int) -> list[tuple[CatalogueClaim, float]]:
        """Claims about subjects that are present in a cluster, with the presence."""
        found = ((entry, self.presence(entry.claim.about, index)) for entry in self.catalogue.claims)
        return [(entry, presence) for entry, presence in found if presence > 0]

    def presence(self, subject: str, index: int) -> float:
        """Presence of a subject in a cluster, 0..1; 0 for subjects that no cluster can show (an agent, plasma)."""
        kind, _, name = subject.partition(":")
        row = self.clusters.iloc[index]
        score = self.scores.get((str(row["cluster"]), name))
        if kind == "state" and row["subtype"] == name:
            return float(row["support"])
        if kind == "gene":
            return self._markers([name], [], "human", index)
        if kind == "program" and score is not None:
            return _ramp(score["effect"] - _MIN_EFFECT, _FULL_EFFECT - _MIN_EFFECT)
        return self._set(name, row, score, index) if kind == "set" else 0.0

    def _set(self, name: str, row: pd.Series, score: Any, index: int) -> float:
        entry = self.catalogue.sets[name]
        up, down = entry.definition.up, entry.definition.down
        if any(row.get(f"scheme_{scheme}") == entry.label for scheme in entry.schemes) and row["support"] > 0:
            return float(row["support"])
        if entry.definition.levels:
            return 0.0
        if not up or len(up) + len(down) < MIN_SIGNATURE:
            return self._markers(up, down, entry.species, index)
        # Counted from the level of the signature in fibroblasts of any state.
        is_clear = score is not None and score["effect"] >= _MIN_EFFECT
        return _ramp(score["mean"], _FULL_LEVEL) if is_clear else 0.0

    def _markers(self, up: Sequence[str], down: Sequence[str], species: str, index: int) -> float:
        columns = set_columns(up, down, species, self.species, self.columns)
        return self.markers.presence(index, columns, self.marker_config)


def _ramp(value: float, full: float) -> float:
    return float(np.clip(value / full, 0.0, 1.0))
