"""``cafsc signatures``: look into the catalogue, check it, compare it, hand it on."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cafsc.cli.options import AsJson, Force
from cafsc.cli.terminal import cut, emit, emit_json, printable, table

if TYPE_CHECKING:
    from cafsc.sig import LintReport

app = typer.Typer(no_args_is_help=True, help="The signatures and claims behind every call.")

Kind = Literal[
    "sets",
    "programs",
    "papers",
    "claims",
    "states",
    "schemes",
    "pairs",
    "exosome",
    "agents",
    "biomarkers",
    "unmeasured",
    "review",
]
Form = Literal["gmt", "decoupler", "tsv", "json", "schema"]
WIDTH = 50
"""Characters of a cell on a terminal; piped into another program, a cell is whole."""

_HIDDEN = {
    "sets": ("label", "schemes"),
    "claims": ("paper", "link"),
    "papers": ("title", "verified"),
    "pairs": ("mechanism", "statement"),
    "exosome": ("statement",),
    "agents": ("shown",),
}
"""Columns that a table leaves out to stay readable; the JSON has them."""


@app.command("list")
def list_(
    kind: Annotated[Kind, typer.Option(help="What to list.")] = "sets",
    cancer: Annotated[
        str | None, typer.Option(help="Only what was found in this cancer (code or common name).")
    ] = None,
    gene: Annotated[str | None, typer.Option(help="Only what names this gene.")] = None,
    as_json: AsJson = False,
) -> None:
    """List gene sets, programmes, papers, claims, states, schemes, pairs, exosome axes, agents and more."""
    from cafsc import sig
    from cafsc.sig.listing import in_cancer, names_gene, rows

    catalogue = sig.load()
    code = None if cancer is None else catalogue.cancer(cancer)
    listed = [
        row
        for row in rows(catalogue, kind)
        if (code is None or in_cancer(row, code)) and (gene is None or names_gene(row, gene))
    ]
    hidden = {"genes"} if as_json else {"genes", *_HIDDEN.get(kind, ())}
    shown = [{name: value for name, value in row.items() if name not in hidden} for row in listed]
    _print_table(f"{len(shown)} {kind}", shown, as_json=as_json)


@app.command()
def show(
    identifier: Annotated[
        str,
        typer.Argument(metavar="ID", help="Id of any entry, kind:ID, or gene:SYMBOL for all about a gene."),
    ],
    as_json: AsJson = False,
) -> None:
    """Show one entry with its genes, what was dropped and why, its sources, claims and conflicts."""
    from cafsc import sig

    entry = sig.find(sig.load(), identifier)
    if as_json:
        emit_json(entry, ascii_only=False)
    else:
        _print_entry(entry)


@app.command()
def search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Words, a gene, an author, a DOI ...")],
    as_json: AsJson = False,
) -> None:
    """Find entries that hold all the words, anywhere in them."""
    from cafsc import sig

    hits = [asdict(hit) for hit in sig.search(sig.load(), text)]
    _print_table(f"{len(hits)} entries with {text!r}", hits, as_json=as_json)


@app.command()
def lint(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Catalogue folder; cafsc's own if left out.")
    ] = None,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Also print how much of each set both species have symbols for."),
    ] = False,
    allow_uncovered: Annotated[
        bool, typer.Option("--allow-uncovered", help="Only count the review claims that nothing answers.")
    ] = False,
) -> None:
    """Check a catalogue: schema, symbols, sources, duplicates, dangling names, gaps. Exit 2 on findings."""
    from cafsc import genes, sig
    from cafsc.errors import EXIT_USER

    report = sig.lint(
        sig.signatures_dir() if folder is None else folder,
        approved={"human": genes.approved("human"), "mouse": genes.approved("mouse")},
        renamed={"human": genes.aliases("human"), "mouse": genes.aliases("mouse")},
        translate=genes.translate,
        allow_uncovered=allow_uncovered,
    )
    if coverage:
        rows = []
        for row in report.coverage:
            counts = {"id": row.id, "n_genes": row.n_genes, "n_human": row.n_human, "n_mouse": row.n_mouse}
            shares = {species: f"{row.share(species):.0%}" for species in ("human", "mouse")}
            rows.append({**counts, **shares, "not for": list(row.not_for)})
        _print_table("symbol coverage", rows)
    for conflict in report.conflicts:
        sides = f"pro in {', '.join(conflict.pro)}; anti in {', '.join(conflict.anti)}"
        emit(f"note: {conflict.gene} speaks for both sides: {sides}")
    emit(*(f"note: {row.id} is not for {species}" for row in report.coverage for species in row.not_for))
    emit(*(f"{finding.file}: {finding.code}: {finding.message}" for finding in report.findings))
    emit(*_counts(report))
    if not report.ok:
        raise typer.Exit(EXIT_USER)


def _counts(report: LintReport) -> Iterable[str]:
    """What the catalogue holds, in numbers."""
    records = report.n_records
    yield (
        f"{records['axis']} ligand-receptor pairs, {records['exosome']} exosome axes, {records['agent']} agents, "
        f"{records['biomarker']} biomarkers, {records['unmeasured']} not measurable"
    )
    least = []
    for species in ("human", "mouse"):
        shares = [row.share(species) for row in report.coverage if species not in row.not_for]
        least.append(f"{species} {min(shares, default=1.0):.0%}")
    yield "least symbol coverage of a set: " + ", ".join(least)
    covered = report.n_review_claims - len(report.uncovered)
    yield f"review claims covered {covered}/{report.n_review_claims}"
    approved = 100 * (report.n_approved or 0) / max(report.n_genes, 1)
    yield (
        f"{report.n_sets} sets, {report.n_claims} claims, {report.n_papers} papers, "
        f"{report.n_programs} programmes, {report.n_genes} genes ({approved:.1f}% approved symbols), "
        f"{len(report.conflicts)} genes on both sides, {len(report.findings)} findings"
    )


@app.command()
def export(
    form: Annotated[
        Form,
        typer.Option(
            "--format", help="gmt; decoupler or tsv (source, target, weight); json; schema of the files."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; standard output if left out.")
    ] = None,
    force: Force = False,
) -> None:
    """Write the catalogue for other tools: GMT (GSEA), decoupler network, everything as JSON, or the schema."""
    from cafsc import sig

    if form in ("decoupler", "tsv"):
        text = sig.to_net(sig.load()).to_csv(sep="\t", index=False, lineterminator="\n")
    elif form == "schema":
        text = sig.to_schema()
    else:
        text = (sig.to_gmt if form == "gmt" else sig.to_json)(sig.load())
    if output is None:
        sys.stdout.write(text)
    else:
        from cafsc import io

        io.write_text(output, text, force)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="Catalogue folder, or a JSON export.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Catalogue folder, or a JSON export.")],
    as_json: AsJson = False,
) -> None:
    """Say what came, went and changed between two releases of the catalogue."""
    from cafsc import sig

    changes = sig.diff(old, new)
    if as_json:
        emit_json([asdict(change) for change in changes], ascii_only=False)
        return
    marks = {"added": "+", "removed": "-", "changed": "~"}
    section = ""
    for change in changes:
        if change.section != section:
            section = change.section
            counts = Counter(other.what for other in changes if other.section == section)
            emit(f"{section}: " + ", ".join(f"{counts[what]} {what}" for what in marks if counts[what]))
        emit(f"  {marks[change.what]} {change.id}", *(f"      {detail}" for detail in change.details))
    if not changes:
        emit("no difference")


def _print_table(title: str, rows: list[dict[str, Any]], *, as_json: bool = False) -> None:
    """Rows with the same keys as a table or as JSON."""
    if as_json:
        emit_json(rows, ascii_only=False)
        return
    if not rows:
        emit("nothing matches")
        return
    cells = [[_cell(value) for value in row.values()] for row in rows]
    if sys.stdout.isatty():
        cells = [[cut(cell, WIDTH) for cell in row] for row in cells]
    right = [name for name in rows[0] if name.startswith("n_")]
    emit(title, *table(list(rows[0]), cells, right=right))


def _print_entry(entry: dict[str, Any]) -> None:
    """One entry, a field a line, and a part of a field a line."""
    for name, value in entry.items():
        parts = [f"{key}: {part}" for key, part in value.items()] if isinstance(value, dict) else value
        if parts in (None, [], ""):
            continue
        if isinstance(value, dict) or (isinstance(parts, list) and isinstance(parts[0], dict)):
            emit(f"{name}:")
            for part in parts:
                pieces = part.values() if isinstance(part, dict) else [part]
                emit(printable("  - " + "; ".join(_cell(piece) for piece in pieces if piece)))
        else:
            emit(printable(f"{name}: {_cell(parts)}"))


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)
