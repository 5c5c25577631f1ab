"""Single genes in clusters: how strongly, and whether their absence means anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cafsc._config import MarkerConfig
from cafsc.sig.model import Level
from cafsc.tl.gate.mixture import scaled_sums
from cafsc.tl.score.controls import Array, SetColumns

LEVELS: Mapping[Level, float] = {
    "negative": 0.0,
    "negative-low": 0.125,
    "low": 0.25,
    "low-medium": 0.375,
    "medium": 0.5,
    "medium-high": 0.75,
    "high": 1.0,
}
"""Published words as numbers between absent and full."""
# Share of the level in the tissue's strongest component, below which no fibroblast counts as expressing it.
_TISSUE_SHARE = 0.1
# Counts per ten thousand that the strongest cluster must reach.
_MIN_LEVEL = 0.5
# Counts a cluster would show if the gene were present in it; fewer prove no absence.
_MIN_EXPECTED = 5.0


@dataclass(frozen=True)
class MarkerLevels:
    """Expression of genes in clusters.

    Attributes
    ----------
    relative
        Clusters x genes, 0..1: level relative to the cluster that expresses the gene most.
    readable
        Clusters x genes: whether the pooled depth would show the gene if it were present.
    """

    relative: Array
    readable: NDArray[np.bool_]

    def presence(self, cluster: int, columns: SetColumns, config: MarkerConfig) -> float:
        """How far a marker set is met in a cluster, 0..1: up genes present, down genes absent."""
        if columns.n_found < columns.n_genes:
            return 0.0
        up = self.relative[cluster, columns.up]
        down = self.relative[cluster, columns.down]
        if up.size and up.min() < config.present:
            return 0.0
        if down.size and (down.max() > config.absent or not self.readable[cluster, columns.down].all()):
            return 0.0
        return float(np.mean([*up, *(1.0 - down)]))


def marker_levels(sums: Array, tissue_reference: Array, config: MarkerConfig) -> MarkerLevels:
    """Relative levels of all genes in clusters, from the sums of their counts (clusters x genes).

    `tissue_reference` is the level of each gene in the tissue's component that expresses it most.
    """
    bulk = scaled_sums(sums, 1e4)
    floor = np.maximum(_MIN_LEVEL, _TISSUE_SHARE * tissue_reference)
    reference = np.maximum(bulk.max(axis=0), floor) if len(bulk) else floor
    readable = np.outer(sums.sum(axis=1) / 1e4, reference * config.present) >= _MIN_EXPECTED
    return MarkerLevels(bulk / reference, readable)


def level_distances(relative: Array, profiles: Sequence[Mapping[int, Level]]) -> Array:
    """Root mean squared distance of one cluster's relative levels from published level profiles."""
    return np.array(
        [
            np.sqrt(np.mean([(relative[column] - LEVELS[level]) ** 2 for column, level in profile.items()]))
            if profile
            else np.inf
            for profile in profiles
        ]
    )
