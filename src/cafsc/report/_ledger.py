"""The evidence, cluster by cluster: every claim with its source and its weight."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from cafsc._keys import ANTI, PRO
from cafsc.report._words import (
    VERIFIED_NAMES,
    call_name,
    count,
    evidence_level,
    evidence_rank,
    number,
    outcome,
    spaced,
    subject,
)

if TYPE_CHECKING:
    import pandas as pd

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_PMID = re.compile(r"[1-9]\d{0,8}")
SIDES = (
    ("for", "For the call"),
    ("pro", "For a pro-tumour role"),
    ("against", "Against the call"),
    ("anti", "For an anti-tumour role"),
    ("context", "Context: depends on circumstances"),
)


def ledgers(clusters: pd.DataFrame, evidence: pd.DataFrame) -> list[dict[str, Any]]:
    """One book a cluster, its claims grouped by side."""
    books = []
    for i, cluster in enumerate(clusters.to_dict(orient="records")):
        claims = evidence[evidence["cluster"] == cluster["cluster"]].to_dict(orient="records")
        known = [side for side, _ in SIDES]
        groups = [(title, [c for c in claims if c["side"] == side]) for side, title in SIDES]
        groups.append(("Other", [c for c in claims if c["side"] not in known]))
        books.append(
            {
                "anchor": f"evidence-{i + 1}",
                "cluster": cluster["cluster"],
                "subtype": cluster["subtype"],
                "call": cluster["call"],
                "call_name": call_name(cluster["call"], cluster["call_reason"]),
                "size": count(len(claims), "claim"),
                "groups": [(title, [_claim(c) for c in group]) for title, group in groups if group],
            }
        )
    return books


def _claim(row: dict[Any, Any]) -> dict[str, Any]:
    return {
        "id": row["claim"],
        "effect": row["effect"],
        "statement": row["statement"],
        "subject": subject(row["about"]),
        "mechanism": spaced(row["mechanism"]),
        "outcomes": [
            text
            for text in (
                outcome("prognosis", row["prognosis"]),
                outcome("response to therapy", row["therapy_response"]),
            )
            if text
        ],
        "evidence": evidence_level(row["evidence"]),
        "rank": evidence_rank(row["evidence"]),
        "cancer": spaced(row["cancer"]),
        "species": row["species"],
        "citation": row["citation"] or row["paper"],
        "address": address(row["doi"], row["pmid"], row["link"]),
        "verified": VERIFIED_NAMES.get(row["verified"], row["verified"]),
        "weight": number(row["weight"]),
        "votes": bool(row["counted"]) or row["effect"] not in (PRO, ANTI),
        "weight_value": f"{row['weight']:.6f}",
    }


def address(doi: str, pmid: str, link: str) -> str:
    """Where the paper opens: by DOI, by PubMed ID, else the link; ``""`` where none of them is an address.

    A catalogue of the user's may hold anything: only https addresses come through.
    """
    if _DOI.fullmatch(doi):
        return f"https://doi.org/{quote(doi, safe='/-._;()')}"
    if _PMID.fullmatch(pmid):
        return f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return (
        link
        if parts.scheme == "https" and parts.hostname and not re.search(r"[\s\"'<>\x00-\x1f]", link)
        else ""
    )
