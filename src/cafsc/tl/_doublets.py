"""Two lineages in one cell: a function on arrays."""

from __future__ import annotations

from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.engine import cells
from cafsc.tl._mixture import Array


def doublet_partners(
    x: sparse.csr_matrix,
    profile: Array,
    unlike: NDArray[np.bool_],
    min_gain: float,
    single: Array | None = None,
    kernels: ModuleType = cells,
) -> NDArray[np.int64]:
    """The second component of each cell that is better explained by two components than by one.

    Parameters
    ----------
    x
        Cells x genes, capped as in the mixture.
    profile
        Components x genes: share of each gene, none zero.
    unlike
        Components x components: which pairs cannot be one cell.
    min_gain
        Log-likelihood that an even mix of two profiles must gain over the best single one. Real counts are
        overdispersed, so chance alone gains a little.
    single
        Cells x components: log-likelihood of each cell in each; computed here if not given.
    kernels
        `cafsc.engine.cells`, or its compiled twin.

    Returns
    -------
    Component of the partner, -1 for a single cell. The first of the two is the component that the cell fits best:
    a droplet of two cells still looks most like one of them. Simulated doublets without the simulation: the same
    idea as Scrublet's (doi:10.1016/j.cels.2018.11.005), on profiles instead of neighbours.
    """
    single = np.asarray(x @ np.log(profile).T) if single is None else single
    own = single.argmax(axis=1)
    partner = np.full(x.shape[0], -1, dtype=np.int64)
    for component in range(profile.shape[0]):
        inside = np.flatnonzero(own == component)
        others = np.flatnonzero(unlike[component])
        if not inside.size or not others.size:
            continue
        mixed = np.log((profile[component] + profile[others]) / 2.0)
        gain = kernels.row_products(x[inside], np.ascontiguousarray(mixed.T))
        gain -= single[inside].max(axis=1)[:, None]
        best = gain.argmax(axis=1)
        found = gain[np.arange(inside.size), best] > min_gain
        partner[inside[found]] = others[best[found]]
    return partner
