"""From weighted claims to a call: functions on numbers, without any AnnData."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cafsc._config import VerdictConfig
from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED


@dataclass(frozen=True)
class Vote:
    """One claim that speaks for a cluster."""

    paper: str
    effect: str
    weight: float
    own_evidence: bool = True
    """False where the paper only reports what others found."""


@dataclass(frozen=True)
class Call:
    """What the votes of one cluster come to.

    Attributes
    ----------
    call
        ``pro``, ``anti``, ``mixed`` or ``undetermined``.
    score
        (pro - anti) / (pro + anti) over papers, -1..1; 0 without any vote.
    low, high
        95% interval of the score over resamples of the papers.
    n_pro, n_anti
        Papers on each side.
    hangs_on
        Paper whose removal changes the side, or "".
    reason
        Why there is no side, or "".
    """

    call: str
    score: float
    low: float
    high: float
    n_pro: int
    n_anti: int
    hangs_on: str
    reason: str


def paper_weights(votes: Sequence[Vote]) -> dict[str, tuple[float, float]]:
    """Weight of each paper for pro and for anti: its strongest claim on a side counts, the others add nothing."""
    out: dict[str, tuple[float, float]] = {}
    for vote in votes:
        pro, anti = out.get(vote.paper, (0.0, 0.0))
        if vote.effect == PRO:
            out[vote.paper] = (max(pro, vote.weight), anti)
        elif vote.effect == ANTI:
            out[vote.paper] = (pro, max(anti, vote.weight))
    return out


def net_score(weights: Sequence[tuple[float, float]]) -> float:
    """(pro - anti) / (pro + anti), 0 if nothing weighs."""
    pro, anti = sum(weight[0] for weight in weights), sum(weight[1] for weight in weights)
    return (pro - anti) / (pro + anti) if pro + anti > 0 else 0.0


def weigh(votes: Sequence[Vote], config: VerdictConfig, seed: int = 0) -> Call:
    """Call one cluster from its votes.

    A call needs several papers, a clear net score, little weight on the other side, and must stay when any one
    paper is left out.
    """
    per_paper = paper_weights(votes)
    names = sorted(per_paper)
    weights = [per_paper[name] for name in names]
    score = net_score(weights)
    n_pro = sum(pro > 0 for pro, _ in weights)
    n_anti = sum(anti > 0 for _, anti in weights)
    low, high = _interval(weights, config, seed)
    witnesses = {
        vote.paper for vote in votes if vote.own_evidence and vote.weight > 0 and vote.effect in (PRO, ANTI)
    }
    call, reason = _side(weights, len(witnesses), score, config)
    hangs_on = ""
    if call in (PRO, ANTI):
        for index, name in enumerate(names):
            rest = weights[:index] + weights[index + 1 :]
            if np.sign(net_score(rest)) != np.sign(score):
                hangs_on, call, reason = name, MIXED, "hangs_on_one_paper"
                break
    return Call(call, score, low, high, n_pro, n_anti, hangs_on, reason)


def _side(
    weights: Sequence[tuple[float, float]], n_witnesses: int, score: float, config: VerdictConfig
) -> tuple[str, str]:
    pro, anti = sum(weight[0] for weight in weights), sum(weight[1] for weight in weights)
    if pro + anti == 0:
        return UNDETERMINED, "no_claim"
    if n_witnesses < config.min_papers:
        return UNDETERMINED, "single_source"
    if min(pro, anti) / (pro + anti) >= config.mixed_share:
        return MIXED, "both_sides"
    if abs(score) < config.min_score:
        return UNDETERMINED, "no_clear_side"
    return (PRO, "") if score > 0 else (ANTI, "")


def _interval(
    weights: Sequence[tuple[float, float]], config: VerdictConfig, seed: int
) -> tuple[float, float]:
    if not weights:
        return 0.0, 0.0
    values = np.array(weights)
    rng = np.random.default_rng(seed)
    draws = values[rng.integers(0, len(values), size=(config.n_resamples, len(values)))].sum(axis=1)
    total = draws.sum(axis=1)
    scores = np.divide(draws[:, 0] - draws[:, 1], total, out=np.zeros(len(draws)), where=total > 0)
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)
