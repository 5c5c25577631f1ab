"""Whether the fibroblasts of a sample are those of a tumour at all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cafsc._config import LabelConfig
from cafsc.sig import Catalogue
from cafsc.sig.reference import ReferenceLevels
from cafsc.tl.gate.mixture import Array, scaled_sums
from cafsc.tl.score.set_columns import columns_of

ACTIVATION = "activation"
# Counts of the panel that fibroblasts of a tumour would show; fewer prove nothing.
_MIN_COUNTS = 20.0


def activation_panel(catalogue: Catalogue, columns: Mapping[str, int], species: str) -> dict[str, int]:
    """Genes of the activation panel (human symbols) and their columns in a dataset."""
    if catalogue.activation is None:
        return {}
    found = {gene: columns_of([gene], "human", species, columns) for gene in catalogue.activation.core}
    return {gene: here[0] for gene, here in found.items() if here}


def activation_score(
    sums: Array, panel: Mapping[str, int], levels: ReferenceLevels, config: LabelConfig
) -> float | None:
    """Mean level of the panel in all fibroblasts together, relative to those of tumours: 0..1.

    `sums` are the counts of each gene in all fibroblasts. None where too few genes or counts are there.
    """
    typical = {
        gene: levels.markers[ACTIVATION, gene] for gene in panel if (ACTIVATION, gene) in levels.markers
    }
    typical = {gene: level for gene, level in typical.items() if level > 0}
    if len(typical) < config.min_genes:
        return None
    expected = sum(typical.values()) / 1e4 * sums.sum()
    if expected < _MIN_COUNTS:
        return None
    bulk = scaled_sums(sums[None, :], 1e4)[0]
    return float(np.mean([min(bulk[panel[gene]] / level, 1.0) for gene, level in typical.items()]))
