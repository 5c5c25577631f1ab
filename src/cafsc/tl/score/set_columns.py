"""The catalogue's sets as columns of one dataset, in its species."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cafsc import genes
from cafsc.sig import Catalogue
from cafsc.tl.score.controls import SetColumns


def columns_of(symbols: Sequence[str], source: str, species: str, columns: Mapping[str, int]) -> list[int]:
    """Columns of the genes that a dataset has, each once; a gene stands for its best ortholog that is there."""
    found = genes.translate(symbols, source, species)
    here = (next((ortholog for ortholog in found[gene] if ortholog in columns), None) for gene in symbols)
    return [columns[gene] for gene in dict.fromkeys(gene for gene in here if gene is not None)]


def set_columns(
    up: Sequence[str], down: Sequence[str], source: str, species: str, columns: Mapping[str, int]
) -> SetColumns:
    """Columns of one set's up and down genes."""
    return SetColumns(
        up=np.array(columns_of(up, source, species, columns), dtype=np.int64),
        down=np.array(columns_of(down, source, species, columns), dtype=np.int64),
        n_genes=len(up) + len(down),
    )


def scored_sets(
    catalogue: Catalogue, species: str, columns: Mapping[str, int], *, every: bool = False
) -> dict[str, SetColumns]:
    """Every set that is scored by expression, by id; sets of levels only are matched elsewhere.

    Where a scheme has sets in the data's own species, its sets of the other species stand back, unless `every` set is
    asked for.
    """
    native = {s for entry in catalogue.sets.values() if entry.species == species for s in entry.schemes}
    out: dict[str, SetColumns] = {}
    for name, entry in catalogue.sets.items():
        definition = entry.definition
        if not (definition.up or definition.down):
            continue
        if not every and entry.species != species and native.intersection(entry.schemes):
            continue
        out[name] = set_columns(definition.up, definition.down, entry.species, species, columns)
    return out


def column_name(name: str) -> str:
    """Column of a set in ``obsm``: a slash would nest it in an h5ad."""
    return name.replace("/", ":")


def set_id(column: str) -> str:
    """The set of a column in ``obsm``."""
    return column.replace(":", "/")
