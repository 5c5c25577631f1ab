"""Nearest points against a plain computation, with ties, copies, and distances that nearly tie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cafsc.pp import _nearest
from cafsc.pp._nearest import nearest


def plainly(queries: np.ndarray, points: np.ndarray, n_neighbors: int) -> np.ndarray:
    distance = ((queries[:, None] - points[None]) ** 2).sum(axis=2)
    return np.argsort(distance, axis=1, kind="stable")[:, :n_neighbors]


@pytest.mark.parametrize("n_points", [3, 40, 700, 3000], ids=str)
def test_nearest_are_those_of_a_plain_computation(n_points: int) -> None:
    random = np.random.default_rng(n_points)
    points = random.normal(size=(n_points, 5)) + 20 * random.integers(0, 3, (n_points, 1))
    queries = random.normal(size=(50, 5))
    np.testing.assert_array_equal(nearest(queries, points, 12), plainly(queries, points, 12))


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=60), st.integers(1, 9)
)
def test_of_points_equally_far_the_earlier_come_first(
    places: list[tuple[int, int]], n_neighbors: int
) -> None:
    points = np.array(places, dtype=float)
    np.testing.assert_array_equal(nearest(points, points, n_neighbors), plainly(points, points, n_neighbors))


def test_copies_far_from_zero_come_in_their_order() -> None:
    points = np.full((1000, 30), 1e6) + np.arange(1000)[:, None] // 10
    np.testing.assert_array_equal(nearest(points[:1], points, 15)[0], np.arange(15))


def test_what_float32_cannot_tell_apart_is_told_apart() -> None:
    points = 1e4 + np.random.default_rng(0).permutation(2000)[:, None] * 1e-5
    np.testing.assert_array_equal(nearest(points, points, 8), plainly(points, points, 8))


@pytest.mark.parametrize("scale", [1e-100, 1e-30, 1e30, 1e150])
def test_any_scale(scale: float) -> None:
    points = np.random.default_rng(1).normal(size=(300, 3))
    assert (nearest(points * scale, points * scale, 5) == plainly(points, points, 5)).all()


def test_the_cut_into_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(2).integers(0, 6, (400, 3)).astype(float)
    whole = nearest(points, points, 20)
    monkeypatch.setattr(_nearest, "_BLOCK_VALUES", 3000)
    np.testing.assert_array_equal(nearest(points, points, 20), whole)


def test_nothing_to_find() -> None:
    assert nearest(np.zeros((0, 2)), np.zeros((5, 2)), 3).shape == (0, 3)
    assert nearest(np.zeros((4, 2)), np.zeros((0, 2)), 3).shape == (4, 0)
    np.testing.assert_array_equal(nearest(np.zeros((1, 2)), np.zeros((5, 2)), 9), [[0, 1, 2, 3, 4]])
