"""Reference levels: expression of markers and sets in their own cells, measured in public datasets.

A level relative to the sample alone would find fibroblasts in every sample. These fixed levels define "expressed";
``tools/fit_reference_levels.py`` measures them and writes the tables.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from cafsc.errors import CatalogueError
from cafsc.sig.files import signatures_dir

if TYPE_CHECKING:
    import pandas as pd

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


def _levels(path: Path) -> ReferenceLevels:
    """Levels from a table with the columns kind, subject, gene, level, error and datasets."""
    table = _table(path, {"kind": str, "subject": str, "gene": str, "level": float, "error": float})
    of_marker = table["kind"] == "marker"
    markers, sets = table[of_marker], table[~of_marker]
    genes = zip(markers["subject"], markers["gene"], strict=True)
    return ReferenceLevels(
        MappingProxyType(dict(zip(genes, markers["level"], strict=True))),
        MappingProxyType(dict(zip(sets["subject"], sets["level"], strict=True))),
        MappingProxyType(dict(zip(sets["subject"], sets["error"], strict=True))),
    )


def _profiles(path: Path) -> dict[str, dict[str, float]]:
    """Levels from a table with the column gene and one column per lineage; a level may be missing."""
    table = _table(path, {"gene": str}, others=float).set_index("gene")
    return {str(name): {str(g): x for g, x in levels.dropna().items()} for name, levels in table.items()}


def _table(path: Path, dtypes: Mapping[str, type], others: type = str) -> pd.DataFrame:
    """A tab-separated table that holds the columns of ``dtypes``; an empty field is missing."""
    import pandas as pd

    try:
        table = pd.read_csv(
            path,
            sep="\t",
            dtype=defaultdict(lambda: others, dtypes),
            keep_default_na=False,
            na_values=[""],
            float_precision="round_trip",
        )
        if missing := [name for name in dtypes if name not in table]:
            raise ValueError(f"no column {', '.join(missing)}")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise CatalogueError(
            f"{path}: the reference levels cannot be read ({error})",
            expected=f"a table as written by tools/fit_reference_levels.py ({FILE} or {PROFILES})",
            fix="restore the file, or run tools/fit_reference_levels.py",
        ) from error
    return table


@lru_cache(maxsize=1)
def reference_levels() -> ReferenceLevels:
    """The levels and profiles that ship with the catalogue.

    Raises
    ------
    CatalogueError
        If a table cannot be read, lacks a column, or holds a level that is not a number.
    """
    profiles = _profiles(signatures_dir() / PROFILES)
    return replace(_levels(signatures_dir() / FILE), profiles=MappingProxyType(profiles))
