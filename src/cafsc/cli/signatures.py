"""``cafsc signatures``: look into the catalogue, check it, hand it on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from cafsc.sig import Catalogue

app = typer.Typer(no_args_is_help=True, help="The signatures and claims behind every call.")


class Kind(StrEnum):
    """What ``list`` lists."""

    sets = "sets"
    programs = "programs"
    papers = "papers"
    claims = "claims"
    states = "states"
    schemes = "schemes"


class Form(StrEnum):
    """What ``export`` writes."""

    gmt = "gmt"
    json = "json"
    tsv = "tsv"


Row = dict[str, Any]

PIPE_WIDTH = 400
"""Columns of a table that is not printed on a terminal."""


@app.command("list")
def list_(
    kind: Annotated[Kind, typer.Option(help="What to list.")] = Kind.sets,
    cancer: Annotated[
        str | None, typer.Option(help="Only what was found in this cancer (code or common name).")
    ] = None,
    gene: Annotated[str | None, typer.Option(help="Only what names this gene.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """List gene sets, programmes, papers, claims, harmonised states or schemes."""
    from cafsc import sig

    catalogue = sig.load()
    code = None if cancer is None else catalogue.cancer(cancer)
    rows = _ROWS[kind](catalogue)
    rows = [row for row in rows if _wanted(row, code, gene)]
    hidden = {"genes"} if as_json else {"genes", *_HIDDEN.get(kind, ())}
    rows = [{name: value for name, value in row.items() if name not in hidden} for row in rows]
    if as_json:
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    else:
        _print_table(f"{len(rows)} {kind}", rows)


@app.command()
def show(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Id of a set, programme, paper, claim, state or scheme.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
) -> None:
    """Show one entry with its genes, its source and the claims about it."""
    from cafsc import sig

    entry = _found(sig.load(), identifier)
    if as_json:
        typer.echo(json.dumps(entry, indent=1, ensure_ascii=False))
    else:
        _print_entry(entry)


@app.command()
def lint(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Catalogue folder; cafsc's own if left out.")
    ] = None,
) -> None:
    """Check a catalogue: schema, gene symbols, sources, duplicates, dangling names. Exit 2 on findings."""
    from cafsc import genes, sig
    from cafsc._errors import EXIT_USER

    report = sig.lint(
        sig.signatures_dir() if folder is None else folder,
        approved={"human": genes.approved("human"), "mouse": genes.approved("mouse")},
        renamed={"human": genes.aliases("human"), "mouse": genes.aliases("mouse")},
    )
    for finding in report.findings:
        typer.echo(f"{finding.file}: {finding.code}: {finding.message}")
    for conflict in report.conflicts:
        sides = f"pro in {', '.join(conflict.pro)}; anti in {', '.join(conflict.anti)}"
        typer.echo(f"note: {conflict.gene} speaks for both sides: {sides}")
    share = 100 * (report.n_approved or 0) / max(report.n_genes, 1)
    typer.echo(
        f"{report.n_sets} sets, {report.n_claims} claims, {report.n_papers} papers, "
        f"{report.n_programs} programmes, {report.n_genes} genes ({share:.1f}% approved symbols), "
        f"{len(report.conflicts)} genes on both sides, {len(report.findings)} findings"
    )
    if not report.ok:
        raise typer.Exit(EXIT_USER)


@app.command()
def export(
    form: Annotated[Form, typer.Option("--format", help="gmt, json, or tsv (source, target, weight).")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="File to write; standard output if left out.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write the catalogue for other tools: GMT (GSEA), decoupler network, or everything as JSON."""
    from cafsc import sig

    catalogue = sig.load()
    if form is Form.gmt:
        text = sig.to_gmt(catalogue)
    elif form is Form.json:
        text = sig.to_json(catalogue)
    else:
        text = sig.to_net(catalogue).to_csv(sep="\t", index=False, lineterminator="\n")
    if output is None:
        typer.echo(text, nl=False)
    else:
        from cafsc import io

        io.write_text(output, text, force)


def _set_rows(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": entry.id,
            "label": entry.label,
            "species": entry.species,
            "cancer": list(entry.cancer),
            "n_genes": len(entry.definition.genes),
            "states": list(entry.states),
            "schemes": list(entry.schemes),
            "paper": entry.paper.citation,
            "genes": entry.definition.genes,
        }
        for entry in catalogue.sets.values()
    ]


def _program_rows(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": program.id,
            "label": program.label,
            "n_genes": len({*program.up, *program.down}),
            "papers": [part.paper for part in program.parts],
            "meaning": program.meaning,
            "genes": (*program.up, *program.down),
        }
        for program in catalogue.programs.values()
    ]


def _paper_rows(catalogue: Catalogue) -> list[Row]:
    sets, claims = list(catalogue.sets.values()), catalogue.claims
    return [
        {
            "id": key,
            "citation": paper.citation,
            "cancer": sorted(
                {code for entry in sets if entry.paper.key == key for code in entry.cancer}
                | {code for claim in claims if claim.paper.key == key for code in claim.claim.cancer}
            ),
            "n_sets": sum(entry.paper.key == key for entry in sets),
            "n_claims": sum(claim.paper.key == key for claim in claims),
            "verified": paper.verified,
            "link": paper.link,
            "genes": tuple(
                gene for entry in sets if entry.paper.key == key for gene in entry.definition.genes
            ),
        }
        for key, paper in catalogue.papers.items()
    ]


def _claim_rows(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": entry.claim.id,
            "about": entry.claim.about,
            "effect": entry.claim.effect,
            "evidence": list(entry.claim.evidence),
            "cancer": list(entry.claim.cancer),
            "statement": entry.claim.statement,
            "link": entry.paper.link,
            "genes": _genes_of(catalogue, entry.claim.about),
        }
        for entry in catalogue.claims
    ]


def _state_rows(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": key,
            "label": state.label,
            "meaning": state.meaning,
            "members": state.members,
            "genes": _genes_of(catalogue, f"state:{key}"),
        }
        for key, state in catalogue.states.items()
    ]


def _scheme_rows(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": key,
            "label": scheme.label,
            "paper": scheme.paper,
            "method": scheme.method,
            "members": scheme.members,
            "genes": _member_genes(catalogue, scheme.members),
        }
        for key, scheme in catalogue.schemes.items()
    ]


_ROWS = {
    Kind.sets: _set_rows,
    Kind.programs: _program_rows,
    Kind.papers: _paper_rows,
    Kind.claims: _claim_rows,
    Kind.states: _state_rows,
    Kind.schemes: _scheme_rows,
}


_HIDDEN = {Kind.sets: ("label", "schemes"), Kind.claims: ("link",), Kind.papers: ("verified",)}
"""Columns that a table leaves out to stay readable; the JSON has them."""


def _member_genes(catalogue: Catalogue, members: Iterable[str]) -> tuple[str, ...]:
    return tuple(
        gene
        for member in members
        if member in catalogue.sets
        for gene in catalogue.sets[member].definition.genes
    )


def _genes_of(catalogue: Catalogue, subject: str) -> tuple[str, ...]:
    kind, _, name = subject.partition(":")
    if kind == "gene":
        return (name,)
    if kind == "program" and name in catalogue.programs:
        return (*catalogue.programs[name].up, *catalogue.programs[name].down)
    members = catalogue.states[name].members if kind == "state" and name in catalogue.states else [name]
    return _member_genes(catalogue, members)


def _wanted(row: Row, cancer: str | None, gene: str | None) -> bool:
    if cancer is not None and "cancer" in row and not {cancer, "pan"} & {*row["cancer"]}:
        return False
    return gene is None or gene.casefold() in {name.casefold() for name in row["genes"]}


def _found(catalogue: Catalogue, identifier: str) -> Row:
    from cafsc._errors import OptionError

    content: dict[str, dict[str, Row]] = json.loads(_everything(catalogue))
    for section, subject in _SECTIONS:
        if identifier in content[section]:
            about = [
                {"id": claim.claim.id, "effect": claim.claim.effect, "statement": claim.claim.statement,
                 "paper": claim.paper.citation, "link": claim.paper.link}
                for claim in catalogue.claims_about(f"{subject}:{identifier}")
            ]  # fmt: skip
            entry = {"kind": subject, "id": identifier, **content[section][identifier]}
            paper = catalogue.papers.get(str(entry.get("paper")))
            if paper is not None:
                entry |= {"citation": paper.citation, "link": paper.link}
            return entry | ({"claims": about} if about else {})
    import difflib

    known = [name for section, _ in _SECTIONS for name in content[section]]
    close = difflib.get_close_matches(identifier, known, n=3, cutoff=0.4)
    raise OptionError(
        f"nothing in the catalogue has the id {identifier!r}",
        expected=", ".join(close) or "an id as printed by 'cafsc signatures list'",
        fix="see 'cafsc signatures list --kind sets|programs|papers|claims|states|schemes'",
    )


_SECTIONS: Sequence[tuple[str, str]] = (
    ("sets", "set"),
    ("states", "state"),
    ("programs", "program"),
    ("schemes", "scheme"),
    ("papers", "paper"),
    ("claims", "claim"),
)


def _everything(catalogue: Catalogue) -> str:
    from cafsc import sig

    content = json.loads(sig.to_json(catalogue))
    content["claims"] = {claim["id"]: claim for claim in content["claims"]}
    return json.dumps({section: content[section] for section, _ in _SECTIONS})


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)


def _print_table(title: str, rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Piped into another program, a row stays on one line.
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    if not rows:
        console.print("nothing matches", highlight=False)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in rows[0]:
        justify: Literal["right", "left"] = "right" if name.startswith("n_") else "left"
        table.add_column(name, overflow="fold", justify=justify, no_wrap=name == "id")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    console.print(table)


def _print_entry(entry: Row) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for name, given in entry.items():
        if given in (None, [], {}, ""):
            continue
        value = [f"{key}: {part}" for key, part in given.items()] if isinstance(given, dict) else given
        if isinstance(value, list) and value and isinstance(value[0], dict):
            console.print(Text(f"{name}:", style="bold"))
            for part in value:
                console.print(Text("  - " + "; ".join(_cell(piece) for piece in part.values() if piece)))
        else:
            console.print(Text.assemble((f"{name}: ", "bold"), _cell(value)))
