"""The shuffles, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from cafsc.tl.crosstalk.pairs import Trials, permutation_p, scarcest, thinned
from cafsc.tl.crosstalk.responses import stratified_contrast


def test_a_complex_is_as_good_as_its_scarcest_part() -> None:
    level = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    complexes = np.array([[0, 0, 0], [0, 1, 1], [1, 2, 0]])
    np.testing.assert_array_equal(scarcest(level, complexes), [[3.0, 1.0, 1.0], [0.0, 0.0, 0.0]])


def test_score_and_p_agree_with_a_loop() -> None:
    random = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [15, 20, 25])
    values = np.where(random.random((60, 6)) < 0.4, random.gamma(2.0, 1.0, (60, 6)), 0.0)
    values[codes == 0, 0] += 2.0
    values[codes == 1, 1] += 2.0
    complexes = np.array([[0, 0], [1, 1], [2, 3], [4, 5]])
    no = np.zeros(3, dtype=bool)
    tests = Trials(
        complexes, *(np.array(one) for one in ([0, 1, 2], [0, 2, 1], [1, 3, 3], [0, 0, 2], [1, 2, 2])), no, no
    )
    score, p = permutation_p(sparse.csr_matrix(values), codes, 3, tests, 99, seed=4)

    def by_hand(labels: np.ndarray) -> list[float]:
        mean = np.array([values[labels == group].mean(axis=0) for group in range(3)])
        return [
            mean[0, 0] * mean[1, 1],
            mean[0, [2, 3]].min() * mean[2, [4, 5]].min(),
            mean[2, 1] * mean[2, [4, 5]].min(),
        ]

    np.testing.assert_allclose(score, by_hand(codes))
    random = np.random.default_rng(4)
    shuffled = np.array([by_hand(random.permutation(codes)) for _ in range(99)])
    expected = (1 + (shuffled >= np.array(by_hand(codes)) * (1 - 1e-9)).sum(axis=0)) / 100
    np.testing.assert_allclose(p, expected)
    assert p[0] == pytest.approx(0.01)
    assert p[2] > 0.05


def test_a_strong_ligand_does_not_lend_its_p_to_a_stray_receptor() -> None:
    codes = np.repeat([0, 1, 2], 40)
    ligand = np.where(codes == 0, 4.0, 0.0)
    stray = np.tile([1.0] * 2 + [0.0] * 38, 3)
    values = sparse.csr_matrix(np.column_stack([ligand, stray]))
    p = {}
    for alone in (False, True):
        parts = (np.array([one]) for one in (0, 0, 1, 0, 1, False, alone))
        tests = Trials(np.array([[0], [1]]), *parts)
        p[alone] = permutation_p(values, codes, 3, tests, 199, seed=0)[1][0]
    assert p[False] < 0.05
    assert p[True] > 0.2


def test_depth_is_no_answer_but_a_difference_at_like_depth_is() -> None:
    random = np.random.default_rng(0)
    depth = random.random(400)
    positive = random.random(400) < depth
    follows_depth = depth + random.normal(0, 0.1, 400)
    naive = follows_depth[positive].mean() - follows_depth[~positive].mean()
    by_depth, p = stratified_contrast(follows_depth, positive, depth, 999, seed=0)
    assert abs(by_depth) < naive / 4
    answers = follows_depth + 0.3 * positive
    difference, small = stratified_contrast(answers, positive, depth, 999, seed=0)
    assert difference == pytest.approx(by_depth + 0.3)
    assert small == pytest.approx(1 / 1000)
    assert p > small
    assert np.isnan(stratified_contrast(depth, np.ones(400, dtype=bool), depth, 9, seed=0)).all()


def test_large_groups_are_thinned_by_the_seed() -> None:
    codes = np.array([0] * 50 + [1] * 5 + [-1] * 5)
    rows = thinned(codes, 20, seed=1)
    assert np.bincount(codes[rows]).tolist() == [20, 5]
    np.testing.assert_array_equal(rows, thinned(codes, 20, seed=1))
    assert not np.array_equal(rows, thinned(codes, 20, seed=2))
