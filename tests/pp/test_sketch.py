"""A sample of cells that stands for all."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from cafsc.pp._neighbors import principal_components
from cafsc.pp.normalize import log1p_depth
from cafsc.pp.sketch import Projection, centroids, nearest_centroid, sketch_rows


def two_kinds(n_cells: int = 300) -> tuple[sparse.csr_matrix, np.ndarray]:
    random = np.random.default_rng(0)
    rates = random.gamma(1.0, 2.0, (2, 60))
    kind = random.integers(0, 2, n_cells)
    return log1p_depth(sparse.csr_matrix(random.poisson(rates[kind]).astype(float)), 1e4), kind


def test_all_cells_stand_for_themselves_where_they_are_few() -> None:
    np.testing.assert_array_equal(sketch_rows(np.array([True, False, True]), 3, 0), [0, 1, 2])


def test_a_sketch_holds_usable_cells_once_and_the_seed_decides() -> None:
    usable = np.arange(1000) % 3 > 0
    found = sketch_rows(usable, 100, seed=1)
    assert len(set(found)) == 100
    assert usable[found].all()
    assert (np.diff(found) > 0).all()
    np.testing.assert_array_equal(found, sketch_rows(usable, 100, seed=1))
    assert set(found) != set(sketch_rows(usable, 100, seed=2))
    assert sketch_rows(np.zeros(500, dtype=bool), 100, seed=1).size == 100


def test_a_cell_of_the_sketch_is_placed_where_it_was() -> None:
    lognorm, _ = two_kinds()
    genes = np.arange(60)
    components = principal_components(lognorm, genes, 5)
    projection = Projection.fit(lognorm, genes, components)
    np.testing.assert_allclose(projection.place(lognorm[:40]), components[:40], atol=1e-8)


def test_a_cell_outside_is_placed_among_its_kind() -> None:
    lognorm, kind = two_kinds()
    inside = np.arange(200)
    components = principal_components(lognorm[inside], np.arange(60), 5)
    projection = Projection.fit(lognorm[inside], np.arange(60), components)
    placed = projection.place(lognorm[200:])
    found = nearest_centroid(placed, centroids(components, kind[inside], 2))
    assert (found == kind[200:]).mean() > 0.98


def test_batches_are_centred_each_by_its_own_mean() -> None:
    lognorm, _ = two_kinds()
    batch = np.repeat(np.array(["a", "b"], dtype=object), 150)
    shifted = sparse.csr_matrix(lognorm.toarray() + (batch == "b")[:, None] * 2.0)
    components = principal_components(shifted, np.arange(60), 5, batch)
    projection = Projection.fit(shifted, np.arange(60), components, batch)
    np.testing.assert_allclose(projection.place(shifted, batch), components, atol=1e-8)
    assert (
        np.abs(projection.place(shifted[:5], np.array(["new"] * 5, dtype=object)) - components[:5]).max()
        > 0.1
    )
