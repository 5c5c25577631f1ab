"""``cafsc targets``: compounds and biomarkers beside the expression of their genes in each CAF cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 15
"""Rows of each kind on the terminal; the file holds all."""
WIDTH = 36


def targets(
    annotated: Annotated[Path, typer.Argument(metavar="OUT.h5ad", help="What cafsc annotate wrote.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.tsv", help="Write all rows here.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="All rows as JSON on stdout.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")] = False,
) -> None:
    """List which compounds' targets and which biomarkers each CAF cluster expresses; no efficacy is claimed."""
    from cafsc import io, tl
    from cafsc.cli.annotate import clean_streams, naming
    from cafsc.cli.crosstalk import refuse_taken, show

    with clean_streams(debug=debug):
        refuse_taken(output, force=force)
        adata = io.read(annotated)
        with naming(annotated):
            table = tl.targets(adata)
    show(table, output, as_json=as_json, force=force, lines=_lines(table))


def _lines(table: pd.DataFrame) -> list[str]:
    from cafsc.cli.terminal import cut
    from cafsc.cli.terminal import table as text_table
    from cafsc.tl.crosstalk.table import EXPRESSED
    from cafsc.tl.crosstalk.targets import AGENT, KINDS, RESTRAINING

    lines = []
    restraining = table["warning"].str.startswith(RESTRAINING)
    for cluster in sorted(set(table["cluster"][restraining])):
        lines += [f"!! cluster {cluster}: {RESTRAINING}", ""]
    lines.append("Expression of a target is no answer to a drug: nothing here says that a compound works.")
    for kind in KINDS:
        found = table[(table["kind"] == kind) & (table["standing"] == EXPRESSED)].head(SHOWN)
        if not len(found):
            continue
        last = "evidence" if kind == AGENT else "predicts"
        rows = [
            [
                f"{'!! ' if row['warning'].startswith(RESTRAINING) else ''}{row['cluster']}",
                row["state"],
                row["call"],
                cut(row["label"], WIDTH),
                cut(row["expressed"], WIDTH),
                cut(row["also_in"], WIDTH),
                row[last],
                row["papers"].split(";")[0],
            ]
            for row in found.to_dict("records")
        ]
        header = ["cluster", "state", "call", kind, "expressed", "also in", last, "papers"]
        lines += ["", *text_table(header, rows)]
    counted = [(str(row.kind), str(row.standing)) for row in table.itertuples()]
    return [
        *lines,
        "",
        *(
            f"{kind}, {standing}: {counted.count((kind, standing))} rows"
            for kind, standing in dict.fromkeys(counted)
        ),
    ]
