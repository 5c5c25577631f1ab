"""Human and mouse genes that correspond to each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache

from cafsc.genes.tables import checked_species, ortholog_pairs, table
from cafsc.sig.model import Species


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
    Every gene with its orthologs, best supported first, all of them kept; empty where there is none.

    Raises
    ------
    OptionError
        If a species is not known.
    """
    names = table(source)
    known = _orthologs(checked_species(source), checked_species(target))
    return {gene: known(names.aliases.get(gene, gene)) for gene in genes}


@lru_cache(maxsize=4)
def _orthologs(source: Species, target: Species) -> Callable[[str], tuple[str, ...]]:
    """Gives the orthologs of one approved symbol, best supported first."""
    if source == target:
        approved = table(source).approved
        return lambda symbol: (symbol,) if symbol in approved else ()
    found: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for human, mouse, support in ortholog_pairs():
        one, two = (human, mouse) if source == "human" else (mouse, human)
        found[one].append((-support, two))
    # Sorted as they are asked for: few of all genes ever are.
    return lambda symbol: tuple(name for _, name in sorted(found.get(symbol, ())))
