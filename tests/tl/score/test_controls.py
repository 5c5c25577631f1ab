"""Scores against matched genes, each against a plain computation or a second implementation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats

from cafsc.tl.score.controls import (
    SetColumns,
    control_corrected,
    correlation_inflation,
    expression_bins,
    false_discovery,
    null_deviation,
)

N_CELLS, N_GENES = 30, 240


def columns(up: list[int], down: list[int] | None = None, n_genes: int | None = None) -> SetColumns:
    down = down or []
    n_genes = len(up) + len(down) if n_genes is None else n_genes
    return SetColumns(np.array(up, dtype=np.int64), np.array(down, dtype=np.int64), n_genes)


@pytest.fixture(scope="module")
def lognorm() -> sparse.csr_matrix:
    """Log-expression with many ties: small counts, not scaled."""
    random = np.random.default_rng(0)
    counts = random.poisson(random.gamma(0.5, 3.0, N_GENES), (N_CELLS, N_GENES))
    return sparse.csr_matrix(np.log1p(counts.astype(np.float64)))


@pytest.fixture(scope="module")
def bins(lognorm: sparse.csr_matrix) -> np.ndarray:
    return expression_bins(np.asarray(lognorm.mean(axis=0)).ravel(), 8)


@pytest.fixture(scope="module")
def sets() -> list[SetColumns]:
    random = np.random.default_rng(1)
    drawn = [random.permutation(N_GENES).tolist() for _ in range(3)]
    return [
        columns(drawn[0][:12]),
        columns(drawn[1][:5], drawn[1][5:9]),
        columns([], drawn[2][:6]),
        columns([3]),
        columns([], n_genes=7),
    ]


def test_bins_are_of_equal_size_and_follow_the_mean() -> None:
    mean = np.array([0.0, 5.0, 1.0, 1.0, 9.0, 0.0])
    np.testing.assert_array_equal(expression_bins(mean, 3), [0, 2, 1, 1, 2, 0])
    assert np.bincount(expression_bins(np.random.default_rng(0).random(103), 10)).tolist() == [
        11, 10, 10, 11, 10, 10, 11, 10, 10, 10
    ]  # fmt: skip
    assert expression_bins(np.zeros(0), 5).size == 0


def test_control_corrected_is_the_mean_difference_from_the_bins(
    lognorm: sparse.csr_matrix, bins: np.ndarray, sets: list[SetColumns]
) -> None:
    dense = lognorm.toarray()
    expected = np.zeros((N_CELLS, len(sets)))
    for cell in range(N_CELLS):
        for index, members in enumerate(sets):
            for sign, genes in ((1, members.up), (-1, members.down)):
                above = [dense[cell, gene] - dense[cell, bins == bins[gene]].mean() for gene in genes]
                expected[cell, index] += sign * np.mean(above) if above else 0.0
    np.testing.assert_allclose(control_corrected(lognorm, bins, sets), expected, atol=1e-12)


def test_a_shift_of_all_genes_changes_no_score(
    lognorm: sparse.csr_matrix, bins: np.ndarray, sets: list[SetColumns]
) -> None:
    shifted = sparse.csr_matrix(lognorm.toarray() + 1.7)
    np.testing.assert_allclose(
        control_corrected(shifted, bins, sets), control_corrected(lognorm, bins, sets), atol=1e-12
    )


@given(st.randoms(use_true_random=False))
def test_scores_do_not_depend_on_the_order_of_cells_and_genes(random: object) -> None:
    dense = np.random.default_rng(3).poisson(1.0, (9, 40)).astype(float)
    bins = expression_bins(dense.mean(axis=0), 4)
    members = columns([1, 5, 8, 20], [2, 30])
    cells, genes = list(range(9)), list(range(40))
    random.shuffle(cells)  # type: ignore[attr-defined]
    random.shuffle(genes)  # type: ignore[attr-defined]
    place = np.argsort(genes)
    moved = SetColumns(place[members.up], place[members.down], members.n_genes)
    matrix, shuffled = sparse.csr_matrix(dense), sparse.csr_matrix(dense[cells][:, genes])
    np.testing.assert_allclose(
        control_corrected(shuffled, bins[genes], [moved]),
        control_corrected(matrix, bins, [members])[cells],
        atol=1e-12,
    )


def test_null_deviation_is_that_of_sampled_random_sets(
    lognorm: sparse.csr_matrix, bins: np.ndarray, sets: list[SetColumns]
) -> None:
    random = np.random.default_rng(4)
    levels = np.vstack([lognorm.toarray()[:10].mean(axis=0), lognorm.toarray()[10:].mean(axis=0)])
    found = null_deviation(levels, bins, sets)
    for index, members in enumerate(sets[:4]):
        drawn = np.zeros((2, 5000))
        for sign, genes in ((1, members.up), (-1, members.down)):
            if genes.size:
                pools = [np.flatnonzero(bins == bins[gene]) for gene in genes]
                chosen = np.column_stack([random.choice(pool, 5000) for pool in pools])
                drawn += sign * levels[:, chosen].mean(axis=2)
        np.testing.assert_allclose(found[:, index], drawn.std(axis=1), rtol=0.05)
    assert (found[:, 4] == 0).all()


def plain_benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p)
    out = np.empty(p.size)
    least = 1.0
    for rank in range(p.size, 0, -1):
        least = min(least, p[order[rank - 1]] * p.size / rank)
        out[order[rank - 1]] = least
    return out


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_false_discovery_is_benjamini_hochberg(values: list[float]) -> None:
    p = np.array(values)
    np.testing.assert_allclose(false_discovery(p), plain_benjamini_hochberg(p), atol=1e-15)


def test_false_discovery_runs_over_clusters_and_sets_at_once() -> None:
    p = np.random.default_rng(0).random((4, 6))
    found = false_discovery(p)
    assert found.shape == p.shape
    np.testing.assert_allclose(found.ravel(), stats.false_discovery_control(p.ravel()))


def test_correlated_genes_widen_the_null_and_independent_ones_do_not() -> None:
    random = np.random.default_rng(0)
    shared = random.normal(size=(400, 1))
    dense = np.hstack([shared + 0.5 * random.normal(size=(400, 10)), random.normal(size=(400, 10))])
    members = [
        columns(list(range(10))),
        columns(list(range(10, 20))),
        columns(list(range(5)), [5, 6]),
        columns([3]),
    ]
    found = correlation_inflation(sparse.csr_matrix(dense), np.ones((400, 1)), members)[0]
    rho = np.corrcoef(dense[:, :10].T)
    assert found[0] == pytest.approx(1 + 9 * (rho.sum() - 10) / 90)
    assert found[1] < 1.5
    # Genes that rise together, on opposite sides of a set, cancel.
    assert found[2] < found[0]
    assert found[3] == 1.0


def test_correlation_between_groups_is_none_within_them() -> None:
    random = np.random.default_rng(0)
    group = np.repeat([0, 1], 200)
    dense = random.normal(size=(400, 8)) + 5.0 * group[:, None]
    membership = np.column_stack([group == 0, group == 1]).astype(float)
    apart = correlation_inflation(sparse.csr_matrix(dense), membership, [columns(list(range(8)))])
    together = correlation_inflation(sparse.csr_matrix(dense), np.ones((400, 1)), [columns(list(range(8)))])
    assert apart.max() < 1.5 < together.min()
