"""Three functions of `scipy.stats`, to the last bit, without the import that takes longer than they do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def upper_tail(z: Array) -> Array:
    """Chance that a standard normal value is larger: `scipy.stats.norm.sf`."""
    # Who scores gene sets imports this file too, and has no need of it.
    from scipy.special import ndtr

    return np.asarray(ndtr(-np.asarray(z, dtype=np.float64)), dtype=np.float64)


def false_discovery_rates(p: Array) -> Array:
    """Adjusted p-values by Benjamini and Hochberg (doi:10.1111/j.2517-6161.1995.tb02031.x), flat, in the order given.

    `scipy.stats.false_discovery_control`.

    Parameters
    ----------
    p
        P-values, each from 0 to 1.
    """
    if p.size <= 1:
        return np.array(p, dtype=np.float64)
    order = np.argsort(p)
    adjusted = p[order] * (p.size / np.arange(1, p.size + 1, dtype=np.float64))
    out = np.empty(p.size)
    out[order] = np.minimum.accumulate(adjusted[::-1])[::-1]
    return np.clip(out, 0.0, 1.0)


def column_ranks(values: Array) -> Array:
    """Rank of each value within its column from 1, ties sharing the mean: `scipy.stats.rankdata` with ``axis=0``."""
    out = np.empty(values.shape)
    for column, ranks in zip(values.T, out.T, strict=True):
        _, group, size = np.unique(column, return_inverse=True, return_counts=True)
        last = np.cumsum(size)
        ranks[:] = ((last - size + 1 + last) / 2)[group]
    return out
