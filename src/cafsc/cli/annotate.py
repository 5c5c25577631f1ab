"""``cafsc annotate``: from a file to named fibroblast clusters, a report and tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cafsc._options import RunOptions
from cafsc.cli.cluster import connected
from cafsc.cli.failures import naming
from cafsc.cli.options import Debug, Force, Quiet, use_config, with_run_options
from cafsc.cli.outputs import Outputs, check_outputs, default_output, is_leftover, staging
from cafsc.cli.summary import plan_lines, result_lines
from cafsc.cli.terminal import Progress, clean_streams, emit_json, progress, say
from cafsc.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from cafsc._annotate import AnnotationResult

Answer = tuple[list[str], dict[str, Any]]
"""What a command says: lines for people, and a document for programs."""


@with_run_options()
def annotate(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="A tumour with all its cells: .h5ad, 10x .h5, a 10x mtx folder, or .zarr."
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT.h5ad",
            help="Where to write [default: <stem>.cafsc.h5ad beside INPUT].",
        ),
    ] = None,
    options: RunOptions,
    backed: Annotated[
        bool | None,
        typer.Option(
            "--backed/--no-backed",
            help="Leave the matrix in its file and read it in blocks [default: where it is large for the memory].",
        ),
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Scheduler of a dask cluster to work on; INPUT stays in its file."
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", hidden=True, help="Not used any more.")] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.html.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Check input, options and catalogue, say what would be done, and stop."
        ),
    ] = False,
    force: Force = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Summary and clusters as one JSON document on stdout.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=use_config,
            is_eager=True,
            help="YAML or TOML file of these options; the command line wins.",
        ),
    ] = None,
) -> None:
    """Name the fibroblast clusters of a tumour, call them pro- or anti-tumour, and print who says so.

    Writes OUT.h5ad and, beside it, a folder of the same name with report.html, clusters.tsv, cells.tsv.gz,
    evidence.tsv, markers.tsv and summary.json. INPUT is never changed.
    """
    outputs = Outputs(output or default_output(source), with_report=not no_report)
    with clean_streams(debug=debug), progress(quiet=quiet) as step:
        answer = None if force or dry_run else finished_before(source, outputs, options)
        if answer is None:
            check_outputs(outputs, source, force=force)
            if dry_run:
                answer = plan(source, outputs, options, backed, step)
            else:
                answer = run_and_write(source, outputs, options, backed, dask, step, force=force)
    lines, document = answer
    if not quiet:
        say(*lines)
    if as_json:
        emit_json(document)


def finished_before(source: Path, outputs: Outputs, options: RunOptions) -> Answer | None:
    """The answer of an earlier run with the same input, options, catalogue and versions; None if there is none."""
    paths = outputs.all()
    if not all(path.is_file() for path in paths.values()) or not source.exists():
        return None
    from cafsc import _provenance, get, io
    from cafsc._keys import Keys

    try:
        catalogue, settled = _provenance.settle(options)
        planned = _provenance.dumps(_provenance.of_run(settled, catalogue, source.name, io.sha256(source)))
        summary = json.loads(paths["summary"].read_bytes())
        if _provenance.dumps(summary.pop("provenance")) != planned:
            return None
        adata = io.read(outputs.h5ad)
        # The summary gets its name first and OUT last: a killed run leaves them from two runs.
        if adata.uns[Keys().uns]["provenance"] != planned:
            return None
    except (OSError, ValueError, KeyError, AttributeError, TypeError, UserError):
        return None
    lines, document = _answer(summary, get.clusters(adata), outputs)
    return [*lines, "nothing to do: this very run was made before; --force makes it again"], document


def plan(source: Path, outputs: Outputs, options: RunOptions, backed: bool | None, step: Progress) -> Answer:
    """Make the checks of a run, and say what it would write."""
    from cafsc import _provenance, pp
    from cafsc._config import LabelConfig
    from cafsc._input import read_input
    from cafsc.pp.check.columns import with_columns

    catalogue, options = _provenance.settle(options)
    step(f"read {source.name}", 0, 0)
    given = read_input(source, backed=backed, hashed=False)
    with naming(source):
        found = pp.check(given.adata, layer=options.layer, species=options.species, source=source.name)
        found.raise_for_errors()
        schemes = options.schemes or catalogue.schemes
        found = with_columns(found, given.adata, options.columns(), LabelConfig().min_cells, schemes=schemes)
    findings = [item.to_dict() for item in (*given.findings, *found.findings)]
    shown = {"file": source.name, "n_cells": found.n_obs, "n_genes": found.n_vars}
    shown |= {"matrix": found.matrix, "use": found.use, "species": found.species, "findings": findings}
    document = {
        "dry_run": True,
        "input": shown,
        "catalogue": {"n_sets": len(catalogue.sets), "n_claims": len(catalogue.claims)},
        "would_write": [str(path) for path in outputs.all().values()],
    }
    return plan_lines(document), document


def run_and_write(
    source: Path,
    outputs: Outputs,
    options: RunOptions,
    backed: bool | None,
    dask: str | None,
    step: Progress,
    *,
    force: bool,
) -> Answer:
    """Read the input, run every step, and write the results."""
    import scanpy

    from cafsc import _provenance
    from cafsc._annotate import run
    from cafsc._input import read_input

    _provenance.settle(options)  # A wrong option shall not wait until a large file is read.
    step(f"read {source.name}", 0, 0)
    given = read_input(source, backed=backed if dask is None else True)
    # scanpy's own log would stand among our lines.
    with naming(source), connected(dask) as client, scanpy.settings.verbosity.override("error"):
        result = run(given, options, progress=step, client=client)
    step(f"write {outputs.h5ad.name}", 0, 0)
    write(outputs, result, force=force)
    return _answer(result.summary, result.clusters, outputs)


def write(outputs: Outputs, result: AnnotationResult, *, force: bool) -> None:
    """Write every file of a run, all of them or none."""
    from cafsc import io, report
    from cafsc._keys import Keys

    summary = {**result.summary, "provenance": json.loads(result.adata.uns[Keys().uns]["provenance"])}
    paths = outputs.all()
    force = force or is_leftover(outputs)
    with staging(outputs.h5ad, force=force) as at:
        io.write_text(at(paths["summary"]), json.dumps(summary, indent=2, allow_nan=False) + "\n")
        for name in ("clusters", "cells", "evidence", "markers"):
            io.write_tsv(getattr(result, name), at(paths[name]))
        if outputs.with_report:
            report.write(result.adata, at(paths["report"]))
        io.write_h5ad(result.adata, at(paths["h5ad"]))
    if force and not outputs.with_report:
        # It would show an earlier run beside the tables of this one.
        outputs.report.unlink(missing_ok=True)


def _answer(summary: dict[str, Any], clusters: pd.DataFrame, outputs: Outputs) -> Answer:
    document = {
        "summary": summary,
        "clusters": json.loads(clusters.to_json(orient="records", double_precision=15)),
        "outputs": {name: str(path) for name, path in outputs.all().items()},
    }
    return result_lines(summary, clusters, outputs), document
