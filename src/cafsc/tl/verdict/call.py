"""Pro- or anti-tumour: weigh the claims about each cluster, and write every claim into the evidence table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from cafsc import sig
from cafsc._config import MarkerConfig, VerdictConfig
from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED, UNRESOLVED, Keys, require
from cafsc.sig.user import WeightsLike, own_weights
from cafsc.tl.verdict.claims import Subjects, WeightedClaim, weighted_claims
from cafsc.tl.verdict.weigh import Call, outcome, source_weights, weigh

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue
    from cafsc.sig.catalogue import CatalogueClaim

CANCER_COLUMNS = "cluster cancer cancer_label call score n_pro n_anti n_own sensitive_to call_reason chosen"
EVIDENCE_COLUMNS = (
    "cluster subtype call claim about effect side weight counted presence evidence cancer species mechanism "
    "prognosis therapy_response statement paper group citation doi pmid link verified"
)
_CLUSTER_COLUMNS = (
    "cluster n_cells fraction subtype support reason runner_up margin call verdict_score verdict_low "
    "verdict_high call_reason n_pro n_anti prognosis therapy_response leading sensitive_to top_genes"
)
_N_LEADING = 3


def verdict(
    adata: AnnData,
    *,
    cancer: str | None = None,
    catalogue: Catalogue | None = None,
    weights: WeightsLike | None = None,
    key_added: str = "caf",
    config: VerdictConfig | None = None,
    marker_config: MarkerConfig | None = None,
    seed: int = 0,
) -> None:
    """Call every cluster pro- or anti-tumour by the published claims about what is present in it.

    Parameters
    ----------
    adata
        After `cafsc.tl.label`, and after `cafsc.tl.programs` for the claims about programmes.
    cancer
        Name or code of the cancer. Claims about it weigh more. None weighs all cancers alike.
    catalogue
        The shipped one if not given.
    weights
        Numbers in place of those of ``signatures/weights.yaml``: a file, or a mapping such as
        ``{"evidence": {"in_vitro": 0.3}}``. The other numbers stay.
    key_added, config, marker_config, seed
        Prefix of the slots, thresholds of the call and of markers, and the seed of the intervals.

    Notes
    -----
    The weight of a claim is level of evidence x fit of the cancer x fit of the species x specificity of its subject
    (``signatures/weights.yaml``) x presence of the subject in the cluster. Papers of one laboratory or dataset
    (``signatures/independence.yaml``) are one independent source. A source has one vote on each side, that of its
    strongest claim. `cafsc.tl.verdict.weigh.weigh` lists the rules of the call.

    Writes ``obs["<key_added>_call"]`` (categorical, missing where not kept) and, in ``uns["cafsc"]``:

    - table ``evidence``: one row a claim and cluster;
    - table ``cancers``: one row a cluster and cancer, with the call there;
    - columns ``call``, ``verdict_score``, ``verdict_low``, ``verdict_high`` (-1..1), ``call_reason``, ``n_pro``,
      ``n_anti`` (independent sources), ``prognosis``, ``therapy_response`` (``worse``, ``better``, ``mixed`` or ""),
      ``leading`` and ``sensitive_to`` of the table ``clusters``.

    Raises
    ------
    InputError
        If `cafsc.tl.label` has not run.
    OptionError
        If the cancer is unknown, or the weights are invalid.

    Examples
    --------
    >>> cafsc.tl.verdict(adata, cancer="breast")  # doctest: +SKIP
    >>> cafsc.get.clusters(adata)[["cluster", "subtype", "call"]]  # doctest: +SKIP
    """
    config = config or VerdictConfig()
    catalogue = catalogue or sig.load()
    if weights is not None:
        catalogue = replace(catalogue, weights=own_weights(catalogue.weights, weights))
    keys = Keys(key_added)
    needed = [("uns", "clusters"), ("uns", "scores"), ("obs", keys.cluster)]
    require(adata, keys, dict.fromkeys(needed, "tl.label") | {("var", keys.reference_level): "tl.gate"})
    slot = adata.uns[keys.uns]
    code = catalogue.cancer(cancer) if cancer is not None else None
    species = str(slot["species"])
    clusters: pd.DataFrame = slot["clusters"].copy()
    present = Subjects(adata, catalogue, keys, marker_config or MarkerConfig())
    found = [present.claims(index) for index in range(len(clusters))]
    weighted = [weighted_claims(entries, catalogue, code, species) for entries in found]
    is_named = (clusters["subtype"] != UNRESOLVED).tolist()
    calls = [_call(claims, config, named, seed) for claims, named in zip(weighted, is_named, strict=True)]
    of_cluster = dict(zip(clusters["cluster"].astype(str), calls, strict=True))
    subtypes = clusters["subtype"].astype(str)
    rows = [
        row
        for (name, call), subtype, claims in zip(of_cluster.items(), subtypes, weighted, strict=True)
        for row in _evidence_rows(name, subtype, call, claims)
    ]
    evidence = pd.DataFrame(rows, columns=EVIDENCE_COLUMNS.split())
    names = source_names(catalogue)
    clusters["call_reason"] = [call.reason for call in calls]
    for name in ("call", "n_pro", "n_anti"):
        clusters[name] = [getattr(call, name) for call in calls]
    for name in ("score", "low", "high"):
        clusters[f"verdict_{name}"] = [getattr(call, name) for call in calls]
    for column in ("prognosis", "therapy_response"):
        clusters[column] = [
            patient_outcome(claims, column, config.mixed_share) if named else ""
            for claims, named in zip(weighted, is_named, strict=True)
        ]
    clusters["leading"] = [_leading(evidence, str(name), names) for name in clusters["cluster"]]
    clusters["sensitive_to"] = [names.get(call.sensitive_to, call.sensitive_to) for call in calls]
    first = _CLUSTER_COLUMNS.split()
    slot["clusters"] = clusters[[*first, *(name for name in clusters if name not in first)]]
    slot["evidence"] = evidence
    slot["cancers"] = _cancers(clusters, found, catalogue, code, species, config)
    slot["cancer"] = code or ""
    call_of = {name: call.call for name, call in of_cluster.items()}
    called = [call_of.get(name) for name in adata.obs[keys.cluster].astype(object)]
    adata.obs[keys.call] = pd.Categorical(called, categories=sorted(set(call_of.values())))


def _call(
    claims: Sequence[WeightedClaim], config: VerdictConfig, is_named: bool, seed: int | None = None
) -> Call:
    """The call of a cluster, with its interval where there is a seed."""
    call = weigh(claims, config, seed or 0, interval=seed is not None)
    # Claims are about named states: a cluster without a name keeps its evidence table, but gets no call.
    return call if is_named else replace(call, call=UNDETERMINED, sensitive_to="", reason="unresolved")


def patient_outcome(claims: Sequence[WeightedClaim], column: str, mixed_share: float) -> str:
    """``prognosis`` or ``therapy_response`` as reported by papers with evidence of their own."""
    own = [claim for claim in claims if claim.own_evidence]
    reports = [(claim.source, getattr(claim.entry.claim, column) or "", claim.weight) for claim in own]
    return outcome(reports, mixed_share)


def _evidence_rows(
    cluster: str, subtype: str, call: Call, claims: Sequence[WeightedClaim]
) -> list[dict[str, Any]]:
    """One row a claim, heaviest first. ``counted`` marks the claim with which its source votes on that side."""
    strongest = source_weights(claims)
    voted: set[tuple[str, str]] = set()
    rows = []
    for item in sorted(claims, key=lambda item: (-item.weight, item.entry.claim.id)):
        claim, paper = item.entry.claim, item.entry.paper
        votes = dict(zip((PRO, ANTI), strongest.get(item.source, (0.0, 0.0)), strict=True))
        vote = (item.source, claim.effect)
        counted = votes.get(claim.effect) == item.weight and vote not in voted
        if counted:
            voted.add(vote)
        row: dict[str, Any] = {"cluster": cluster, "subtype": subtype, "call": call.call, "claim": claim.id}
        texts = "about effect prognosis therapy_response".split()
        row |= {name: getattr(claim, name) or "" for name in texts}
        row |= {name: ", ".join(getattr(claim, name)) for name in ("cancer", "species", "mechanism")}
        row |= {name: getattr(paper, name) or "" for name in ("citation", "doi", "pmid", "link")}
        row |= {"side": _side_of(claim.effect, call.call), "weight": item.weight, "presence": item.presence}
        row |= {"counted": counted, "evidence": "+".join(claim.evidence), "statement": claim.statement}
        rows.append(row | {"paper": paper.key, "group": item.source, "verified": claim.verified})
    return rows


def _side_of(effect: str, call: str) -> str:
    if effect not in (PRO, ANTI):
        return "context"
    if call in (MIXED, UNDETERMINED):
        return effect
    return "for" if effect == call else "against"


def _leading(evidence: pd.DataFrame, cluster: str, names: Mapping[str, str]) -> str:
    """The heaviest papers on the side of the call, or on both sides where it takes none."""
    counted = evidence[(evidence["cluster"] == cluster) & evidence["counted"].astype(bool)]
    by_side = [counted[counted["side"] == side]["paper"] for side in ("for", PRO, ANTI)]
    shown = [", ".join(names[key] for key in papers[:_N_LEADING]) for papers in by_side]
    return " | ".join(filter(None, shown))


def source_names(catalogue: Catalogue) -> dict[str, str]:
    """Names for people: ``Costa 2018`` for a paper, the laboratory or dataset for a group of papers."""
    names = {paper.key: paper.short for paper in catalogue.papers.values()}
    return names | {name: group.label for name, group in catalogue.groups.items()}


def _cancers(
    clusters: pd.DataFrame,
    found: Sequence[Sequence[tuple[CatalogueClaim, float]]],
    catalogue: Catalogue,
    chosen: str | None,
    species: str,
    config: VerdictConfig,
) -> pd.DataFrame:
    """The call of each cluster in the given cancer, and in every cancer of a claim about a present subject."""
    votes = [[(e, p) for e, p in entries if e.claim.effect in (PRO, ANTI)] for entries in found]
    studied = {name for entries in votes for entry, _ in entries for name in entry.claim.cancer}
    names = source_names(catalogue)
    rows = []
    cancers = {code: one for code, one in catalogue.cancers.items() if code in studied or code == chosen}
    for row, entries in zip(clusters.itertuples(), votes, strict=True):
        for code, cancer in cancers.items():
            claims = weighted_claims(entries, catalogue, code, species)
            call = _call(claims, config, str(row.subtype) != UNRESOLVED)
            n_own = len({claim.source for claim in claims if code in claim.entry.claim.cancer})
            sensitive_to = names.get(call.sensitive_to, call.sensitive_to)
            numbers = (call.score, call.n_pro, call.n_anti, n_own)
            reason = (sensitive_to, call.reason, code == chosen)
            rows.append((str(row.cluster), code, cancer.label, call.call, *numbers, *reason))
    return pd.DataFrame(rows, columns=CANCER_COLUMNS.split())
