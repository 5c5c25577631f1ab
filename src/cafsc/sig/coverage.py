"""Share of a set that a dataset measures, or that a species has symbols for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cafsc.sig.files import CatalogueFiles
from cafsc.sig.model import GeneSet, Species
from cafsc.sig.rules import Finding

LEAST_COVERAGE = 0.85
"""Share of a set's genes that need a symbol in each species."""

Translate = Callable[[Iterable[str], str, str], Mapping[str, tuple[str, ...]]]
"""Genes, their species, the other species -> orthologs of each gene."""

_OTHER: Mapping[Species, Species] = {"human": "mouse", "mouse": "human"}


@dataclass(frozen=True)
class Coverage:
    """Genes of one set that are measured, and those that are missing."""

    found: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def share(self) -> float:
        """Found genes as a share of the set, 0 to 1."""
        return len(self.found) / max(len(self.found) + len(self.missing), 1)


def coverage(definition: GeneSet, symbols: Collection[str]) -> Coverage:
    """Genes of a set (up, down and levels) among the measured symbols of its species."""
    measured = frozenset(symbols)
    found = tuple(gene for gene in definition.genes if gene in measured)
    return Coverage(found, tuple(gene for gene in definition.genes if gene not in measured))


@dataclass(frozen=True, order=True)
class SpeciesCoverage:
    """Number of genes of a set or programme that have a symbol in each species."""

    id: str
    n_genes: int
    n_human: int
    n_mouse: int
    not_for: tuple[str, ...]
    """Species that the set is not meant for."""
    file: str

    def share(self, species: Species) -> float:
        """Genes with a symbol in a species, as a share of the set."""
        return (self.n_human if species == "human" else self.n_mouse) / max(self.n_genes, 1)


def species_coverage(
    files: CatalogueFiles, approved: Mapping[Species, Iterable[str]], translate: Translate
) -> Iterator[SpeciesCoverage]:
    """Coverage of every set and programme, in its own species by symbol, in the other by ortholog."""
    symbols = {species: frozenset(names) for species, names in approved.items()}
    named: list[tuple[str, str, Species, tuple[str, ...], Iterable[str]]] = [
        (f"{paper.paper.key}/{key}", name, entry.species, entry.genes, entry.not_for)
        for name, paper in files.papers.items()
        for key, entry in paper.sets.items()
    ]
    for name, program in files.programs.items():
        named.append((f"program:{program.id}", name, "human", program.genes, program.not_for))
    for subject, name, species, genes, not_for in named:
        own = sum(gene in symbols[species] for gene in genes)
        other = sum(bool(found) for found in translate(genes, species, _OTHER[species]).values())
        human, mouse = (own, other) if species == "human" else (other, own)
        yield SpeciesCoverage(subject, len(genes), human, mouse, tuple(not_for), name)


def thin_coverage(table: Iterable[SpeciesCoverage]) -> Iterator[Finding]:
    """A set has symbols for 85% of its genes in both species, or names the species it is not meant for."""
    for row in table:
        for species in _OTHER:
            share = row.share(species)
            if share < LEAST_COVERAGE and species not in row.not_for:
                yield Finding(
                    row.file,
                    "species-coverage",
                    f"{row.id}: {share:.0%} of its genes have a {species} symbol; "
                    f"write not_for: {{{species}: <why>}}, or correct the genes",
                )
