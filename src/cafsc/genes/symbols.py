"""Approved symbols for whatever names a dataset uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cafsc.genes.names import foreign_genes, split_name, strip_genome_prefix
from cafsc.genes.tables import GeneTable, table

if TYPE_CHECKING:
    import pandas as pd

_REPEAT = re.compile(r"(?<=.)[-.]\d+$")


def symbols(names: Iterable[object], species: str) -> pd.DataFrame:
    """Approved symbol of each name.

    Parameters
    ----------
    names
        Gene names of a dataset: symbols, former symbols, Ensembl IDs with or without version, joined names
        (``ENSG..|NAME``, ``NAME_ENSG..``), names with a genome prefix (see `strip_genome_prefix`).
    species
        ``human`` or ``mouse``.

    Returns
    -------
    One row a name, in the order given; columns ``name`` (as given), ``symbol`` (the approved symbol, or the name itself
    where none is known; repeated where two names mean one gene) and ``how``: ``same``; ``alias`` (a former or other
    name); ``ensembl``; ``version`` (an Ensembl ID with version); ``prefix`` (a genome prefix was removed); ``suffix``
    (the ``-1`` or ``.1`` of a repeated name was removed); ``case`` (differs in case, or has ``.`` for ``-``);
    ``unknown``.

    Raises
    ------
    OptionError
        If the species is not known.

    Notes
    -----
    An alias is left alone (``unknown``) if its approved symbol is itself among the names: a dataset that has both
    means two genes. Genes of the other species are left alone in a dataset of two species (see `foreign_genes`);
    elsewhere they are matched without regard to case.

    Examples
    --------
    >>> symbols(["ENSG00000108821.9", "not a gene"], "human")["how"].tolist()
    ['version', 'unknown']
    """
    import pandas as pd

    given = [str(name) for name in names]
    genes = table(species)
    present = genes.approved.intersection(strip_genome_prefix(name)[0] for name in given)
    rows = [
        (name, name, "unknown") if foreign else (name, *_resolved(name, genes, present))
        for name, foreign in zip(given, foreign_genes(given, species), strict=True)
    ]
    return pd.DataFrame(rows, columns=["name", "symbol", "how"], dtype=object)


def _resolved(name: str, genes: GeneTable, present: frozenset[str]) -> tuple[str, str]:
    """Approved symbol of one name, and how it was found."""
    if name in genes.approved:
        return name, "same"
    parts = split_name(name)
    if parts.prefixed and parts.species != genes.species:
        return name, "unknown"
    if parts.ensembl in genes.symbol_of:
        return genes.symbol_of[parts.ensembl], "version" if parts.version else "ensembl"
    core, folded = parts.core, parts.core.casefold()
    stem = _REPEAT.sub("", core)
    ways = (
        (core if core in genes.approved else None, "prefix" if parts.prefixed else "ensembl"),
        (genes.aliases.get(core), "alias"),
        (stem if stem in genes.approved else None, "suffix"),
        (genes.folded.get(folded, genes.folded.get(folded.replace(".", "-"))), "case"),
        (genes.folded_aliases.get(folded), "alias"),
    )
    symbol, how = next(((symbol, how) for symbol, how in ways if symbol), (name, "unknown"))
    return (name, "unknown") if how == "alias" and symbol in present else (symbol, how)
