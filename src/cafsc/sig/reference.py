"""Reference levels: how strongly a marker or a set is expressed where it belongs, from public datasets.

A level relative to the sample alone would call somebody a fibroblast in every sample. These fixed levels say
what "expressed" means; ``tools/fit_reference_levels.py`` measures them and writes the table.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from cafsc.errors import CatalogueError
from cafsc.sig.location import signatures_dir

FILE = "reference_levels.tsv"
PROFILES = "lineage_profiles.tsv.gz"


@dataclass(frozen=True)
class ReferenceLevels:
    """Levels by subject.

    Attributes
    ----------
    markers
        (lineage, human symbol) -> counts per ten thousand in cells of that lineage; ``activation`` stands beside
        the lineages: levels in all fibroblasts of a tumour.
    sets
        Set id -> control-corrected mean score (natural log units) in fibroblasts of any state.
    """

    markers: Mapping[tuple[str, str], float]
    sets: Mapping[str, float]
    errors: Mapping[str, float] = field(default_factory=dict)
    """Set id -> standard error of its level over the datasets it was measured in."""
    profiles: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Lineage -> human symbol -> counts per ten thousand in the cells of that lineage."""


def read_reference_levels(path: Path) -> ReferenceLevels:
    """Read a table with the columns ``kind``, ``subject``, ``gene``, ``level``, ``error``, ``datasets``.

    Raises
    ------
    CatalogueError
        If the table is missing a column or a level is not a number.
    """
    markers: dict[tuple[str, str], float] = {}
    sets: dict[str, float] = {}
    errors: dict[str, float] = {}
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                if row["kind"] == "marker":
                    markers[row["subject"], row["gene"]] = float(row["level"])
                else:
                    sets[row["subject"]] = float(row["level"])
                    errors[row["subject"]] = float(row["error"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise CatalogueError(
            f"{path}: the reference levels cannot be read ({error})",
            expected="columns kind, subject, gene, level, error, datasets",
            fix="restore the file, or run tools/fit_reference_levels.py",
        ) from error
    return ReferenceLevels(MappingProxyType(markers), MappingProxyType(sets), MappingProxyType(errors))


def read_profiles(path: Path) -> dict[str, dict[str, float]]:
    """Read a gzip table with the column ``gene`` and one column of levels a lineage; a level may be empty.

    Raises
    ------
    CatalogueError
        If it is no such table.
    """
    try:
        text = gzip.decompress(path.read_bytes()).decode()
        heading, _, body = text.partition("\n")
        _, *names = heading.split("\t")
        # Two hundred thousand levels: whole columns at a time.
        rows = body.removesuffix("\n").split("\n") if body else []
        if any(row.count("\t") != len(names) for row in rows):
            raise ValueError("a row has another number of columns than the heading")
        cells = "\t".join(rows).split("\t") if rows else []
        genes, *columns = (cells[start :: len(names) + 1] for start in range(len(names) + 1))
        out = {
            name: {gene: float(level) for gene, level in zip(genes, levels, strict=True) if level}
            for name, levels in zip(names, columns, strict=True)
        }
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise CatalogueError(
            f"{path}: the lineage profiles cannot be read ({error})",
            expected="a gzip table with a column gene and one column a lineage",
            fix="restore the file, or run tools/fit_reference_levels.py",
        ) from error
    return out


@lru_cache(maxsize=1)
def reference_levels() -> ReferenceLevels:
    """The levels and profiles that ship with the catalogue."""
    levels = read_reference_levels(signatures_dir() / FILE)
    return replace(levels, profiles=MappingProxyType(read_profiles(signatures_dir() / PROFILES)))
