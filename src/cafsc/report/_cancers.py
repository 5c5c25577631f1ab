"""The table of cancers side by side: the same claims, weighed for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cafsc.report._words import CALL_SIGNS, call_name, call_reason, count, number

if TYPE_CHECKING:
    import pandas as pd


def cancer_rows(cancers: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a cancer with a cell for each cluster: the given cancer first, then by how much was studied in it.

    Cancers in which no claim about a present subject was made would only repeat the others; they are left out.
    """
    rows = []
    for code, group in cancers.groupby("cancer", sort=False):
        own = int(group["n_own"].sum())
        chosen = bool(group["chosen"].any())
        if not own and not chosen:
            continue
        rows.append(
            {
                "code": str(code),
                "label": str(group["cancer_label"].iloc[0]),
                "chosen": chosen,
                "own": own,
                "cells": [_cell(row) for row in group.to_dict("records")],
            }
        )
    return sorted(rows, key=lambda row: (not row["chosen"], -row["own"], row["code"]))


def _cell(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "cluster": str(row["cluster"]),
        "call": str(row["call"]),
        "sign": CALL_SIGNS.get(row["call"], "○"),
        "name": call_name(row["call"], row["call_reason"]),
        "score": number(row["score"], sign=True),
        "own": count(int(row["n_own"]), "paper"),
        "why": call_reason(row["call_reason"]),
    }
