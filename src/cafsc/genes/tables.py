"""The gene tables that ship with cafsc; read once, when first asked for.

Where they come from and under which licence stands in ``signatures/genes/README.md``.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import get_args

from cafsc._errors import CafscError, OptionError
from cafsc.sig.location import signatures_dir
from cafsc.sig.model import Species

SPECIES: tuple[Species, ...] = get_args(Species)


@dataclass(frozen=True)
class GeneTable:
    """The genes of one species."""

    species: Species
    symbol_of: Mapping[str, str]
    """Ensembl gene ID, without version, to approved symbol."""
    approved: frozenset[str]
    aliases: Mapping[str, str]
    """Former or other name to approved symbol; no alias is itself an approved symbol."""

    @cached_property
    def folded(self) -> Mapping[str, str]:
        """Case-folded symbol to approved symbol, where only one symbol folds to it."""
        return _folded((symbol, symbol) for symbol in self.approved)

    @cached_property
    def folded_aliases(self) -> Mapping[str, str]:
        """Case-folded alias to approved symbol, where only one symbol is meant."""
        return _folded(self.aliases.items())


def _folded(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, symbol in names:
        found[name.casefold()].add(symbol)
    return {name: min(symbols) for name, symbols in found.items() if len(symbols) == 1}


def _rows(name: str) -> Iterator[list[str]]:
    path = signatures_dir() / "genes" / name
    try:
        text = gzip.decompress(path.read_bytes()).decode()
    except (OSError, EOFError) as error:
        raise CafscError(f"the gene table {path} cannot be read ({error}); install cafsc again") from error
    lines = iter(text.splitlines())
    next(lines)
    return (line.split("\t") for line in lines)


def checked_species(species: str) -> Species:
    """``species``, if it is one that cafsc has tables for.

    Raises
    ------
    OptionError
        If it is not.
    """
    for known in SPECIES:
        if species == known:
            return known
    raise OptionError(
        f"species {species!r} is not known", expected=" or ".join(SPECIES), fix="use one of these"
    )


def table(species: str) -> GeneTable:
    """Genes of one species: ``human`` (HGNC) or ``mouse`` (MGI).

    Raises
    ------
    OptionError
        For another species.
    """
    return _table(checked_species(species))


@lru_cache(maxsize=len(SPECIES))
def _table(species: Species) -> GeneTable:
    genes = [(row[0], row[1]) for row in _rows(f"{species}_genes.tsv.gz")]
    return GeneTable(
        species=species,
        symbol_of={gene_id: symbol for gene_id, symbol in genes if gene_id},
        approved=frozenset(symbol for _, symbol in genes),
        aliases={row[0]: row[1] for row in _rows(f"{species}_aliases.tsv.gz")},
    )


def approved(species: str) -> frozenset[str]:
    """Approved symbols of one species; see `table`."""
    return table(species).approved


def aliases(species: str) -> Mapping[str, str]:
    """Former and other names of one species' genes, to the approved symbols; see `table`."""
    return table(species).aliases


@lru_cache(maxsize=1)
def ortholog_pairs() -> tuple[tuple[str, str, int], ...]:
    """Human symbol, mouse symbol, and the support of the pair (higher is better)."""
    return tuple((row[0], row[1], int(row[2])) for row in _rows("orthologs.tsv.gz"))


def table_files() -> tuple[Path, ...]:
    """The table files, sorted; for the record of what was used."""
    return tuple(sorted((signatures_dir() / "genes").glob("*.tsv.gz")))
