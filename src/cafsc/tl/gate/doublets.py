"""Two lineages in one cell: a function on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.tl.gate.mixture import Array

_KEPT_VALUES = 20_000_000
"""Logarithms that are kept: 160 MB."""


class PairProfiles:
    """Logarithms of even mixes of two components that cannot be one cell; each made when first asked for, and kept.

    Parameters
    ----------
    profile
        Components x genes: share of each gene, none zero.
    unlike
        Components x components: which pairs cannot be one cell.
    """

    def __init__(self, profile: Array, unlike: NDArray[np.bool_]) -> None:
        self.profile, self.unlike = profile, unlike
        self._made: dict[int, Array] = {}

    def __reduce__(self) -> tuple[type[PairProfiles], tuple[Array, NDArray[np.bool_]]]:
        """Without what can be made again: a process of a cluster is sent no more than it needs."""
        return PairProfiles, (self.profile, self.unlike)

    def of(self, component: int) -> tuple[NDArray[np.int64], Array]:
        """The components unlike one, and genes x these: logarithm of the mix with each."""
        others = np.flatnonzero(self.unlike[component])
        if component in self._made:
            return others, self._made[component]
        mixed = np.ascontiguousarray(np.log((self.profile[component] + self.profile[others]) / 2.0).T)
        if sum(table.size for table in self._made.values()) + mixed.size <= _KEPT_VALUES:
            self._made[component] = mixed
        return others, mixed


def doublet_partners(
    x: sparse.csr_matrix,
    pairs: PairProfiles,
    min_gain: Array,
    single: Array | None = None,
) -> NDArray[np.int64]:
    """The second component of each cell that two components explain better than one; -1 for a single cell.

    An even mix of two unlike profiles must gain ``min_gain`` (components) in log-likelihood over the best single one
    (``single``: cells x components). Real counts are overdispersed, so chance alone gains a little. The first of the
    two is the component that the cell fits best. Simulated doublets without the simulation: the idea of Scrublet
    (doi:10.1016/j.cels.2018.11.005), on profiles instead of neighbours.
    """
    single = np.asarray(x @ np.log(pairs.profile).T) if single is None else single
    own = single.argmax(axis=1)
    partner = np.full(x.shape[0], -1, dtype=np.int64)
    for component in np.unique(own):
        inside = np.flatnonzero(own == component)
        if not pairs.unlike[component].any():
            continue
        others, mixed = pairs.of(int(component))
        gain = x[inside] @ mixed
        gain -= single[inside].max(axis=1)[:, None]
        best = gain.argmax(axis=1)
        found = gain[np.arange(inside.size), best] > min_gain[component]
        partner[inside[found]] = others[best[found]]
    return partner
