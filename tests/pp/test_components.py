"""Principal components, and where other cells lie among them."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import sparse

from cafsc.pp import _components
from cafsc.pp._components import principal_components
from cafsc.pp.normalize import log1p_depth
from cafsc.pp.sketch import centroids, nearest_centroid


def two_kinds(n_cells: int = 300) -> tuple[sparse.csr_matrix, np.ndarray]:
    random = np.random.default_rng(0)
    rates = random.gamma(1.0, 2.0, (2, 60))
    kind = random.integers(0, 2, n_cells)
    return log1p_depth(sparse.csr_matrix(random.poisson(rates[kind]).astype(float)), 1e4), kind


def plain_components(lognorm: np.ndarray, n_pcs: int) -> np.ndarray:
    scaled = (lognorm - lognorm.mean(axis=0)) / lognorm.std(axis=0)
    u, s, _ = np.linalg.svd(np.clip(scaled, -10, 10), full_matrices=False)
    scores = u[:, :n_pcs] * s[:n_pcs]
    extreme = scores[np.abs(scores).argmax(axis=0), np.arange(n_pcs)]
    return np.asarray(scores * np.sign(extreme))


@pytest.mark.parametrize("n_genes", [20, 200], ids=["more cells than genes", "more genes than cells"])
def test_components_are_those_of_a_full_decomposition(n_genes: int) -> None:
    lognorm = np.log1p(np.random.default_rng(5).poisson(2.0, (60, n_genes)).astype(float))
    found = principal_components(sparse.csr_matrix(lognorm), np.arange(n_genes), 5)
    expected = plain_components(lognorm, 5)
    # Centring before clipping: no value is clipped here, so the plain way is the same.
    np.testing.assert_allclose(found.scores, expected, rtol=1e-6, atol=1e-8)


def test_components_do_not_hold_a_shift_between_batches() -> None:
    lognorm, kind = two_kinds()
    batch = np.array(["a", "b"] * 150, dtype=object)
    shifted = lognorm.toarray() + 9.0 * (batch == "b")[:, None] * (np.arange(60) % 2)[None, :]
    genes = np.arange(60)
    plain = principal_components(sparse.csr_matrix(shifted), genes, 2).scores
    centred = principal_components(sparse.csr_matrix(shifted), genes, 2, batch).scores
    assert abs(np.corrcoef(plain[:, 0], batch == "b")[0, 1]) > 0.95
    assert abs(np.corrcoef(centred[:, 0], batch == "b")[0, 1]) < 0.05
    assert abs(np.corrcoef(centred[:, 0], kind)[0, 1]) > 0.9


def test_no_more_components_than_the_data_have() -> None:
    lognorm = sparse.csr_matrix(np.random.default_rng(0).random((4, 9)))
    assert principal_components(lognorm, np.arange(9), 30).scores.shape == (4, 3)
    assert principal_components(lognorm[:1], np.arange(9), 30).scores.shape == (1, 1)
    constant = sparse.csr_matrix(np.ones((4, 9)))
    np.testing.assert_array_equal(principal_components(constant, np.arange(9), 3).scores, np.zeros((4, 1)))


def test_a_cell_of_the_sketch_is_placed_where_it_was() -> None:
    lognorm, _ = two_kinds()
    genes = np.arange(60)
    components = principal_components(lognorm, genes, 5)
    np.testing.assert_allclose(components.place(lognorm[:40]), components.scores[:40], atol=1e-8)
    few = principal_components(lognorm[:30], genes, 5)
    np.testing.assert_allclose(few.place(lognorm[:30]), few.scores, atol=1e-8)


def test_a_cell_outside_is_placed_among_its_kind() -> None:
    lognorm, kind = two_kinds()
    inside = np.arange(200)
    components = principal_components(lognorm[inside], np.arange(60), 5)
    placed = components.place(lognorm[200:])
    found = nearest_centroid(placed, centroids(components.scores, kind[inside], 2))
    assert (found == kind[200:]).mean() > 0.98


def test_a_cell_of_no_known_batch_is_placed_as_without_batches() -> None:
    lognorm = sparse.csr_matrix(np.random.default_rng(5).gamma(1.0, 1.0, (60, 30)))
    batch = np.array(["a", "b"] * 30, dtype=object)
    found = principal_components(lognorm, np.arange(30), 4, batch)
    alone = found.place(lognorm[:6])
    np.testing.assert_array_equal(found.place(lognorm[:6], np.full(6, None, dtype=object)), alone)
    among = found.place(lognorm[:6], np.array(["a", None, "c", "b", None, "c"], dtype=object))
    np.testing.assert_array_equal(among[[1, 2, 4, 5]], alone[[1, 2, 4, 5]])
    assert not np.allclose(among[0], alone[0])


def test_batches_are_centred_each_by_its_own_mean() -> None:
    lognorm, _ = two_kinds()
    batch = np.repeat(np.array(["a", "b"], dtype=object), 150)
    shifted = sparse.csr_matrix(lognorm.toarray() + (batch == "b")[:, None] * 2.0)
    components = principal_components(shifted, np.arange(60), 5, batch)
    np.testing.assert_allclose(components.place(shifted, batch), components.scores, atol=1e-8)
    of_no_known = components.place(shifted[:5], np.array(["new"] * 5, dtype=object))
    assert np.abs(of_no_known - components.scores[:5]).max() > 0.1


def sparse_cells(n_cells: int, n_genes: int) -> sparse.csr_matrix:
    random = np.random.default_rng(7)
    rates = random.gamma(0.3, 0.1, (4, n_genes))
    return log1p_depth(
        sparse.csr_matrix(random.poisson(rates[random.integers(0, 4, n_cells)]).astype(float)), 1e4
    )


Ways = list[_components.Components]


def both_ways(lognorm: sparse.csr_matrix, batch: np.ndarray | None, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """Components by products with the sparse matrix, and by a Gram matrix."""
    found = []
    for is_sparse in (True, False):
        monkeypatch.setattr(_components._Scaled, "is_sparse", is_sparse)
        found.append(principal_components(lognorm, np.arange(lognorm.shape[1]), 8, batch))
    return found


@pytest.mark.parametrize("batches", [None, "ab", "abc"])
@pytest.mark.parametrize("shape", [(700, 900), (900, 700)])
def test_sparse_products_find_what_a_gram_matrix_does(
    shape: tuple[int, int], batches: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lognorm = sparse_cells(*shape)
    # A few values far out are clipped.
    lognorm.data[::997] = 40.0
    batch = None if batches is None else np.array(list(batches) * shape[0], dtype=object)[: shape[0]]
    quick, plain = both_ways(lognorm, batch, monkeypatch)
    np.testing.assert_allclose(quick.scores, plain.scores, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(quick.loadings, plain.loadings, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(quick.place(lognorm, batch), quick.scores, rtol=1e-7, atol=1e-8)


def test_the_quicker_way_is_taken() -> None:
    def taken(shape: tuple[int, int], density: float) -> bool:
        matrix = sparse.random(*shape, density, format="csr", random_state=0)
        means, groups = np.zeros((1, shape[1])), np.zeros(shape[0], dtype=np.int64)
        return _components._Scaled(matrix, means, np.ones(shape[1]), groups).is_sparse

    assert taken((2000, 2000), 0.1)
    assert not taken((2000, 2000), 0.5)
    assert not taken((10000, 2000), 0.12)
    assert not taken((400, 2000), 0.1)


def test_where_lanczos_does_not_settle_the_gram_matrix_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from cafsc.pp import _leading

    lognorm = sparse_cells(700, 900)
    plain = both_ways(lognorm, None, monkeypatch)[1]
    monkeypatch.setattr(_components._Scaled, "is_sparse", True)
    monkeypatch.setattr(_leading, "settled_vectors", lambda *_: None)
    found = principal_components(lognorm, np.arange(900), 8)
    np.testing.assert_allclose(found.scores, plain.scores, rtol=1e-7, atol=1e-8)


_TWICE = """
import sys
import numpy as np
from scipy import sparse
from cafsc.pp._components import principal_components
assert "scipy.linalg" not in sys.modules, "its library of linear algebra is to be loaded on the way"
random = np.random.default_rng(0)
lognorm = sparse.csr_matrix(np.log1p(random.poisson(random.gamma(1.0, 2.0, 1500), (1500, 1500)).astype(float)))
first, second = (principal_components(lognorm, np.arange(1500), 20).scores for _ in range(2))
print(np.array_equal(first, second))
"""


def test_the_first_components_of_a_process_are_those_of_one_thread() -> None:
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", _TWICE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, timeout=120)
    assert done.stdout == "True\n"
