"""From the slots of a result to one HTML string."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cafsc import get
from cafsc.report._cancers import cancer_rows
from cafsc.report._cards import cards
from cafsc.report._figures import figures
from cafsc.report._ledger import ledgers
from cafsc.report._page import render
from cafsc.report._words import answer, call_name, gate_reason, percent_range, share

if TYPE_CHECKING:
    from anndata import AnnData


def build(adata: AnnData, key_added: str = "caf") -> str:
    """Make the report of a run.

    Everything is inside the one string: style, script, figures. It asks the network for nothing, and the same
    result gives the same bytes. Text from the user or from files is escaped, and freed of terminal escapes.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on; it is not changed.
    key_added
        The ``key_added`` of that run.

    Returns
    -------
    str
        An HTML document, to be stored as UTF-8.

    Raises
    ------
    cafsc.InputError
        The AnnData holds no result under ``key_added``.
    """
    summary = get.summary(adata, key_added)
    clusters = get.clusters(adata, key_added)
    evidence = get.evidence(adata, key_added)
    books = ledgers(clusters, evidence)
    return render(
        summary=summary,
        answer=answer(summary, clusters),
        calls=_calls(summary),
        cards=cards(clusters, get.scores(adata, key_added), summary),
        cancers=cancer_rows(get.cancers(adata, key_added)),
        cancer_clusters=clusters["cluster"].tolist(),
        ledgers=books,
        n_claims=len(evidence),
        figures=figures(adata, key_added),
        refused=_refused(summary),
        lineages=sorted(summary["lineages"].items(), key=lambda item: (-int(item[1]), item[0])),
        provenance=flatten(get.provenance(adata, key_added)),
        provenance_json=json.dumps(
            get.provenance(adata, key_added), indent=2, sort_keys=True, ensure_ascii=False
        ),
    )


def flatten(record: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested record to pairs of dotted name and value, sorted by name."""
    if isinstance(record, dict) and record:
        return [
            pair
            for key in sorted(record, key=str)
            for pair in flatten(record[key], f"{name}.{key}" if name else str(key))
        ]
    if isinstance(record, list):
        return [(name, ", ".join(map(str, record)) or "none")]
    return [(name, "none" if record is None or record == {} else str(record))]


def _calls(summary: dict[str, Any]) -> list[dict[str, Any]]:
    total = sum(map(int, summary["calls"].values()))
    return [
        {
            "call": call,
            "name": call_name(call),
            "n_cells": int(summary["calls"][call]),
            "percent": share(int(summary["calls"][call]), total),
            "interval": _intervals(summary["tumour"].get(call, {})),
            "width": f"{100 * int(summary['calls'][call]) / total:.2f}",
        }
        for call in ("pro", "anti", "mixed", "undetermined")
        if total and summary["calls"].get(call)
    ]


def _intervals(found: dict[str, float]) -> str:
    """How far a share moves when cells, and samples, are drawn again."""
    if not found:
        return ""
    text = f"{percent_range(found['low'], found['high'])} over resampled cells"
    if "low_samples" in found:
        text += f", {percent_range(found['low_samples'], found['high_samples'])} over resampled samples"
    return text


def _refused(summary: dict[str, Any]) -> list[dict[str, Any]]:
    total = int(summary["input"]["n_cells"])
    refused = sorted(summary["gate"]["refused"].items(), key=lambda item: (-int(item[1]), item[0]))
    return [
        {"code": code, "name": gate_reason(code), "n_cells": int(n), "percent": share(int(n), total)}
        for code, n in refused
    ]
