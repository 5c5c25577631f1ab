"""What the templates show: one card a cluster, one ledger a cluster, calls by cancer, calls and refusals in all."""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import quote, urlsplit

import pandas as pd

from cafsc._keys import ANTI, CALLS, PRO, UNRESOLVED
from cafsc.get.schema import EVIDENCE
from cafsc.report import _words as words

Row = dict[Any, Any]
N_PROGRAMS = 4
FDR = 0.05
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_PMID = re.compile(r"[1-9]\d{0,8}")
_UNSAFE = re.compile(r"[\s\"'<>\x00-\x1f]")


def call_shares(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Share of the kept cells with each call that occurs."""
    calls = {call: int(summary["calls"].get(call, 0)) for call in CALLS}
    total = sum(calls.values())
    return [
        {
            "call": call,
            "name": words.call_name(call),
            "n_cells": n,
            "percent": words.share(n, total),
            "interval": intervals(summary["tumour"].get(call, {})),
            "width": f"{100 * n / total:.2f}",
        }
        for call, n in calls.items()
        if n
    ]


def intervals(found: dict[str, float]) -> str:
    """Interval of a share over resampled cells and, where there are several, samples."""
    if not found:
        return ""
    text = f"{words.percent_range(found['low'], found['high'])} over resampled cells"
    if "low_samples" in found:
        text += f", {words.percent_range(found['low_samples'], found['high_samples'])} over resampled samples"
    return text


def refused(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Cells refused for each reason, most frequent first."""
    total = int(summary["input"]["n_cells"])
    reasons = sorted(summary["gate"]["refused"].items(), key=lambda item: (-int(item[1]), item[0]))
    return [
        {
            "code": code,
            "name": words.gate_reason(code),
            "n_cells": int(n),
            "percent": words.share(int(n), total),
        }
        for code, n in reasons
    ]


def cards(clusters: pd.DataFrame, scores: pd.DataFrame, summary: dict[str, Any]) -> list[Row]:
    """What the card of each cluster shows, in order: its row of the table, with words for codes and numbers."""
    total = int(clusters["n_cells"].sum())
    return [
        {
            **row,
            **_verdict(row),
            "anchor": f"cluster-{i + 1}",
            "n_cells": words.count(row["n_cells"], "cell"),
            "share": words.share(row["n_cells"], total),
            "meaning": summary.get("states", {}).get(row["subtype"], {}).get("meaning", ""),
            "named": row["subtype"] != UNRESOLVED,
            "reason": words.unresolved_reason(row["reason"]) if row["subtype"] == UNRESOLVED else "",
            "support": words.number(row["support"]),
            "margin": words.number(row["margin"], 1),
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


def _verdict(row: Row) -> dict[str, str]:
    """The call of a cluster, its score and its papers."""
    score, low, high = row["verdict_score"], row["verdict_low"], row["verdict_high"]
    n_papers = row["n_pro"] + row["n_anti"]
    ends = f"{words.number(low, sign=True)} to {words.number(high, sign=True)}"
    papers = f"{words.count(row['n_pro'], 'paper')} pro, {row['n_anti']:,} anti"
    return {
        "call_name": words.call_name(row["call"], row["call_reason"]),
        "sign": words.CALL_SIGNS.get(row["call"], "○"),
        "call_reason": words.call_reason(row["call_reason"]),
        "score": words.number(score, sign=True),
        "interval": ends if n_papers > 1 and not math.isnan(low + high) else "",
        "needle": f"{50 + 50 * max(-1.0, min(1.0, score)):.1f}" if n_papers and not math.isnan(score) else "",
        "balance": papers if n_papers else "no paper takes a side",
    }


def _programs(scores: pd.DataFrame) -> list[tuple[str, str]]:
    """Programmes clearly above chance in one cluster, strongest first, with their effect."""
    clear = scores[(scores["kind"] == "program") & (scores["fdr"] < FDR) & (scores["effect"] > 0)]
    first = clear.sort_values(["effect", "set"], ascending=[False, True]).head(N_PROGRAMS)
    return [
        (label or name, words.number(effect, 1, sign=True))
        for name, label, effect in zip(first["set"], first["label"], first["effect"], strict=True)
    ]


def cancer_rows(cancers: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a cancer with a cell for each cluster: the given cancer first, then by how much was studied in it.

    Cancers in which no claim about a present subject was made would only repeat the others; they are left out.
    """
    rows = [
        {
            "code": str(code),
            "label": str(group["cancer_label"].iloc[0]),
            "chosen": bool(group["chosen"].any()),
            "own": int(group["n_own"].sum()),
            "cells": [
                {
                    **row,
                    "sign": words.CALL_SIGNS.get(row["call"], "○"),
                    "name": words.call_name(row["call"], row["call_reason"]),
                    "score": words.number(row["score"], sign=True),
                    "own": words.count(int(row["n_own"]), "paper"),
                }
                for row in group.to_dict("records")
            ],
        }
        for code, group in cancers.groupby("cancer", sort=False)
        if group["n_own"].any() or group["chosen"].any()
    ]
    return sorted(rows, key=lambda row: (not row["chosen"], -row["own"], row["code"]))


def ledgers(clusters: pd.DataFrame, evidence: pd.DataFrame) -> list[Row]:
    """The claims about each cluster, grouped by side."""
    titles = EVIDENCE["side"].codes
    out = []
    for i, row in enumerate(clusters.to_dict("records")):
        claims = evidence[evidence["cluster"] == row["cluster"]]
        sides = claims.groupby("side", sort=False)
        record = {
            **row,
            "anchor": f"evidence-{i + 1}",
            "call_name": words.call_name(row["call"], row["call_reason"]),
            "size": words.count(len(claims), "claim"),
            "groups": [
                (titles.get(side, "Other"), [*map(_claim, its.to_dict("records"))]) for side, its in sides
            ],
        }
        out.append(record)
    return out


def _claim(row: Row) -> dict[Any, Any]:
    """A row of the evidence table with words for codes and numbers."""
    reported = {"prognosis": row["prognosis"], "response to therapy": row["therapy_response"]}
    outcomes = [words.outcome(what, code) for what, code in reported.items()]
    return {
        **row,
        "subject": words.subject(row["about"]),
        "mechanism": words.spaced(row["mechanism"]),
        "outcomes": [text for text in outcomes if text],
        "evidence": words.evidence_level(row["evidence"]),
        "rank": words.evidence_rank(row["evidence"]),
        "cancer": words.spaced(row["cancer"]),
        "citation": row["citation"] or row["paper"],
        "address": address(row["doi"], row["pmid"], row["link"]),
        "verified": EVIDENCE["verified"].word(row["verified"]) or row["verified"],
        "weight": words.number(row["weight"]),
        "votes": row["counted"] or row["effect"] not in (PRO, ANTI),
        "weight_value": f"{row['weight']:.6f}",
    }


def address(doi: str, pmid: str, link: str) -> str:
    """Where the paper opens: by DOI, by PubMed ID, else the link; ``""`` where none of them is an https address.

    A catalogue of the user's may hold anything.
    """
    if _DOI.fullmatch(doi):
        return f"https://doi.org/{quote(doi, safe='/-._;()')}"
    if _PMID.fullmatch(pmid):
        return f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return link if parts.scheme == "https" and parts.hostname and not _UNSAFE.search(link) else ""
