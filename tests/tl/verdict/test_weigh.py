"""From votes to a call, on votes made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cafsc._config import VerdictConfig
from cafsc.tl.verdict.weigh import (
    Call,
    Vote,
    fewest_to_change,
    net_score,
    outcome,
    paper_weights,
    shares,
    weigh,
    witness_weights,
)


def call(*votes: tuple[str, str, float], **options: Any) -> Call:
    return weigh([Vote(*vote) for vote in votes], VerdictConfig(**options))


def test_no_vote_is_no_claim() -> None:
    assert call() == Call("undetermined", 0.0, 0.0, 0.0, 0, 0, "", "no_claim")


def test_context_is_no_vote() -> None:
    found = call(("a2001", "context", 3.0), ("b2002", "context", 3.0))
    assert (found.call, found.reason, found.n_pro, found.n_anti) == ("undetermined", "no_claim", 0, 0)


def test_one_paper_is_a_single_source_however_much_it_says() -> None:
    found = call(("a2001", "pro", 1.0), ("a2001", "pro", 0.8), ("a2001", "pro", 0.5))
    assert (found.call, found.reason) == ("undetermined", "single_source")
    assert (found.score, found.n_pro) == (1.0, 1)


@pytest.mark.parametrize(("side", "sign"), [("pro", 1.0), ("anti", -1.0)])
def test_papers_that_agree_make_a_call(side: str, sign: float) -> None:
    found = call(("a2001", side, 0.5), ("b2002", side, 0.4))
    assert found == Call(
        side, sign, sign, sign, 2 * (side == "pro"), 2 * (side == "anti"), hangs_on="", reason=""
    )


def test_context_papers_are_no_second_source() -> None:
    found = call(("a2001", "pro", 1.0), ("b2002", "context", 1.0))
    assert (found.call, found.reason) == ("undetermined", "single_source")


def test_weight_on_both_sides_is_mixed() -> None:
    found = call(("a2001", "pro", 1.0), ("b2002", "pro", 1.0), ("c2003", "anti", 1.0))
    assert (found.call, found.reason) == ("mixed", "both_sides")
    assert found.score == pytest.approx(1 / 3)
    assert (found.n_pro, found.n_anti) == (2, 1)


def test_a_small_net_score_takes_no_side() -> None:
    votes = (("a2001", "pro", 1.0), ("b2002", "pro", 1.0), ("c2003", "anti", 1.0))
    found = call(*votes, mixed_share=0.4, min_score=0.5)
    assert (found.call, found.reason) == ("undetermined", "no_clear_side")


def test_a_call_that_one_paper_carries_names_it() -> None:
    found = call(("a2001", "pro", 3.0), ("b2002", "anti", 0.5), ("c2003", "anti", 0.4))
    assert (found.call, found.reason, found.hangs_on) == ("mixed", "hangs_on_one_paper", "a2001")
    assert found.score == pytest.approx((3.0 - 0.9) / 3.9)


def test_a_call_that_stays_without_any_one_paper_hangs_on_none() -> None:
    found = call(("a2001", "pro", 3.0), ("b2002", "anti", 0.5), ("c2003", "pro", 0.6), ("d2004", "anti", 0.4))
    assert (found.call, found.hangs_on) == ("mixed", "a2001")
    found = call(("a2001", "pro", 3.0), ("b2002", "anti", 0.5), ("c2003", "pro", 1.6), ("d2004", "anti", 0.4))
    assert (found.call, found.hangs_on) == ("pro", "")


def test_a_paper_has_one_vote_a_side_its_strongest() -> None:
    votes = [Vote("a2001", "pro", 0.4), Vote("a2001", "pro", 0.9), Vote("a2001", "anti", 0.2)]
    assert paper_weights(votes) == {"a2001": (0.9, 0.2)}
    many = call(*[("a2001", "pro", 0.5)] * 50, ("b2002", "anti", 0.5), ("c2003", "anti", 0.5))
    assert many.score == pytest.approx(-1 / 3)
    assert (many.n_pro, many.n_anti) == (1, 2)


def test_one_paper_may_stand_on_both_sides() -> None:
    found = call(("a2001", "pro", 1.0), ("a2001", "anti", 0.2), ("b2002", "pro", 1.0))
    assert (found.call, found.n_pro, found.n_anti) == ("pro", 2, 1)


def test_net_score() -> None:
    assert net_score([(3.0, 0.0), (0.0, 1.0)]) == 0.5
    assert net_score([(0.0, 0.0)]) == 0.0
    assert net_score([]) == 0.0


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
def test_the_order_of_the_votes_does_not_matter(votes: list[tuple[str, str, float]], random: object) -> None:
    moved = list(votes)
    random.shuffle(moved)  # type: ignore[attr-defined]
    assert call(*moved, **FEW) == call(*votes, **FEW)


@given(VOTES)
def test_the_sides_are_treated_alike(votes: list[tuple[str, str, float]]) -> None:
    other = {"pro": "anti", "anti": "pro", "context": "context"}
    found, mirrored = call(*votes, **FEW), call(*[(p, other[e], w) for p, e, w in votes], **FEW)
    assert mirrored.score == pytest.approx(-found.score)
    assert (mirrored.n_pro, mirrored.n_anti) == (found.n_anti, found.n_pro)
    assert mirrored.reason == found.reason
    assert mirrored.hangs_on == found.hangs_on
    assert mirrored.call == other.get(found.call, found.call)


@given(VOTES)
def test_the_interval_lies_in_range(votes: list[tuple[str, str, float]]) -> None:
    found = call(*votes, **FEW)
    assert -1 <= found.low <= found.high <= 1


def test_the_interval_shrinks_with_papers_that_agree() -> None:
    few = call(*[(f"p{i}", "pro", 1.0) for i in range(4)], ("x", "anti", 1.0))
    many = call(*[(f"p{i}", "pro", 1.0) for i in range(40)], *[(f"x{i}", "anti", 1.0) for i in range(10)])
    assert few.score == pytest.approx(many.score)
    assert many.high - many.low < few.high - few.low
    assert few.low <= few.score <= few.high


def lab(paper: str, effect: str, weight: float, group: str = "lab", **more: object) -> Vote:
    return Vote(paper, effect, weight, group=group, **more)  # type: ignore[arg-type]


def test_papers_of_one_laboratory_are_one_witness() -> None:
    votes = [lab("a2001", "pro", 0.5), lab("b2002", "pro", 0.8), lab("c2003", "anti", 0.1)]
    assert witness_weights(votes) == {"lab": (0.8, 0.1)}
    found = weigh(votes, VerdictConfig())
    assert (found.call, found.reason, found.n_pro, found.n_anti) == ("undetermined", "single_source", 1, 1)
    assert weigh([*votes, Vote("d2004", "pro", 0.4)], VerdictConfig()).call == "pro"


def test_a_call_that_one_laboratory_carries_names_it() -> None:
    votes = [
        lab("a2001", "pro", 1.0),
        lab("b2002", "pro", 0.9),
        Vote("x", "pro", 0.1),
        Vote("y", "anti", 0.2),
    ]
    found = weigh(votes, VerdictConfig())
    assert (found.call, found.hangs_on) == ("mixed", "lab")
    # Each of its papers alone can go: the other holds the call.
    assert weigh(votes[1:], VerdictConfig()).score > 0
    assert weigh([votes[0], *votes[2:]], VerdictConfig()).score > 0


def test_reviews_cannot_make_up_for_a_second_witness_on_the_side() -> None:
    votes = [Vote("a2001", "pro", 1.0), Vote("b2002", "anti", 0.1), Vote("r", "pro", 0.3, own_evidence=False)]
    found = weigh(votes, VerdictConfig())
    assert (found.call, found.reason) == ("undetermined", "single_source")


WEAK = [Vote(f"weak{i}", "pro", 0.3) for i in range(12)]


@pytest.mark.parametrize(
    ("strong", "call"),
    [
        ([("x", "anti", 0.8)], "mixed"),
        ([("x", "anti", 0.8), ("p", "pro", 0.6)], "pro"),
        ([("x", "anti", 0.6), ("y", "anti", 0.6), *[(f"p{i}", "pro", 0.9) for i in range(4)]], "mixed"),
        ([("x", "anti", 0.4)], "pro"),
    ],
)
def test_many_weak_papers_do_not_outvote_strong_ones(strong: list[tuple[str, str, float]], call: str) -> None:
    found = weigh([*WEAK, *[Vote(*vote) for vote in strong]], VerdictConfig())
    assert (found.call, found.reason) == (call, "both_sides" if call == "mixed" else "")


def test_a_laboratory_that_doubts_a_part_is_no_strong_witness_of_the_whole() -> None:
    whole = lab("a2001", "pro", 0.8, about="set:whole")
    of_part = lab("b2002", "context", 0.5, about="set:part")
    of_same = lab("b2002", "context", 0.5, about="set:whole")
    assert weigh([*WEAK, whole], VerdictConfig()).call == "pro"
    assert weigh([*WEAK, whole, of_same], VerdictConfig()).call == "pro"
    found = weigh([*WEAK, whole, of_part], VerdictConfig())
    assert (found.call, found.reason) == ("mixed", "context_dependent")
    assert weigh([*WEAK, whole, of_part, Vote("c2003", "pro", 0.6)], VerdictConfig()).call == "pro"


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([], ""),
        ([("a", "", 1.0), ("b", "none", 1.0)], ""),
        ([("a", "worse", 1.0)], "worse"),
        ([("a", "worse", 1.0), ("b", "better", 0.3)], "worse"),
        ([("a", "worse", 1.0), ("b", "better", 0.5)], "mixed"),
        # One witness that says it ten times says it once.
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


def test_shares_of_cells_with_an_interval() -> None:
    found = shares({"pro": 60, "anti": 40, "mixed": 0}, 1000, 0)
    assert {name: part["share"] for name, part in found.items()} == {"pro": 0.6, "anti": 0.4, "mixed": 0.0}
    # Two standard errors of a share of 0.6 among 100 cells.
    assert found["pro"]["high"] - found["pro"]["low"] == pytest.approx(4 * (0.24 / 100) ** 0.5, rel=0.15)
    assert found["pro"]["low"] < 0.6 < found["pro"]["high"]
    assert "low_samples" not in found["pro"]
    assert shares({}, 100, 0) == shares({"pro": 0}, 100, 0) == {}


def test_samples_that_differ_make_a_share_unsure() -> None:
    calls = {"pro": 500, "anti": 500}
    alike = shares(calls, 1000, 0, [{"pro": 100, "anti": 100}] * 5)["pro"]
    apart = shares(calls, 1000, 0, [{"pro": 250}, {"pro": 250}, {"anti": 250}, {"anti": 250}, {}])["pro"]
    assert alike["low_samples"] == alike["high_samples"] == 0.5
    assert apart["low_samples"] < apart["low"]
    assert apart["high_samples"] > apart["high"]
    assert "low_samples" not in shares(calls, 100, 0, [calls])["pro"]
