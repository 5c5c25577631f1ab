"""Two lineages in one cell: a function on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.tl._mixture import Array, capped, profiles


def doublet_partners(
    counts: sparse.csr_matrix,
    weights: Array,
    unlike: NDArray[np.bool_],
    *,
    depth_cap: float,
    shrinkage: float,
    min_gain: float,
) -> NDArray[np.int64]:
    """The second component of each cell that is better explained by two components than by one.

    Parameters
    ----------
    counts
        Cells x genes.
    weights
        Cells x components: responsibilities.
    unlike
        Components x components: which pairs cannot be one cell.
    depth_cap, shrinkage
        As in the mixture.
    min_gain
        Log-likelihood that an even mix of two profiles must gain over the best single one. Real counts are
        overdispersed, so chance alone gains a little.

    Returns
    -------
    Component of the partner, -1 for a single cell. The first of the two is the component that the cell fits best:
    a droplet of two cells still looks most like one of them. Simulated doublets without the simulation: the same
    idea as Scrublet's (doi:10.1016/j.cels.2018.11.005), on profiles instead of neighbours.
    """
    x = capped(counts, depth_cap)
    profile = profiles(x, weights, shrinkage)
    single = np.asarray(x @ np.log(profile).T)
    own = single.argmax(axis=1)
    partner = np.full(counts.shape[0], -1, dtype=np.int64)
    for component in range(weights.shape[1]):
        cells = np.flatnonzero(own == component)
        others = np.flatnonzero(unlike[component])
        if not cells.size or not others.size:
            continue
        mixed = np.log((profile[component] + profile[others]) / 2.0)
        gain = np.asarray(x[cells] @ mixed.T) - single[cells].max(axis=1)[:, None]
        best = gain.argmax(axis=1)
        found = gain[np.arange(cells.size), best] > min_gain
        partner[cells[found]] = others[best[found]]
    return partner
