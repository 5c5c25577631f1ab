"""The gene tables that ship with cafsc, read once, when first asked for: symbols, aliases, orthologs.

Where they come from and under which licence stands in ``signatures/genes/README.md``.
"""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import get_args

from cafsc.errors import OptionError
from cafsc.sig.files import signatures_dir
from cafsc.sig.model import Species

SPECIES: tuple[Species, ...] = get_args(Species)


@dataclass(frozen=True)
class GeneTable:
    """The genes of one species."""

    species: str
    symbol_of: Mapping[str | None, str]
    """Ensembl gene ID, without version, to approved symbol."""
    approved: frozenset[str]
    """Approved symbols."""
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


def _folded(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Case-folded name to symbol, without the names that mean several symbols."""
    meant: dict[str, str | None] = {}
    for name, symbol in pairs:
        key = name.casefold()
        meant[key] = symbol if meant.get(key, symbol) == symbol else None
    return {key: symbol for key, symbol in meant.items() if symbol is not None}


def _columns(name: str) -> list[Sequence[str]]:
    """The columns of a table, without its heading."""
    text = gzip.decompress((signatures_dir() / "genes" / name).read_bytes()).decode()
    return list(zip(*(line.split("\t") for line in text.removesuffix("\n").split("\n")[1:]), strict=True))


@lru_cache(maxsize=2)
def table(species: str) -> GeneTable:
    """Genes of one species: ``human`` (HGNC) or ``mouse`` (MGI).

    Raises
    ------
    OptionError
        For another species.
    """
    if species not in SPECIES:
        raise OptionError(
            f"species {species!r} is not known", expected=" or ".join(SPECIES), fix="use one of these"
        )
    ids, symbols = _columns(f"{species}_genes.tsv.gz")
    return GeneTable(
        species=species,
        symbol_of={gene: symbol for gene, symbol in zip(ids, symbols, strict=True) if gene},
        approved=frozenset(symbols),
        aliases=dict(zip(*_columns(f"{species}_aliases.tsv.gz"), strict=True)),
    )


def approved(species: str) -> frozenset[str]:
    """Approved symbols of one species; see `table`."""
    return table(species).approved


def aliases(species: str) -> Mapping[str, str]:
    """Former and other names of one species' genes, to the approved symbols; see `table`."""
    return table(species).aliases


def translate(genes: Iterable[str], source: str, target: str) -> dict[str, tuple[str, ...]]:
    """Orthologs of genes in another species.

    Parameters
    ----------
    genes
        Symbols of the source species; former symbols are understood.
    source, target
        ``human`` or ``mouse``.

    Returns
    -------
    Every gene with all its orthologs, best supported first; empty where there is none.

    Raises
    ------
    OptionError
        If a species is not known.

    Examples
    --------
    >>> orthologs = translate(approved("human"), "human", "mouse")
    >>> sum(len(found) == 1 for found in orthologs.values())
    19075
    """
    names = table(source)
    found = _orthologs(source, table(target).species)
    return {gene: found.get(names.aliases.get(gene, gene), ()) for gene in genes}


@lru_cache(maxsize=4)
def _orthologs(source: str, target: str) -> Mapping[str, tuple[str, ...]]:
    """Orthologs of each approved symbol, best supported first."""
    if source == target:
        return {symbol: (symbol,) for symbol in table(source).approved}
    found = defaultdict(list)
    for human, mouse, support in zip(*_columns("orthologs.tsv.gz"), strict=True):
        symbol, other = (human, mouse) if source == "human" else (mouse, human)
        found[symbol].append((-int(support), other))
    return {symbol: tuple(other for _, other in sorted(others)) for symbol, others in found.items()}
