"""When a cluster has earned a name, and the reason where it has not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cafsc._config import LabelConfig
from cafsc.tl.label.evidence import ClusterName, StateEvidence, name_cluster, state_margin
from cafsc.tl.label.states import StateSpace

SPACE = StateSpace(("one", "two", "minor"), ((0, 1), (2, 3), (4,)), np.array([True, True, False]))
STRONG = np.full(5, 6.0)


def evidence(
    n_cells: int = 40,
    *,
    lead: float = 1.0,
    noise: float = 0.2,
    share: float = 1.0,
    votes: float = 0.95,
    space: StateSpace = SPACE,
) -> StateEvidence:
    """Cells of state `one` by `lead`, a share of them settled there, the others in `two`."""
    random = np.random.default_rng(0)
    centred = random.normal(0, noise, (n_cells, 5))
    centred[:, :2] += lead
    scores = space.scores(centred)
    states = np.where(np.arange(n_cells) < share * n_cells, 0, 1).astype(np.int64)
    agreement = np.tile([votes, 1 - votes, 0.0], (n_cells, 1))
    return StateEvidence(space, states, scores, centred, agreement)


def name(found: StateEvidence, effect: np.ndarray = STRONG, **options: Any) -> ClusterName:
    return name_cluster(np.arange(len(found.states)), effect, found, LabelConfig(**options), n_neighbors=1)


def test_a_clear_state_names_the_cluster() -> None:
    found = name(evidence())
    assert (found.subtype, found.reason, found.runner_up) == ("one", "", "two")
    assert found.support == pytest.approx(0.95)
    assert found.margin > 5


@pytest.mark.parametrize(
    ("given", "effect", "reason"),
    [
        (evidence(4), STRONG, "too_few_cells"),
        (evidence(), np.full(5, 1.5), "no_evidence"),
        (evidence(share=0.6), STRONG, "mixed:one+two"),
        (evidence(lead=0.02), STRONG, "low_margin"),
        (evidence(votes=0.5), STRONG, "low_support"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_cluster_without_a_name_has_its_reason(
    given: StateEvidence, effect: np.ndarray, reason: str
) -> None:
    found = name(given, effect)
    assert (found.subtype, found.reason) == ("unresolved", reason)


def test_the_effect_is_that_of_the_leading_states_own_sets() -> None:
    assert name(evidence(), np.array([2.5, 2.5, 0.0, 0.0, 0.0])).subtype == "one"
    assert name(evidence(), np.array([0.0, 0.0, 9.0, 9.0, 9.0])).reason == "no_evidence"


def test_where_no_state_competes_too_few_genes_were_measured() -> None:
    space = StateSpace((), (), np.zeros(0, dtype=bool))
    nothing = StateEvidence(space, np.full(9, -1), np.zeros((9, 0)), np.zeros((9, 5)), np.zeros((9, 0)))
    found = name(nothing)
    assert (found.subtype, found.reason, found.support) == ("unresolved", "low_coverage", 0.0)


def test_the_runner_up_is_a_primary_state_if_there_is_one() -> None:
    given = evidence()
    given.scores[:, 2] = 0.9
    assert name(given).runner_up == "two"


def test_without_a_rival_there_is_no_margin_and_no_name() -> None:
    space = StateSpace(("one",), ((0, 1),), np.array([True]))
    given = evidence(space=space)
    found = name(StateEvidence(space, given.states, given.scores, given.centred, np.ones((40, 1))))
    assert (found.runner_up, found.margin, found.subtype) == ("", 0.0, "unresolved")


def test_the_margin_counts_pooled_cells_once() -> None:
    given = evidence(400, noise=1.0)
    every = np.arange(400)
    single = state_margin(every, given, 0, 1, n_neighbors=1)
    pooled = state_margin(every, given, 0, 1, n_neighbors=25)
    assert 0 < pooled < single


def test_papers_that_disagree_make_a_lead_less_sure() -> None:
    agreed = evidence(60)
    centred = agreed.centred.copy()
    centred[:, 0] += 0.9
    centred[:, 1] -= 0.9
    split = StateEvidence(SPACE, agreed.states, SPACE.scores(centred), centred, agreed.agreement)
    np.testing.assert_allclose(split.scores, agreed.scores)
    cells = np.arange(60)
    assert state_margin(cells, split, 0, 1, 1) < state_margin(cells, agreed, 0, 1, 1) / 2


def test_the_margin_changes_its_sign_with_the_order() -> None:
    given = evidence(60)
    cells = np.arange(60)
    assert state_margin(cells, given, 0, 1, 1) == pytest.approx(-state_margin(cells, given, 1, 0, 1))
