"""What the templates show: one card a cluster, one ledger a cluster, calls by cancer."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cafsc._keys import UNRESOLVED
from cafsc.get.schema import EVIDENCE

Row = dict[Any, Any]
N_PROGRAMS = 4
FDR = 0.05


def cards(clusters: pd.DataFrame, scores: pd.DataFrame, summary: dict[str, Any]) -> list[Row]:
    """What the card of each cluster shows, in order: its row of the table, and what belongs to it."""
    return [
        {
            **row,
            "anchor": f"cluster-{i + 1}",
            "n_papers": row["n_pro"] + row["n_anti"],
            "meaning": summary.get("states", {}).get(row["subtype"], {}).get("meaning", ""),
            "genes": [gene for gene in row["top_genes"].split(", ") if gene],
            "programs": _programs(scores[scores["cluster"] == row["cluster"]]),
            "schemes": [
                (str(column).removeprefix("scheme_"), value)
                for column, value in row.items()
                if str(column).startswith("scheme_") and value not in ("", "nan", UNRESOLVED)
            ],
        }
        for i, row in enumerate(clusters.to_dict("records"))
    ]


def _programs(scores: pd.DataFrame) -> list[Row]:
    """Programmes clearly above chance in one cluster, strongest first."""
    clear = scores[(scores["kind"] == "program") & (scores["fdr"] < FDR) & (scores["effect"] > 0)]
    first = clear.sort_values(["effect", "set"], ascending=[False, True]).head(N_PROGRAMS)
    return first.to_dict("records")


def cancer_rows(cancers: pd.DataFrame) -> list[Row]:
    """One row a cancer with a cell for each cluster: the given cancer first, then by how much was studied in it.

    Cancers in which no claim about a present subject was made would only repeat the others; they are left out.
    """
    rows = [
        {
            "code": str(code),
            "label": str(group["cancer_label"].iloc[0]),
            "chosen": bool(group["chosen"].any()),
            "own": int(group["n_own"].sum()),
            "cells": group.to_dict("records"),
        }
        for code, group in cancers.groupby("cancer", sort=False)
        if group["n_own"].any() or group["chosen"].any()
    ]
    return sorted(rows, key=lambda row: (not row["chosen"], -row["own"], row["code"]))


def ledgers(clusters: pd.DataFrame, evidence: pd.DataFrame) -> list[Row]:
    """The claims about each cluster, grouped by side."""
    titles = EVIDENCE["side"].codes
    books = []
    for i, row in enumerate(clusters.to_dict("records")):
        claims = evidence[evidence["cluster"] == row["cluster"]]
        sides = claims.groupby("side", sort=False)
        groups = [(titles.get(str(side), "Other"), its.to_dict("records")) for side, its in sides]
        books.append({**row, "anchor": f"evidence-{i + 1}", "n_claims": len(claims), "groups": groups})
    return books
