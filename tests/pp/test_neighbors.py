"""Features, components, neighbours and communities, each against a plain computation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from cafsc.pp._neighbors import (
    by_size,
    communities,
    most_detected_genes,
    neighbor_graph,
    shared_neighbors,
    variable_genes,
)
from cafsc.pp.normalize import scale_depth


@pytest.fixture
def two_kinds() -> tuple[sparse.csr_matrix, np.ndarray]:
    """80 cells of two kinds that differ tenfold in genes 0-9 of 300; and the kind of each."""
    random = np.random.default_rng(3)
    kind = random.integers(0, 2, 80)
    rates = np.tile(np.concatenate([np.linspace(1, 4, 10), random.gamma(2.0, 2.0, 290)]), (80, 1))
    rates[:, :10] *= np.where(kind[:, None] == 1, 1.8, 0.18)
    return sparse.csr_matrix(random.poisson(rates).astype(np.float64)), kind


def test_dispersed_genes_are_found_among_genes_of_like_mean(
    two_kinds: tuple[sparse.csr_matrix, np.ndarray],
) -> None:
    genes = variable_genes(scale_depth(two_kinds[0], 1e4), 15)
    assert set(range(10)) <= set(genes)
    assert len(genes) == 15
    assert list(genes) == sorted(genes)


def test_few_candidates_are_all_taken_and_rare_or_constant_genes_never() -> None:
    dense = np.zeros((6, 4))
    dense[:, 0] = 1.0
    dense[:2, 1] = 5.0
    dense[:3, 2] = [1, 2, 3]
    dense[:, 3] = [1, 2, 1, 2, 1, 2]
    assert list(variable_genes(sparse.csr_matrix(dense), 10)) == [2, 3]


def test_most_most_detected_genes_come_first_and_undetected_never() -> None:
    dense = np.zeros((5, 5))
    for gene, n_cells in enumerate([2, 5, 0, 5, 3]):
        dense[:n_cells, gene] = 1
    assert list(most_detected_genes(sparse.csr_matrix(dense), 3)) == [1, 3, 4]
    assert list(most_detected_genes(sparse.csr_matrix(dense), 9)) == [0, 1, 3, 4]
    # Genes 1 and 3 are alike: either both or none.
    assert list(most_detected_genes(sparse.csr_matrix(dense), 1)) == [1, 3]


def test_neighbours_are_the_nearest() -> None:
    points = np.random.default_rng(2).normal(size=(40, 3))
    graph = neighbor_graph(points, 6).toarray()
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    for cell in range(40):
        assert set(np.flatnonzero(graph[cell])) == set(np.argsort(distance[cell])[:6])
    assert set(graph.ravel()) == {0.0, 1.0}


def test_fewer_cells_than_neighbours() -> None:
    np.testing.assert_array_equal(neighbor_graph(np.eye(3), 15).toarray(), np.ones((3, 3)))


def test_copies_of_a_cell_keep_themselves_as_neighbours() -> None:
    graph = neighbor_graph(np.zeros((30, 2)), 5)
    np.testing.assert_array_equal(graph.diagonal(), np.ones(30))


@given(st.permutations(range(25)))
def test_neighbours_follow_the_cells(order: list[int]) -> None:
    points = np.random.default_rng(8).normal(size=(25, 4))
    graph = neighbor_graph(points, 5).toarray()
    np.testing.assert_array_equal(neighbor_graph(points[order], 5).toarray(), graph[order][:, order])


def test_shared_neighbours_are_weighed_by_jaccard() -> None:
    graph = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1], [0, 0, 0, 1, 1]])
    edges = shared_neighbors(sparse.csr_matrix(graph.astype(float)))
    found = {(i, j): weight for i, j, weight in zip(edges.row, edges.col, edges.data, strict=True)}
    assert found == {
        (0, 1): 1.0,
        (0, 2): 0.5,
        (1, 2): 0.5,
        (2, 3): 0.25,
        (2, 4): 0.25,
        (3, 4): 1.0,
    }


def test_edges_of_hardly_any_overlap_are_left_out() -> None:
    n = 40
    graph = np.zeros((n, n))
    graph[0, :20] = 1
    graph[1, 19:39] = 1
    for cell in range(2, n):
        graph[cell, cell] = 1
    edges = shared_neighbors(sparse.csr_matrix(graph))
    assert (0, 1) not in set(zip(edges.row, edges.col, strict=True))


def cliques(*sizes: int) -> sparse.coo_matrix:
    blocks = sparse.block_diag([np.ones((size, size)) for size in sizes]).tocoo()
    upper = blocks.row < blocks.col
    return sparse.coo_matrix((blocks.data[upper], (blocks.row[upper], blocks.col[upper])), shape=blocks.shape)


def test_cliques_are_communities_numbered_by_size() -> None:
    labels = communities(cliques(4, 9, 6), resolution=1.0, seed=0)
    np.testing.assert_array_equal(labels, [2] * 4 + [0] * 9 + [1] * 6)


def test_the_seed_of_leiden_stays_inside() -> None:
    import random

    edges = shared_neighbors(neighbor_graph(np.random.default_rng(4).normal(size=(150, 2)), 8))
    random.seed(1)
    first = communities(edges, 2.0, seed=3)
    random.seed(2)
    drawn = random.random()
    random.seed(2)
    np.testing.assert_array_equal(communities(edges, 2.0, seed=3), first)
    assert random.random() == drawn


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_renumbering_keeps_the_groups(labels: list[int]) -> None:
    given_labels = np.array(labels)
    found = by_size(given_labels)
    same_before = given_labels[:, None] == given_labels[None]
    np.testing.assert_array_equal(found[:, None] == found[None], same_before)
    size = np.bincount(found)
    assert (np.diff(size) <= 0).all()
    assert size.min() > 0
