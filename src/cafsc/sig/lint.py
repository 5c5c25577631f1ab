"""Check a catalogue folder against every rule, and count what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cafsc.errors import CatalogueError
from cafsc.sig.conflicts import Conflict, conflicts_of_files
from cafsc.sig.files import read_files
from cafsc.sig.record_rules import RECORD_RULES, records
from cafsc.sig.review import FILE as REVIEW_CLAIMS
from cafsc.sig.review import (
    ReviewClaim,
    nothing_answers,
    read_review_claims,
    uncovered_review_claims,
    unknown_review_claim,
)
from cafsc.sig.rules import RULES, Finding
from cafsc.sig.set_rules import SET_RULES, SpeciesCoverage, Translate, species_coverage, thin_coverage
from cafsc.sig.symbols import Approved, Renamed, genes_named, unapproved_gene


@dataclass(frozen=True)
class LintReport:
    """What `lint` found, and how much there was to look at."""

    findings: tuple[Finding, ...]
    conflicts: tuple[Conflict, ...]
    n_sets: int
    n_claims: int
    n_papers: int
    n_programs: int
    n_genes: int
    """Different gene symbols named anywhere in the catalogue."""
    n_approved: int | None
    """Those of them that are approved symbols; None if no gene tables were given."""
    n_records: Mapping[str, int] = field(default_factory=dict)
    """Number of ligand-receptor pairs, exosome axes, agents, biomarkers and blind spots, by kind of subject."""
    n_review_claims: int = 0
    uncovered: tuple[str, ...] = ()
    """Review claims that nothing answers."""
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
        Approved symbols by species; the symbols are not checked without it.
    renamed
        Former symbols by species, to say what an unapproved one is called today.
    translate
        `cafsc.genes.translate`; the coverage of the two species is not checked without it and ``approved``.
    allow_uncovered
        Review claims that nothing answers are counted, but are no findings. For work in progress.

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
    for rule in (*RULES, *RECORD_RULES, *SET_RULES):
        findings += rule(files)
    review_claims: Mapping[str, ReviewClaim] = {}
    try:
        review_claims = read_review_claims(root)
    except CatalogueError as error:
        findings.append(Finding(REVIEW_CLAIMS, "schema", str(error)))
    if review_claims:
        findings += unknown_review_claim(files, review_claims)
    uncovered = uncovered_review_claims(files, review_claims)
    if not allow_uncovered:
        findings += [nothing_answers(claim) for claim in uncovered]
    coverage: tuple[SpeciesCoverage, ...] = ()
    if approved is not None and translate is not None:
        coverage = tuple(species_coverage(files, approved, translate))
        findings += thin_coverage(coverage)
    genes = {(species, gene) for _, species, gene in genes_named(files)}
    n_approved = None
    if approved is not None:
        findings += unapproved_gene(files, approved, renamed or {})
        n_approved = sum(gene in approved[species] for species, gene in genes)
    return LintReport(
        findings=tuple(sorted(set(findings))),
        conflicts=conflicts_of_files(files),
        n_sets=sum(len(paper.sets) for paper in files.papers.values()),
        n_claims=sum(len(paper.claims) for paper in files.papers.values()),
        n_papers=len(files.papers),
        n_programs=len(files.programs),
        n_genes=len(genes),
        n_approved=n_approved,
        n_records={kind: len(entries) for kind, _, entries in records(files)},
        n_review_claims=len(review_claims),
        uncovered=tuple(claim.id for claim in uncovered),
        coverage=coverage,
    )
