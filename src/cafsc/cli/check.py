"""``cafsc check``: everything that is odd about a dataset, before anything is computed from it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cafsc.errors import EXIT_USER, UserError

if TYPE_CHECKING:
    from anndata import AnnData

Species = Literal["auto", "human", "mouse"]


def read_with_findings(source: Path, backed: bool | None = None) -> tuple[AnnData, list[dict[str, Any]]]:
    """Read an input; what was left out in reading comes as findings, in their plain form.

    Its matrices stay in their file if ``backed``; if not said, where they are large for the memory.
    """
    from cafsc import io
    from cafsc.pp.check.findings import warning

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        adata = io.read(source, backed=backed)
    texts = [str(item.message).removeprefix(f"{source}: ") for item in said if item.category is UserWarning]
    return adata, [warning("skipped_part", text).to_dict() for text in dict.fromkeys(texts)]


def check(
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", help=".h5ad, 10x .h5, a 10x mtx folder, or .zarr.")
    ],
    *,
    layer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Layer with the raw counts, instead of X.")
    ] = None,
    species: Annotated[Species, typer.Option(help="Species; auto reads it from the gene names.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")] = False,
) -> None:
    """List everything that is odd about a dataset, with what to do about it.

    Exit code 0 if cafsc can use it, 2 if not. Nothing is written.
    """
    from cafsc.cli.terminal import emit, printable, say

    try:
        document = _checked(source, layer, species, debug=debug)
    except UserError as error:
        if as_json:
            emit(json.dumps(_unreadable(source, error), indent=2, allow_nan=False))
        raise
    if as_json:
        emit(json.dumps(document, indent=2, allow_nan=False))
    else:
        for line in _lines(document):
            emit(printable(line))
    n_errors = sum(item["severity"] == "error" for item in document["findings"])
    if n_errors:
        say(f"cafsc: error: {source}: cannot be used ({n_errors} error{'s' if n_errors > 1 else ''})")
        raise typer.Exit(EXIT_USER)


def _checked(source: Path, layer: str | None, species: Species, *, debug: bool) -> dict[str, Any]:
    """The report of a check in its plain form, with what reading left out."""
    from cafsc import pp
    from cafsc.cli.annotate import clean_streams, naming

    with clean_streams(debug=debug):
        adata, skipped = read_with_findings(source)
        with naming(source):
            found = pp.check(adata, layer=layer, species=species, source=source.name).to_dict()
    found["findings"] = sorted(
        [*found["findings"], *skipped], key=lambda item: ("error", "warning", "note").index(item["severity"])
    )
    return {"usable": all(item["severity"] != "error" for item in found["findings"]), **found}


def _unreadable(source: Path, error: UserError) -> dict[str, Any]:
    """The document of an input that could not even be read."""
    finding = {
        "code": "unusable",
        "severity": "error",
        "message": error.found,
        "count": 0,
        "examples": [],
        "fix": error.fix or "",
    }
    return {"usable": False, "source": source.name, "findings": [finding]}


def _lines(document: dict[str, Any]) -> list[str]:
    from cafsc.cli.summary import input_line, such_as

    head = {
        "file": document["source"],
        "n_cells": document["n_obs"],
        "n_genes": document["n_vars"],
        "matrix": document["matrix"],
        "species": document["species"],
        "findings": document["findings"],
    }
    lines = [input_line(head), f"values in use: {document['use']}; gene names: {document['gene_names']}"]
    for item in document["findings"]:
        count = f" [{item['count']:,}]" if item["count"] else ""
        lines.append(f"{item['severity']}: {item['code']}{count}: {item['message']}{such_as(item)}")
        if item["fix"]:
            lines.append(f"  fix: {item['fix']}")
    return lines
