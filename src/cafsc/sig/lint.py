"""Check a catalogue folder against every rule, and count what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cafsc._errors import CatalogueError
from cafsc.sig.conflicts import Conflict, conflicts
from cafsc.sig.files import read_files
from cafsc.sig.record_rules import RECORD_RULES
from cafsc.sig.rules import RULES, Finding
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

    @property
    def ok(self) -> bool:
        """Whether no rule is broken."""
        return not self.findings


def lint(
    catalogue_dir: Path | str, approved: Approved | None = None, renamed: Renamed | None = None
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
    for rule in (*RULES, *RECORD_RULES):
        findings += rule(files)
    genes = {(species, gene) for _, species, gene in genes_named(files)}
    n_approved = None
    if approved is not None:
        findings += unapproved_gene(files, approved, renamed or {})
        n_approved = sum(gene in approved[species] for species, gene in genes)
    return LintReport(
        findings=tuple(sorted(set(findings))),
        conflicts=tuple(conflicts(files)),
        n_sets=sum(len(paper.sets) for paper in files.papers.values()),
        n_claims=sum(len(paper.claims) for paper in files.papers.values()),
        n_papers=len(files.papers),
        n_programs=len(files.programs),
        n_genes=len(genes),
        n_approved=n_approved,
    )
