"""``cafsc check``: everything that is odd about a dataset, before anything is computed from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cafsc._options import RunOptions
from cafsc.cli.failures import naming
from cafsc.cli.options import AsJson, Debug, with_run_options
from cafsc.cli.summary import input_line, such_as
from cafsc.cli.terminal import clean_streams, emit, emit_json, printable, say
from cafsc.errors import EXIT_USER, UserError


@with_run_options("layer", "species")
def check(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help=".h5ad, 10x .h5, a 10x mtx folder, or .zarr.")
    ],
    *,
    options: RunOptions,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """List everything that is odd about a dataset, with what to do about it.

    Exit code 0 if cafsc can use it, 2 if not. Nothing is written.
    """
    try:
        document = _checked(source, options, debug=debug)
    except UserError as error:
        if as_json:
            from cafsc.pp.check.findings import error as finding_of

            finding = finding_of("unusable", error.found, fix=error.fix or "")
            emit_json({"usable": False, "source": source.name, "findings": [finding.to_dict()]})
        raise
    if as_json:
        emit_json(document)
    else:
        emit(*map(printable, _lines(document)))
    n_errors = sum(item["severity"] == "error" for item in document["findings"])
    if n_errors:
        say(f"cafsc: error: {source}: cannot be used ({n_errors} error{'s' if n_errors > 1 else ''})")
        raise typer.Exit(EXIT_USER)


def _checked(source: Path, options: RunOptions, *, debug: bool) -> dict[str, Any]:
    """The report of a check in its plain form, with what reading left out."""
    from cafsc import pp
    from cafsc._input import read_input
    from cafsc.pp.check.findings import by_severity

    with clean_streams(debug=debug):
        given = read_input(source, hashed=False)
        with naming(source):
            found = pp.check(given.adata, layer=options.layer, species=options.species, source=source.name)
    found = found.with_findings(by_severity([*given.findings, *found.findings]))
    return {"usable": all(item.severity != "error" for item in found.findings), **found.to_dict()}


def _lines(document: dict[str, Any]) -> list[str]:
    head = {"file": document["source"], "n_cells": document["n_obs"], "n_genes": document["n_vars"]}
    lines = [
        input_line(document | head),
        f"values in use: {document['use']}; gene names: {document['gene_names']}",
    ]
    for item in document["findings"]:
        count = f" [{item['count']:,}]" if item["count"] else ""
        lines.append(f"{item['severity']}: {item['code']}{count}: {item['message']}{such_as(item)}")
        if item["fix"]:
            lines.append(f"  fix: {item['fix']}")
    return lines
