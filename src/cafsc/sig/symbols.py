"""Which genes a catalogue names, and whether the symbols are the approved ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from cafsc.sig.files import RECIPIENTS, CatalogueFiles
from cafsc.sig.model import Species
from cafsc.sig.record_rules import records
from cafsc.sig.rules import Finding

Approved = Mapping[Species, Collection[str]]
"""Approved gene symbols by species."""
Renamed = Mapping[Species, Mapping[str, str]]
"""Former gene symbols and the approved ones, by species."""


def unapproved_gene(files: CatalogueFiles, approved: Approved, renamed: Renamed) -> Iterator[Finding]:
    """Every gene is written with the approved symbol of its species."""
    for name, species, gene in genes_named(files):
        if gene not in approved[species]:
            today = renamed.get(species, {}).get(gene)
            hint = f"; it is {today} today" if today else ""
            yield Finding(name, "gene", f"{gene!r} is not an approved {species} symbol{hint}")


def genes_named(files: CatalogueFiles) -> Iterator[tuple[str, Species, str]]:
    """File, species and symbol of every gene that the catalogue uses; dropped and printed names are not."""
    yield from _paper_genes(files)
    for name, program in files.programs.items():
        for gene in dict.fromkeys((*program.up, *program.down)):
            yield name, "human", gene
    for panel in [*files.lineages.values(), *([files.activation] if files.activation else [])]:
        for gene in dict.fromkeys((*panel.core, *panel.excludes)):
            yield "lineages.yaml", "human", gene
    for gene in dict.fromkeys(files.recipients.genes()):
        yield RECIPIENTS, "human", gene
    for _, name, entries in records(files):
        for record in entries:
            for gene in dict.fromkeys(record.genes):
                yield name, "human", gene


def _paper_genes(files: CatalogueFiles) -> Iterator[tuple[str, Species, str]]:
    for name, paper in files.papers.items():
        for entry in paper.sets.values():
            for gene in dict.fromkeys((*entry.genes, *entry.renamed.values())):
                yield name, entry.species, gene
        for claim in paper.claims:
            if claim.about.startswith("gene:") and claim.about != "gene:":
                species: Species = "human" if "human" in claim.species else "mouse"
                yield name, species, claim.about.removeprefix("gene:")
