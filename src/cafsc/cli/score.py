"""``cafsc score``: signatures and the net verdict per sample of a bulk cohort, and survival models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cafsc._options import RunOptions
from cafsc.cli.failures import naming
from cafsc.cli.options import Debug, Force, Quiet, with_run_options
from cafsc.cli.outputs import OTHER_FOLDER, refuse_taken, staging
from cafsc.cli.terminal import clean_streams, cut, emit_json, progress, say, table
from cafsc.errors import OptionError, OutputError

if TYPE_CHECKING:
    import pandas as pd

    from cafsc.bulk import BulkResult, Survival

SUFFIXES = (".gz", ".tsv", ".csv", ".txt", ".tab", ".gct", ".h5ad")
TABLES = ("scores", "verdict", "subjects", "evidence", "ssgsea", "survival")
CURVES = "kaplan_meier"
MAX_ROWS = 10
MAX_CURVES = 6
MAX_NAME = 28


@with_run_options("cancer", "species", "signatures", "weights")
def score(
    matrix: Annotated[
        Path, typer.Argument(metavar="MATRIX", help="Expression of a cohort: .tsv, .csv (also .gz) or .h5ad.")
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="OUTDIR", help="Folder to write [default: <stem>.scores]."),
    ] = None,
    options: RunOptions,
    exclude_paper: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Leave out all that this paper says. Repeatable.")
    ] = None,
    ssgsea: Annotated[
        bool, typer.Option("--ssgsea/--no-ssgsea", help="Score with gseapy's ssGSEA as well.")
    ] = True,
    clinical: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Clinical table, one row a sample, for survival models."),
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COL", help="Its column with the time to event or censoring.")
    ] = None,
    event: Annotated[
        str | None, typer.Option(metavar="COL", help="Its column with the event: 1 happened, 0 censored.")
    ] = None,
    adjust: Annotated[
        list[str] | None, typer.Option(metavar="COL", help="Its column to adjust for. Repeatable.")
    ] = None,
    force: Force = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Summary, verdicts and survival as one JSON document on stdout.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Score every sample of a bulk or pseudobulk cohort by the catalogue; with --clinical, test survival.

    MATRIX is genes x samples or samples x genes, as counts, TPM, logged or from arrays: detected and said. Writes
    scores.tsv, ssgsea.tsv, verdict.tsv, subjects.tsv, evidence.tsv and summary.json to OUTDIR; with --clinical also
    survival.tsv and kaplan_meier/. A verdict compares the samples of this cohort with each other.
    """
    if clinical is None and (time or event or adjust):
        raise OptionError("--time, --event and --adjust need --clinical", fix="give the clinical table")
    if clinical is not None and not (time and event):
        raise OptionError("--clinical needs --time and --event", fix="name its two columns")
    folder = output or default_folder(matrix)
    _check_folder(folder, (matrix, *([clinical] if clinical else [])), force=force)
    with clean_streams(debug=debug), progress(quiet=quiet) as step:
        from cafsc import _provenance, bulk, io

        catalogue, options = _provenance.settle(options)
        step(f"read {matrix.name}", 0, 0)
        expression = bulk.read(matrix)
        table = bulk.read_clinical(clinical) if clinical else None
        step("score", 0, 0)
        papers = tuple(exclude_paper or ())
        with naming(matrix):
            result = bulk.score(
                expression,
                cancer=options.cancer,
                species=options.species,
                catalogue=catalogue,
                ssgsea=ssgsea,
                exclude_papers=papers,
                source=matrix.name,
            )
        used = _provenance.used(options, catalogue)
        parameters = {name: used[name] for name in ("cancer", "signatures", "weights")}
        parameters |= {"exclude_papers": papers, "ssgsea": ssgsea}
        parameters |= {"species": result.summary["input"]["species"]}
        made = _provenance.provenance(parameters, catalogue.sha256, matrix.name, io.sha256(matrix))
        document = {**result.summary, "provenance": made}
        found = None
        if clinical and table is not None and time and event:
            step("survival", 0, 0)
            found = bulk.survival(
                result, table, time=time, event=event, adjust=tuple(adjust or ()), source=clinical.name
            )
            document["survival"] = {
                "file": clinical.name,
                "sha256": io.sha256(clinical),
                "n_samples": len(found.clinical),
                "n_events": int(found.clinical["event"].sum()),
                "notes": list(found.notes),
            }
        step(f"write {folder}", 0, 0)
        _write(folder, result, found, document, time or "time", force=force)
    if not quiet:
        say(*_lines(result, found, folder))
    if as_json:
        tables = {"verdict": result.verdict} | ({"survival_table": found.table} if found else {})
        for name, frame in tables.items():
            document[name] = json.loads(frame.to_json(orient="records", double_precision=15))
        emit_json(document)


def default_folder(matrix: Path) -> Path:
    """``<stem>.scores`` beside the input."""
    stem = matrix.name
    while Path(stem).suffix.lower() in SUFFIXES and Path(stem).stem:
        stem = Path(stem).stem
    return matrix.with_name(f"{stem}.scores")


def _check_folder(folder: Path, inputs: tuple[Path, ...], *, force: bool) -> None:
    """Refuse, before anything is computed, what could not or must not be written."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file", expected="a folder", fix=OTHER_FOLDER)
    names = (*(f"{table}.tsv" for table in TABLES), "summary.json")
    paths = [folder / name for name in names] + sorted((folder / CURVES).glob("*.svg"))
    for path in paths:
        if any(path.exists() and given.exists() and path.samefile(given) for given in inputs):
            raise OutputError(f"{path}: is the input", fix=OTHER_FOLDER)
    if not force:
        refuse_taken(paths)


def _write(
    folder: Path,
    result: BulkResult,
    found: Survival | None,
    document: dict[str, Any],
    time: str,
    *,
    force: bool,
) -> None:
    """Write every table and plot, all of them or none; the summary stands for a whole run, and comes last."""
    from cafsc import io

    figures: dict[str, str] = {}
    survival = None
    if found is not None:
        survival, figures = found.table, _figures(found, time)
        document["survival"]["plots"] = sorted(figures)
    with staging(folder, force=force) as at:
        for name in TABLES:
            frame = survival if name == "survival" else getattr(result, name)
            if frame is not None:
                named = frame.rename_axis("sample").reset_index() if name in ("scores", "ssgsea") else frame
                io.write_tsv(named, at(folder / f"{name}.tsv"))
        for name, figure in figures.items():
            io.write_text(at(folder / CURVES / name), figure)
        io.write_text(at(folder / "summary.json"), json.dumps(document, indent=2, allow_nan=False) + "\n")


def _figures(found: Survival, time: str) -> dict[str, str]:
    """SVG by file name, of the scores with the smallest p and of the net verdict."""
    from matplotlib.figure import Figure

    from cafsc import bulk, pl
    from cafsc.bulk.survival import VERDICT
    from cafsc.sig.model import slugged

    out = {}
    tested = found.table[found.table["p"].notna()]
    for name in dict.fromkeys([*tested["id"].head(MAX_CURVES), VERDICT]):
        if (found.scores[name] > found.scores[name].median()).any():
            axes = pl.kaplan_meier(bulk.curves(found, name, time), ax=Figure())
            out[f"{slugged(name)}.svg"] = pl.to_svg(axes)
    return out


def _lines(result: BulkResult, found: Survival | None, folder: Path) -> list[str]:
    """What came in, the samples at both ends of the verdict, and the scores with the smallest p."""
    given = result.summary["input"]
    papers = result.summary["n_papers"]
    counts = ", ".join(f"{count} {call}" for call, count in result.summary["calls"].items())
    lines = [
        f"{given['file']}  {given['n_samples']:,} samples x {given['n_genes']:,} genes, {given['species']}",
        *(f"note: {note}" for note in given["notes"]),
        f"verdict, each sample within this cohort ({papers['pro']} papers pro, {papers['anti']} anti): {counts}",
        "",
        *_verdict_lines(result.verdict),
        "",
    ]
    if found is not None:
        lines += [*(f"note: {note}" for note in found.notes), *_survival_lines(found.table), ""]
    return [*lines, f"-> {folder}"]


def _verdict_lines(verdict: pd.DataFrame) -> list[str]:
    ordered = verdict.sort_values("verdict_score", ascending=False, kind="stable")
    half = MAX_ROWS // 2
    shown = ordered if len(ordered) <= MAX_ROWS else ordered.iloc[[*range(half), *range(-half, 0)]]
    rows = [
        (
            cut(str(row["sample"]), MAX_NAME),
            str(row["call"]),
            f"{row['verdict_score']:+.2f}",
            f"{row['verdict_low']:+.2f} to {row['verdict_high']:+.2f}",
            str(row["sensitive_to"]) or "-",
        )
        for row in shown.to_dict("records")
    ]
    header = ("sample", "call", "score", "one source left out", "sensitive to")
    lines = table(header, rows, right=("score",))
    more = len(ordered) - len(shown)
    return lines if not more else [*lines[: half + 1], f"... {more} more ...", *lines[half + 1 :]]


def _survival_lines(found: pd.DataFrame) -> list[str]:
    rows = [
        (
            cut(str(row["id"]), 40),
            f"{row['hazard_ratio']:.2f}",
            f"{row['low']:.2f} to {row['high']:.2f}",
            f"{row['p']:.2g}",
            f"{row['fdr']:.2g}",
        )
        for row in found[found["p"].notna()].head(MAX_ROWS).to_dict("records")
    ]
    return table(("score", "HR per SD", "95% CI", "p", "FDR"), rows, right=("HR per SD", "p", "FDR"))
