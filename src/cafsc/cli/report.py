"""``cafsc report``: the HTML report of a run once more, from its ``.h5ad``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    annotated: Annotated[Path, typer.Argument(metavar="OUT.h5ad", help="What cafsc annotate wrote.")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="Where to write the report.")
    ] = Path("report.html"),
    force: Annotated[bool, typer.Option("--force", help="Write over an existing report.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")] = False,
) -> None:
    """Write the HTML report of a finished run."""
    from cafsc import io
    from cafsc import report as reports
    from cafsc.cli.annotate import clean_streams, naming
    from cafsc.cli.terminal import say

    with clean_streams(debug=debug):
        adata = io.read(annotated, backed=None)
        with naming(annotated):
            reports.write(adata, output, force=force)
    say(f"-> {output}")
