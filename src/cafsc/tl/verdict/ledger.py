"""The ledger of a cluster: every claim that spoke, with its weight and the side it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED
from cafsc.tl.verdict.weigh import Call, Vote, outcome, witness_weights

if TYPE_CHECKING:
    from cafsc.sig import Catalogue
    from cafsc.sig.catalogue import CatalogueClaim

EVIDENCE_COLUMNS = (
    "cluster subtype call claim about effect side weight counted presence evidence cancer species mechanism "
    "prognosis therapy_response statement paper group citation doi pmid link verified"
)
_N_LEADING = 3


@dataclass(frozen=True)
class Spoken:
    """A claim whose subject is present in a cluster.

    Attributes
    ----------
    presence
        0..1.
    weight
        Weight of the claim for the cancer and species in hand x presence.
    group
        Witness that its paper belongs to.
    """

    entry: CatalogueClaim
    presence: float
    weight: float
    group: str

    @property
    def own_evidence(self) -> bool:
        """False where the paper only reports what others found."""
        return self.entry.claim.evidence != ["review"]

    @property
    def vote(self) -> Vote:
        """The claim as a vote."""
        return Vote(
            self.entry.paper.key,
            self.entry.claim.effect,
            self.weight,
            own_evidence=self.own_evidence,
            group=self.group,
            about=self.entry.claim.about,
        )


def reported(spoken: Sequence[Spoken], what: str, mixed_share: float) -> str:
    """``prognosis`` or ``therapy_response``: what papers with evidence of their own report of it."""
    return outcome(
        (
            (item.group, getattr(item.entry.claim, what) or "", item.weight)
            for item in spoken
            if item.own_evidence
        ),
        mixed_share,
    )


def ledger(cluster: str, subtype: str, call: Call, spoken: Sequence[Spoken]) -> list[dict[str, Any]]:
    """One row a claim, heaviest first; ``counted`` is the one claim with which its group votes on that side."""
    strongest = witness_weights(item.vote for item in spoken)
    voted: set[tuple[str, str]] = set()
    rows = []
    for item in sorted(spoken, key=lambda item: (-item.weight, item.entry.claim.id)):
        claim, paper = item.entry.claim, item.entry.paper
        side_weight = dict(zip((PRO, ANTI), strongest.get(item.group, (0.0, 0.0)), strict=True))
        counted = (
            claim.effect in side_weight
            and item.weight == side_weight[claim.effect]
            and (item.group, claim.effect) not in voted
        )
        if counted:
            voted.add((item.group, claim.effect))
        rows.append(
            {
                "cluster": cluster,
                "subtype": subtype,
                "call": call.call,
                "claim": claim.id,
                "about": claim.about,
                "effect": claim.effect,
                "side": _side_of(claim.effect, call.call),
                "weight": item.weight,
                "counted": counted,
                "presence": item.presence,
                "evidence": "+".join(claim.evidence),
                "cancer": ", ".join(claim.cancer),
                "species": ", ".join(claim.species),
                "mechanism": ", ".join(claim.mechanism),
                "prognosis": claim.prognosis or "",
                "therapy_response": claim.therapy_response or "",
                "statement": claim.statement,
                "paper": paper.key,
                "group": item.group,
                "citation": paper.citation,
                "doi": paper.doi or "",
                "pmid": paper.pmid or "",
                "link": paper.link,
                "verified": claim.verified,
            }
        )
    return rows


def leading(evidence: pd.DataFrame, cluster: str, names: Mapping[str, str]) -> str:
    """The papers that weigh most: of the call's side, or of both where there is none."""
    mine = evidence[(evidence["cluster"] == cluster) & evidence["counted"].astype(bool)]
    by_side = [mine[mine["side"] == side]["paper"] for side in ("for", PRO, ANTI)]
    parts = [", ".join(names[key] for key in list(papers)[:_N_LEADING]) for papers in by_side]
    return " | ".join(part for part in parts if part)


def witness_names(catalogue: Catalogue) -> dict[str, str]:
    """Names for people: ``Costa 2018`` for a paper, the laboratory or dataset for a group."""
    names = {paper.key: paper.short for paper in catalogue.papers.values()}
    return names | {name: group.label for name, group in catalogue.groups.items()}


def _side_of(effect: str, call: str) -> str:
    if effect not in (PRO, ANTI):
        return "context"
    if call in (MIXED, UNDETERMINED):
        return effect
    return "for" if effect == call else "against"
