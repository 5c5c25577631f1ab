"""The net verdict of each sample of a cohort: tumour-promoting minus restraining, by the catalogue's claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

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
    found = np.divide(amount @ centred, spread, out=np.zeros(len(spread)), where=spread > _ROUNDING)
    return np.asarray(np.clip(found, 0.0, 1.0))


def net_verdict(
    scores: pd.DataFrame,
    content: Array,
    subjects: Mapping[str, Subject],
    catalogue: Catalogue,
    *,
    cancer: str | None,
    species: str,
    exclude_papers: Collection[str],
    min_papers: int,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int]]:
    """Verdict of each sample, the claims that counted, and independent sources per side; see `cafsc.bulk.score`."""
    values = scores.to_numpy(dtype=np.float64)
    own = dict(zip(scores.columns, attribution(values, content), strict=True))
    claims = _claims(own, subjects, catalogue, cancer, species, exclude_papers)
    weights = claims.groupby(["source", "effect"])["voice"].max()
    parts = claims.pivot_table("voice", ["source", "effect"], "read_by", "sum", fill_value=0.0)
    parts = parts.div(parts.sum(axis=1), axis=0)
    z = pd.DataFrame(residual_z(values, content), columns=scores.columns)[list(parts.columns)].to_numpy().T
    presence, z = parts.to_numpy() @ stats.norm.cdf(z), parts.to_numpy() @ z
    table = _samples(weights, presence, z, catalogue, min_papers)
    table.insert(0, "sample", list(scores.index))
    effects = list(weights.index.get_level_values("effect"))
    return table, claims[EVIDENCE_COLUMNS], {effect: effects.count(effect) for effect in (PRO, ANTI)}


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
            row = {"claim": claim.id, "read_by": name, "weight": weight, "attribution": own[name]}
            row |= {"paper": paper.key, "source": catalogue.group_of(paper.key), "voice": weight * own[name]}
            row |= {key: getattr(claim, key) for key in ("about", "effect", "statement", "verified")}
            row |= {key: ", ".join(getattr(claim, key)) for key in ("cancer", "species")}
            row |= {key: getattr(paper, key) or "" for key in ("citation", "doi", "pmid", "link")}
            rows.append({**row, "evidence": "+".join(claim.evidence)})
    table = pd.DataFrame(rows, columns=[*EVIDENCE_COLUMNS, "source", "voice"])
    table = table[table["voice"] > 0]
    table = table.sort_values(["voice", "claim"], ascending=[False, True], ignore_index=True)
    by_source = table.groupby(["source", "effect"])["voice"]
    side = table["effect"].map(by_source.max().groupby("effect").sum())
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


def _samples(
    weights: pd.Series, presence: Array, z: Array, catalogue: Catalogue, min_papers: int
) -> pd.DataFrame:
    """Score and call of each sample, by presence and z (sources on one side x samples) and their weights."""
    source, effect = (weights.index.get_level_values(level).to_numpy() for level in ("source", "effect"))

    def mean(levels: Array, chosen: NDArray[np.bool_], middle: float) -> Array:
        """Weighted mean, shrunk to the middle of the cohort where the weight is small."""
        weight = weights.to_numpy(dtype=np.float64) * chosen
        return np.asarray((middle * MIDDLE_WEIGHT + weight @ levels) / (MIDDLE_WEIGHT + weight.sum()))

    def balance(chosen: NDArray[np.bool_]) -> Array:
        return mean(presence, chosen & (effect == PRO), 0.5) - mean(presence, chosen & (effect == ANTI), 0.5)

    score = balance(np.ones(len(effect), dtype=bool))
    names = sorted(set(source))
    without = [balance(source != name) for name in names]
    # How far each removal carries the score to the other side; 0 or less where it does not.
    beyond = np.vstack([np.zeros(len(score)), *(-left * np.sign(score) for left in without)])
    titles = {key: paper.short for key, paper in catalogue.papers.items()}
    titles |= {key: group.label for key, group in catalogue.groups.items()}
    sensitive = [("", *(titles.get(name, name) for name in names))[worst] for worst in beyond.argmax(axis=0)]
    enough = len(names) >= min_papers and len(set(effect)) == 2
    call = np.where(score > 0, PRO, ANTI).astype(object)
    call[[bool(name) for name in sensitive]] = MIXED
    call[(np.abs(score) < MIN_SCORE) | (not enough)] = UNDETERMINED
    with_all = np.vstack([*without, score])
    return pd.DataFrame(
        {
            "call": call,
            "verdict_score": score,
            "verdict_low": with_all.min(axis=0),
            "verdict_high": with_all.max(axis=0),
            "sensitive_to": sensitive,
            "contrast": mean(z, effect == PRO, 0.0) - mean(z, effect == ANTI, 0.0),
            "pro": mean(presence, effect == PRO, 0.5),
            "anti": mean(presence, effect == ANTI, 0.5),
            "hangs_on": sensitive,  # the old name of sensitive_to, for one release
        }
    )
