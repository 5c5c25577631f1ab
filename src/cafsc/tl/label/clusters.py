"""Clusters of the kept fibroblasts: the user's own, or ours, which never cross a border between two states."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from cafsc.pp.embed import by_size, leiden, shared_neighbors
from cafsc.tl.score.controls import Index


def given_clusters(labels: Sequence[str]) -> tuple[Index, list[str]]:
    """Codes and names of clusters that a user made, names sorted."""
    names, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    return codes.astype(np.int64), [str(name) for name in names]


def state_clusters(
    graph: sparse.csr_matrix, states: Index, resolution: float, min_cells: int, seed: int
) -> tuple[Index, list[str]]:
    """Leiden communities inside each state.

    Even an oracle that gives each expression cluster its majority label misses cells, since states grade into each
    other. So states are settled cell by cell first, and edges between two states are cut. A cluster under `min_cells`
    joins the largest cluster of its state.
    """
    if not states.size:
        return np.zeros(0, dtype=np.int64), []
    edges = shared_neighbors(graph).tocoo()
    same = states[edges.row] == states[edges.col]
    inside = sparse.csr_matrix((edges.data[same], (edges.row[same], edges.col[same])), shape=edges.shape)
    labels = by_size(_absorbed(leiden(inside, resolution, seed), states, min_cells))
    return labels, [str(number) for number in range(int(labels.max()) + 1)]


def _absorbed(labels: Index, states: Index, min_cells: int) -> Index:
    out = labels.copy()
    size = np.bincount(labels)
    state_of = np.array([states[labels == label][0] for label in range(size.size)])
    for small in np.flatnonzero(size < min_cells):
        same = np.flatnonzero(state_of == state_of[small])
        out[labels == small] = same[size[same].argmax()]
    return out


def joined_clusters(
    graph: sparse.csr_matrix, sketch: Index, labels: Index, states: Index
) -> tuple[Index, list[str]]:
    """Clusters of all cells from those of a sketch, numbered anew.

    A cell takes the cluster that most of its neighbours of the same state are in. Without such a neighbour it takes
    the largest cluster of its state, and a state that the sketch lacks is a cluster by itself.
    """
    n_clusters = int(labels.max(initial=-1)) + 1
    state_of = np.full(n_clusters, -1, dtype=np.int64)
    state_of[labels] = states[sketch]
    member = sparse.csr_matrix(
        (np.ones(sketch.size), (np.arange(sketch.size), labels)), shape=(sketch.size, n_clusters)
    )
    votes = (graph[:, sketch] @ member).toarray()
    # The largest cluster of a state comes first, and a tie goes to the first.
    votes += 1e-3 * (np.bincount(labels, minlength=n_clusters) > 0)
    votes[state_of[None, :] != states[:, None]] = -1.0
    out = votes.argmax(axis=1).astype(np.int64)
    lost = np.flatnonzero(votes.max(axis=1, initial=-1.0) < 0)
    for offset, state in enumerate(np.unique(states[lost])):
        out[lost[states[lost] == state]] = n_clusters + offset
    out[sketch] = labels
    out = by_size(out)
    return out, [str(number) for number in range(int(out.max(initial=-1)) + 1)]
