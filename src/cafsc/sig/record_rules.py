"""What must hold for pairs, exosome axes, agents, biomarkers and blind spots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cafsc.sig.files import AGENTS, BIOMARKERS, EXOSOMES, PAIRS, RECIPIENTS, UNMEASURED, CatalogueFiles
from cafsc.sig.records import Record, Unmeasured
from cafsc.sig.rules import Finding
from cafsc.sig.subjects import PAN, is_known, subject_ids


def records(files: CatalogueFiles) -> Iterator[tuple[str, str, Sequence[Record]]]:
    """Kind of subject, file and records, for every kind of record."""
    yield "axis", PAIRS, files.pairs
    yield "exosome", EXOSOMES, files.exosome_axes
    yield "agent", AGENTS, files.agents
    yield "biomarker", BIOMARKERS, files.biomarkers
    yield "unmeasured", UNMEASURED, files.unmeasured


def duplicate_record(files: CatalogueFiles) -> Iterator[Finding]:
    """Ids are unique within a file of records."""
    for _, name, entries in records(files):
        seen: set[str] = set()
        for entry in entries:
            if entry.id in seen:
                yield Finding(name, "duplicate-record", f"{entry.id!r} stands there twice")
            seen.add(entry.id)


def unknown_record_source(files: CatalogueFiles) -> Iterator[Finding]:
    """Records name papers of the catalogue."""
    papers = {paper.paper.key for paper in files.papers.values()}
    for _, name, entries in records(files):
        for entry in entries:
            for source in entry.sources:
                if source not in papers:
                    yield Finding(name, "unknown-paper", f"{entry.id}: no paper {source!r}")


def unknown_record_cancer(files: CatalogueFiles) -> Iterator[Finding]:
    """Records name cancers of ``cancers.yaml``, or ``pan``."""
    for _, name, entries in records(files):
        for entry in entries:
            for code in [] if isinstance(entry, Unmeasured) else entry.cancer:
                if code not in files.cancers and code != PAN:
                    yield Finding(name, "unknown-cancer", f"{entry.id}: no cancer {code!r} in cancers.yaml")


def unknown_proxy(files: CatalogueFiles) -> Iterator[Finding]:
    """A proxy that is written as a subject exists; words are free."""
    ids = subject_ids(files)
    for entry in files.unmeasured:
        proxy = entry.proxy or ""
        if proxy.partition(":")[0] in {"gene", *ids} and " " not in proxy and not is_known(proxy, ids):
            yield Finding(UNMEASURED, "unknown-subject", f"{entry.id}: the proxy {proxy!r} is nowhere")


def unknown_recipient(files: CatalogueFiles) -> Iterator[Finding]:
    """Recipients name lineages, papers, programmes and answers that are there."""
    papers = {paper.paper.key for paper in files.papers.values()}
    recipients = files.recipients
    for entry, source in recipients.sources():
        if source not in papers:
            yield Finding(RECIPIENTS, "unknown-paper", f"{entry}: no paper {source!r}")
    for name, cell in recipients.cells.items():
        if cell.lineage not in files.lineages:
            yield Finding(RECIPIENTS, "unknown-subject", f"{name}: no lineage {cell.lineage!r}")
    known = {f"response:{name}" for name in recipients.responses}
    known |= {f"program:{program.id}" for program in files.programs.values()}
    for mechanism, footprints in recipients.footprints.items():
        for footprint in footprints:
            if footprint not in known:
                yield Finding(RECIPIENTS, "unknown-subject", f"{mechanism}: {footprint!r} is nowhere")


RECORD_RULES = (
    duplicate_record,
    unknown_record_source,
    unknown_record_cancer,
    unknown_proxy,
    unknown_recipient,
)
