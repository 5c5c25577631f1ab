"""The net verdict of each sample of a cohort: tumour-promoting minus restraining, by the catalogue's claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cafsc._config import VerdictConfig
from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED
from cafsc.bulk.subjects import Subject
from cafsc.sig import Catalogue
from cafsc.tl.score.controls import Array
from cafsc.tl.verdict.claims import claim_weight

MIDDLE_WEIGHT = 0.5
"""Weight of the cohort's middle on each side, that of one paper's work in culture: few papers move a side little."""
MIN_SCORE = 0.1
"""Absolute score a call needs: one side is ten percentiles of the cohort above the other."""
EVIDENCE_COLUMNS = (
    "claim about read_by effect weight attribution share evidence cancer species statement paper citation doi pmid "
    "link verified"
).split()
_ROUNDING = 1e-9


@dataclass(frozen=True)
class NetVerdict:
    """What the claims say of the samples; see `cafsc.bulk.score`."""

    samples: pd.DataFrame
    evidence: pd.DataFrame
    n_pro: int
    """Independent sources on this side."""
    n_anti: int


@dataclass(frozen=True)
class _Source:
    """One independent source on one side: its weight, and the mean presence and z of its subjects per sample."""

    name: str
    effect: str
    weight: float
    presence: Array
    z: Array


def residual_z(scores: Array, content: Array) -> Array:
    """Residuals of scores (samples x subjects) regressed on the fibroblast content, in standard deviations.

    0 where nothing varies.
    """
    residuals = scores - scores.mean(axis=0)
    amount = content - content.mean()
    if amount @ amount > 0:
        residuals = residuals - np.outer(amount, amount @ residuals / (amount @ amount))
    spread = residuals.std(axis=0)
    # A score that the content explains completely leaves only rounding errors.
    varies = spread > _ROUNDING * np.maximum(scores.std(axis=0), _ROUNDING)
    out: Array = np.divide(residuals, spread, out=np.zeros_like(residuals), where=varies)
    return out


def attribution(scores: Array, content: Array) -> Array:
    """Correlation of each subject's score (samples x subjects) with the fibroblast content, 0 where it is negative.

    A signature that does not rise with the fibroblasts is mostly expressed by other cells.
    """
    centred, amount = scores - scores.mean(axis=0), content - content.mean()
    spread = np.sqrt((centred**2).sum(axis=0) * (amount @ amount))
    found: Array = np.divide(
        amount @ centred, spread, out=np.zeros(scores.shape[1]), where=spread > _ROUNDING
    )
    return np.clip(found, 0.0, 1.0)


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
    """Weigh the claims about signatures that the cohort can score; see `cafsc.bulk.score`."""
    values = scores.to_numpy(dtype=np.float64)
    own = dict(zip(scores.columns, attribution(values, content), strict=True))
    claims = _claims(own, subjects, catalogue, cancer, species, exclude_papers)
    z = pd.DataFrame(residual_z(values, content), columns=scores.columns)
    sources = [
        _Source(
            name=str(name),
            effect=str(effect),
            weight=float(its["voice"].max()),
            presence=stats.norm.cdf(z[its["read_by"]]) @ (its["voice"] / its["voice"].sum()).to_numpy(),
            z=z[its["read_by"]].to_numpy() @ (its["voice"] / its["voice"].sum()).to_numpy(),
        )
        for (name, effect), its in claims.groupby(["source", "effect"])
    ]
    titles = {key: paper.short for key, paper in catalogue.papers.items()}
    titles |= {key: group.label for key, group in catalogue.groups.items()}
    sides = [source.effect for source in sources]
    return NetVerdict(
        _samples(list(scores.index), sources, titles, (config or VerdictConfig()).min_papers),
        claims[EVIDENCE_COLUMNS],
        sides.count(PRO),
        sides.count(ANTI),
    )


def _claims(
    own: Mapping[str, float],
    subjects: Mapping[str, Subject],
    catalogue: Catalogue,
    cancer: str | None,
    species: str,
    exclude_papers: Collection[str],
) -> pd.DataFrame:
    """Claims that count: `EVIDENCE_COLUMNS`, ``source`` and ``voice`` (weight x attribution), largest first.

    ``share`` is the fraction of its side's weight that a claim carries: a source has the weight of its strongest
    claim, divided among its claims by voice.
    """
    rows = []
    for entry in catalogue.claims:
        claim, paper = entry.claim, entry.paper
        if claim.effect not in (PRO, ANTI) or paper.key in exclude_papers:
            continue
        name = _read_by(claim.about, subjects, catalogue)
        if name:
            weight = claim_weight(entry, catalogue, cancer, species)
            rows.append(
                {
                    "claim": claim.id,
                    "about": claim.about,
                    "read_by": name,
                    "effect": claim.effect,
                    "weight": weight,
                    "attribution": own[name],
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
                    "source": catalogue.group_of(paper.key),
                    "voice": weight * own[name],
                }
            )
    table = pd.DataFrame(rows, columns=[*EVIDENCE_COLUMNS, "source", "voice"])
    table = table[table["voice"] > 0].sort_values(
        ["voice", "claim"], ascending=[False, True], ignore_index=True
    )
    by_source = table.groupby(["source", "effect"])["voice"]
    strongest = by_source.max()
    side = table["effect"].map(strongest.groupby("effect").sum())
    table["share"] = table["voice"] / by_source.transform("sum") * by_source.transform("max") / side
    return table


def _read_by(about: str, subjects: Mapping[str, Subject], catalogue: Catalogue) -> str:
    """The score that a claim is read by; "" if it cannot be read in bulk.

    A claim about a set of a harmonised state is read by that state: the lists of several papers say more of a sample
    than one of them.
    """
    if about not in subjects or not subjects[about].is_signature:
        return ""
    kind, _, name = about.partition(":")
    states = [f"state:{state}" for state in catalogue.sets[name].states] if kind == "set" else []
    return next((state for state in states if state in subjects and subjects[state].is_signature), about)


def _side(sources: list[_Source], effect: str, n: int) -> tuple[Array, Array]:
    """Weighted mean presence and z of one side, shrunk to the cohort's middle where its weight is small."""
    own = [source for source in sources if source.effect == effect]
    total = MIDDLE_WEIGHT + sum(source.weight for source in own)
    presence = sum((source.weight * source.presence for source in own), np.full(n, 0.5 * MIDDLE_WEIGHT))
    z = sum((source.weight * source.z for source in own), np.zeros(n))
    return presence / total, z / total


def _samples(
    samples: list[str], sources: list[_Source], titles: Mapping[str, str], min_papers: int
) -> pd.DataFrame:
    n = len(samples)
    (pro, z_pro), (anti, z_anti) = (_side(sources, effect, n) for effect in (PRO, ANTI))
    score = pro - anti
    names = sorted({source.name for source in sources})
    without = np.empty((len(names), n))
    for row, name in enumerate(names):
        rest = [source for source in sources if source.name != name]
        without[row] = _side(rest, PRO, n)[0] - _side(rest, ANTI, n)[0]
    # How far each removal carries the score to the other side; 0 or less where it does not.
    beyond = np.vstack([np.zeros(n), -without * np.sign(score)])
    sensitive = [("", *(titles.get(name, name) for name in names))[worst] for worst in beyond.argmax(axis=0)]
    enough = len(names) >= min_papers and len({source.effect for source in sources}) == 2
    call = np.where(score > 0, PRO, ANTI).astype(object)
    call[[bool(name) for name in sensitive]] = MIXED
    call[(np.abs(score) < MIN_SCORE) | (not enough)] = UNDETERMINED
    with_all = np.vstack([without, score])
    return pd.DataFrame(
        {
            "sample": samples,
            "call": call,
            "verdict_score": score,
            "verdict_low": with_all.min(axis=0),
            "verdict_high": with_all.max(axis=0),
            "sensitive_to": sensitive,
            "contrast": z_pro - z_anti,
            "pro": pro,
            "anti": anti,
            "hangs_on": sensitive,  # the old name of sensitive_to, for one release
        }
    )
