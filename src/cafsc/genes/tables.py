"""The gene tables that ship with cafsc; read once, when first asked for.

Where they come from and under which licence stands in ``signatures/genes/README.md``.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import get_args

from cafsc.errors import CafscError, OptionError
from cafsc.sig.files import signatures_dir
from cafsc.sig.model import Species

SPECIES: tuple[Species, ...] = get_args(Species)


@dataclass(frozen=True)
class GeneTable:
    """The genes of one species."""

    species: Species
    ids: Sequence[str]
    """Ensembl gene ID, without version, of each gene; empty where it has none."""
    symbols: Sequence[str]
    """Approved symbol of each gene."""
    approved: frozenset[str]
    aliases: Mapping[str, str]
    """Former or other name to approved symbol; no alias is itself an approved symbol."""

    @cached_property
    def symbol_of(self) -> Mapping[str, str]:
        """Ensembl gene ID, without version, to approved symbol."""
        found = dict(zip(self.ids, self.symbols, strict=True))
        found.pop("", None)
        return found

    @cached_property
    def folded(self) -> Mapping[str, str]:
        """Case-folded symbol to approved symbol, where only one symbol folds to it."""
        symbols = list(self.approved)
        return _folded(symbols, symbols)

    @cached_property
    def folded_aliases(self) -> Mapping[str, str]:
        """Case-folded alias to approved symbol, where only one symbol is meant."""
        return _folded(self.aliases.keys(), self.aliases.values())


def casefolded(names: Iterable[str]) -> list[str]:
    """Each name in the case that compares; there are tens of thousands, so all in one go."""
    listed = list(names)
    folded = "\n".join(listed).casefold().split("\n") if listed else []
    # A name from outside may hold a line feed.
    return folded if len(folded) == len(listed) else [name.casefold() for name in listed]


def _folded(names: Iterable[str], symbols: Iterable[str]) -> dict[str, str]:
    keys = casefolded(names)
    meant = list(symbols)
    found = dict(zip(keys, meant, strict=True))
    if len(found) < len(keys):
        several = {key for key, times in Counter(keys).items() if times > 1}
        choices: dict[str, set[str]] = {key: set() for key in several}
        for key, symbol in zip(keys, meant, strict=True):
            if key in several:
                choices[key].add(symbol)
        for key, symbols_of_key in choices.items():
            if len(symbols_of_key) > 1:
                del found[key]
    return found


def _columns(name: str) -> list[list[str]]:
    """The columns of a table, without its heading."""
    path = signatures_dir() / "genes" / name
    try:
        text = gzip.decompress(path.read_bytes()).decode()
    except (OSError, EOFError) as error:
        raise CafscError(f"the gene table {path} cannot be read ({error}); install cafsc again") from error
    heading, _, body = text.partition("\n")
    n_columns = heading.count("\t") + 1
    # Every row has every column, so that one cut serves all rows.
    values = body.removesuffix("\n").replace("\n", "\t").split("\t")
    if len(values) % n_columns:
        raise CafscError(f"the gene table {path} is damaged; install cafsc again")
    return [values[column::n_columns] for column in range(n_columns)]


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
    ids, symbols = _columns(f"{species}_genes.tsv.gz")
    return GeneTable(
        species=species,
        ids=ids,
        symbols=symbols,
        approved=frozenset(symbols),
        aliases=dict(zip(*_columns(f"{species}_aliases.tsv.gz"), strict=True)),
    )


def approved(species: str) -> frozenset[str]:
    """Approved symbols of one species; see `table`."""
    return table(species).approved


def aliases(species: str) -> Mapping[str, str]:
    """Former and other names of one species' genes, to the approved symbols; see `table`."""
    return table(species).aliases


@lru_cache(maxsize=1)
def ortholog_pairs() -> tuple[list[str], list[str], list[int]]:
    """Human symbols, mouse symbols, and the support of each pair (higher is better)."""
    human, mouse, support = _columns("orthologs.tsv.gz")
    return human, mouse, list(map(int, support))


def table_files() -> tuple[Path, ...]:
    """The table files, sorted; for the record of what was used."""
    return tuple(sorted((signatures_dir() / "genes").glob("*.tsv.gz")))
