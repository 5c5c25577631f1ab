"""Which kind of gene names a dataset uses, and of which species."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from cafsc.genes.names import NameParts, is_bare, split_name
from cafsc.genes.tables import SPECIES, casefolded, table
from cafsc.sig.model import Species

MIN_SHARE = 0.1
"""Share of names that must be known before a kind or species is named at all."""
MIXED_SHARE = 0.05
"""Share of the known names that the rarer kind must have to be called mixed."""
LEAD = 1.5
"""How many times more names the species must explain than the other one."""


@dataclass(frozen=True)
class Identifiers:
    """What the gene names of a dataset are."""

    kind: Literal["symbol", "ensembl", "mixed", "unknown"]
    species: Species | None
    """None if the names do not tell, as with symbols all in lower case."""
    share: float
    """Names known under that kind and species, as a share of all names, 0 to 1."""


def identify(names: Iterable[str]) -> Identifiers:
    """Tell the kind and the species of gene names.

    Parameters
    ----------
    names
        Gene names of a dataset.

    Returns
    -------
    Kind, species and the share of names that they explain. Symbols count for a species as it writes them:
    human in capitals, mouse with a capital first; an Ensembl ID or a genome prefix says it outright. Names
    whose case fits no species (all lower) are recognised as symbols, but leave the species open.
    """
    return _identified(tuple(map(str, names)))


# A check looks at the same names several times.
@lru_cache(maxsize=8)
def _identified(names: tuple[str, ...]) -> Identifiers:
    if not names:
        return Identifiers("unknown", None, 0.0)
    # Most names have nothing to take apart, and there are tens of thousands.
    bare = [name for name in names if is_bare(name)]
    parts = [split_name(name) for name in names if not is_bare(name)]
    ids = {species: sum(part.ensembl_species == species for part in parts) for species in SPECIES}
    plain = [part for part in parts if part.ensembl is None]
    known = {species: ids[species] + _n_symbols(bare, plain, species) for species in SPECIES}
    best, other = sorted(SPECIES, key=lambda species: -known[species])
    if known[best] < MIN_SHARE * len(names):
        return _by_case([*bare, *(part.core for part in plain)], len(names))
    n_ids = ids[best]
    rarer = min(n_ids, known[best] - n_ids) / known[best]
    return Identifiers(
        kind="mixed" if rarer >= MIXED_SHARE else "ensembl" if n_ids * 2 > known[best] else "symbol",
        species=best if known[best] >= LEAD * known[other] else None,
        share=known[best] / len(names),
    )


def _n_symbols(bare: list[str], plain: list[NameParts], species: Species) -> int:
    genes = table(species)
    approved, aliases = genes.approved, genes.aliases
    others = [name for name in bare if name not in approved]
    n_bare = len(bare) - len(others) + sum(map(aliases.__contains__, others))
    return n_bare + sum(
        part.prefix == species or (part.prefix is None and (part.core in approved or part.core in aliases))
        for part in plain
    )


def _by_case(cores: list[str], n_names: int) -> Identifiers:
    """Symbols in the wrong case: recognised, though no species can be told from them."""
    shares = {}
    keys = casefolded(cores)
    for species in SPECIES:
        shares[species] = sum(map(table(species).folded.__contains__, keys)) / n_names
    share = max(shares.values())
    return Identifiers("symbol", None, share) if share >= MIN_SHARE else Identifiers("unknown", None, 0.0)
