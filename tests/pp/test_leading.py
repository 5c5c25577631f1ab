"""Leading eigenvectors are those of a full decomposition, however they are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import ArpackNoConvergence

from cafsc.pp import _leading
from cafsc.pp._leading import gram, leading_vectors


def symmetric(size: int, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(size + 5, size))
    return np.asarray(values.T @ values)


def test_gram_is_the_product_of_all_rows_with_themselves() -> None:
    values = np.random.default_rng(4).normal(size=(23, 6))
    found = gram((values[start : start + 7] for start in range(0, 23, 7)), 6)
    np.testing.assert_allclose(np.triu(found), np.triu(values.T @ values), rtol=1e-12)


@pytest.mark.parametrize("size", [40, 700])
def test_leading_vectors_are_those_of_a_full_decomposition(size: int) -> None:
    matrix = symmetric(size)
    values, vectors = leading_vectors(np.asfortranarray(np.triu(matrix)), 6)
    expected, full = np.linalg.eigh(matrix)
    np.testing.assert_allclose(values, expected[-6:], rtol=1e-12)
    np.testing.assert_allclose(np.abs((vectors * full[:, -6:]).sum(axis=0)), 1.0, atol=1e-12)
    np.testing.assert_allclose(matrix @ vectors, vectors * values, atol=1e-9 * values[-1])


def test_where_lanczos_does_not_settle_the_full_reduction_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*args: Any, **options: Any) -> None:
        raise ArpackNoConvergence("no", np.zeros(0), np.zeros((0, 0)))

    matrix = np.asfortranarray(symmetric(700))
    quick = leading_vectors(matrix, 3)
    monkeypatch.setattr(_leading, "eigsh", never)
    slow = leading_vectors(matrix, 3)
    np.testing.assert_allclose(quick[0], slow[0], rtol=1e-12)
    np.testing.assert_allclose(np.abs((quick[1] * slow[1]).sum(axis=0)), 1.0, atol=1e-12)


def test_matrices_of_low_rank() -> None:
    few = np.random.default_rng(3).normal(size=(2, 800))
    values, vectors = leading_vectors(np.asfortranarray(few.T @ few), 5)
    np.testing.assert_allclose(values[:3] / values[-1], 0.0, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(few @ vectors[:, -2:], axis=0) ** 2, values[-2:], rtol=1e-10)
    zeros, _ = leading_vectors(np.zeros((800, 800), order="F"), 4)
    np.testing.assert_array_equal(zeros, np.zeros(4))


def test_the_same_again() -> None:
    matrix = np.asfortranarray(symmetric(600, seed=2))
    one, other = leading_vectors(matrix, 4), leading_vectors(matrix, 4)
    np.testing.assert_array_equal(one[1], other[1])
