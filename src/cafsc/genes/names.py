"""What a gene name is made of, and which kind and species the names of a dataset are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cafsc.genes.tables import SPECIES, GeneTable, table
from cafsc.sig.model import Species

# References of two genomes mark each gene: GRCh38_NAME, mm10___Name (Cell Ranger), MOUSE_Name (Drop-seq).
# Seurat turns "_" into "-", and R turns "-" into ".".
_GENOME = re.compile(
    r"(?:(?P<human>GRCh\d\d|hg\d\d|human)|GRCm\d\d|mm\d\d?|mouse)(?:\.p?\d+|[-_.]premrna)?[-_.:|]+(?=.)",
    re.IGNORECASE,
)
_ENSEMBL = re.compile(r"(?P<id>ENS(?P<mouse>MUS)?G\d{11})(?P<version>\.\d+)?(?:_PAR_Y)?")
# Share of the names that a kind or a species must explain to be given at all.
_LEAST_KNOWN = 0.1
# How many times more names one species must explain than the other one.
_LEAD = 1.5
# Share of the known names that the rarer kind must have to be called mixed.
_MIXED_SHARE = 0.05


class NameParts(NamedTuple):
    """What a gene name holds."""

    core: str
    """The name without genome prefix and, where it was joined to one, without the Ensembl ID."""
    species: Species | None = None
    """Species that a genome prefix or an Ensembl ID states."""
    prefixed: bool = False
    ensembl: str | None = None
    """Ensembl gene ID without version."""
    version: bool = False
    """Whether the name was an Ensembl ID with a version."""


@dataclass(frozen=True)
class Identifiers:
    """What the gene names of a dataset are."""

    kind: Literal["symbol", "ensembl", "mixed", "unknown"]
    species: Species | None
    """None if the names fit both species, as symbols all in lower case do."""
    share: float
    """Names known under that kind and species, as a share of all names, 0 to 1."""


def strip_genome_prefix(name: str) -> tuple[str, Species | None]:
    """A gene name without its genome prefix, and the species of that genome; None without a prefix.

    ``GRCh38``, ``hg19``, ``human``, ``GRCm39``, ``mm10``, ``mouse`` and their like are known in any case, before one
    or more of ``_ - . : |``.

    Examples
    --------
    >>> strip_genome_prefix("mm10___Name")
    ('Name', 'mouse')
    """
    match = _GENOME.match(name)
    if match is None:
        return name, None
    return name[match.end() :], "human" if match["human"] else "mouse"


def split_name(name: str) -> NameParts:
    """Take apart ``ENSG..``, ``ENSG...12``, ``ENSG..|NAME``, ``NAME_ENSG..`` and ``GRCh38_NAME``."""
    core, genome = strip_genome_prefix(name)
    prefixed = genome is not None
    pieces = [core] if _ENSEMBL.fullmatch(core) else list(filter(None, re.split(r"[|_:;]", core)))
    match = next(filter(None, map(_ENSEMBL.fullmatch, pieces)), None) if "ENS" in core else None
    if match is None:
        return NameParts(core, genome, prefixed)
    symbol = next((piece for piece in pieces if not _ENSEMBL.fullmatch(piece)), core)
    version = match["version"] is not None and len(pieces) == 1
    return NameParts(symbol, "mouse" if match["mouse"] else "human", prefixed, match["id"], version)


def is_mitochondrial(names: Iterable[object]) -> NDArray[np.bool_]:
    """Which symbols, with or without a genome prefix, are those of genes of the mitochondrial genome."""
    bare = (strip_genome_prefix(str(name))[0].lower() for name in names)
    return np.fromiter((name.startswith("mt-") for name in bare), dtype=bool)


def identify(names: Iterable[object]) -> Identifiers:
    """Find the kind and the species of the gene names of a dataset, and the share of names that they explain.

    An Ensembl ID or a genome prefix states the species. Symbols count for a species in the case that it writes them:
    human in capitals, mouse with one capital first. Symbols in any other case leave the species open.
    """
    parts = [split_name(str(name)) for name in names]
    known = {species: [part for part in parts if _fits(part, table(species))] for species in SPECIES}
    best, other = sorted(SPECIES, key=lambda species: -len(known[species]))
    n_known = len(known[best])
    if n_known < max(1, _LEAST_KNOWN * len(parts)):
        keys = [part.core.casefold() for part in parts if part.species is None]
        n_folded = max(sum(key in table(species).folded for key in keys) for species in SPECIES)
        share = n_folded / max(1, len(parts))
        enough = share >= _LEAST_KNOWN
        return Identifiers("symbol", None, share) if enough else Identifiers("unknown", None, 0.0)
    n_ids = sum(part.ensembl is not None for part in known[best])
    mixed = min(n_ids, n_known - n_ids) >= _MIXED_SHARE * n_known
    return Identifiers(
        kind="mixed" if mixed else "ensembl" if n_ids * 2 > n_known else "symbol",
        species=best if n_known >= _LEAD * len(known[other]) else None,
        share=n_known / len(parts),
    )


def state_species(names: Iterable[object]) -> bool:
    """Whether genome prefixes or Ensembl IDs state the species of most names."""
    stated = [split_name(str(name)).species is not None for name in names]
    return 2 * sum(stated) > len(stated)


def foreign_genes(names: Sequence[object], species: str) -> NDArray[np.bool_]:
    """Which genes are of the other species than ``species``, in a dataset that has genes of both.

    All are False unless each species has 10% of the names, by genome prefix, by Ensembl ID or by
    symbols in the case that the species is written in.
    """
    parts = [split_name(str(name)) for name in names]
    (other,) = (other for other in SPECIES if other != species)
    here, there = ([_fits(part, table(which)) for part in parts] for which in (species, other))
    native, foreign = np.greater(here, there), np.greater(there, here)
    mixed = min(native.sum(), foreign.sum()) > _LEAST_KNOWN * len(parts)
    return foreign if mixed else np.zeros(len(parts), dtype=bool)


def _fits(part: NameParts, genes: GeneTable) -> bool:
    """Whether a name is one of a species, in the case that the species is written in."""
    if part.species is not None:
        return part.species == genes.species
    return part.core in genes.approved or part.core in genes.aliases
