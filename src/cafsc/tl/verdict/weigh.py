"""From weighted claims to a call: functions on numbers, without any AnnData."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cafsc._config import VerdictConfig
from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED

CONTEXT = "context"
_N_HEAVY = 8


@dataclass(frozen=True)
class Vote:
    """One claim that speaks for a cluster.

    Attributes
    ----------
    paper
        Key of the paper.
    effect
        ``pro``, ``anti`` or ``context``; the last has no vote.
    weight
        At least 0.
    own_evidence
        False where the paper only reports what others found.
    group
        Witness that the paper belongs to: a laboratory or a dataset. The paper itself if empty.
    about
        Subject of the claim.
    """

    paper: str
    effect: str
    weight: float
    own_evidence: bool = True
    group: str = ""
    about: str = ""

    @property
    def witness(self) -> str:
        """Group of the paper, or the paper."""
        return self.group or self.paper


@dataclass(frozen=True)
class Call:
    """What the votes of one cluster come to.

    Attributes
    ----------
    call
        ``pro``, ``anti``, ``mixed`` or ``undetermined``.
    score
        (pro - anti) / (pro + anti) over witnesses, -1..1; 0 without any vote.
    low, high
        95% interval of the score over resamples of the witnesses.
    n_pro, n_anti
        Witnesses on each side: papers, those of one group counted once.
    hangs_on
        Group or paper whose removal changes the side, or "".
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


def paper_weights(votes: Iterable[Vote]) -> dict[str, tuple[float, float]]:
    """Weight of each paper for pro and for anti: its strongest claim on a side counts, the others add nothing."""
    return _strongest((vote.paper, vote) for vote in votes)


def witness_weights(votes: Iterable[Vote]) -> dict[str, tuple[float, float]]:
    """Weight of each group of papers for pro and for anti: the strongest claim of any of its papers."""
    return _strongest((vote.witness, vote) for vote in votes)


def _strongest(votes: Iterable[tuple[str, Vote]]) -> dict[str, tuple[float, float]]:
    return _strongest_of((name, vote.effect, vote.weight) for name, vote in votes)


def _strongest_of(votes: Iterable[tuple[str, str, float]]) -> dict[str, tuple[float, float]]:
    """Strongest weight for pro and for anti by name, of votes given as name, effect and weight."""
    out: dict[str, tuple[float, float]] = {}
    for name, effect, weight in votes:
        if effect == PRO:
            pro, anti = out.get(name, (0.0, 0.0))
            out[name] = (max(pro, weight), anti)
        elif effect == ANTI:
            pro, anti = out.get(name, (0.0, 0.0))
            out[name] = (pro, max(anti, weight))
    return out


def net_score(weights: Iterable[tuple[float, float]]) -> float:
    """(pro - anti) / (pro + anti), 0 if nothing weighs."""
    pro, anti = sides(weights)
    return (pro - anti) / (pro + anti) if pro + anti > 0 else 0.0


def sides(weights: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """Summed weight for pro and for anti."""
    pairs = list(weights)
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def weigh(votes: Sequence[Vote], config: VerdictConfig, seed: int = 0, *, interval: bool = True) -> Call:
    """Call one cluster from its votes.

    Parameters
    ----------
    votes
        Claims that speak, with their weights.
    config
        What a call needs.
    seed
        For the interval.
    interval
        False gives an interval of no width, and saves the time.

    Notes
    -----
    A call needs several witnesses with evidence of their own, on its side and in all; a clear net score; little
    weight on the other side; neither `min_papers` strong witnesses there, nor more strong ones than on its own
    side. A strong witness that itself says "it depends" of another subject that is present is no strong one. And the
    side must stay when any one group, and any one paper, is left out.
    """
    per_witness = witness_weights(votes)
    names = sorted(per_witness)
    weights = [per_witness[name] for name in names]
    score = net_score(weights)
    call, reason = _side(votes, weights, score, config)
    hangs_on = ""
    if call in (PRO, ANTI):
        hangs_on = pivot(votes)
        if hangs_on:
            call, reason = MIXED, "hangs_on_one_paper"
        elif len(_witnesses(votes, call)) < config.min_papers:
            call, reason = UNDETERMINED, "single_source"
    low, high = _interval(weights, config, seed) if interval else (score, score)
    n_pro, n_anti = sum(pro > 0 for pro, _ in weights), sum(anti > 0 for _, anti in weights)
    return Call(call, score, low, high, n_pro, n_anti, hangs_on, reason)


def pivot(votes: Sequence[Vote]) -> str:
    """Group, or paper of a group, without which the net score changes its sign; "" if there is none."""
    # Asked for every cluster and cancer: who has no vote is left aside once, and properties are read once.
    plain = [
        (vote.witness, vote.paper, vote.effect, vote.weight) for vote in votes if vote.effect in (PRO, ANTI)
    ]
    strongest = _strongest_of((witness, effect, weight) for witness, _, effect, weight in plain)
    sign = np.sign(net_score(strongest.values()))
    for name in sorted(strongest):
        if np.sign(net_score(pair for other, pair in strongest.items() if other != name)) != sign:
            return name
    for name in sorted({paper for witness, paper, _, _ in plain if paper != witness}):
        others = ((witness, effect, weight) for witness, paper, effect, weight in plain if paper != name)
        if np.sign(net_score(_strongest_of(others).values())) != sign:
            return name
    return ""


def _witnesses(votes: Iterable[Vote], *effects: str) -> set[str]:
    """Groups that speak on a side by evidence of their own."""
    return {
        vote.witness for vote in votes if vote.own_evidence and vote.weight > 0 and vote.effect in effects
    }


def _doubters(votes: Sequence[Vote], winning: str) -> set[str]:
    """Witnesses that speak for a side, but say "it depends" of another subject that is present: of a part of it."""
    spoken = {(vote.witness, vote.about) for vote in votes if vote.effect == winning}
    parts = [vote for vote in votes if vote.effect == CONTEXT and (vote.witness, vote.about) not in spoken]
    return _witnesses(parts, CONTEXT)


def _side(
    votes: Sequence[Vote], weights: Sequence[tuple[float, float]], score: float, config: VerdictConfig
) -> tuple[str, str]:
    pro, anti = sides(weights)
    if pro + anti == 0:
        return UNDETERMINED, "no_claim"
    if len(_witnesses(votes, PRO, ANTI)) < config.min_papers:
        return UNDETERMINED, "single_source"
    strong = [vote for vote in votes if vote.weight >= config.strong_weight]
    winning, losing = (PRO, ANTI) if score > 0 else (ANTI, PRO)
    winners, losers = _witnesses(strong, winning), _witnesses(strong, losing)
    # Many weak papers from elsewhere must not outvote the few that looked at this very tumour.
    contested = len(losers) >= config.min_papers or len(losers) > len(winners)
    if min(pro, anti) / (pro + anti) >= config.mixed_share or contested:
        return MIXED, "both_sides"
    sure = winners - _doubters(strong, winning)
    if winners != sure and (not sure or len(losers) > len(sure)):
        return MIXED, "context_dependent"
    if abs(score) < config.min_score:
        return UNDETERMINED, "no_clear_side"
    return (PRO, "") if score > 0 else (ANTI, "")


def outcome(reports: Iterable[tuple[str, str, float]], mixed_share: float) -> str:
    """What the witnesses report of patients: ``worse``, ``better``, ``mixed``, or "" where none reports anything.

    Parameters
    ----------
    reports
        Witness, ``worse`` or ``better``, weight. Other words have no vote.
    mixed_share
        Share of the weight on the lighter side that makes it mixed.
    """
    strongest: dict[tuple[str, str], float] = {}
    for witness, word, weight in reports:
        strongest[witness, word] = max(strongest.get((witness, word), 0.0), weight)
    total = {
        word: sum(w for (_, said), w in strongest.items() if said == word) for word in ("worse", "better")
    }
    heavier = max(total, key=lambda word: total[word])
    both = sum(total.values())
    if both == 0:
        return ""
    return "mixed" if (both - total[heavier]) / both >= mixed_share else heavier


def fewest_to_change(votes: Sequence[Vote], config: VerdictConfig) -> tuple[tuple[str, ...], Call] | None:
    """A smallest set of papers without which the call is another one, and what it then is.

    Every single paper is tried, then every pair of the heaviest of both sides; beyond that the papers of a side go
    in order of their weight, and those that are not needed come back: none too many, but perhaps not the fewest.
    None if the call stays even so.
    """
    before = weigh(votes, config, interval=False).call
    papers = sorted({vote.paper for vote in votes if vote.weight > 0 and vote.effect in (PRO, ANTI)})
    weights = paper_weights(votes)
    orders = [
        sorted((paper for paper in papers if weights[paper][side] > 0), key=lambda p: (-weights[p][side], p))
        for side in (0, 1)
    ]
    heavy = sorted({paper for order in orders for paper in order[:_N_HEAVY]})
    for left_out in [*combinations(papers, 1), *combinations(heavy, 2)]:
        after = _without(votes, left_out, config)
        if after.call != before:
            return left_out, after
    found: list[tuple[tuple[str, ...], Call]] = []
    for order in orders:
        for n in range(3, len(order) + 1):
            after = _without(votes, order[:n], config)
            if after.call != before:
                found.append(_pruned(order[:n], votes, before, config))
                break
    return min(found, key=lambda item: (len(item[0]), item[0])) if found else None


def _pruned(
    left_out: Sequence[str], votes: Sequence[Vote], before: str, config: VerdictConfig
) -> tuple[tuple[str, ...], Call]:
    """The same set without the papers that it does not need, lightest first."""
    needed = list(left_out)
    for paper in reversed(left_out):
        fewer = [name for name in needed if name != paper]
        if _without(votes, fewer, config).call != before:
            needed = fewer
    return tuple(needed), _without(votes, needed, config)


def _without(votes: Sequence[Vote], papers: Iterable[str], config: VerdictConfig) -> Call:
    gone = set(papers)
    return weigh([vote for vote in votes if vote.paper not in gone], config, interval=False)


def shares(
    calls: Mapping[str, int], n_resamples: int, seed: int, samples: Sequence[Mapping[str, int]] = ()
) -> dict[str, dict[str, float]]:
    """Share of cells with each call, and how far it moves when cells, and samples, are drawn again.

    Parameters
    ----------
    calls
        Call -> cells.
    samples
        The same for each sample; two or more give an interval over samples.

    Returns
    -------
    Call -> ``share``, ``low``, ``high`` (95% over resampled cells) and, over resampled samples, ``low_samples``,
    ``high_samples``. Each 0..1. Empty if there is no cell.
    """
    names = sorted(calls)
    count = np.array([calls[name] for name in names], dtype=np.float64)
    if count.sum() == 0:
        return {}
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(int(count.sum()), count / count.sum(), size=n_resamples) / count.sum()
    out = {
        name: {"share": float(share), "low": float(low), "high": float(high)}
        for name, share, low, high in zip(
            names, count / count.sum(), *np.quantile(drawn, [0.025, 0.975], axis=0), strict=True
        )
    }
    table = np.array([[sample.get(name, 0) for name in names] for sample in samples], dtype=np.float64)
    table = table[table.sum(axis=1) > 0] if len(table) else table
    if len(table) >= 2:
        sums = table[rng.integers(0, len(table), size=(n_resamples, len(table)))].sum(axis=1)
        low, high = np.quantile(sums / sums.sum(axis=1, keepdims=True), [0.025, 0.975], axis=0)
        for index, name in enumerate(names):
            out[name] |= {"low_samples": float(low[index]), "high_samples": float(high[index])}
    return out


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
