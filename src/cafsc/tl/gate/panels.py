"""How much of each lineage's panel a group of cells shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc import genes
from cafsc.sig.reference import ReferenceLevels
from cafsc.tl.gate.mixture import Array

if TYPE_CHECKING:
    from cafsc.sig import Catalogue

_MIN_MARKERS = 3
# Counts per ten thousand below which a marker's best component does not count as expressing it.
PRESENT_LEVEL = 1.0
# Share of a marker's level in its own lineage elsewhere (``reference_levels.tsv``) that it must reach.
_TYPICAL_SHARE = 0.65


def lineage_panels(
    catalogue: Catalogue, columns: Mapping[str, int], species: str
) -> dict[str, dict[str, int]]:
    """Core markers of each lineage (human symbol) and their columns in a dataset's species."""
    out: dict[str, dict[str, int]] = {}
    for name, panel in catalogue.lineages.items():
        found = genes.translate(panel.core, "human", species)
        out[name] = {
            gene: columns[here[0]]
            for gene, orthologs in found.items()
            if (here := [symbol for symbol in orthologs if symbol in columns])
        }
    return out


def marker_floor(panels: Mapping[str, Mapping[str, int]], levels: ReferenceLevels, n_genes: int) -> Array:
    """Lowest reference level of each gene: a share of what the marker reaches in its own lineage elsewhere."""
    floor = np.full(n_genes, PRESENT_LEVEL)
    for name, markers in panels.items():
        for gene, column in markers.items():
            typical = levels.markers.get((name, gene), 0.0)
            floor[column] = max(floor[column], _TYPICAL_SHARE * typical)
    return floor


def coverage_weights(
    panels: Mapping[str, Sequence[int]], sizes: Mapping[str, int] | None, unmeasured_weight: float
) -> pd.Series[float]:
    """What a panel's mean level is worth beside another's: its missing markers weigh as ones not expressed.

    Five of thirteen markers may all be there by chance, or be those that neighbouring lineages share.
    """
    found = pd.Series({name: float(len(columns)) for name, columns in panels.items()})
    missing = pd.Series({name: float((sizes or {}).get(name, found[name])) for name in panels}) - found
    return (found / (found + unmeasured_weight * missing).clip(lower=1.0)).fillna(0.0)


def confident_levels(bulk: Array, depth: Array, n_errors: float, target_sum: float) -> Array:
    """Levels less ``n_errors`` standard errors of their counts, at least 0: components x genes.

    Of many small components one always shows a gene by chance more than any large one does.
    """
    error = np.sqrt(bulk * target_sum / np.maximum(depth, 1.0)[:, None])
    return np.asarray(np.maximum(bulk - n_errors * error, 0.0))


def relative_levels(
    bulk: Array, sizes: Array, floor: Array, min_cells: int, sure: Array | None = None
) -> tuple[Array, Array]:
    """Expression of each component relative to the component that expresses a gene most.

    `bulk` is components x genes in counts per ten thousand, `sure` the part of it that may set a reference.
    Components under `min_cells` set none, and no reference lies below `floor`, so that a gene nobody expresses is
    nobody's marker. Returns components x genes in 0..1 and the reference level of each gene. Unlike a z-score,
    neither depends on how many cells of each kind the sample holds.
    """
    sure = bulk if sure is None else sure
    large = sure[sizes >= min_cells] if (sizes >= min_cells).any() else sure
    reference = np.maximum(large.max(axis=0), floor)
    return np.minimum(bulk / reference, 1.0), reference


def panel_scores(levels: Array, panels: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Mean relative level of each panel's genes: components x lineages, 0 where too few genes are there."""
    return pd.DataFrame(
        {
            name: levels[:, list(columns)].mean(axis=1) if len(columns) >= _MIN_MARKERS else 0.0
            for name, columns in panels.items()
        },
        index=range(levels.shape[0]),
        dtype=np.float64,
    )
