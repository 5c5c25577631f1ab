"""The net verdict of each sample of a cohort: permissive minus restraining, by the catalogue's claims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cafsc._config import VerdictConfig
from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED
from cafsc.bulk.standing import attribution, standing
from cafsc.bulk.subjects import Subject
from cafsc.sig import Catalogue
from cafsc.sig.catalogue import CatalogueClaim
from cafsc.tl.score.controls import Array
from cafsc.tl.verdict.claims import claim_weight
from cafsc.tl.verdict.weigh import Vote, source_weights

MIDDLE_WEIGHT = 0.5
"""Weight of the cohort's middle on each side, that of one paper's work in culture: few words weigh little."""
MIN_SCORE = 0.1
"""Absolute score a call needs: its side stands ten percentiles of the cohort above the other."""
VERDICT_COLUMNS = "sample call verdict_score verdict_low verdict_high hangs_on contrast pro anti".split()
EVIDENCE_COLUMNS = (
    "claim about read_by effect weight attribution share evidence cancer species statement paper citation doi pmid "
    "link verified"
).split()


@dataclass(frozen=True)
class NetVerdict:
    """What the claims say of the samples.

    Attributes
    ----------
    samples
        One row a sample; see `cafsc.bulk.score`.
    evidence
        One row a claim that spoke, heaviest first.
    n_pro, n_anti
        Witnesses on each side: papers, those of one laboratory or dataset counted once.
    """

    samples: pd.DataFrame
    evidence: pd.DataFrame
    n_pro: int
    n_anti: int


@dataclass(frozen=True)
class _Spoken:
    """One claim, the score it is read by, and how far that score is the fibroblasts' own."""

    entry: CatalogueClaim
    witness: str
    read_by: str
    weight: float
    attribution: float

    @property
    def effect(self) -> str:
        return self.entry.claim.effect

    @property
    def voice(self) -> float:
        return self.weight * self.attribution

    @property
    def vote(self) -> Vote:
        return Vote(self.entry.paper.key, self.effect, self.voice, group=self.witness)


@dataclass(frozen=True)
class _Witness:
    """One paper, or group of papers, on one side: its weight, and where its subjects stand in each sample."""

    name: str
    effect: str
    weight: float
    presence: Array
    standing: Array


def net_verdict(
    scores: pd.DataFrame,
    content: Array,
    subjects: Mapping[str, Subject],
    catalogue: Catalogue,
    *,
    cancer: str | None,
    species: str,
    exclude_papers: Collection[str] = (),
    config: VerdictConfig | None = None,
) -> NetVerdict:
    """Weigh the claims whose subject is a signature that the cohort can score; see `cafsc.bulk.score`."""
    config = config or VerdictConfig()
    values = scores.to_numpy(dtype=np.float64)
    own = dict(zip(scores.columns, attribution(values, content), strict=True))
    spoken = []
    for entry in catalogue.claims:
        if entry.claim.effect not in (PRO, ANTI) or entry.paper.key in exclude_papers:
            continue
        name = _read_by(entry.claim.about, subjects, catalogue)
        if name:
            weight = claim_weight(entry, catalogue, cancer, species)
            witness = catalogue.group_of(entry.paper.key)
            spoken.append(_Spoken(entry, witness, name, weight, float(own[name])))
    spoken = [claim for claim in spoken if claim.voice > 0]
    places = dict(zip(scores.columns, standing(values, content).T, strict=True))
    witnesses = _witnesses(spoken, places)
    titles = {key: paper.short for key, paper in catalogue.papers.items()}
    titles |= {key: group.label for key, group in catalogue.groups.items()}
    return NetVerdict(
        _samples(list(scores.index), witnesses, titles, config.min_papers),
        _evidence(spoken),
        sum(witness.effect == PRO for witness in witnesses),
        sum(witness.effect == ANTI for witness in witnesses),
    )


def _read_by(about: str, subjects: Mapping[str, Subject], catalogue: Catalogue) -> str:
    """The score that a claim is read by; "" if it cannot be read in bulk.

    A set that describes a harmonised state is read by that state: the lists of several papers say more of a sample
    than one of them.
    """
    if about not in subjects or not subjects[about].is_signature:
        return ""
    kind, _, name = about.partition(":")
    states = [f"state:{state}" for state in catalogue.sets[name].states] if kind == "set" else []
    return next((state for state in states if state in subjects and subjects[state].is_signature), about)


def _witnesses(spoken: Sequence[_Spoken], places: Mapping[str, Array]) -> list[_Witness]:
    """One witness a paper (or group) and side: it weighs as its strongest claim, and looks at all its subjects."""
    out = []
    for name, sides in source_weights(claim.vote for claim in spoken).items():
        for effect, weight in zip((PRO, ANTI), sides, strict=True):
            own = [claim for claim in spoken if (claim.witness, claim.effect) == (name, effect)]
            if own:
                shares = np.array([claim.voice for claim in own]) / sum(claim.voice for claim in own)
                z = np.array([places[claim.read_by] for claim in own])
                out.append(_Witness(name, effect, weight, shares @ stats.norm.cdf(z), shares @ z))
    return out


def _side(witnesses: Sequence[_Witness], effect: str, n: int) -> tuple[Array, Array]:
    """Weighted mean presence and standing of one side, drawn to the cohort's middle where little speaks."""
    presence, standing_, total = np.full(n, 0.5 * MIDDLE_WEIGHT), np.zeros(n), MIDDLE_WEIGHT
    for witness in witnesses:
        if witness.effect == effect:
            presence = presence + witness.weight * witness.presence
            standing_ = standing_ + witness.weight * witness.standing
            total += witness.weight
    return presence / total, standing_ / total


def _samples(
    samples: list[str], witnesses: list[_Witness], titles: Mapping[str, str], min_papers: int
) -> pd.DataFrame:
    n = len(samples)
    (pro, z_pro), (anti, z_anti) = (_side(witnesses, effect, n) for effect in (PRO, ANTI))
    score = pro - anti
    names = sorted({witness.name for witness in witnesses})
    without = np.array([_without(witnesses, name, n) for name in names]).reshape(len(names), n)
    with_all = np.vstack([without, score])
    # How far each removal carries the score over to the other side; 0 or less where it does not.
    beyond = -without * np.sign(score)
    hangs = [
        titles.get(names[worst], names[worst]) if beyond[worst, i] > 0 else ""
        for i, worst in enumerate(beyond.argmax(axis=0) if names else np.zeros(0, dtype=int))
    ] or [""] * n
    enough = len(names) >= min_papers and len({witness.effect for witness in witnesses}) == 2
    return pd.DataFrame(
        {
            "sample": samples,
            "call": [_call(score[i], hangs[i]) if enough else UNDETERMINED for i in range(n)],
            "verdict_score": score,
            "verdict_low": with_all.min(axis=0),
            "verdict_high": with_all.max(axis=0),
            "hangs_on": hangs,
            "contrast": z_pro - z_anti,
            "pro": pro,
            "anti": anti,
        },
        columns=VERDICT_COLUMNS,
    )


def _without(witnesses: list[_Witness], name: str, n: int) -> Array:
    rest = [witness for witness in witnesses if witness.name != name]
    return _side(rest, PRO, n)[0] - _side(rest, ANTI, n)[0]


def _call(score: float, hangs_on: str) -> str:
    if abs(score) < MIN_SCORE:
        return UNDETERMINED
    if hangs_on:
        return MIXED
    return PRO if score > 0 else ANTI


def _evidence(spoken: Sequence[_Spoken]) -> pd.DataFrame:
    """The claims that spoke; ``share`` is the part of its side's weight that a claim carries."""
    strongest = source_weights(claim.vote for claim in spoken)
    of_side = {PRO: sum(w[0] for w in strongest.values()), ANTI: sum(w[1] for w in strongest.values())}
    own: defaultdict[tuple[str, str], float] = defaultdict(float)
    for spoke in spoken:
        own[spoke.witness, spoke.effect] += spoke.voice
    rows = []
    for spoke in sorted(spoken, key=lambda item: (-item.voice, item.entry.claim.id)):
        claim, paper = spoke.entry.claim, spoke.entry.paper
        side = strongest[spoke.witness][0 if claim.effect == PRO else 1]
        rows.append(
            {
                "claim": claim.id,
                "about": claim.about,
                "read_by": spoke.read_by,
                "effect": claim.effect,
                "weight": spoke.weight,
                "attribution": spoke.attribution,
                "share": spoke.voice / own[spoke.witness, claim.effect] * side / of_side[claim.effect],
                "evidence": "+".join(claim.evidence),
                "cancer": ", ".join(claim.cancer),
                "species": ", ".join(claim.species),
                "statement": claim.statement,
                "paper": paper.key,
                "citation": paper.citation,
                "doi": paper.doi or "",
                "pmid": paper.pmid or "",
                "link": paper.link,
                "verified": claim.verified,
            }
        )
    return pd.DataFrame(rows, columns=EVIDENCE_COLUMNS)
