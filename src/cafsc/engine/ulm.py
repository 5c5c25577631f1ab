"""The t statistic of a line through a cell's expression against membership in a set.

decoupler's univariate linear model (doi:10.1093/bioadv/vbac016): over genes, expression on 1 for a gene that counts
for the set, -1 for one that counts against it, and 0 for the others.
"""

from __future__ import annotations

import numpy as np

from cafsc.engine.groups import Array, Sides

# decoupler's guard against a correlation of 1.
_TINY = 2.2e-16


def ulm_scores(sums: Array, moments: Array, sides: Sides, n_sets: int, n_genes: int) -> Array:
    """t statistics, with n_genes - 2 degrees of freedom.

    Parameters
    ----------
    sums
        Sum over the genes of each side, rows x sides.
    moments
        Sum and sum of squares over all genes, rows x 2.
    sides, n_sets
        Whose genes they are.
    n_genes
        Number of genes, zeros and all.

    Returns
    -------
    Rows x sets, float64; NaN for a set without genes or with all of them, and in a cell in which all genes are alike.
    """
    up = sides.sign > 0
    n_for = np.bincount(sides.set[up], weights=sides.size[up], minlength=n_sets)
    n_against = np.bincount(sides.set[~up], weights=sides.size[~up], minlength=n_sets)
    weight = n_for - n_against
    mean = moments[:, :1] / n_genes
    # n - 1 times covariance and variances.
    shared = sides.by_set(sums, n_sets) - weight * mean
    of_set = n_for + n_against - weight**2 / n_genes
    of_cell = np.maximum(moments[:, 1:] - moments[:, :1] * mean, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shared /= np.sqrt(of_set) * np.sqrt(of_cell)
        t = (1.0 - shared + _TINY) * (1.0 + shared + _TINY)
        np.sqrt((n_genes - 2) / t, out=t)
        t *= shared
    t[:, of_set <= 0] = np.nan
    t[of_cell[:, 0] <= 0] = np.nan
    return t
