"""Reference levels: expression of markers and sets in their own cells, measured in public datasets.

A level relative to the sample alone would find fibroblasts in every sample. These fixed levels define "expressed";
``tools/fit_reference_levels.py`` measures them and writes the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from cafsc.sig.files import signatures_dir

FILE = "reference_levels.tsv"
PROFILES = "lineage_profiles.tsv.gz"


@dataclass(frozen=True)
class ReferenceLevels:
    """Levels by subject."""

    markers: Mapping[tuple[str, str], float]
    """(lineage, human symbol) -> counts per ten thousand in cells of that lineage; the lineage ``activation`` holds
    the levels in all fibroblasts of a tumour."""
    sets: Mapping[str, float]
    """Set id -> control-corrected mean score (natural log units) in fibroblasts of any state."""
    errors: Mapping[str, float] = field(default_factory=dict)
    """Set id -> standard error of its level over the datasets it was measured in."""
    profiles: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Lineage -> human symbol -> counts per ten thousand in the cells of that lineage."""


@lru_cache(maxsize=1)
def reference_levels() -> ReferenceLevels:
    """The levels and profiles that ship with the catalogue."""
    import pandas as pd

    def table(name: str) -> Any:
        # No gene is a missing value, whatever its symbol; an empty field is.
        path = signatures_dir() / name
        return pd.read_csv(
            path, sep="\t", keep_default_na=False, na_values=[""], float_precision="round_trip"
        )

    levels, profiles = table(FILE), table(PROFILES).set_index("gene")
    markers, sets = levels[levels["kind"] == "marker"], levels[levels["kind"] == "set"].set_index("subject")
    by_lineage = {lineage: column.dropna().to_dict() for lineage, column in profiles.items()}
    return ReferenceLevels(
        markers=MappingProxyType(markers.set_index(["subject", "gene"])["level"].to_dict()),
        sets=MappingProxyType(sets["level"].to_dict()),
        errors=MappingProxyType(sets["error"].to_dict()),
        profiles=MappingProxyType(by_lineage),
    )
