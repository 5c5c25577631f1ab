"""Pro- or anti-tumour: the claims whose subject is present, weighed, with every one of them in a ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import MarkerConfig, VerdictConfig
from cafsc._errors import InputError
from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED, UNRESOLVED, Keys
from cafsc.pp.normalize import count_matrix, symbol_columns
from cafsc.tl._controls import SetColumns
from cafsc.tl._fibroblasts import kept_rows
from cafsc.tl._markers import MarkerLevels, marker_levels
from cafsc.tl._mixture import one_hot
from cafsc.tl._sets import columns_of, set_columns
from cafsc.tl._weigh import Call, Vote, paper_weights, weigh

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue
    from cafsc.sig.catalogue import CatalogueClaim

EVIDENCE_COLUMNS = (
    "cluster subtype call claim about effect side weight counted presence evidence cancer species mechanism "
    "prognosis therapy_response statement paper citation doi pmid link verified"
)
_N_LEADING = 3
_MIN_SIGNATURE = 3
_MIN_EFFECT = 2.0
_FULL_EFFECT = 6.0


@dataclass(frozen=True)
class _Subjects:
    """How present each subject a claim can be about is, in each cluster."""

    catalogue: Catalogue
    clusters: pd.DataFrame
    scores: Mapping[tuple[str, str], Any]
    markers: MarkerLevels
    columns: Mapping[str, int]
    species: str
    config: VerdictConfig
    marker_config: MarkerConfig

    def presence(self, subject: str, index: int) -> float:
        """0..1; subjects that no cluster can show (an agent, a biomarker in plasma) are absent."""
        kind, _, name = subject.partition(":")
        measures: dict[str, Callable[[str, int], float]] = {
            "state": self._state,
            "set": self._set,
            "gene": self._gene,
            "program": self._program,
        }
        return measures[kind](name, index) if kind in measures else 0.0

    def _state(self, name: str, index: int) -> float:
        row = self.clusters.iloc[index]
        return float(row["support"]) if row["subtype"] == name else 0.0

    def _set(self, name: str, index: int) -> float:
        entry = self.catalogue.sets[name]
        definition = entry.definition
        row = self.clusters.iloc[index]
        if any(row.get(f"scheme_{scheme}") == entry.label for scheme in entry.schemes) and row["support"] > 0:
            return float(row["support"])
        if definition.levels:
            return 0.0
        columns = set_columns(definition.up, definition.down, entry.species, self.species, self.columns)
        if columns.n_genes < _MIN_SIGNATURE or not definition.up:
            return self.markers.presence(index, columns, self.marker_config)
        return self._signature(name, index)

    def _signature(self, name: str, index: int) -> float:
        """A signature is present as far as it stands above its level in fibroblasts of any state."""
        row = self.scores.get((str(self.clusters.iloc[index]["cluster"]), name))
        if row is None or row["effect"] < _MIN_EFFECT:
            return 0.0
        return float(np.clip(row["mean"] / self.config.full_level, 0.0, 1.0))

    def _gene(self, name: str, index: int) -> float:
        found = columns_of([name], "human", self.species, self.columns)
        columns = SetColumns(np.array(found, dtype=np.int64), np.zeros(0, dtype=np.int64), 1)
        return self.markers.presence(index, columns, self.marker_config)

    def _program(self, name: str, index: int) -> float:
        row = self.scores.get((str(self.clusters.iloc[index]["cluster"]), name))
        if row is None:
            return 0.0
        return float(np.clip((row["effect"] - _MIN_EFFECT) / (_FULL_EFFECT - _MIN_EFFECT), 0.0, 1.0))


def claim_weight(entry: CatalogueClaim, catalogue: Catalogue, cancer: str | None, species: str) -> float:
    """Weight of a claim before its subject is looked for.

    Evidence level x fit of the cancer x fit of the species x how well the subject picks out one kind of fibroblast.
    """
    weights = catalogue.weights
    claim = entry.claim
    evidence = max(weights.evidence[level] for level in claim.evidence)
    fit = weights.cancer[cancer_fit(claim.cancer, catalogue, cancer)]
    kind = weights.species["same" if species in claim.species else "other"]
    return evidence * fit * kind * weights.subject.get(subject_kind(claim.about, catalogue), 1.0)


def subject_kind(about: str, catalogue: Catalogue) -> Any:
    """``state``, ``set``, ``marker`` (a set of one or two genes), ``program`` or ``gene``."""
    kind, _, name = about.partition(":")
    if kind == "set" and len(catalogue.sets[name].definition.genes) < _MIN_SIGNATURE:
        return "marker"
    return kind


def cancer_fit(named: list[str], catalogue: Catalogue, cancer: str | None) -> Any:
    """How a claim's cancers fit the user's: ``same``, ``same_organ``, ``pan``, ``other`` or ``unknown``."""
    if cancer is None:
        return "unknown"
    if cancer in named:
        return "same"
    organ = catalogue.cancers[cancer].organ
    if any(name in catalogue.cancers and catalogue.cancers[name].organ == organ for name in named):
        return "same_organ"
    return "pan" if "pan" in named else "other"


def verdict(
    adata: AnnData,
    *,
    cancer: str | None = None,
    catalogue: Catalogue | None = None,
    key_added: str = "caf",
    config: VerdictConfig | None = None,
    marker_config: MarkerConfig | None = None,
    seed: int = 0,
) -> None:
    """Call every cluster pro- or anti-tumour by the claims whose subject is present in it.

    Parameters
    ----------
    adata
        After `cafsc.tl.label` (and `cafsc.tl.programs`, for the claims about programmes).
    cancer
        Name or code of the cancer; claims about it weigh more. None weighs all cancers alike.
    catalogue
        Claims and weights; the shipped ones if not given.

    Notes
    -----
    A claim weighs evidence level x fit of the cancer x fit of the species x specificity of its subject
    (``signatures/weights.yaml``) x presence of the subject in the cluster. A paper has one vote a side, its
    strongest claim. A call needs two papers with evidence of their own (a review has none) and stays ``undetermined`` else; it is ``mixed`` where both sides carry weight or where leaving out one
    paper changes the side.

    Writes ``obs["<key_added>_call"]`` (categorical, missing where not kept) and, in ``uns["cafsc"]``, the table
    ``evidence`` (one row a claim and cluster) and the columns ``call``, ``verdict_score`` (-1..1),
    ``verdict_low``, ``verdict_high``, ``call_reason``, ``n_pro``, ``n_anti`` (papers), ``leading`` and
    ``hangs_on`` of the table ``clusters``.

    Raises
    ------
    InputError
        If `cafsc.tl.label` has not run.
    OptionError
        If the cancer is unknown.
    """
    config = config or VerdictConfig()
    marker_config = marker_config or MarkerConfig()
    catalogue = catalogue or sig.load()
    keys = Keys(key_added)
    slot = adata.uns.get(keys.uns, {})
    if "clusters" not in slot:
        raise InputError(f"uns[{keys.uns!r}]['clusters'] is missing", fix="run cafsc.tl.label(adata) first")
    code = catalogue.cancer(cancer) if cancer is not None else None
    species = str(slot["species"])
    clusters: pd.DataFrame = slot["clusters"].copy()
    subjects = _subjects(adata, clusters, catalogue, keys, species, config, marker_config)
    rows: list[dict[str, Any]] = []
    calls: list[Call] = []
    for index, cluster in enumerate(clusters["cluster"]):
        spoken = []
        for entry in catalogue.claims:
            presence = subjects.presence(entry.claim.about, index)
            weight = presence * claim_weight(entry, catalogue, code, species)
            if weight > 0:
                spoken.append((entry, presence, weight))
        call = weigh([_vote(e, w) for e, _, w in spoken], config, seed)
        if clusters["subtype"].iloc[index] == UNRESOLVED:
            # Claims are about named fibroblasts: the ledger is shown, but nobody is called.
            call = replace(call, call=UNDETERMINED, hangs_on="", reason="unresolved")
        calls.append(call)
        rows += _ledger(str(cluster), str(clusters["subtype"].iloc[index]), call, spoken)
    evidence = pd.DataFrame(rows, columns=EVIDENCE_COLUMNS.split())
    citations = {paper.key: f"{paper.first_author} {paper.year}" for paper in catalogue.papers.values()}
    clusters["call"] = [call.call for call in calls]
    clusters["verdict_score"] = [call.score for call in calls]
    clusters["verdict_low"] = [call.low for call in calls]
    clusters["verdict_high"] = [call.high for call in calls]
    clusters["call_reason"] = [call.reason for call in calls]
    clusters["n_pro"] = [call.n_pro for call in calls]
    clusters["n_anti"] = [call.n_anti for call in calls]
    clusters["leading"] = [_leading(evidence, str(c), citations) for c in clusters["cluster"]]
    clusters["hangs_on"] = [citations.get(call.hangs_on, "") for call in calls]
    slot["clusters"] = _ordered(clusters)
    slot["evidence"] = evidence
    slot["cancer"] = code or ""
    of_cluster = dict(zip(clusters["cluster"], clusters["call"], strict=True))
    adata.obs[keys.call] = pd.Categorical(
        [of_cluster.get(name) for name in adata.obs[keys.cluster].astype(object)],
        categories=sorted(set(of_cluster.values())),
    )


def _subjects(
    adata: AnnData,
    clusters: pd.DataFrame,
    catalogue: Catalogue,
    keys: Keys,
    species: str,
    config: VerdictConfig,
    marker_config: MarkerConfig,
) -> _Subjects:
    kept = kept_rows(adata, keys.key_added)
    codes = adata.obs[keys.cluster].cat.codes.to_numpy(dtype=np.int64)[kept]
    reference = adata.var[keys.reference_level].to_numpy(dtype=np.float64)
    counts = count_matrix(adata, key_added=keys.key_added)[kept]
    markers = marker_levels(counts, one_hot(codes, len(clusters)), reference, marker_config)
    table = adata.uns[keys.uns]["scores"]
    scores = {(str(row["cluster"]), str(row["set"])): row for row in table.to_dict("records")}
    return _Subjects(
        catalogue,
        clusters,
        scores,
        markers,
        symbol_columns(adata, key_added=keys.key_added),
        species,
        config,
        marker_config,
    )


def _ledger(
    cluster: str, subtype: str, call: Call, spoken: list[tuple[CatalogueClaim, float, float]]
) -> list[dict[str, Any]]:
    """One row a claim, heaviest first; ``counted`` is the one claim of its paper and side that voted."""
    strongest = paper_weights([_vote(e, w) for e, _, w in spoken])
    voted: set[tuple[str, str]] = set()
    rows = []
    for entry, presence, weight in sorted(spoken, key=lambda item: (-item[2], item[0].claim.id)):
        claim, paper = entry.claim, entry.paper
        side_weight = dict(zip((PRO, ANTI), strongest.get(paper.key, (0.0, 0.0)), strict=True))
        counted = (
            claim.effect in side_weight
            and weight == side_weight[claim.effect]
            and (paper.key, claim.effect) not in voted
        )
        if counted:
            voted.add((paper.key, claim.effect))
        rows.append(
            {
                "cluster": cluster,
                "subtype": subtype,
                "call": call.call,
                "claim": claim.id,
                "about": claim.about,
                "effect": claim.effect,
                "side": _side_of(claim.effect, call.call),
                "weight": weight,
                "counted": counted,
                "presence": presence,
                "evidence": "+".join(claim.evidence),
                "cancer": ", ".join(claim.cancer),
                "species": ", ".join(claim.species),
                "mechanism": ", ".join(claim.mechanism),
                "prognosis": claim.prognosis or "",
                "therapy_response": claim.therapy_response or "",
                "statement": claim.statement,
                "paper": paper.key,
                "citation": paper.citation,
                "doi": paper.doi or "",
                "pmid": paper.pmid or "",
                "link": paper.link,
                "verified": claim.verified,
            }
        )
    return rows


def _vote(entry: CatalogueClaim, weight: float) -> Vote:
    return Vote(entry.paper.key, entry.claim.effect, weight, own_evidence=entry.claim.evidence != ["review"])


def _side_of(effect: str, call: str) -> str:
    if effect not in (PRO, ANTI):
        return "context"
    if call in (MIXED, UNDETERMINED):
        return effect
    return "for" if effect == call else "against"


def _leading(evidence: pd.DataFrame, cluster: str, citations: Mapping[str, str]) -> str:
    """The papers that weigh most: of the call's side, or of both where there is none."""
    mine = evidence[(evidence["cluster"] == cluster) & evidence["counted"]]
    by_side = [mine[mine["side"] == side]["paper"] for side in ("for", PRO, ANTI)]
    parts = [", ".join(citations[key] for key in list(papers)[:_N_LEADING]) for papers in by_side]
    return " | ".join(part for part in parts if part)


def _ordered(clusters: pd.DataFrame) -> pd.DataFrame:
    """Columns in the order a reader wants them; schemes last."""
    first = (
        "cluster n_cells fraction subtype support reason runner_up margin call verdict_score verdict_low "
        "verdict_high call_reason n_pro n_anti leading hangs_on top_genes"
    ).split()
    return clusters[[*first, *(name for name in clusters if name not in first)]]
