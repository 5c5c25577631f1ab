"""Approved symbols for whatever names a dataset uses."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from cafsc.genes.names import split_name, without_repeat
from cafsc.genes.tables import GeneTable, checked_species, table
from cafsc.sig.model import Species

if TYPE_CHECKING:
    import pandas as pd

How = Literal["same", "alias", "ensembl", "version", "prefix", "suffix", "case", "unknown"]


def symbols(names: Iterable[str], species: str) -> pd.DataFrame:
    """Approved symbol of each name.

    Parameters
    ----------
    names
        Gene names: symbols, former symbols, Ensembl IDs with or without version, joined names
        (``ENSG..|NAME``, ``NAME_ENSG..``), names with a genome prefix (``GRCh38_NAME``), in any order.
    species
        ``human`` or ``mouse``.

    Returns
    -------
    One row a name, in the order given; columns

    ``name``
        as given;
    ``symbol``
        the approved symbol, or the name itself where none is known. Symbols repeat where two names mean one
        gene;
    ``how``
        ``same``; ``alias`` (a former or other name); ``ensembl``; ``version`` (an Ensembl ID with version);
        ``prefix`` (a genome prefix was removed); ``suffix`` (the ``-1`` or ``.1`` of a repeated name was
        removed); ``case`` (differs in case, or has ``.`` for ``-``); ``unknown``.

    Raises
    ------
    OptionError
        If the species is not known.

    Notes
    -----
    An alias is left alone (``unknown``) if its approved symbol is itself among the names: a dataset that has
    both means two genes.
    """
    import pandas as pd

    given = tuple(map(str, names))
    found = _all_resolved(given, checked_species(species))
    return pd.DataFrame(
        {
            "name": pd.Series(list(given), dtype=object),
            "symbol": pd.Series([symbol for symbol, _ in found], dtype=object),
            "how": pd.Series([how for _, how in found], dtype=object),
        }
    )


# A run asks for the symbols of the same names when it checks them and when it normalises.
@lru_cache(maxsize=4)
def _all_resolved(names: tuple[str, ...], species: Species) -> tuple[tuple[str, How], ...]:
    genes = table(species)
    present = genes.approved.intersection(names)
    # Most names are approved, and there are tens of thousands.
    return tuple([(name, "same") if name in present else _resolved(name, genes, present) for name in names])


def _resolved(name: str, genes: GeneTable, present: frozenset[str]) -> tuple[str, How]:
    parts = split_name(name)
    if parts.prefix is not None and parts.prefix != genes.species:
        return name, "unknown"
    if parts.ensembl is not None and parts.ensembl in genes.symbol_of:
        return genes.symbol_of[parts.ensembl], "version" if parts.version else "ensembl"
    if parts.core in genes.approved:
        return parts.core, "prefix" if parts.prefix is not None else "ensembl"
    return _reshaped(parts.core, genes, present) or (name, "unknown")


def _reshaped(core: str, genes: GeneTable, present: frozenset[str]) -> tuple[str, How] | None:
    symbol = genes.aliases.get(core)
    if symbol is not None:
        return None if symbol in present else (symbol, "alias")
    stem = without_repeat(core)
    if stem is not None and stem in genes.approved:
        return stem, "suffix"
    folded = core.casefold()
    symbol = genes.folded.get(folded) or genes.folded.get(folded.replace(".", "-"))
    if symbol is not None:
        return symbol, "case"
    symbol = genes.folded_aliases.get(folded)
    return None if symbol is None or symbol in present else (symbol, "alias")
