"""A sample of cells that stands for all where they are too many to be compared with each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cafsc._threads import reproducible
from cafsc.pp.blocks import Index

Array = NDArray[np.float64]


def sketch_rows(usable: NDArray[np.bool_], max_cells: int, seed: int) -> Index:
    """Row numbers, sorted, of the cells that stand for all: all rows if they are no more than ``max_cells``.

    Parameters
    ----------
    usable
        Cells; those that may be drawn where not all are taken.
    max_cells
        Cells drawn, at most, without replacement and with equal chances, so that shares stay what they are.
    """
    if usable.size <= max_cells:
        return np.arange(usable.size)
    candidates = np.flatnonzero(usable) if usable.any() else np.arange(usable.size)
    if candidates.size <= max_cells:
        return candidates
    return np.sort(np.random.default_rng(seed).choice(candidates, size=max_cells, replace=False))


def centroids(components: Array, labels: Index, n_groups: int) -> Array:
    """Mean of each group: groups x components."""
    size = np.maximum(np.bincount(labels, minlength=n_groups), 1)
    sums = [np.bincount(labels, weights=column, minlength=n_groups) for column in components.T]
    return np.asarray(np.column_stack(sums) / size[:, None])


def nearest_centroid(components: Array, centres: Array) -> Index:
    """Group of which the centre is nearest to each cell."""
    with reproducible():
        distance = (centres**2).sum(axis=1) - 2.0 * components @ centres.T
    return np.asarray(distance.argmin(axis=1), dtype=np.int64)
