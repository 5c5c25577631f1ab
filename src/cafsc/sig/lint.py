"""Check a catalogue folder against every rule, and count its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cafsc.errors import CatalogueError
from cafsc.sig.catalogue import Conflict, conflicts, joined
from cafsc.sig.files import REVIEW_CLAIMS, CatalogueFiles, read_files
from cafsc.sig.model import Species
from cafsc.sig.rules import RULES, Approved, Finding, Renamed, genes_named, unapproved_gene

LEAST_COVERAGE = 0.85
"""Share of a set's genes that need a symbol in each species."""

Translate = Callable[[Iterable[str], str, str], Mapping[str, tuple[str, ...]]]
"""Genes, their species, the other species -> orthologs of each gene."""

_OTHER: Mapping[Species, Species] = {"human": "mouse", "mouse": "human"}


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


@dataclass(frozen=True)
class LintReport:
    """Findings of `lint`, and the number of checked entries."""

    findings: tuple[Finding, ...]
    conflicts: tuple[Conflict, ...]
    n_sets: int
    n_claims: int
    n_papers: int
    n_programs: int
    n_genes: int
    """Distinct gene symbols anywhere in the catalogue."""
    n_approved: int | None
    """Number of approved symbols among them; None without gene tables."""
    n_records: Mapping[str, int] = field(default_factory=dict)
    """Number of pairs, exosome axes, agents, biomarkers and unmeasured properties, by kind of subject."""
    n_review_claims: int = 0
    uncovered: tuple[str, ...] = ()
    """Review claims that no entry answers."""
    coverage: tuple[SpeciesCoverage, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no rule is broken."""
        return not self.findings


def lint(
    catalogue_dir: Path | str,
    approved: Approved | None = None,
    renamed: Renamed | None = None,
    translate: Translate | None = None,
    *,
    allow_uncovered: bool = False,
) -> LintReport:
    """Check all files of a catalogue folder against the schema and against each other.

    Parameters
    ----------
    catalogue_dir
        Folder with ``papers/``, ``programs/``, ``schemes.yaml`` and so on.
    approved
        Approved symbols by species; symbols are not checked without it.
    renamed
        Former symbols by species, to name the current symbol of an unapproved one.
    translate
        `cafsc.genes.translate`; coverage of the two species is not checked without it and ``approved``.
    allow_uncovered
        Count review claims that no entry answers, but do not report them. For work in progress.

    Raises
    ------
    CatalogueError
        If the folder holds no ``papers/``.
    """
    root = Path(catalogue_dir)
    if not (root / "papers").is_dir():
        raise CatalogueError(
            f"{root}: not a catalogue", expected="a folder that holds papers/", fix="name such a folder"
        )
    files = read_files(root)
    findings = [Finding(name, "schema", str(error)) for name, error in files.errors.items()]
    for rule in RULES:
        findings += rule(files)
    answered = files.answers()
    uncovered = [claim for number, claim in files.review_claims.items() if number not in answered]
    for claim in () if allow_uncovered else uncovered:
        text = f"nothing answers {claim.id} ({claim.kind}: {claim.gist})"
        findings.append(Finding(REVIEW_CLAIMS, "uncovered-review-claim", text))
    coverage: tuple[SpeciesCoverage, ...] = ()
    if approved is not None and translate is not None:
        coverage = tuple(species_coverage(files, approved, translate))
        findings += thin_coverage(coverage)
    genes = {(species, gene) for _, species, gene in genes_named(files)}
    n_approved = None
    if approved is not None:
        findings += unapproved_gene(files, approved, renamed or {})
        n_approved = sum(gene in approved[species] for species, gene in genes)
    try:
        both_sides = conflicts(joined(files))
    except CatalogueError:  # two files with one paper: a finding already
        both_sides = ()
    return LintReport(
        findings=tuple(sorted(set(findings))),
        conflicts=both_sides,
        n_sets=sum(len(paper.sets) for paper in files.papers.values()),
        n_claims=sum(len(paper.claims) for paper in files.papers.values()),
        n_papers=len(files.papers),
        n_programs=len(files.programs),
        n_genes=len(genes),
        n_approved=n_approved,
        n_records={kind: len(entries) for kind, entries in files.records.items()},
        n_review_claims=len(files.review_claims),
        uncovered=tuple(claim.id for claim in uncovered),
        coverage=coverage,
    )


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
                advice = f"write not_for: {{{species}: <why>}}, or correct the genes"
                text = f"{row.id}: {share:.0%} of its genes have a {species} symbol; {advice}"
                yield Finding(row.file, "species-coverage", text)
