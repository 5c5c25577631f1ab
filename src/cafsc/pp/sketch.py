"""A sample of cells that stands for all where they are too many to be compared with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._threads import reproducible
from cafsc.pp._neighbors import CLIP, ROUNDING
from cafsc.pp.rows import Index

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


@dataclass(frozen=True)
class Projection:
    """Where cells outside a sketch lie among its principal components.

    Attributes
    ----------
    genes
        Columns used.
    mean
        Genes: by batch, what is subtracted; under ``None`` for cells of no known batch.
    deviation
        Genes: what each is divided by.
    loadings
        Genes x components.
    """

    genes: Index
    mean: dict[object, Array]
    deviation: Array
    loadings: Array

    @classmethod
    def fit(
        cls,
        lognorm: sparse.csr_matrix,
        genes: Index,
        components: Array,
        batch: NDArray[np.object_] | None = None,
    ) -> Projection:
        """From the cells of a sketch, their log-expression and their components (cells x components)."""
        values = lognorm[:, genes].toarray()
        mean: dict[object, Array] = {None: values.mean(axis=0)}
        for name in [] if batch is None else np.unique(batch):
            mean[name] = values[batch == name].mean(axis=0)
        values -= _means(mean, batch, values.shape[0])
        deviation = values.std(axis=0)
        deviation[deviation <= ROUNDING] = np.inf
        values /= deviation
        np.clip(values, -CLIP, CLIP, out=values)
        length = (components**2).sum(axis=0)
        with reproducible():
            loadings = values.T @ components / np.where(length > 0, length, 1.0)
        return cls(genes, mean, deviation, loadings)

    def place(self, lognorm: sparse.csr_matrix, batch: NDArray[np.object_] | None = None) -> Array:
        """Components of other cells: cells x components."""
        values = lognorm[:, self.genes].toarray()
        values -= _means(self.mean, batch, values.shape[0])
        values /= self.deviation
        np.clip(values, -CLIP, CLIP, out=values)
        with reproducible():
            return np.asarray(values @ self.loadings)


def _means(mean: dict[object, Array], batch: NDArray[np.object_] | None, n_cells: int) -> Array:
    if batch is None:
        return mean[None]
    out = np.empty((n_cells, mean[None].size))
    for name in np.unique(batch):
        out[batch == name] = mean.get(name, mean[None])
    return out


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
