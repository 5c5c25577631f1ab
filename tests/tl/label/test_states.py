"""From scores to a state for every cell."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from cafsc._config import LabelConfig
from cafsc.pp.embed import neighbor_graph
from cafsc.pp.normalize import log1p_depth
from cafsc.tl.label import states
from cafsc.tl.label.states import (
    StateSpace,
    assign_states,
    cast_votes,
    competing_states,
    is_covered,
    resampled_agreement,
    settle_states,
    thinning,
)
from cafsc.tl.score.controls import SetColumns, control_corrected, expression_bins

CONFIG = LabelConfig()
SURE = np.zeros(2)
"""Standard errors of two reference levels that are known exactly."""
SPACE = StateSpace(("one", "two", "minor"), ((0, 2), (1,), (3,)), np.array([True, True, False]))


def columns(n_found: int, n_genes: int) -> SetColumns:
    return SetColumns(np.arange(n_found), np.zeros(0, dtype=np.int64), n_genes)


@pytest.mark.parametrize(
    ("n_found", "n_genes", "expected"), [(5, 10, True), (4, 10, False), (2, 2, False), (3, 3, True)]
)
def test_a_set_competes_with_enough_of_its_genes(n_found: int, n_genes: int, expected: bool) -> None:
    assert is_covered(columns(n_found, n_genes), CONFIG) is expected


def test_states_without_a_covered_set_do_not_compete() -> None:
    sets = {"p/a": columns(9, 10), "p/b": columns(1, 10), "p/c": columns(8, 8)}
    states = {
        "first": (["p/a", "p/b", "p/absent"], True),
        "second": (["p/b"], True),
        "third": (["p/c", "p/a"], False),
    }
    space = competing_states(states, sets, CONFIG)
    assert space.names == ("first", "third")
    assert space.members == ((0,), (2, 0))
    assert space.primary.tolist() == [True, False]


def test_each_paper_has_one_vote_on_a_state() -> None:
    centred = np.array([[1.0, 5.0, 3.0, -1.0], [0.0, 0.0, 4.0, 2.0]])
    np.testing.assert_allclose(SPACE.scores(centred), [[2.0, 5.0, -1.0], [2.0, 0.0, 2.0]])
    narrow, used = SPACE.narrowed()
    np.testing.assert_allclose(narrow.scores(centred[:, used]), SPACE.scores(centred))


def test_narrowing_drops_the_sets_of_no_state() -> None:
    space = StateSpace(("one", "two"), ((4, 1), (7,)), np.array([True, True]))
    narrow, used = space.narrowed()
    assert used == [1, 4, 7]
    assert narrow.members == ((1, 0), (2,))


def test_a_minor_state_takes_a_cell_only_where_strong_and_ahead() -> None:
    scores = np.array(
        [[0.2, 0.1, 0.5], [0.2, 0.1, 0.9], [1.2, 0.1, 0.9], [-0.5, -0.2, -0.1], [-0.5, -0.2, 0.8]]
    )
    np.testing.assert_array_equal(assign_states(scores, SPACE, 0.8), [0, 2, 0, 1, 2])


def test_without_primary_states_weak_cells_have_none() -> None:
    space = StateSpace(("minor",), ((0,),), np.array([False]))
    np.testing.assert_array_equal(assign_states(np.array([[0.5], [0.9]]), space, 0.8), [-1, 0])
    nothing = StateSpace((), (), np.zeros(0, dtype=bool))
    np.testing.assert_array_equal(assign_states(np.zeros((2, 0)), nothing, 0.8), [-1, -1])


def planted(n_cells: int = 60) -> tuple[sparse.csr_matrix, np.ndarray, list[SetColumns], np.ndarray]:
    """Cells of two states, each with 15 genes of its own threefold up; and the states."""
    random = np.random.default_rng(0)
    state = np.repeat([0, 1], n_cells // 2)
    rates = np.tile(random.gamma(1.0, 2.0, 300), (n_cells, 1))
    sets = []
    for index in range(2):
        genes = np.arange(15 * index, 15 * index + 15)
        rates[np.ix_(state == index, genes)] = 6.0
        rates[np.ix_(state != index, genes)] = 2.0
        sets.append(SetColumns(genes, np.zeros(0, dtype=np.int64), 15))
    counts = sparse.csr_matrix(random.poisson(rates).astype(float))
    return counts, expression_bins(rates.mean(axis=0), 10), sets, state


def test_planted_states_hold_in_nearly_all_resamples() -> None:
    counts, bins, sets, state = planted()
    space = StateSpace(("one", "two"), ((0,), (1,)), np.array([True, True]))
    graph = neighbor_graph(np.log1p(counts.toarray()), 8)
    reference = control_corrected(log1p_depth(graph @ counts), bins, sets).mean(axis=0)
    agreement = resampled_agreement(counts, graph, bins, sets, reference, SURE, space, CONFIG, seed=0)
    assert agreement.shape == (60, 2)
    drawn = np.isfinite(agreement).all(axis=1)
    np.testing.assert_allclose(agreement[drawn].sum(axis=1), 1.0)
    assert agreement[np.arange(60), state][drawn].mean() > 0.9
    again = resampled_agreement(counts, graph, bins, sets, reference, SURE, space, CONFIG, seed=0)
    np.testing.assert_array_equal(again, agreement)


def test_cells_between_two_states_agree_with_neither() -> None:
    counts, bins, sets, _ = planted()
    even = sparse.csr_matrix(np.random.default_rng(1).poisson(4.0, counts.shape).astype(float))
    space = StateSpace(("one", "two"), ((0,), (1,)), np.array([True, True]))
    graph = sparse.csr_matrix(np.eye(60))
    reference = control_corrected(log1p_depth(graph @ even), bins, sets).mean(axis=0)
    agreement = resampled_agreement(even, graph, bins, sets, reference, SURE, space, CONFIG, seed=0)
    assert 0.5 < np.nanmean(agreement.max(axis=1)) < 0.9
    other = resampled_agreement(even, graph, bins, sets, reference, SURE, space, CONFIG, seed=1)
    assert not np.array_equal(other, agreement)


def test_a_zero_that_is_not_well_known_makes_states_less_sure() -> None:
    counts, bins, sets, state = planted()
    space = StateSpace(("one", "two"), ((0,), (1,)), np.array([True, True]))
    graph = neighbor_graph(np.log1p(counts.toarray()), 8)
    reference = control_corrected(log1p_depth(graph @ counts), bins, sets).mean(axis=0)
    held = [
        np.nanmean(
            resampled_agreement(
                counts, graph, bins, sets, reference, np.full(2, error), space, CONFIG, seed=0
            )[np.arange(60), state]
        )
        for error in (0.0, 0.5, 5.0)
    ]
    assert held[0] > held[1] > held[2]


@pytest.mark.parametrize("fraction", [0.5, 0.3])
def test_thinning_keeps_each_molecule_with_the_same_chance(fraction: float) -> None:
    counts = np.repeat([1.0, 7.0, 31.0, 32.0, 900.0], 4000).reshape(5, 4000)
    kept = thinning(sparse.csr_matrix(counts), fraction)(np.random.default_rng(0)).toarray()
    assert (kept >= 0).all()
    assert (kept <= counts).all()
    assert (kept == np.rint(kept)).all()
    n = counts[:, 0]
    deviation = np.sqrt(n * fraction * (1 - fraction))
    assert (np.abs(kept.mean(axis=1) - n * fraction) < 4 * deviation / np.sqrt(4000)).all()
    np.testing.assert_allclose(kept.std(axis=1), deviation, rtol=0.06)


def test_asking_some_of_the_cells_each_time_finds_about_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "_MAX_ASKED", 1)
    counts, bins, sets, state = planted()
    space = StateSpace(("one", "two"), ((0,), (1,)), np.array([True, True]))
    graph = neighbor_graph(np.log1p(counts.toarray()), 8)
    reference = control_corrected(log1p_depth(graph @ counts), bins, sets).mean(axis=0)
    config = LabelConfig()
    some = resampled_agreement(counts, graph, bins, sets, reference, SURE, space, config, seed=0)
    asked = np.isfinite(some).all(axis=1)
    assert asked.mean() > 0.8
    assert some[np.arange(60), state][asked].mean() > 0.9


def test_a_minor_state_makes_up_for_genes_that_were_not_measured() -> None:
    scores = np.array([[0.1, 0.2, 1.0]])
    for coverage, expected in (((1.0, 1.0, 1.0), 2), ((1.0, 1.0, 0.5), 1), ((0.5, 0.5, 1.0), 2)):
        space = StateSpace(SPACE.names, SPACE.members, SPACE.primary, coverage)
        assert assign_states(scores, space, minor_level=0.8).tolist() == [expected]


def test_papers_are_drawn_with_replacement() -> None:
    drawn = [SPACE.redrawn(np.random.default_rng(seed), 4) for seed in range(30)]
    assert {tuple(votes[:, 0]) for votes in drawn} == {(1, 0, 0, 0), (0.5, 0, 0.5, 0), (0, 0, 1, 0)}
    assert {tuple(votes[:, 1]) for votes in drawn} == {(0, 1, 0, 0)}
    assert all(np.allclose(votes.sum(axis=0), 1.0) for votes in drawn)


def test_votes_are_those_of_one_choice_of_papers_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "_N_PAPER_DRAWS", 50)
    centred = np.random.default_rng(1).normal(0.3, 0.6, (40, 4))
    error = np.array([0.1, 0.2, 0.3])
    rng = np.random.default_rng(7)
    expected = np.zeros((40, 3))
    for _ in range(50):
        members = tuple(tuple(rng.choice(columns, size=len(columns)).tolist()) for columns in SPACE.members)
        scores = StateSpace(SPACE.names, members, SPACE.primary).scores(centred)
        scores += rng.standard_normal(3) * error
        for cell, state in enumerate(assign_states(scores, SPACE, states.MINOR_LEVEL)):
            expected[cell, scores[cell, :2].argmax()] += 1
            expected[cell, 2] += state == 2
    found = cast_votes(centred, SPACE, error, np.random.default_rng(7))
    assert 0 < expected[:, 2].sum() < 40 * 50
    np.testing.assert_array_equal(found, expected)


def test_a_cell_that_no_resample_drew_has_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "_CELL_FRACTION", 0.1)
    counts, bins, sets, _ = planted(20)
    space = StateSpace(("one", "two"), ((0,), (1,)), np.array([True, True]))
    config = LabelConfig(n_resamples=2)
    agreement = resampled_agreement(
        counts, sparse.csr_matrix(np.eye(20)), bins, sets, np.zeros(2), SURE, space, config, seed=0
    )
    assert np.isnan(agreement).all(axis=1).sum() >= 16


def test_a_minor_state_that_does_not_hold_gives_its_cells_back() -> None:
    states = np.array([2] * 6 + [2] * 6 + [0], dtype=np.int64)
    scores = np.tile([0.1, 0.3, 1.0], (13, 1))
    agreement = np.zeros((13, 3))
    agreement[:6, 2] = 0.9
    agreement[6:, 2] = 0.3
    np.testing.assert_array_equal(
        settle_states(states, agreement, scores, SPACE, CONFIG), [2] * 6 + [1] * 6 + [0]
    )


def test_a_minor_state_of_too_few_cells_gives_them_back() -> None:
    states = np.array([2, 2, 0, 0, 1], dtype=np.int64)
    scores = np.tile([0.4, 0.3, 1.0], (5, 1))
    agreement = np.full((5, 3), 1.0)
    np.testing.assert_array_equal(settle_states(states, agreement, scores, SPACE, CONFIG), [0, 0, 0, 0, 1])
