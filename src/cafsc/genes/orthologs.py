"""Human and mouse genes that correspond to each other."""

from __future__ import annotations

from collections import Counter, defaultdict
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
    human, mouse, support = ortholog_pairs()
    one, two = (human, mouse) if source == "human" else (mouse, human)
    # Nearly all genes have one, and few of those that have more are ever asked for.
    only = dict(zip(one, two, strict=True))
    several = {symbol for symbol, times in Counter(one).items() if times > 1}
    found: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for symbol, other, times in zip(one, two, support, strict=True):
        if symbol in several:
            found[symbol].append((-times, other))

    def of(symbol: str) -> tuple[str, ...]:
        if symbol in several:
            return tuple(name for _, name in sorted(found[symbol]))
        return (only[symbol],) if symbol in only else ()

    return of
