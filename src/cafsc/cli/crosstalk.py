"""``cafsc crosstalk``: what the CAFs of a finished run could tell the other cells, and what these tell them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cafsc.errors import OutputError

if TYPE_CHECKING:
    import pandas as pd

Resource = Literal["consensus", "catalogue"]
SHOWN = 15
"""Rows on the terminal; the file holds all."""


def crosstalk(
    annotated: Annotated[Path, typer.Argument(metavar="OUT.h5ad", help="What cafsc annotate wrote.")],
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE.tsv", help="Write all rows here.")
    ] = None,
    resource: Annotated[
        Resource,
        typer.Option(help="consensus: also the pairs of liana's resource; catalogue: without liana."),
    ] = "consensus",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the shuffled labels.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="All rows as JSON on stdout.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over an existing file.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")] = False,
) -> None:
    """List pairs, exosomes, origins and stimuli between CAFs and other cells, each with its papers."""
    from cafsc import io, tl
    from cafsc.cli.annotate import clean_streams, naming

    with clean_streams(debug=debug):
        refuse_taken(output, force=force)
        adata = io.read(annotated)
        with naming(annotated):
            import pandas as pd

            found = [tl.crosstalk(adata, resource=resource, seed=seed), tl.exosome(adata), tl.origin(adata)]
            table = pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True)
    show(table, output, as_json=as_json, force=force, lines=_lines(table))


def refuse_taken(output: Path | None, *, force: bool) -> None:
    """Say before the work that the file is there already.

    Raises
    ------
    OutputError
        If it is, and `force` is not given.
    """
    if output is not None and output.exists() and not force:
        raise OutputError(f"{output}: the file exists already", fix="choose another name, or give --force")


def show(table: pd.DataFrame, output: Path | None, *, as_json: bool, force: bool, lines: list[str]) -> None:
    """Write the table where it was asked for, and the lines (or JSON) to stdout."""
    from cafsc import io
    from cafsc.cli.terminal import emit, printable, say

    if output is not None:
        io.write_tsv(table, output, force=force)
    if as_json:
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        emit(json.dumps(rows, indent=1, allow_nan=False))
    else:
        for line in lines:
            emit(printable(line))
    if output is not None:
        say(f"-> {output}")


def _lines(table: pd.DataFrame) -> list[str]:
    from cafsc.cli.terminal import table as text_table
    from cafsc.tl.crosstalk.table import KINDS, NAMED, STANDINGS

    if not len(table):
        return ["no CAF cluster in this file, so nothing to say about crosstalk"]
    lines = []
    tested = table[(table["kind"] == "pair") & (table["named"] == NAMED) & (table["p"].notna())]
    best = tested.drop_duplicates("id").head(SHOWN)
    if len(best):
        lines += ["Pairs that the CAF literature names, the best row of each (expression, not signals):"]
        lines += text_table(
            ["pair", "from", "to", "effect", "standing", "fdr", "answer", "papers"],
            [
                [
                    row["label"],
                    f"{row['source']} {row['source_state']}".strip(),
                    f"{row['target']} {row['target_state']}".strip(),
                    row["effect"],
                    row["standing"],
                    f"{row['fdr']:.3f}",
                    f"{row['response']} {row['response_effect']:.1f}" if row["response"] else "",
                    row["papers"].split(";")[0],
                ]
                for row in best.to_dict("records")
            ],
            right=[False, False, False, False, False, True, False, False],
        )
        lines.append("")
    found = [(str(row.kind), str(row.standing), str(row.named)) for row in table.itertuples()]
    order = sorted(set(found), key=lambda key: (KINDS.index(key[0]), STANDINGS.index(key[1]), key[2]))
    lines += text_table(
        ["kind", "standing", "named", "rows"],
        [[*key, str(found.count(key))] for key in order],
        right=[False, False, False, True],
    )
    return lines
