"""The mixture that puts shallow cells where their counts fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from cafsc.tl.gate.mixture import Capping, fit_capped, one_hot, pseudobulk

OPTIONS: dict[str, Any] = {"depth_cap": 1000.0, "shrinkage": 200.0, "n_iterations": 10}


def fit_mixture(counts: sparse.csr_matrix, start: np.ndarray, depth_cap: float, **options: Any) -> np.ndarray:
    return fit_capped(Capping.fit(counts, depth_cap).apply(counts), start, **options)


@pytest.fixture(scope="module")
def planted() -> tuple[sparse.csr_matrix, np.ndarray]:
    """300 cells of three kinds, about 80 counts each over 400 genes; and the kinds."""
    random = np.random.default_rng(0)
    base = random.gamma(0.6, 1.0, 400)
    profiles = np.array([base * random.lognormal(0, 0.9, 400) for _ in range(3)])
    profiles /= profiles.sum(axis=1, keepdims=True)
    kind = np.repeat([0, 1, 2], [180, 80, 40])
    depth = random.lognormal(np.log(80), 0.3, 300)
    return sparse.csr_matrix(random.poisson(profiles[kind] * depth[:, None]).astype(float)), kind


def start(kind: np.ndarray, wrong: float) -> np.ndarray:
    random = np.random.default_rng(1)
    labels = np.where(random.random(kind.size) < wrong, random.integers(0, 3, kind.size), kind)
    return labels.astype(np.int64)


def test_cells_return_from_wrong_clusters(planted: tuple[sparse.csr_matrix, np.ndarray]) -> None:
    counts, kind = planted
    labels = start(kind, wrong=0.4)
    found = fit_mixture(counts, one_hot(labels, 3), **OPTIONS).argmax(axis=1)
    assert (labels == kind).mean() < 0.8
    assert (found == kind).mean() > 0.97


def test_cells_without_a_start_are_placed_too(planted: tuple[sparse.csr_matrix, np.ndarray]) -> None:
    counts, kind = planted
    labels = np.where(np.arange(kind.size) % 2 == 0, kind, -1)
    assert (one_hot(labels, 3).sum(axis=1) == (labels >= 0)).all()
    found = fit_mixture(counts, one_hot(labels, 3), **OPTIONS).argmax(axis=1)
    assert (found == kind).mean() > 0.97


def test_rows_sum_to_one_and_repeat_exactly(planted: tuple[sparse.csr_matrix, np.ndarray]) -> None:
    counts, kind = planted
    first = fit_mixture(counts, one_hot(start(kind, 0.4), 3), **OPTIONS)
    np.testing.assert_allclose(first.sum(axis=1), 1.0)
    np.testing.assert_array_equal(first, fit_mixture(counts, one_hot(start(kind, 0.4), 3), **OPTIONS))


def test_components_may_come_in_any_order(planted: tuple[sparse.csr_matrix, np.ndarray]) -> None:
    counts, kind = planted
    first = one_hot(start(kind, 0.2), 3)
    np.testing.assert_allclose(
        fit_mixture(counts, first[:, [2, 0, 1]], **OPTIONS),
        fit_mixture(counts, first, **OPTIONS)[:, [2, 0, 1]],
        atol=1e-10,
    )


def test_depth_beyond_the_cap_adds_no_certainty(planted: tuple[sparse.csr_matrix, np.ndarray]) -> None:
    counts, kind = planted
    options = OPTIONS | {"depth_cap": 20.0}
    plain = fit_mixture(counts, one_hot(kind, 3), **options)
    deep = counts.copy().tolil()
    deep[0] = counts[0] * 100
    np.testing.assert_allclose(fit_mixture(deep.tocsr(), one_hot(kind, 3), **options), plain, atol=1e-9)
    unsure = -np.log(plain.max(axis=1)).mean()
    assert unsure > 3 * -np.log(fit_mixture(counts, one_hot(kind, 3), **OPTIONS).max(axis=1)).mean()


def test_shrinkage_draws_the_profiles_together(planted: tuple[sparse.csr_matrix, np.ndarray]) -> None:
    counts, kind = planted
    sure = [
        fit_mixture(counts, one_hot(kind, 3), **(OPTIONS | {"n_iterations": 1, "shrinkage": shrinkage}))
        .max(axis=1)
        .mean()
        for shrinkage in (1.0, 1e4, 1e12)
    ]
    assert sure[0] > sure[1] > sure[2]
    # Where all profiles are one, only the sizes are left, each with one cell added.
    assert sure[2] == pytest.approx(181 / 303, rel=1e-3)


def test_a_gene_that_one_kind_lacks_rules_it_out_only_softly() -> None:
    counts = np.zeros((8, 3))
    counts[:4, 0] = 10
    counts[4:, 1] = 10
    counts[:, 2] = 1
    labels = np.repeat([0, 1], 4).astype(np.int64)
    found = fit_mixture(sparse.csr_matrix(counts), one_hot(labels, 2), **OPTIONS)
    assert np.isfinite(found).all()
    assert (found > 0).all()


def test_no_component_is_no_column() -> None:
    assert fit_mixture(sparse.csr_matrix((5, 3)), np.zeros((5, 0)), **OPTIONS).shape == (5, 0)


def test_pseudobulk_is_the_weighted_sum_at_one_depth() -> None:
    counts = np.array([[1.0, 3.0], [5.0, 1.0], [0.0, 0.0]])
    weights = np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(
        pseudobulk(sparse.csr_matrix(counts), weights, 100.0), [[25.0, 75.0], [60.0, 40.0], [0.0, 0.0]]
    )
