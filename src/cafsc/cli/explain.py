"""``cafsc explain``: why a cluster is called what it is called, and what would change that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def explain(
    annotated: Annotated[Path, typer.Argument(metavar="OUT.h5ad", help="What cafsc annotate wrote.")],
    *,
    cluster: Annotated[
        str | None, typer.Option("--cluster", "-c", metavar="NAME", help="Cluster [default: every one].")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")] = False,
) -> None:
    """Say why a cluster has its name and its call, who says so, and what would change it."""
    from cafsc import get, io, tl
    from cafsc.cli.annotate import clean_streams, naming
    from cafsc.cli.terminal import emit, printable, say

    with clean_streams(debug=debug):
        adata = io.read(annotated, backed=None)
        with naming(annotated):
            names = get.clusters(adata)["cluster"].tolist() if cluster is None else [cluster]
            found = [tl.explain(adata, name) for name in names]
            message = get.summary(adata)["message"]
    if not found:
        say(message or "no fibroblast cluster to explain")
    if as_json:
        documents = [explanation.to_dict() for explanation in found]
        emit(json.dumps(documents if cluster is None else documents[0], indent=2, allow_nan=False))
        return
    for number, explanation in enumerate(found):
        for line in ([""] if number else []) + str(explanation).splitlines():
            emit(printable(line))
