"""From weighted claims to a call: functions on numbers, without any AnnData."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cafsc._config import VerdictConfig
from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED

CONTEXT = "context"
_N_HEAVY = 8
"""Papers of each side among which pairs are tried: more pairs take long and rarely turn a call."""

Sides = tuple[float, float]
"""Weight for pro, weight for anti."""
# Weight of a strong claim: animals, patients or human culture of this very cancer, or patients of many
# cancers. Strong papers on the losing side make a call mixed where they are as many as a call needs, or
# more than those on the winning side, however many weaker ones agree.
_STRONG_WEIGHT = 0.45


@dataclass(frozen=True)
class Vote:
    """One claim about a cluster.

    The effect is ``pro``, ``anti`` or ``context``; a context claim has no vote. `own_evidence` is False for a review.
    `group` is the laboratory or dataset of the paper, or "". `about` is the subject of the claim.
    """

    paper: str
    effect: str
    weight: float
    own_evidence: bool = True
    group: str = ""
    about: str = ""

    @property
    def source(self) -> str:
        """The independent source: the group of the paper, or else the paper."""
        return self.group or self.paper


@dataclass(frozen=True)
class Call:
    """The call of one cluster.

    `score` is (pro - anti) / (pro + anti) over independent sources, -1..1, and 0 without a vote; `low` and `high` are
    its 95% interval over resampled sources. `n_pro` and `n_anti` count the sources of each side. `sensitive_to` is a
    source or paper whose removal changes the sign of the score, or "". `reason` says why the call takes no side.
    """

    call: str
    score: float
    low: float
    high: float
    n_pro: int
    n_anti: int
    sensitive_to: str
    reason: str


def source_weights(votes: Iterable[Vote]) -> dict[str, Sides]:
    """Weight of each independent source on each side: that of its strongest claim."""
    return _strongest((vote.source, vote.effect, vote.weight) for vote in votes)


def _strongest(
    votes: Iterable[tuple[str, str, float]], first: str = PRO, second: str = ANTI
) -> dict[str, Sides]:
    """Largest weight of each name on each of two sides; other votes are ignored."""
    out: dict[str, Sides] = {}
    for name, side, weight in votes:
        if side in (first, second):
            one, other = out.get(name, (0.0, 0.0))
            out[name] = (max(one, weight), other) if side == first else (one, max(other, weight))
    return out


def sides(weights: Iterable[Sides]) -> Sides:
    """Summed weight for pro and for anti."""
    pairs = list(weights)
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def net_score(weights: Iterable[Sides]) -> float:
    """(pro - anti) / (pro + anti); 0 without any weight."""
    pro, anti = sides(weights)
    return (pro - anti) / (pro + anti) if pro + anti > 0 else 0.0


def weigh(votes: Sequence[Vote], config: VerdictConfig, seed: int = 0, *, interval: bool = True) -> Call:
    """Call one cluster from its votes. Without `interval`, ``low`` and ``high`` are the score.

    Notes
    -----
    The rules, in their order:

    1. No weight on either side: ``undetermined`` (``no_claim``).
    2. Fewer than `min_papers` independent sources with evidence of their own: ``undetermined`` (``single_source``).
    3. A large share of the weight on the losing side, `min_papers` strong sources there, or more strong sources
       there than on the winning side: ``mixed`` (``both_sides``).
    4. The strong sources of the winning side call another present subject context-dependent: ``mixed``
       (``context_dependent``).
    5. A small score: ``undetermined`` (``no_clear_side``).
    6. The removal of one source or paper changes the sign: ``mixed`` (``sensitive_to_one_source``).
    7. Fewer than `min_papers` independent sources on the winning side: ``undetermined`` (``single_source``).
    """
    by_source = source_weights(votes)
    weights = [by_source[name] for name in sorted(by_source)]
    score = net_score(weights)
    call, reason = _side(votes, weights, score, config)
    sensitive_to = ""
    if call in (PRO, ANTI):
        sensitive_to = decisive_source(votes)
        if sensitive_to:
            call, reason = MIXED, "sensitive_to_one_source"
        elif len(_sources(votes, call)) < config.min_papers:
            call, reason = UNDETERMINED, "single_source"
    low, high = _interval(weights, config.n_resamples, seed) if interval else (score, score)
    n_pro, n_anti = sum(pro > 0 for pro, _ in weights), sum(anti > 0 for _, anti in weights)
    return Call(call, score, low, high, n_pro, n_anti, sensitive_to, reason)


def _side(
    votes: Sequence[Vote], weights: Sequence[Sides], score: float, config: VerdictConfig
) -> tuple[str, str]:
    """Call and reason by rules 1 to 5 of `weigh`."""
    pro, anti = sides(weights)
    if pro + anti == 0:
        return UNDETERMINED, "no_claim"
    if len(_sources(votes, PRO, ANTI)) < config.min_papers:
        return UNDETERMINED, "single_source"
    strong = [vote for vote in votes if vote.weight >= _STRONG_WEIGHT]
    winning, losing = (PRO, ANTI) if score > 0 else (ANTI, PRO)
    winners, losers = _sources(strong, winning), _sources(strong, losing)
    # Many weak papers on other tumours must not outvote the few on this one.
    contested = len(losers) >= config.min_papers or len(losers) > len(winners)
    if min(pro, anti) / (pro + anti) >= config.mixed_share or contested:
        return MIXED, "both_sides"
    unconditional = winners - _context_dependent(strong, winning)
    if unconditional != winners and (not unconditional or len(losers) > len(unconditional)):
        return MIXED, "context_dependent"
    if abs(score) < config.min_score:
        return UNDETERMINED, "no_clear_side"
    return (PRO, "") if score > 0 else (ANTI, "")


def _sources(votes: Iterable[Vote], *effects: str) -> set[str]:
    """Independent sources with evidence of their own for one of the effects."""
    return {vote.source for vote in votes if vote.own_evidence and vote.weight > 0 and vote.effect in effects}


def _context_dependent(votes: Sequence[Vote], winning: str) -> set[str]:
    """Sources that call a subject context-dependent on which they take no side."""
    decided = {(vote.source, vote.about) for vote in votes if vote.effect == winning}
    return _sources((vote for vote in votes if (vote.source, vote.about) not in decided), CONTEXT)


def decisive_source(votes: Sequence[Vote]) -> str:
    """Source, or paper of a group, whose removal changes the sign of the score; "" if there is none."""
    by_source = source_weights(votes)
    sign = np.sign(net_score(by_source.values()))
    for name in sorted(by_source):
        if np.sign(net_score(pair for other, pair in by_source.items() if other != name)) != sign:
            return name
    for paper in sorted({vote.paper for vote in votes if vote.paper != vote.source}):
        rest = source_weights(vote for vote in votes if vote.paper != paper)
        if np.sign(net_score(rest.values())) != sign:
            return paper
    return ""


def outcome(reports: Iterable[tuple[str, str, float]], mixed_share: float) -> str:
    """Outcome of patients by reports (source, ``worse`` or ``better``, weight); "" without any, else also ``mixed``."""
    worse, better = sides(_strongest(reports, "worse", "better").values())
    if worse + better == 0:
        return ""
    if min(worse, better) / (worse + better) >= mixed_share:
        return MIXED
    return "worse" if worse > better else "better"


def fewest_to_change(votes: Sequence[Vote], config: VerdictConfig) -> tuple[tuple[str, ...], Call] | None:
    """A small set of papers whose removal changes the call, and the call without them.

    Single papers are tried first, then pairs of the heaviest papers of both sides. Then the papers of a side are
    removed in the order of their weight, and those whose removal is not needed are put back. The set is minimal but
    perhaps not the smallest. None if the call never changes.
    """

    def without(papers: Iterable[str]) -> Call:
        gone = set(papers)
        return weigh([vote for vote in votes if vote.paper not in gone], config, interval=False)

    before = without([]).call
    weights = _strongest((vote.paper, vote.effect, vote.weight) for vote in votes if vote.weight > 0)
    orders = [
        sorted((p for p in weights if weights[p][side] > 0), key=lambda p: (-weights[p][side], p))
        for side in (0, 1)
    ]
    heavy = sorted({paper for order in orders for paper in order[:_N_HEAVY]})
    for papers in [*combinations(sorted(weights), 1), *combinations(heavy, 2)]:
        after = without(papers)
        if after.call != before:
            return papers, after
    found: list[tuple[str, ...]] = []
    for order in orders:
        first = next((n for n in range(3, len(order) + 1) if without(order[:n]).call != before), 0)
        needed = order[:first]
        for paper in reversed(order[:first]):
            fewer = [name for name in needed if name != paper]
            if without(fewer).call != before:
                needed = fewer
        if needed:
            found.append(tuple(needed))
    best = min(found, key=lambda papers: (len(papers), papers), default=None)
    return None if best is None else (best, without(best))


def _interval(weights: Sequence[Sides], n_resamples: int, seed: int) -> Sides:
    """95% interval of the score when the independent sources are resampled."""
    if not weights:
        return 0.0, 0.0
    values = np.array(weights)
    rng = np.random.default_rng(seed)
    pro, anti = values[rng.integers(0, len(values), size=(n_resamples, len(values)))].sum(axis=1).T
    total = pro + anti
    scores = np.divide(pro - anti, total, out=np.zeros(len(total)), where=total > 0)
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)
