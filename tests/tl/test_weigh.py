"""From votes to a call, on votes made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cafsc._config import VerdictConfig
from cafsc.tl._weigh import Call, Vote, net_score, paper_weights, weigh


def call(*votes: tuple[str, str, float], **options: float) -> Call:
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
