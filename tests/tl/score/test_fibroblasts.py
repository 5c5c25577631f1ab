"""Kept cells where not all of them are each other's neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from cafsc._config import ScoreConfig
from cafsc.pp.blocks import CountRows
from cafsc.tl.label.clusters import joined_clusters
from cafsc.tl.score.fibroblasts import Fibroblasts
from cafsc.tl.score.pool import space_of_all

# Four fibroblasts in rows 1, 2, 4 and 5 of six cells; neighbours are sought among the first and the third.
ROWS = np.array([1, 2, 4, 5])
SKETCH = np.array([0, 2])
GRAPH = sparse.csr_matrix(np.array([[1.0, 0, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 1, 1]]))
COUNTS = np.array([[9.0, 9], [1, 3], [2, 0], [9, 9], [0, 4], [5, 5]])


@pytest.fixture
def cells() -> Fibroblasts:
    source = CountRows(sparse.csr_matrix(COUNTS))
    return Fibroblasts(
        ROWS, source, SKETCH, source.take(ROWS[SKETCH]), GRAPH, np.array([0, 0]), {"a": 0, "b": 1}, "human"
    )


def test_a_cell_outside_the_sketch_brings_its_own_counts(cells: Fibroblasts) -> None:
    found = np.empty((4, 2))
    for here, level in cells.map_pooled(lambda lognorm, _: lognorm.toarray(), np.zeros((4, 0))):
        found[here] = level
    total = np.array(
        [COUNTS[1] + COUNTS[4], COUNTS[1] + COUNTS[2], COUNTS[4], COUNTS[1] + COUNTS[4] + COUNTS[5]]
    )
    np.testing.assert_allclose(found, np.log1p(total / total.sum(axis=1, keepdims=True) * 1e4))
    means = cells.cluster_means(np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]]))
    np.testing.assert_allclose(means, [found[:2].mean(axis=0), found[2:].mean(axis=0)])


def test_no_more_neighbours_are_asked_for_than_the_sketch_has() -> None:
    counts = sparse.csr_matrix(np.random.default_rng(0).poisson(2.0, (40, 30)).astype(float))
    config = ScoreConfig(n_neighbors=30, min_neighbors=25, n_pcs=5)
    sketch = np.arange(0, 40, 2)
    _, components, graph = space_of_all(CountRows(counts), np.arange(40), sketch, config)
    assert np.isfinite(components).all()
    assert set(np.diff(graph.indptr)) == {20}
    assert graph.diagonal().all()


def test_sums_are_of_all_kept_cells(cells: Fibroblasts) -> None:
    found = cells.cluster_sums(np.array([0, 1, 1, 0]), 2)
    np.testing.assert_array_equal(found, [COUNTS[1] + COUNTS[5], COUNTS[2] + COUNTS[4]])


def test_a_cell_outside_takes_the_mean_of_its_neighbours(cells: Fibroblasts) -> None:
    found = cells.spread(np.array([[1.0, 0.2], [np.nan, 0.6]]))
    np.testing.assert_allclose(found, [[1.0, 0.2], [1.0, 0.2], [np.nan, 0.6], [1.0, 0.4]])


def test_a_cell_outside_joins_the_cluster_of_most_neighbours_of_its_state() -> None:
    graph = sparse.csr_matrix(
        np.array(
            [
                [1.0, 1, 0, 0, 0, 0, 0],
                [1, 1, 0, 0, 0, 0, 0],
                [0, 0, 1, 0, 0, 0, 0],
                [0, 0, 0, 1, 0, 0, 0],
                [1, 1, 0, 1, 1, 0, 0],
                [1, 1, 1, 0, 0, 1, 0],
                [1, 1, 0, 0, 0, 0, 1],
            ]
        )
    )
    sketch, labels = np.array([0, 1, 2, 3]), np.array([0, 0, 1, 2])
    # Clusters 0 and 2 are of state 0, cluster 1 of state 1; nobody in the sketch has state 5.
    states = np.array([0, 0, 1, 0, 0, 1, 5])
    found, names = joined_clusters(graph, sketch, labels, states)
    assert found[4] == found[0]
    assert found[5] == found[2]
    assert found[6] not in set(found[:6])
    assert len(names) == 4
    assert found[3] not in (found[0], found[2])
