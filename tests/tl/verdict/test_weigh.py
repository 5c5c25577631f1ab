"""From votes to a call, on votes made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cafsc._config import VerdictConfig
from cafsc.tl.verdict.weigh import Call, Vote, fewest_to_change, outcome, source_weights, weigh


def call(*votes: tuple[str, str, float] | Vote, **options: Any) -> Call:
    return weigh([v if isinstance(v, Vote) else Vote(*v) for v in votes], VerdictConfig(**options))


def lab(paper: str, effect: str, weight: float, group: str = "lab", **more: Any) -> Vote:
    return Vote(paper, effect, weight, group=group, **more)


WEAK = [Vote(f"weak{i}", "pro", 0.3) for i in range(12)]
WHOLE = lab("a2001", "pro", 0.8, about="set:whole")
PART = lab("b2002", "context", 0.5, about="set:part")
LAB = [lab("a2001", "pro", 1.0), lab("b2002", "pro", 0.9), Vote("x", "pro", 0.1), Vote("y", "anti", 0.2)]


@pytest.mark.parametrize(
    ("votes", "expected", "reason", "sensitive_to"),
    [
        ([], "undetermined", "no_claim", ""),
        ([("a", "context", 3.0), ("b", "context", 3.0)], "undetermined", "no_claim", ""),
        # One paper is one source, however much it says; context papers and reviews are no second one.
        ([("a", "pro", 1.0), ("a", "pro", 0.8)], "undetermined", "single_source", ""),
        ([("a", "pro", 1.0), ("b", "context", 1.0)], "undetermined", "single_source", ""),
        (
            [("a", "pro", 1.0), ("b", "anti", 0.1), Vote("r", "pro", 0.3, own_evidence=False)],
            "undetermined",
            "single_source",
            "",
        ),
        ([("a", "pro", 0.5), ("b", "pro", 0.4)], "pro", "", ""),
        ([("a", "anti", 0.5), ("b", "anti", 0.4)], "anti", "", ""),
        ([("a", "pro", 1.0), ("a", "anti", 0.2), ("b", "pro", 1.0)], "pro", "", ""),
        ([("a", "pro", 1.0), ("b", "pro", 1.0), ("c", "anti", 1.0)], "mixed", "both_sides", ""),
        # Without one paper, or one laboratory, the score changes its sign.
        (
            [("a", "pro", 3.0), ("b", "anti", 0.5), ("c", "anti", 0.4)],
            "mixed",
            "sensitive_to_one_source",
            "a",
        ),
        ([("a", "pro", 3.0), ("b", "anti", 0.9), ("c", "pro", 1.6)], "pro", "", ""),
        (LAB, "mixed", "sensitive_to_one_source", "lab"),
        # Papers of one laboratory are one source.
        (
            [lab("a", "pro", 0.5), lab("b", "pro", 0.8), lab("c", "anti", 0.1)],
            "undetermined",
            "single_source",
            "",
        ),
        ([lab("a", "pro", 0.5), lab("b", "pro", 0.8), ("d", "pro", 0.4)], "pro", "", ""),
        # Many weak papers do not outvote strong ones.
        ([*WEAK, ("x", "anti", 0.8)], "mixed", "both_sides", ""),
        ([*WEAK, ("x", "anti", 0.8), ("p", "pro", 0.6)], "pro", "", ""),
        ([*WEAK, ("x", "anti", 0.4)], "pro", "", ""),
        # A source that calls another present subject context-dependent is no strong source.
        ([*WEAK, WHOLE], "pro", "", ""),
        ([*WEAK, WHOLE, lab("b2002", "context", 0.5, about="set:whole")], "pro", "", ""),
        ([*WEAK, WHOLE, PART], "mixed", "context_dependent", ""),
        ([*WEAK, WHOLE, PART, ("c", "pro", 0.6)], "pro", "", ""),
    ],
)
def test_the_rules(votes: list[Any], expected: str, reason: str, sensitive_to: str) -> None:
    found = call(*votes)
    assert (found.call, found.reason, found.sensitive_to) == (expected, reason, sensitive_to)


def test_a_small_score_takes_no_side() -> None:
    votes = (("a", "pro", 1.0), ("b", "pro", 1.0), ("c", "anti", 1.0))
    found = call(*votes, mixed_share=0.4, min_score=0.5)
    assert (found.call, found.reason) == ("undetermined", "no_clear_side")


def test_a_source_has_one_vote_a_side_its_strongest() -> None:
    votes = [lab("a", "pro", 0.4), lab("b", "pro", 0.9), lab("a", "anti", 0.2), Vote("c", "anti", 0.5)]
    assert source_weights(votes) == {"lab": (0.9, 0.2), "c": (0.0, 0.5)}
    many = call(*[("a", "pro", 0.5)] * 50, ("b", "anti", 0.5), ("c", "anti", 0.5))
    assert many.score == pytest.approx(-1 / 3)
    assert (many.n_pro, many.n_anti) == (1, 2)


VOTES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.sampled_from(["pro", "anti", "context"]),
        st.floats(0.01, 2.0),
    ),
    max_size=12,
)
FEW = {"n_resamples": 100}


@given(VOTES, st.randoms(use_true_random=False))
def test_neither_order_nor_side_matters(votes: list[tuple[str, str, float]], random: Any) -> None:
    moved = list(votes)
    random.shuffle(moved)
    found = call(*votes, **FEW)
    assert call(*moved, **FEW) == found
    assert -1 <= found.low <= found.high <= 1
    other = {"pro": "anti", "anti": "pro", "context": "context"}
    mirrored = call(*[(p, other[e], w) for p, e, w in votes], **FEW)
    assert mirrored.score == pytest.approx(-found.score)
    assert (mirrored.n_pro, mirrored.n_anti) == (found.n_anti, found.n_pro)
    assert (mirrored.reason, mirrored.sensitive_to) == (found.reason, found.sensitive_to)
    assert mirrored.call == other.get(found.call, found.call)


def test_the_interval_shrinks_with_papers_that_agree() -> None:
    few = call(*[(f"p{i}", "pro", 1.0) for i in range(4)], ("x", "anti", 1.0))
    many = call(*[(f"p{i}", "pro", 1.0) for i in range(40)], *[(f"x{i}", "anti", 1.0) for i in range(10)])
    assert few.score == pytest.approx(many.score)
    assert many.high - many.low < few.high - few.low
    assert few.low <= few.score <= few.high


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([], ""),
        ([("a", "", 1.0), ("b", "none", 1.0)], ""),
        ([("a", "worse", 1.0), ("b", "better", 0.3)], "worse"),
        ([("a", "worse", 1.0), ("b", "better", 0.5)], "mixed"),
        ([*[("a", "worse", 1.0)] * 10, ("b", "better", 1.0)], "mixed"),
        ([("a", "better", 0.6), ("b", "worse", 0.1)], "better"),
    ],
)
def test_outcome(reports: list[tuple[str, str, float]], expected: str) -> None:
    assert outcome(reports, 0.3) == expected


@given(VOTES)
def test_what_would_change_the_call_does(votes: list[tuple[str, str, float]]) -> None:
    config = VerdictConfig(n_resamples=100)
    all_votes = [Vote(*vote) for vote in votes]
    found = fewest_to_change(all_votes, config)
    before = weigh(all_votes, config).call
    if found is None:
        for paper in {vote.paper for vote in all_votes}:
            assert weigh([vote for vote in all_votes if vote.paper != paper], config).call == before
        return
    papers, after = found
    left = [vote for vote in all_votes if vote.paper not in papers]
    assert weigh(left, config).call == after.call != before
    for paper in papers:
        one_back = [vote for vote in all_votes if vote.paper not in papers or vote.paper == paper]
        assert weigh(one_back, config).call == before
