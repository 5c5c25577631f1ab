"""``cafsc annotate``: from a file to named fibroblast clusters, a report and tables."""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cafsc.cli.check import Species, read_with_findings
from cafsc.cli.cluster import connected
from cafsc.cli.config import use_config
from cafsc.cli.finished import finished_before
from cafsc.cli.outputs import Outputs, check_outputs, default_output, write_outputs
from cafsc.cli.summary import plan_lines, result_lines
from cafsc.cli.terminal import Progress, emit, progress, say
from cafsc.errors import InputError, OutputError, UserError

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc._annotate import AnnotationResult
    from cafsc.pp import CheckReport


def _cancers(incomplete: str) -> list[str]:
    """Cancer codes for shell completion."""
    from cafsc import sig

    return [code for code in sig.load().cancers if code.startswith(incomplete)]


def _schemes(incomplete: str) -> list[str]:
    """Scheme names for shell completion."""
    from cafsc import sig

    return [scheme for scheme in sig.load().schemes if scheme.startswith(incomplete)]


_ONLY_TIME = ("threads", "backed", "dask")
"""Options that change how long a run takes and how much memory, not what it finds."""


@dataclass(frozen=True)
class Options:
    """The options that :func:`cafsc.annotate` takes too, by its names."""

    cancer: str | None
    species: Species
    layer: str | None
    sample_key: str | None
    batch_key: str | None
    cluster_key: str | None
    signatures: tuple[Path, ...]
    schemes: tuple[str, ...] | None
    weights: str | None
    resolution: float | None
    seed: int
    threads: int | None
    backed: bool | None
    dask: str | None

    def deciding(self) -> dict[str, Any]:
        """Those that decide the result."""
        return {name: value for name, value in vars(self).items() if name not in _ONLY_TIME}

    def columns(self) -> dict[str, str | None]:
        """Columns of ``obs`` that the user may name, by option."""
        return {
            "sample_key": self.sample_key,
            "batch_key": self.batch_key,
            "cluster_key": self.cluster_key,
        }


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
    cancer: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=_cancers,
            help="Cancer of the sample (breast, TNBC, PDAC, NSCLC, CRC ...); weighs the claims.",
        ),
    ] = None,
    species: Annotated[Species, typer.Option(help="Species; auto reads it from the gene names.")] = "auto",
    layer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Layer with the raw counts, instead of X.")
    ] = None,
    sample_key: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of obs that names the sample of each cell.")
    ] = None,
    batch_key: Annotated[
        str | None, typer.Option(metavar="COL", help="Column of obs that names the batch of each cell.")
    ] = None,
    cluster_key: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Column of obs with your clusters, used instead of ours."),
    ] = None,
    signatures: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH", help="Your own signatures, .yaml or .gmt, beside the catalogue. Repeatable."
        ),
    ] = None,
    scheme: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            autocompletion=_schemes,
            help="Published scheme to label with [default: all]. Repeatable.",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="YAML file with weights of claims, instead of some of ours; in --config also a mapping.",
        ),
    ] = None,
    resolution: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=100, metavar="R", help="Resolution of our clustering; higher gives more clusters."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of everything random.")] = 0,
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=1024, metavar="N", help="Threads; changes the time, not the result."),
    ] = None,
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
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.html.")] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Check input, options and catalogue, say what would be done, and stop."
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over existing results (never over INPUT).")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Summary and clusters as one JSON document on stdout.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")] = False,
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
    evidence.tsv and summary.json. INPUT is never changed.
    """
    outputs = Outputs(output or default_output(source), with_report=not no_report)
    options = Options(
        cancer=cancer,
        species=species,
        layer=layer,
        sample_key=sample_key,
        batch_key=batch_key,
        cluster_key=cluster_key,
        signatures=tuple(signatures or ()),
        schemes=tuple(scheme) if scheme else None,
        weights=weights,
        resolution=resolution,
        seed=seed,
        threads=threads,
        backed=True if dask is not None else backed,
        dask=dask,
    )
    with clean_streams(debug=debug), progress(quiet=quiet) as reporter:
        done = None if force or dry_run else finished_before(source, outputs, options)
        if done is None:
            check_outputs(outputs, source, force=force)
        if dry_run:
            lines, document = _plan(source, outputs, options, reporter)
        else:
            lines, document = done or _run(source, outputs, options, reporter, force=force)
    if not quiet:
        for line in lines:
            say(line)
    if as_json:
        emit(json.dumps(document, indent=2, allow_nan=False))


def _plan(
    source: Path, outputs: Outputs, options: Options, reporter: Progress
) -> tuple[list[str], dict[str, object]]:
    """All the checks of a run, and what it would write."""
    n_sets, n_claims = _check_catalogue(options)
    adata, skipped = _read(source, reporter, options.backed)
    with naming(source):
        found = _check(adata, options, source)
    document: dict[str, object] = {
        "dry_run": True,
        "input": {
            "file": source.name,
            "n_cells": found.n_obs,
            "n_genes": found.n_vars,
            "matrix": found.matrix,
            "use": found.use,
            "species": found.species,
            "findings": [*skipped, *(item.to_dict() for item in found.findings)],
        },
        "catalogue": {"n_sets": n_sets, "n_claims": n_claims},
        "would_write": [str(path) for path in outputs.all().values()],
    }
    return plan_lines(document), document


def _run(
    source: Path, outputs: Outputs, options: Options, reporter: Progress, *, force: bool
) -> tuple[list[str], dict[str, object]]:
    """The run itself, with room for copies of what is read often; workers of a cluster could not read them."""
    from cafsc.io.scratch import scratch_copies

    with contextlib.nullcontext() if options.dask else scratch_copies():
        return _read_annotate_write(source, outputs, options, reporter, force=force)


def _read_annotate_write(
    source: Path, outputs: Outputs, options: Options, reporter: Progress, *, force: bool
) -> tuple[list[str], dict[str, object]]:
    import cafsc
    from cafsc import io
    from cafsc.io.backed import require_unchanged
    from cafsc.io.files import unchanged

    _check_catalogue(options)
    with unchanged(source):
        adata, skipped = _read(source, reporter, options.backed)
        sha256 = io.sha256(source)
    with naming(source), connected(options.dask) as client:
        result = cafsc.annotate(
            adata,
            cancer=options.cancer,
            species=options.species,
            layer=options.layer,
            sample_key=options.sample_key,
            batch_key=options.batch_key,
            cluster_key=options.cluster_key,
            signatures=options.signatures,
            schemes=options.schemes,
            weights=options.weights,
            resolution=options.resolution,
            seed=options.seed,
            threads=options.threads,
            progress=reporter,
            client=client,
        )
    result.summary["input"]["findings"] = [*skipped, *result.summary["input"]["findings"]]
    # A matrix that was left in its file: it must be the one that was opened. Asked again before OUT gets its name.
    require_unchanged(adata)
    provenance = _record_input(result, source.name, sha256)
    reporter(f"write {outputs.h5ad.name}", 0, 0)
    try:
        write_outputs(outputs, result, {**result.summary, "provenance": provenance}, force=force)
    except OutputError:
        # The same command may have run beside this one, and have been quicker.
        done = finished_before(source, outputs, options)
        if done is None:
            raise
        return done
    # What happens to the input now is nothing to files that stand under their names.
    with contextlib.suppress(InputError):
        io.close(adata)
    document: dict[str, object] = {
        "summary": result.summary,
        "clusters": _records(result),
        "outputs": {name: str(path) for name, path in outputs.all().items()},
    }
    return result_lines(result.summary, result.clusters, outputs), document


def _read(source: Path, reporter: Progress, backed: bool | None) -> tuple[AnnData, list[dict[str, Any]]]:
    """The input, and the findings of reading it."""
    reporter(f"read {source.name}", 0, 0)
    return read_with_findings(source, backed)


def _check_catalogue(options: Options) -> tuple[int, int]:
    """Load the catalogue and the user's signatures; refuse an unknown cancer or scheme early."""
    from cafsc import sig
    from cafsc.sig.weights import own_weights

    catalogue = sig.load(*options.signatures)
    if options.cancer is not None:
        catalogue.cancer(options.cancer)
    if options.weights is not None:
        own_weights(catalogue.weights, options.weights)
    for scheme in options.schemes or ():
        catalogue.sets_in_scheme(scheme)
    return len(catalogue.sets), len(catalogue.claims)


def _check(adata: AnnData, options: Options, source: Path) -> CheckReport:
    """The checks that a run would make on the data; raises what it would raise."""
    from cafsc import pp, sig
    from cafsc._config import LabelConfig
    from cafsc.pp.check.columns import with_columns

    found = pp.check(adata, layer=options.layer, species=options.species, source=source.name)
    found.raise_for_errors()
    schemes = options.schemes or sig.load().schemes
    return with_columns(found, adata, options.columns(), LabelConfig().min_cells, schemes=schemes)


def _record_input(result: AnnotationResult, name: str, sha256: str) -> dict[str, object]:
    """Name the input file in the provenance and summary that will be written; gives the provenance."""
    from cafsc import _provenance
    from cafsc._keys import Keys

    block = result.adata.uns[Keys().uns]
    document = _provenance.with_input(json.loads(block["provenance"]), name, sha256)
    block["provenance"] = _provenance.dumps(document)
    result.summary["input"]["file"] = name
    block["summary"] = json.dumps(result.summary, sort_keys=True, allow_nan=False)
    return document


def _records(result: AnnotationResult) -> list[dict[str, object]]:
    """The cluster table as JSON rows; a missing value is null."""
    rows: list[dict[str, object]] = json.loads(result.clusters.to_json(orient="records", double_precision=15))
    return rows


@contextlib.contextmanager
def naming(source: Path) -> Iterator[None]:
    """Put the input's name before the message of a user error that does not say it."""
    try:
        yield
    except UserError as error:
        found = error.found.removeprefix("the AnnData: ")
        if source.name in found:
            raise
        raise type(error)(f"{source.name}: {found}", expected=error.expected, fix=error.fix) from error


@contextlib.contextmanager
def clean_streams(*, debug: bool) -> Iterator[None]:
    """Keep stdout for our own data, and libraries' warnings off the terminal, unless debugging."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("once" if debug else "ignore")
        yield
