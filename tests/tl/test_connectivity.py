"""Edges between CAF clusters."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc import AnnotationResult, tl
from cafsc._errors import InputError
from cafsc.tl.connectivity import edge_ratio


def test_neighbours_are_above_chance_and_strangers_below() -> None:
    # A chain of three groups: 0 - 1 - 2, with two edges inside each and one between neighbours.
    pairs = [(0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (2, 3), (5, 6)]
    graph = sparse.lil_matrix((9, 9))
    for one, two in pairs:
        graph[one, two] = 1
    graph.setdiag(1)
    ratio = edge_ratio(graph.tocsr(), np.repeat([0, 1, 2], 3), 3)
    # Ends: 5, 6, 5 of 16; one edge between 0 and 1, where 5 * 6 / 16 are expected.
    assert ratio[0, 1] == pytest.approx(16 / 30)
    assert ratio[1, 2] == pytest.approx(ratio[0, 1])
    assert ratio[0, 2] == 0
    assert np.isnan(np.diag(ratio)).all()
    np.testing.assert_array_equal(ratio, ratio.T)


def test_shuffled_edges_are_at_chance() -> None:
    random = np.random.default_rng(0)
    graph = sparse.random(600, 600, density=0.05, random_state=random, format="csr")
    ratio = edge_ratio(graph, random.integers(0, 3, 600), 3)
    np.testing.assert_allclose(ratio[~np.eye(3, dtype=bool)], 1.0, atol=0.05)


def test_a_run_has_clusters_by_clusters(annotated_tumour: AnnotationResult) -> None:
    table = tl.connectivity(annotated_tumour.adata)
    assert list(table.index) == list(table.columns)
    assert set(table.index) == set(annotated_tumour.clusters["cluster"])
    off = table.to_numpy()[~np.eye(len(table), dtype=bool)]
    assert (off < 1).all()


def test_it_needs_a_run(tumour: AnnData) -> None:
    with pytest.raises(InputError, match="annotate"):
        tl.connectivity(tumour)
