"""A mixture of multinomials over genes: it takes cells from the cluster they fell into to the one they fit.

Shallow cells lie between clusters in any embedding; the likelihood of all their counts places them better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]

_MIN_CELLS = 3
_TOLERANCE = 1e-4
_PRIOR_CELLS = 1.0
_LEAST_WEIGHT = 1e-6
_SETTLED = 0.999


@dataclass(frozen=True)
class Capping:
    """Which genes take part in the likelihood, and how many counts a cell may bring.

    Attributes
    ----------
    genes
        Columns that take part: those seen in a few cells at least.
    depth_cap
        Counts; a cell that holds more is scaled down to it.
    """

    genes: NDArray[np.int64]
    depth_cap: float

    @classmethod
    def fit(cls, counts: sparse.csr_matrix, depth_cap: float) -> Capping:
        """From the cells that the mixture is fitted to."""
        detected = np.bincount(counts.indices[counts.data > 0], minlength=counts.shape[1])
        return cls(np.flatnonzero(detected >= min(_MIN_CELLS, counts.shape[0])), depth_cap)

    def apply(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        """Cells x genes that take part, float64 CSR."""
        x = counts if self.genes.size == counts.shape[1] else counts[:, self.genes]
        x = sparse.csr_matrix(x, dtype=np.float64)
        depth = np.asarray(x.sum(axis=1)).ravel()
        factor = np.minimum(1.0, self.depth_cap / np.maximum(depth, 1.0))
        # Its own numbers: the counts stay what they are.
        return sparse.csr_matrix(
            (x.data * np.repeat(factor, np.diff(x.indptr)), x.indices, x.indptr), shape=x.shape
        )


def weighted_sums(x: sparse.csr_matrix, weights: Array) -> Array:
    """Sums over cells: groups x genes. Nearly all of a cell's weight lies in one group: only that is multiplied."""
    used = sparse.csr_matrix(np.where(weights > _LEAST_WEIGHT, weights, 0.0).T)
    return np.asarray((used @ x).toarray(), dtype=np.float64)


def average_shares(x: sparse.csr_matrix) -> Array:
    """Share of each gene in all counts."""
    sums = np.asarray(x.sum(axis=0)).ravel()
    return np.asarray(sums / max(sums.sum(), 1e-300))


def shrunk(sums: Array, average: Array, shrinkage: float | Array) -> Array:
    """Sums as shares, with counts of the average cell added to each row: so many, or so many by row (rows x 1)."""
    return np.asarray((sums + shrinkage * average) / (sums.sum(axis=1, keepdims=True) + shrinkage))


def fit_capped(
    x: sparse.csr_matrix, responsibilities: Array, *, shrinkage: float, n_iterations: int
) -> Array:
    """Expectation-maximisation (doi:10.1111/j.2517-6161.1977.tb01600.x): cells x components, rows sum to 1.

    `x` (cells x genes) is capped by `Capping`. `responsibilities` start the fit; a row of zeros leaves a cell out of
    the first profiles. `shrinkage` counts of the average cell are added to each profile, so that no gene has
    probability zero. A cell that one component holds alone stays there while the others move; the last round asks all
    cells again.
    """
    current = responsibilities.astype(np.float64)
    n_cells, n_components = current.shape
    if n_components == 0:
        return current
    average = average_shares(x)
    settled_sums = np.zeros((n_components, x.shape[1]))
    moving, rows = np.arange(n_cells), x
    for iteration in range(n_iterations):
        sums = settled_sums + weighted_sums(rows, current[moving])
        log_profile = np.ascontiguousarray(np.log(shrunk(sums, average, shrinkage)).T)
        log_prior = log_shares(current)
        if iteration == n_iterations - 1:
            moving, rows = np.arange(n_cells), x
        elif iteration > 1:
            stays = current[moving].max(axis=1) > _SETTLED
            if stays.any():
                settled_sums += weighted_sums(rows[np.flatnonzero(stays)], current[moving[stays]])
                moving, rows = moving[~stays], rows[np.flatnonzero(~stays)]
        updated = posterior(rows @ log_profile + log_prior)
        change = float(np.abs(updated - current[moving]).max(initial=0.0))
        current[moving] = updated
        if change < _TOLERANCE and moving.size == n_cells:
            break
    return current


def log_shares(weights: Array) -> Array:
    """Logarithm of each component's share of the cells, with one cell more in each."""
    size = weights.sum(axis=0) + _PRIOR_CELLS
    return np.asarray(np.log(size / size.sum()))


def posterior(log_likelihood: Array) -> Array:
    """Responsibilities from log-likelihoods with priors: cells x components, rows sum to 1."""
    out = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    return np.asarray(out / out.sum(axis=1, keepdims=True))


def one_hot(labels: NDArray[np.int64], n_components: int) -> Array:
    """Cells x components from labels; a negative label leaves the row at zero."""
    out = np.zeros((labels.size, n_components))
    known = np.flatnonzero(labels >= 0)
    out[known, labels[known]] = 1.0
    return out


def pseudobulk(counts: sparse.csr_matrix, weights: Array, target_sum: float) -> Array:
    """Weighted sums over cells, scaled to ``target_sum``: groups x genes; an empty group is all zero."""
    return scaled_sums(weighted_sums(counts, weights), target_sum)


def scaled_sums(sums: Array, target_sum: float) -> Array:
    """Each row scaled to ``target_sum``; a row of zeros stays."""
    total = sums.sum(axis=1, keepdims=True)
    return np.asarray(sums / np.where(total > 0, total, 1.0) * target_sum)
