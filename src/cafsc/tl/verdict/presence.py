"""How present the subject of a claim is in each cluster: the bridge from the data to the literature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cafsc._config import MarkerConfig, VerdictConfig
from cafsc._keys import Keys
from cafsc.pp.normalize import count_rows, symbol_columns
from cafsc.tl.label.markers import MarkerLevels, marker_levels
from cafsc.tl.score.controls import SetColumns
from cafsc.tl.score.fibroblasts import kept_rows, kept_sums
from cafsc.tl.score.set_columns import columns_of, set_columns

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

MIN_SIGNATURE = 3
"""Genes from which on a set is scored as a signature; one or two are markers."""
_MIN_EFFECT = 2.0
_FULL_EFFECT = 6.0


@dataclass(frozen=True)
class Subjects:
    """How present each subject a claim can be about is, in each cluster."""

    catalogue: Catalogue
    clusters: pd.DataFrame
    scores: Mapping[tuple[str, str], Any]
    markers: MarkerLevels
    columns: Mapping[str, int]
    species: str
    config: VerdictConfig
    marker_config: MarkerConfig

    def presence(self, subject: str, index: int) -> float:
        """0..1; subjects that no cluster can show (an agent, a biomarker in plasma) are absent."""
        kind, _, name = subject.partition(":")
        measures: dict[str, Callable[[str, int], float]] = {
            "state": self._state,
            "set": self._set,
            "gene": self._gene,
            "program": self._program,
        }
        return measures[kind](name, index) if kind in measures else 0.0

    def _state(self, name: str, index: int) -> float:
        row = self.clusters.iloc[index]
        return float(row["support"]) if row["subtype"] == name else 0.0

    def _set(self, name: str, index: int) -> float:
        entry = self.catalogue.sets[name]
        definition = entry.definition
        row = self.clusters.iloc[index]
        if any(row.get(f"scheme_{scheme}") == entry.label for scheme in entry.schemes) and row["support"] > 0:
            return float(row["support"])
        if definition.levels:
            return 0.0
        columns = set_columns(definition.up, definition.down, entry.species, self.species, self.columns)
        if columns.n_genes < MIN_SIGNATURE or not definition.up:
            return self.markers.presence(index, columns, self.marker_config)
        return self._signature(name, index)

    def _signature(self, name: str, index: int) -> float:
        """A signature is present as far as it stands above its level in fibroblasts of any state."""
        row = self.scores.get((str(self.clusters.iloc[index]["cluster"]), name))
        if row is None or row["effect"] < _MIN_EFFECT:
            return 0.0
        return float(np.clip(row["mean"] / self.config.full_level, 0.0, 1.0))

    def _gene(self, name: str, index: int) -> float:
        found = columns_of([name], "human", self.species, self.columns)
        columns = SetColumns(np.array(found, dtype=np.int64), np.zeros(0, dtype=np.int64), 1)
        return self.markers.presence(index, columns, self.marker_config)

    def _program(self, name: str, index: int) -> float:
        row = self.scores.get((str(self.clusters.iloc[index]["cluster"]), name))
        if row is None:
            return 0.0
        return float(np.clip((row["effect"] - _MIN_EFFECT) / (_FULL_EFFECT - _MIN_EFFECT), 0.0, 1.0))


def subjects(
    adata: AnnData,
    clusters: pd.DataFrame,
    catalogue: Catalogue,
    keys: Keys,
    species: str,
    config: VerdictConfig,
    marker_config: MarkerConfig,
) -> Subjects:
    """Read what is present in the clusters of a labelled AnnData."""
    kept = kept_rows(adata, keys.key_added)
    codes = adata.obs[keys.cluster].cat.codes.to_numpy(dtype=np.int64)[kept]
    reference = adata.var[keys.reference_level].to_numpy(dtype=np.float64)
    sums = kept_sums(count_rows(adata, key_added=keys.key_added), kept, codes, len(clusters))
    markers = marker_levels(sums, reference, marker_config)
    table = adata.uns[keys.uns]["scores"]
    scores = {(str(row["cluster"]), str(row["set"])): row for row in table.to_dict("records")}
    return Subjects(
        catalogue,
        clusters,
        scores,
        markers,
        symbol_columns(adata, key_added=keys.key_added),
        species,
        config,
        marker_config,
    )
