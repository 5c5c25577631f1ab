"""``cafsc data``: public datasets by name, and the simulated tumour."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cafsc.cli.options import AsJson, Force
from cafsc.cli.terminal import emit, emit_json, say, table

app = typer.Typer(
    no_args_is_help=True, help="Public datasets for trying and testing, and a simulated tumour."
)


def _names(incomplete: str) -> list[str]:
    """Dataset names for shell completion."""
    from cafsc import data

    return [name for name in data.datasets()["name"] if name.startswith(incomplete)]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the registered datasets."""
    from cafsc import data

    frame = data.datasets()
    rows = frame.to_dict(orient="records")
    if as_json:
        emit_json(rows, ascii_only=False)
        return
    for row in rows:
        row |= {"cells": f"{row['cells']:,}", "genes": f"{row['genes']:,}"}
        row["download"] = "yes" if row["download"] else "no"
    header = ["name", "cells", "genes", "download", "source"]
    emit(*table(header, [[row[name] for name in header] for row in rows], right=["cells", "genes"]))


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As in the list.", autocompletion=_names)],
) -> None:
    """Find or download a dataset, and print where it is."""
    from cafsc import data

    emit(str(data.fetch(name)))


@app.command()
def demo(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.h5ad", help="Where to write it.")
    ] = Path("simulated_tumour.h5ad"),
    n_cells: Annotated[int, typer.Option("--cells", min=1, help="Number of cells.")] = 1500,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random draw.")] = 0,
    force: Force = False,
) -> None:
    """Write a simulated tumour: counts drawn at random from real cell type profiles, not measured cells."""
    from cafsc import data, io
    from cafsc.io.atomic import refuse_occupied

    refuse_occupied(output, force)
    io.write_h5ad(data.simulated_tumour(n_cells, seed=seed), output, force=force)
    say(f"simulated, not measured: {n_cells:,} cells")
    emit(str(output))
