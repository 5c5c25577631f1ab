"""Pro- or anti-tumour: the claims whose subject is present, weighed, with every one of them in a ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from cafsc import sig
from cafsc._config import MarkerConfig, VerdictConfig
from cafsc._keys import ANTI, PRO, UNDETERMINED, UNRESOLVED, Keys
from cafsc.errors import InputError
from cafsc.sig.weights import WeightsLike, own_weights
from cafsc.tl.verdict.ledger import EVIDENCE_COLUMNS, Spoken, leading, ledger, reported, witness_names
from cafsc.tl.verdict.presence import MIN_SIGNATURE, subjects
from cafsc.tl.verdict.weigh import Call, weigh

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue
    from cafsc.sig.catalogue import CatalogueClaim

CANCER_COLUMNS = "cluster cancer cancer_label call score n_pro n_anti n_own hangs_on call_reason chosen"


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
    if kind == "set" and len(catalogue.sets[name].definition.genes) < MIN_SIGNATURE:
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
    weights: WeightsLike | None = None,
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
    weights
        Numbers in place of those of ``signatures/weights.yaml``: a file, or a mapping such as
        ``{"evidence": {"in_vitro": 0.3}}``. What is not named stays.

    Notes
    -----
    A claim weighs evidence level x fit of the cancer x fit of the species x specificity of its subject
    (``signatures/weights.yaml``) x presence of the subject in the cluster. Papers of one laboratory or dataset
    (``signatures/independence.yaml``) are one witness: one vote a side, the strongest of their claims. A call needs
    two witnesses on its side with evidence of their own (a review has none) and stays ``undetermined`` else; it is
    ``mixed`` where both sides carry weight, where two independent strong papers, or more strong ones than on the
    winning side, are on the losing side, or where leaving out one group or one paper changes the side.

    Writes ``obs["<key_added>_call"]`` (categorical, missing where not kept) and, in ``uns["cafsc"]``, the table
    ``evidence`` (one row a claim and cluster), the table ``cancers`` (one row a cluster and cancer: what the call
    would be there) and the columns ``call``, ``verdict_score`` (-1..1), ``verdict_low``, ``verdict_high``,
    ``call_reason``, ``n_pro``, ``n_anti`` (witnesses), ``prognosis``, ``therapy_response`` (``worse``, ``better``,
    ``mixed`` or ""), ``leading`` and ``hangs_on`` of the table ``clusters``.

    Raises
    ------
    InputError
        If `cafsc.tl.label` has not run.
    OptionError
        If the cancer is unknown, or the weights are none.
    """
    config = config or VerdictConfig()
    catalogue = catalogue or sig.load()
    if weights is not None:
        catalogue = replace(catalogue, weights=own_weights(catalogue.weights, weights))
    keys = Keys(key_added)
    slot = adata.uns.get(keys.uns, {})
    if "clusters" not in slot:
        raise InputError(f"uns[{keys.uns!r}]['clusters'] is missing", fix="run cafsc.tl.label(adata) first")
    code = catalogue.cancer(cancer) if cancer is not None else None
    species = str(slot["species"])
    clusters: pd.DataFrame = slot["clusters"].copy()
    present = subjects(adata, clusters, catalogue, keys, species, config, marker_config or MarkerConfig())
    found = [
        [
            (entry, presence)
            for entry in catalogue.claims
            if (presence := present.presence(entry.claim.about, index)) > 0
        ]
        for index in range(len(clusters))
    ]
    spoken = [speaking(entries, catalogue, code, species) for entries in found]
    named = (clusters["subtype"] != UNRESOLVED).tolist()
    calls = [_call(items, config, seed, name) for items, name in zip(spoken, named, strict=True)]
    rows = [
        row
        for cluster, subtype, call, items in zip(
            clusters["cluster"], clusters["subtype"], calls, spoken, strict=True
        )
        for row in ledger(str(cluster), str(subtype), call, items)
    ]
    evidence = pd.DataFrame(rows, columns=EVIDENCE_COLUMNS.split())
    names = witness_names(catalogue)
    clusters["call"] = [call.call for call in calls]
    clusters["verdict_score"] = [call.score for call in calls]
    clusters["verdict_low"] = [call.low for call in calls]
    clusters["verdict_high"] = [call.high for call in calls]
    clusters["call_reason"] = [call.reason for call in calls]
    clusters["n_pro"] = [call.n_pro for call in calls]
    clusters["n_anti"] = [call.n_anti for call in calls]
    for column in ("prognosis", "therapy_response"):
        clusters[column] = [
            reported(items, column, config.mixed_share) if name else ""
            for items, name in zip(spoken, named, strict=True)
        ]
    clusters["leading"] = [leading(evidence, str(c), names) for c in clusters["cluster"]]
    clusters["hangs_on"] = [names.get(call.hangs_on, call.hangs_on) for call in calls]
    slot["clusters"] = _ordered(clusters)
    slot["evidence"] = evidence
    slot["cancers"] = _cancers(clusters["cluster"].tolist(), found, named, catalogue, code, species, config)
    slot["cancer"] = code or ""
    of_cluster = dict(zip(clusters["cluster"], clusters["call"], strict=True))
    adata.obs[keys.call] = pd.Categorical(
        [of_cluster.get(name) for name in adata.obs[keys.cluster].astype(object)],
        categories=sorted(set(of_cluster.values())),
    )


def speaking(
    entries: Sequence[tuple[CatalogueClaim, float]], catalogue: Catalogue, cancer: str | None, species: str
) -> list[Spoken]:
    """Claims with the presence of their subject, as they speak in one cancer and species."""
    weighed = [
        (entry, presence, presence * claim_weight(entry, catalogue, cancer, species))
        for entry, presence in entries
    ]
    return [
        Spoken(entry, presence, weight, catalogue.group_of(entry.paper.key))
        for entry, presence, weight in weighed
        if weight > 0
    ]


def _call(
    spoken: Sequence[Spoken], config: VerdictConfig, seed: int, named: bool, *, interval: bool = True
) -> Call:
    call = weigh([item.vote for item in spoken], config, seed, interval=interval)
    # Claims are about named fibroblasts: the ledger is shown, but nobody is called.
    return call if named else replace(call, call=UNDETERMINED, hangs_on="", reason="unresolved")


def _cancers(
    clusters: Sequence[str],
    found: Sequence[Sequence[tuple[CatalogueClaim, float]]],
    named: Sequence[bool],
    catalogue: Catalogue,
    chosen: str | None,
    species: str,
    config: VerdictConfig,
) -> pd.DataFrame:
    """The call of each cluster in each cancer that one of the speaking claims was made in, and in the user's."""
    votes = [[(e, p) for e, p in entries if e.claim.effect in (PRO, ANTI)] for entries in found]
    spoken_of = {name for entries in votes for entry, _ in entries for name in entry.claim.cancer}
    names = witness_names(catalogue)
    rows = []
    for cluster, entries, is_named in zip(clusters, votes, named, strict=True):
        for code, cancer in catalogue.cancers.items():
            if code not in spoken_of and code != chosen:
                continue
            spoken = speaking(entries, catalogue, code, species)
            call = _call(spoken, config, 0, is_named, interval=False)
            own = {item.group for item in spoken if code in item.entry.claim.cancer}
            rows.append(
                (
                    str(cluster),
                    code,
                    cancer.label,
                    call.call,
                    call.score,
                    call.n_pro,
                    call.n_anti,
                    len(own),
                    names.get(call.hangs_on, call.hangs_on),
                    call.reason,
                    code == chosen,
                )
            )
    return pd.DataFrame(rows, columns=CANCER_COLUMNS.split())


def _ordered(clusters: pd.DataFrame) -> pd.DataFrame:
    """Columns in the order a reader wants them; schemes last."""
    first = (
        "cluster n_cells fraction subtype support reason runner_up margin call verdict_score verdict_low "
        "verdict_high call_reason n_pro n_anti prognosis therapy_response leading hangs_on top_genes"
    ).split()
    return clusters[[*first, *(name for name in clusters if name not in first)]]
