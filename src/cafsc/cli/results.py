"""Commands on what ``cafsc annotate`` wrote: explain, report, crosstalk and targets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cafsc.cli.failures import naming
from cafsc.cli.options import AsJson, Debug, Force
from cafsc.cli.outputs import refuse_taken
from cafsc.cli.terminal import clean_streams, cut, emit, emit_json, printable, say, table

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

SHOWN = 15
"""Rows of a table on the terminal; the file holds all."""
WIDTH = 36

OutFile = Annotated[Path, typer.Argument(metavar="OUT.h5ad", help="What cafsc annotate wrote.")]
Table = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE.tsv", help="Write all rows here.")
]
Rows = Annotated[bool, typer.Option("--json", help="All rows as JSON on stdout.")]


def explain(
    annotated: OutFile,
    *,
    cluster: Annotated[
        str | None, typer.Option("--cluster", "-c", metavar="NAME", help="Cluster [default: every one].")
    ] = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say why a cluster has its name and its call, who says so, and what would change it."""
    from cafsc import get, io, tl

    with clean_streams(debug=debug):
        adata = io.read(annotated)
        with naming(annotated):
            names = get.clusters(adata)["cluster"].tolist() if cluster is None else [cluster]
            found = [tl.explain(adata, name) for name in names]
            message = get.summary(adata)["message"]
    if not found:
        say(message or "no fibroblast cluster to explain")
    if as_json:
        documents = [explanation.to_dict() for explanation in found]
        emit_json(documents if cluster is None else documents[0])
    else:
        for number, explanation in enumerate(found):
            emit(*([""] if number else []), *map(printable, str(explanation).splitlines()))


def report(
    annotated: OutFile,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.html", help="Where to write the report.")
    ] = Path("report.html"),
    force: Force = False,
    debug: Debug = False,
) -> None:
    """Write the HTML report of a finished run."""
    from cafsc import io
    from cafsc import report as reports

    with clean_streams(debug=debug):
        adata = io.read(annotated)
        with naming(annotated):
            reports.write(adata, output, force=force)
    say(f"-> {output}")


def crosstalk(
    annotated: OutFile,
    *,
    output: Table = None,
    resource: Annotated[
        Literal["consensus", "catalogue"],
        typer.Option(help="consensus: also the pairs of liana's resource; catalogue: without liana."),
    ] = "consensus",
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the shuffled labels.")] = 0,
    as_json: Rows = False,
    force: Force = False,
    debug: Debug = False,
) -> None:
    """List pairs, exosomes, origins and stimuli between CAFs and other cells, each with its papers."""

    def compute(adata: AnnData) -> pd.DataFrame:
        import pandas as pd

        from cafsc import tl

        found = [tl.crosstalk(adata, resource=resource, seed=seed), tl.exosome(adata), tl.origin(adata)]
        return pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True)

    _table_of(annotated, compute, _crosstalk_lines, output, as_json=as_json, force=force, debug=debug)


def targets(
    annotated: OutFile,
    *,
    output: Table = None,
    as_json: Rows = False,
    force: Force = False,
    debug: Debug = False,
) -> None:
    """List which compounds' targets and which biomarkers each CAF cluster expresses; no efficacy is claimed."""

    from cafsc import tl

    _table_of(annotated, tl.targets, _target_lines, output, as_json=as_json, force=force, debug=debug)


def _table_of(
    annotated: Path,
    compute: Callable[[AnnData], pd.DataFrame],
    lines: Callable[[pd.DataFrame], list[str]],
    output: Path | None,
    *,
    as_json: bool,
    force: bool,
    debug: bool,
) -> None:
    """Compute a table from a finished run, write it where asked, and print it as lines or JSON."""
    from cafsc import io

    with clean_streams(debug=debug):
        if output is not None and not force:
            refuse_taken([output])
        adata = io.read(annotated)
        with naming(annotated):
            found = compute(adata)
    if output is not None:
        io.write_tsv(found, output, force=force)
    if as_json:
        emit_json(found.astype(object).where(found.notna(), None).to_dict("records"))
    else:
        emit(*map(printable, lines(found)))
    if output is not None:
        say(f"-> {output}")


def _crosstalk_lines(found: pd.DataFrame) -> list[str]:
    from cafsc.tl.crosstalk.table import KINDS, NAMED, Status

    if not len(found):
        return ["no CAF cluster in this file, so nothing to say about crosstalk"]
    lines = []
    tested = found[(found["kind"] == "pair") & (found["named"] == NAMED) & (found["p"].notna())]
    best = tested.drop_duplicates("id").head(SHOWN)
    if len(best):
        rows = [
            [
                row["label"],
                f"{row['source']} {row['source_state']}".strip(),
                f"{row['target']} {row['target_state']}".strip(),
                row["effect"],
                row["status"],
                f"{row['fdr']:.3f}",
                f"{row['response']} {row['response_effect']:.1f}" if row["response"] else "",
                row["papers"].split(";")[0],
            ]
            for row in best.to_dict("records")
        ]
        header = ["pair", "from", "to", "effect", "status", "fdr", "answer", "papers"]
        lines += ["Pairs that the CAF literature names, the best row of each (expression, not signals):"]
        lines += [*table(header, rows, right=["fdr"]), ""]
    counts = found[["kind", "status", "named"]].astype(str).value_counts(sort=False)
    order = sorted(counts.index, key=lambda key: (KINDS.index(key[0]), [*Status].index(key[1]), key[2]))
    rows = [[*key, str(counts[key])] for key in order]
    return [*lines, *table(["kind", "status", "named", "rows"], rows, right=["rows"])]


def _target_lines(found: pd.DataFrame) -> list[str]:
    from cafsc.tl.crosstalk.table import Status
    from cafsc.tl.crosstalk.targets import AGENT, KINDS, RESTRAINING

    warned = found["warning"].str.startswith(RESTRAINING)
    lines = []
    for cluster in sorted(set(found["cluster"][warned])):
        lines += [f"!! cluster {cluster}: {RESTRAINING}", ""]
    lines.append("Expression of a target is no answer to a drug: nothing here says that a compound works.")
    for kind in KINDS:
        expressed = found[(found["kind"] == kind) & (found["status"] == Status.EXPRESSED)].head(SHOWN)
        last = "evidence" if kind == AGENT else "predicts"
        rows = [
            [
                f"{'!! ' if row['warning'].startswith(RESTRAINING) else ''}{row['cluster']}",
                row["state"],
                row["call"],
                *(cut(row[name], WIDTH) for name in ("label", "expressed", "also_in")),
                row[last],
                row["papers"].split(";")[0],
            ]
            for row in expressed.to_dict("records")
        ]
        if rows:
            header = ["cluster", "state", "call", kind, "expressed", "also in", last, "papers"]
            lines += ["", *table(header, rows)]
    counted = Counter((str(row.kind), str(row.status)) for row in found.itertuples())
    return [*lines, "", *(f"{kind}, {status}: {n} rows" for (kind, status), n in counted.items())]
