"""Scores of gene sets against genes of like expression, and what such a score is worth: functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from cafsc._threads import one_thread
from cafsc.engine import membership as memberships
from cafsc.engine.means import control_corrected_mean, control_weights

Array = NDArray[np.float64]
Index = NDArray[np.int64]
_FEWEST_CELLS = 3
ROUNDING = 1e-9
# Expression bins from which matched control genes come.
N_BINS = 50


def tied_ranks(values: Array) -> Array:
    """Ranks from 0, ties at their mean: the order of the genes does not matter."""
    return np.asarray(stats.rankdata(values) - 1.0, dtype=np.float64)


def expression_bins(mean: Array, n_bins: int) -> Index:
    """Bin of each gene, by rank of its mean expression: equal-sized bins, but genes of one mean share a bin."""
    return np.asarray(tied_ranks(mean) * n_bins // max(mean.size, 1), dtype=np.int64)


@dataclass(frozen=True)
class SetColumns:
    """Columns of one set in one dataset.

    Attributes
    ----------
    up, down
        Column indices.
    n_genes
        Genes the set names, found or not.
    """

    up: Index
    down: Index
    n_genes: int

    @property
    def n_found(self) -> int:
        """Genes of the set that the dataset has."""
        return self.up.size + self.down.size


def control_corrected(lognorm: sparse.csr_matrix, bins: Index, sets: list[SetColumns]) -> Array:
    """Mean of a set's genes minus the mean of all genes in the same expression bins: cells x sets, natural log units.

    The mean over the up genes of (gene - its bin) minus the same over the down genes; 0 for a set of which no gene is
    there. The idea of Tirosh 2016 (doi:10.1126/science.aad0501) with the whole bin as control, so that nothing is
    drawn at random.
    """
    return control_corrected_mean(lognorm, control_weights(bins, sets))


def null_deviation(levels: Array, bins: Index, sets: list[SetColumns]) -> Array:
    """Standard deviation of a set's score over random sets of the same size and expression bins: groups x sets.

    `levels` is groups x genes, mean log-expression. Exact, not sampled: the mean of genes drawn one from each bin has
    the summed variance of those bins. The cells stay the same and the genes are the random unit, so correlation
    between cells does not enter.
    """
    n_bins = int(bins.max(initial=0)) + 1
    size = np.maximum(np.bincount(bins, minlength=n_bins), 1)
    variance = np.empty((levels.shape[0], n_bins))
    for group, level in enumerate(levels):
        mean = np.bincount(bins, weights=level, minlength=n_bins) / size
        variance[group] = np.bincount(bins, weights=level**2, minlength=n_bins) / size - mean**2
    variance = np.maximum(variance, 0.0)
    out = np.zeros((levels.shape[0], len(sets)))
    for index, members in enumerate(sets):
        for genes in (members.up, members.down):
            if genes.size:
                out[:, index] += variance[:, bins[genes]].sum(axis=1) / genes.size**2
    return np.sqrt(out)


def correlation_inflation(lognorm: sparse.csr_matrix, membership: Array, sets: list[SetColumns]) -> Array:
    """Factor (groups x sets, 1 or more) by which correlation between a set's genes widens the variance of its mean.

    1 + (n - 1) x mean correlation between the genes within the group, from the log-expression of each cell by itself
    (pooled cells would share their noise) and the membership of cells in groups (0 or 1). Competitive tests that take
    genes for independent call co-expressed sets far too often (Wu and Smyth 2012, doi:10.1093/nar/gks461).
    """
    out = np.ones((membership.shape[1], len(sets)))
    up, down = (memberships(sets, side, lognorm.shape[1]) for side in ("up", "down"))
    genes = np.flatnonzero(np.asarray((up + down).sum(axis=1)).ravel())
    columns = lognorm[:, genes]
    signs, counts = (up - down)[genes].toarray(), (up + down)[genes].toarray()
    for group, inside in enumerate(membership.T > 0):
        if inside.sum() < _FEWEST_CELLS:
            continue
        standard = columns[np.flatnonzero(inside)].toarray()
        standard -= standard.mean(axis=0)
        deviation = standard.std(axis=0)
        varies = deviation > ROUNDING
        standard /= np.where(varies, deviation, np.inf)
        n_genes = varies @ counts
        with one_thread():
            # The mean over a set's genes has the variance of their sum over the square of their number.
            inflation = (standard @ signs).var(axis=0) / np.maximum(n_genes, 1.0)
        out[group] = np.where(n_genes < 2, 1.0, np.maximum(1.0, inflation))
    return out


def false_discovery(p: Array) -> Array:
    """Benjamini-Hochberg adjusted p-values of an array of any shape (doi:10.1111/j.2517-6161.1995.tb02031.x)."""
    return np.asarray(stats.false_discovery_control(p.ravel())).reshape(p.shape)
