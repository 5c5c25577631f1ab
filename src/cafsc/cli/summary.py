"""The lines that ``cafsc annotate`` ends with: what came in, what was kept, and one row a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cafsc._keys import UNRESOLVED
from cafsc.cli.outputs import Outputs
from cafsc.cli.terminal import cut, table

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 10
MAX_MESSAGE = 240
MAX_EXAMPLES = 60
MAX_REASONS = 5
MAX_LEADING = 60
MAX_NAME = 24


def plan_lines(document: Mapping[str, Any]) -> list[str]:
    """Lines of a dry run: the checked input, the catalogue, and the files that would be written."""
    found, catalogue = document["input"], document["catalogue"]
    return [
        input_line(found),
        *finding_lines(found["findings"]),
        f"catalogue: {catalogue['n_sets']} gene sets, {catalogue['n_claims']} claims",
        "dry run: nothing written; a run would write",
        *(f"  {path}" for path in document["would_write"]),
    ]


def result_lines(summary: Mapping[str, Any], clusters: pd.DataFrame, outputs: Outputs) -> list[str]:
    """Lines of a finished run."""
    lines = [
        input_line(summary["input"]),
        *finding_lines(summary["input"].get("findings", ())),
        gate_line(summary["gate"]),
        "",
    ]
    if summary.get("message"):
        lines += [str(summary["message"]), ""]
    if len(clusters):
        lines += [*cluster_lines(clusters), ""]
    if summary.get("simulated"):
        lines.append("simulated data: the cells were drawn by a program, no patient gave them")
    places = [outputs.h5ad, outputs.report if outputs.with_report else outputs.folder]
    return [*lines, "-> " + "   ".join(str(place) for place in places)]


def input_line(found: Mapping[str, Any]) -> str:
    """``tumour.h5ad  1,564 cells x 29,733 genes, raw counts, human  ok``."""
    from cafsc.pp.check.matrix import KIND_WORDS

    words = [
        f"{found['n_cells']:,} cells x {found['n_genes']:,} genes",
        KIND_WORDS.get(found["matrix"], str(found["matrix"])),
        str(found.get("species") or "unknown species"),
    ]
    bad = any(item["severity"] != "note" for item in found.get("findings", ()))
    return f"{found['file']}  {', '.join(words)}  {'see below' if bad else 'ok'}"


def finding_lines(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every finding in one line, warnings first, then notes."""
    ordered = sorted(findings, key=lambda item: item["severity"] == "note")
    return [f"{item['severity']}: {cut(item['message'], MAX_MESSAGE)}{such_as(item)}" for item in ordered]


def such_as(finding: Mapping[str, Any]) -> str:
    """`` (such as a, b)``: the examples of a finding, in short."""
    examples = finding.get("examples", ())
    return f" (such as {cut(', '.join(examples), MAX_EXAMPLES)})" if examples else ""


def gate_line(gate: Mapping[str, Any]) -> str:
    """``kept 371 fibroblasts; refused 317 mural, 21 doublet``, the most frequent reasons first."""
    refused = sorted(gate["refused"].items(), key=lambda pair: (-pair[1], pair[0]))
    # In words: ``smooth muscle`` of ``not_fibroblast:smooth_muscle``.
    words = [(code.rpartition(":")[2].replace("_", " "), count) for code, count in refused]
    parts = [f"{count:,} {reason}" for reason, count in words[:MAX_REASONS] if count]
    rest = sum(count for _, count in refused[MAX_REASONS:])
    if rest:
        parts.append(f"{rest:,} others")
    return f"kept {gate['kept']:,} fibroblasts" + (f"; refused {', '.join(parts)}" if parts else "")


def cluster_lines(clusters: pd.DataFrame) -> list[str]:
    """The cluster table, largest clusters first as they come."""
    header = ("cluster", "cells", "state", "support", "call", "pro/anti", "leading evidence")
    rows = [_row(record) for record in clusters.head(MAX_ROWS).to_dict("records")]
    lines = table(header, rows, right=("cells", "support", "pro/anti"))
    if len(clusters) > MAX_ROWS:
        lines.append(f"... and {len(clusters) - MAX_ROWS} more in clusters.tsv")
    return lines


def _row(record: Mapping[Any, Any]) -> tuple[str, ...]:
    unresolved = record["subtype"] == UNRESOLVED
    n_pro, n_anti = int(record["n_pro"]), int(record["n_anti"])
    return (
        cut(str(record["cluster"]), MAX_NAME),
        f"{int(record['n_cells']):,}",
        str(record["subtype"]),
        "-" if unresolved else f"{float(record['support']):.2f}",
        f"{record['call']} (single source)"
        if record.get("call_reason") == "single_source"
        else str(record["call"]),
        f"{n_pro} / {n_anti}" if n_pro or n_anti else "-",
        cut(_why(record) if unresolved else _leading(str(record["leading"])), MAX_LEADING),
    )


def _leading(citations: str) -> str:
    """The first papers: three of one side, or two of each where both have weight."""
    sides = citations.split(" | ")
    shown = 3 if len(sides) == 1 else 2
    return " | ".join(", ".join(side.split(", ")[:shown]) for side in sides)


def _why(record: Mapping[Any, Any]) -> str:
    """Why a cluster has no name: ``mixed: myCAF + iCAF``."""
    code, colon, names = str(record["reason"]).partition(":")
    return code.replace("_", " ") + (f": {names.replace('+', ' + ')}" if colon else "")
