"""What must hold for gene sets and for genes of two faces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from cafsc.sig.files import NO_FIXED_SIGN, PAIRS, CatalogueFiles
from cafsc.sig.model import GeneSet, Species
from cafsc.sig.rules import Finding
from cafsc.sig.subjects import PAN, is_known, set_definitions, subject_ids

LEAST_COVERAGE = 0.85
"""Share of a set's genes that a species must have a symbol for."""

Translate = Callable[[Iterable[str], str, str], Mapping[str, tuple[str, ...]]]
"""Genes, species they are written in, species wanted -> every gene with its orthologs."""

_OTHER: Mapping[Species, Species] = {"human": "mouse", "mouse": "human"}


def unrecoverable_list(files: CatalogueFiles) -> Iterator[Finding]:
    """The published list can be read back: kept and dropped genes, under their printed names."""
    for name, paper in files.papers.items():
        for key, entry in paper.sets.items():
            for problem in _not_recoverable(entry):
                yield Finding(name, "original-list", f"set {key}: {problem}")


def _not_recoverable(entry: GeneSet) -> Iterator[str]:
    held = {*entry.genes, *entry.dropped}
    for printed, today in entry.renamed.items():
        if today not in held:
            yield f"{printed!r} is renamed to {today!r}, which is neither in the lists nor dropped"
        if printed in held:
            yield f"{printed!r} is renamed, and stands in the lists or in dropped too"
    for gene, reason in entry.dropped.items():
        if not reason.strip():
            yield f"{gene!r} is dropped without a reason"


def signed_without_context(files: CatalogueFiles) -> Iterator[Finding]:
    """What has no fixed sign is called pro or anti only in a cancer, never in all of them."""
    sets = set_definitions(files)
    two_faced = {subject.casefold() for subject in files.no_fixed_sign}

    def stands_for(subject: str) -> bool:
        kind, _, name = subject.partition(":")
        if kind == "set" and name in sets:
            genes = sets[name].up
            return bool(genes) and all(f"gene:{gene}".casefold() in two_faced for gene in genes)
        return subject.casefold() in two_faced

    for name, paper in files.papers.items():
        for claim in paper.claims:
            if claim.effect != "context" and PAN in claim.cancer and stands_for(claim.about):
                yield Finding(
                    name, "fixed-sign", _of_two_faces(f"claim {claim.id}", claim.about, claim.effect)
                )
    for pair in files.pairs:
        signed = pair.effect != "context" and PAN in pair.cancer
        if signed and all(stands_for(f"gene:{gene}") for gene in pair.ligand):
            yield Finding(PAIRS, "fixed-sign", _of_two_faces(pair.id, "+".join(pair.ligand), pair.effect))


def _of_two_faces(where: str, subject: str, effect: str) -> str:
    return f"{where}: {subject} has no fixed sign; name the cancer instead of 'pan', or call it context, not {effect}"


def unknown_two_faced(files: CatalogueFiles) -> Iterator[Finding]:
    """Subjects without a fixed sign exist."""
    ids = subject_ids(files)
    for subject in files.no_fixed_sign:
        if not is_known(subject, ids):
            yield Finding(NO_FIXED_SIGN, "unknown-subject", f"{subject!r} is nowhere")


@dataclass(frozen=True, order=True)
class SpeciesCoverage:
    """How many genes of a set or programme have a symbol in each species."""

    id: str
    n_genes: int
    n_human: int
    n_mouse: int
    not_for: tuple[str, ...]
    """Species that the set does not claim."""
    file: str

    def share(self, species: Species) -> float:
        """Genes with a symbol in a species, as a share of the set."""
        return (self.n_human if species == "human" else self.n_mouse) / max(self.n_genes, 1)


def species_coverage(
    files: CatalogueFiles, approved: Mapping[Species, Iterable[str]], translate: Translate
) -> Iterator[SpeciesCoverage]:
    """Coverage of every set and programme, in the own species by symbol, in the other by ortholog."""
    symbols = {species: frozenset(names) for species, names in approved.items()}

    def covered(
        subject: str, file: str, species: Species, genes: tuple[str, ...], not_for: Iterable[str]
    ) -> SpeciesCoverage:
        own = sum(gene in symbols[species] for gene in genes)
        other = sum(bool(found) for found in translate(genes, species, _OTHER[species]).values())
        human, mouse = (own, other) if species == "human" else (other, own)
        return SpeciesCoverage(subject, len(genes), human, mouse, tuple(not_for), file)

    for name, paper in files.papers.items():
        for key, entry in paper.sets.items():
            subject = f"{paper.paper.key}/{key}"
            yield covered(subject, name, entry.species, entry.genes, entry.not_for)
    for name, program in files.programs.items():
        genes = tuple(dict.fromkeys((*program.up, *program.down)))
        yield covered(f"program:{program.id}", name, "human", genes, program.not_for)


def thin_coverage(table: Iterable[SpeciesCoverage]) -> Iterator[Finding]:
    """A set has symbols for at least 85% of its genes in both species, or says for which it is not meant."""
    for row in table:
        for species in _OTHER:
            share = row.share(species)
            if share < LEAST_COVERAGE and species not in row.not_for:
                yield Finding(
                    row.file,
                    "species-coverage",
                    f"{row.id}: {share:.0%} of its genes have a {species} symbol; "
                    f"write not_for: {{{species}: <why>}}, or mend the genes",
                )


SET_RULES = (unrecoverable_list, signed_without_context, unknown_two_faced)
