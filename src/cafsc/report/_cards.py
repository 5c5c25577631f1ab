"""One card a cluster: what it is, which way the evidence points, what the call is sensitive to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cafsc._keys import UNRESOLVED
from cafsc.report._words import (
    CALL_SIGNS,
    call_name,
    call_reason,
    count,
    number,
    share,
    unresolved_reason,
)

if TYPE_CHECKING:
    import pandas as pd

N_PROGRAMS = 4
FDR = 0.05
NONE = ("", "nan", UNRESOLVED)


def cards(clusters: pd.DataFrame, scores: pd.DataFrame, summary: dict[str, Any]) -> list[dict[str, Any]]:
    """What the template shows of each cluster, in order."""
    total = int(clusters["n_cells"].sum())
    states = summary.get("states", {})
    return [
        {
            "anchor": f"cluster-{i + 1}",
            "cluster": row["cluster"],
            "n_cells": count(row["n_cells"], "cell"),
            "share": share(row["n_cells"], total),
            "subtype": row["subtype"],
            "meaning": states.get(row["subtype"], {}).get("meaning", ""),
            "named": row["subtype"] != UNRESOLVED,
            "reason": unresolved_reason(row["reason"]) if row["subtype"] == UNRESOLVED else "",
            "support": number(row["support"]),
            "runner_up": row["runner_up"],
            "margin": number(row["margin"], 1),
            "call": row["call"],
            "call_name": call_name(row["call"], row["call_reason"]),
            "sign": CALL_SIGNS.get(row["call"], "○"),
            "call_reason": call_reason(row["call_reason"]),
            "score": number(row["verdict_score"], sign=True),
            "interval": _interval(row),
            "needle": f"{50 + 50 * max(-1.0, min(1.0, row['verdict_score'])):.1f}" if _known(row) else "",
            "balance": _balance(row),
            "leading": row["leading"],
            "prognosis": row["prognosis"],
            "therapy_response": row["therapy_response"],
            "sensitive_to": row["sensitive_to"],
            "top_genes": [g.strip() for g in row["top_genes"].split(",") if g.strip()],
            "programs": _programs(scores, row["cluster"]),
            "schemes": [
                (column.removeprefix("scheme_"), row[column])
                for column in clusters.columns
                if column.startswith("scheme_") and row[column] not in NONE
            ],
        }
        for i, row in enumerate(clusters.to_dict(orient="records"))
    ]


def _known(row: dict[Any, Any]) -> bool:
    return bool(row["verdict_score"] == row["verdict_score"] and row["n_pro"] + row["n_anti"] > 0)


def _interval(row: dict[Any, Any]) -> str:
    """95% interval of the score, where more than one paper takes a side."""
    if row["n_pro"] + row["n_anti"] < 2:
        return ""
    low, high = row["verdict_low"], row["verdict_high"]
    return "" if math.isnan(low + high) else f"{number(low, sign=True)} to {number(high, sign=True)}"


def _balance(row: dict[Any, Any]) -> str:
    if row["n_pro"] + row["n_anti"] == 0:
        return "no paper takes a side"
    return f"{count(row['n_pro'], 'paper')} pro, {row['n_anti']:,} anti"


def _programs(scores: pd.DataFrame, cluster: str) -> list[tuple[str, str]]:
    """Programmes clearly above chance, strongest first, with their effect."""
    here = scores[
        (scores["cluster"] == cluster)
        & (scores["kind"] == "program")
        & (scores["fdr"] < FDR)
        & (scores["effect"] > 0)
    ]
    here = here.sort_values(["effect", "set"], ascending=[False, True], kind="stable").head(N_PROGRAMS)
    return [
        (label or name, number(float(effect), 1, sign=True))
        for name, label, effect in zip(here["set"], here["label"], here["effect"], strict=True)
    ]
