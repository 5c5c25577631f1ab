"""Clusters of fibroblasts: the user's, or ours inside each state."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from cafsc.pp.embed import neighbor_graph
from cafsc.tl.label.clusters import given_clusters, state_clusters


@pytest.fixture(scope="module")
def graph() -> sparse.csr_matrix:
    """One cloud of 120 cells: nothing but the state parts it."""
    return neighbor_graph(np.random.default_rng(0).normal(size=(120, 2)), 12)


def test_clusters_of_the_user_keep_their_names() -> None:
    codes, names = given_clusters(["b", "a", "10", "b"])
    assert names == ["10", "a", "b"]
    assert codes.tolist() == [2, 1, 0, 2]


def test_no_cluster_crosses_a_border_between_states(graph: sparse.csr_matrix) -> None:
    states = (np.arange(120) % 3).astype(np.int64)
    labels, names = state_clusters(graph, states, resolution=0.5, min_cells=5, seed=0)
    assert set(labels) == set(range(len(names)))
    for label in set(labels):
        assert len(set(states[labels == label])) == 1
    assert (np.diff(np.bincount(labels)) <= 0).all()


def test_clusters_too_small_join_the_largest_of_their_state(graph: sparse.csr_matrix) -> None:
    states = (np.arange(120) % 2).astype(np.int64)
    fine, _ = state_clusters(graph, states, resolution=8.0, min_cells=1, seed=0)
    assert np.bincount(fine).min() < 8
    labels, _ = state_clusters(graph, states, resolution=8.0, min_cells=8, seed=0)
    assert np.bincount(labels).min() >= 8
    for label in set(labels):
        assert len(set(states[labels == label])) == 1


def test_a_state_of_few_cells_stays_a_cluster_of_its_own(graph: sparse.csr_matrix) -> None:
    states = np.zeros(120, dtype=np.int64)
    states[:3] = 1
    labels, _ = state_clusters(graph, states, resolution=0.5, min_cells=5, seed=0)
    assert len(set(labels[:3])) == 1
    assert not set(labels[:3]) & set(labels[3:])


def test_the_same_seed_gives_the_same_clusters(graph: sparse.csr_matrix) -> None:
    states = np.zeros(120, dtype=np.int64)
    first, _ = state_clusters(graph, states, 2.0, 5, seed=7)
    second, _ = state_clusters(graph, states, 2.0, 5, seed=7)
    np.testing.assert_array_equal(first, second)


def test_no_cell_no_cluster() -> None:
    labels, names = state_clusters(sparse.csr_matrix((0, 0)), np.zeros(0, dtype=np.int64), 1.0, 5, 0)
    assert labels.size == 0
    assert names == []
