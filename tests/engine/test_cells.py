"""Whole cells thinned, pooled and summed: compiled and plain agree, and both do what they say."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from scipy import sparse

from cafsc.engine import cell_loops, cells

both = pytest.mark.parametrize("kernels", [cells, cell_loops], ids=["plain", "compiled"])


@pytest.fixture(scope="module")
def counts() -> sparse.csr_matrix:
    random = np.random.default_rng(0)
    return sparse.csr_matrix(random.poisson(random.gamma(0.3, 6.0, 200), (80, 200)).astype(float))


@pytest.fixture(scope="module")
def graph() -> sparse.csr_matrix:
    random = np.random.default_rng(1)
    dense = random.random((80, 80)) < 0.1
    dense[5] = False
    return sparse.csr_matrix(dense.astype(float))


@both
def test_half_of_the_molecules_stay_whatever_the_count(kernels: ModuleType) -> None:
    for count in (1, 2, 63, 64, 65, 500, 4096, 4097, 100_000):
        many = sparse.csr_matrix(np.full((60, 100), float(count)))
        found = kernels.thinner(many)(7).toarray()
        assert found.max() <= count
        assert found.mean() == pytest.approx(count / 2, abs=4 * np.sqrt(count / 4 / found.size))
        assert found.var() == pytest.approx(count / 4, rel=0.1)


def test_both_draw_the_same_molecules(counts: sparse.csr_matrix) -> None:
    plain, fast = cells.thinner(counts)(2**63 + 11), cell_loops.thinner(counts)(2**63 + 11)
    assert plain.dtype == fast.dtype == np.float32
    np.testing.assert_array_equal(plain.toarray(), fast.toarray())
    assert (plain != cells.thinner(counts)(12)).nnz > 0


def test_both_draw_as_much_of_counts_beyond_reason_and_at_once() -> None:
    count = np.repeat([4095.0, 4096.0, 4097.0, 2.0**24 + 2, 2.0**31, 1e12, 1e25], 30)
    many = sparse.csr_matrix(count[None])
    plain, fast = (kernels.thinner(many)(5).toarray()[0] for kernels in (cells, cell_loops))
    np.testing.assert_array_equal(plain, fast)
    # Six standard deviations, and the last digits of a number in single precision.
    assert (np.abs(plain - count / 2) <= 3 * np.sqrt(count) + 1e-6 * count).all()


@both
def test_a_molecules_fate_hangs_on_its_cell_and_gene_alone(
    counts: sparse.csr_matrix, kernels: ModuleType
) -> None:
    fewer = counts.copy()
    fewer[:, ::2] = 0
    fewer.eliminate_zeros()
    whole, some = kernels.thinner(counts)(3).toarray(), kernels.thinner(fewer)(3).toarray()
    np.testing.assert_array_equal(some[:, 1::2], whole[:, 1::2])
    assert not some[:, ::2].any()


@both
@pytest.mark.parametrize("some_drawn", [False, True])
@pytest.mark.parametrize("with_own", [False, True])
def test_pooling_is_the_logarithm_of_the_scaled_sum(
    counts: sparse.csr_matrix, graph: sparse.csr_matrix, kernels: ModuleType, some_drawn: bool, with_own: bool
) -> None:
    drawn = np.arange(80) % 3 > 0 if some_drawn else None
    own = (
        sparse.csr_matrix(sparse.diags((np.arange(80) % 4 == 0).astype(float)) @ counts) if with_own else None
    )
    weight = graph.toarray() * (1.0 if drawn is None else drawn)
    total = weight @ counts.toarray() + (0.0 if own is None else own.toarray())
    depth = np.maximum(total.sum(axis=1, keepdims=True), 1.0)
    found = kernels.pooled_lognorm(counts, graph, 1e4, drawn=drawn, own=own)
    np.testing.assert_allclose(found.toarray(), np.log1p(total / depth * 1e4), atol=1e-12)


@both
def test_pooling_narrow_counts_and_no_cell(
    counts: sparse.csr_matrix, graph: sparse.csr_matrix, kernels: ModuleType
) -> None:
    found = kernels.pooled_lognorm(counts.astype(np.float32), graph, 1e4)
    np.testing.assert_allclose(
        found.toarray(), cells.pooled_lognorm(counts, graph, 1e4).toarray(), atol=1e-12
    )
    assert kernels.pooled_lognorm(counts, graph[:0], 1e4).shape == (0, 200)


@both
def test_stored_zeros_and_sums_that_fall_back_to_zero_are_pooled_once(kernels: ModuleType) -> None:
    # A gene is listed when its sum leaves zero: neither a stored zero nor a sum that comes back may list it twice.
    dense = np.array([[0.0, 2.0, 1.0], [3.0, -2.0, 0.0], [1.0, 2.0, 4.0]])
    counts = sparse.csr_matrix((dense.ravel(), np.tile([0, 1, 2], 3), [0, 3, 6, 9]), shape=(3, 3))
    graph = sparse.csr_matrix(np.ones((2, 3)))
    found = kernels.pooled_lognorm(counts, graph, 10.0).toarray()
    np.testing.assert_allclose(found, np.log1p(np.tile(dense.sum(axis=0), (2, 1)) * 10.0 / dense.sum()))


@both
def test_weighted_sums_leave_the_least_weights_out(counts: sparse.csr_matrix, kernels: ModuleType) -> None:
    weights = np.random.default_rng(2).random((80, 3))
    weights[weights < 0.5] = 1e-9
    expected = np.where(weights > 1e-6, weights, 0.0).T @ counts.toarray()
    np.testing.assert_allclose(kernels.weighted_sums(counts, weights, 1e-6), expected, rtol=1e-12)


@both
def test_products_of_rows(counts: sparse.csr_matrix, kernels: ModuleType) -> None:
    table = np.random.default_rng(3).normal(size=(200, 5))
    np.testing.assert_allclose(kernels.row_products(counts, table), counts.toarray() @ table, rtol=1e-12)
    some = np.array([3, 1, 1])
    expected = counts[some].toarray() @ table
    np.testing.assert_allclose(kernels.row_products(counts, table, some), expected, rtol=1e-12)


def test_the_size_of_the_dataset_chooses() -> None:
    assert cells.cell_kernels(100) is cells
    assert cells.cell_kernels(100_000) is cell_loops
