"""An explanation as a page of text."""

from __future__ import annotations

import textwrap
from typing import Any

from cafsc._keys import UNRESOLVED

WIDTH = 100
N_STATES = 4
N_LINEAGES = 3
_REASONS = {
    "": "",
    "no_claim": "no claim takes a side on what is present",
    "single_source": "single source",
    "both_sides": "papers of weight on both sides",
    "context_dependent": "the strong papers say it depends",
    "no_clear_side": "nearly balanced",
    "hangs_on_one_paper": "one paper or laboratory decides it",
    "unresolved": "the cluster has no name",
}


def page(found: dict[str, Any]) -> str:
    """All lines of one explanation, from `Explanation.to_dict`."""
    lines = [
        f"Cluster {found['cluster']}: {found['n_cells']:,} cells, {found['subtype']}, {_call(found)}",
        "",
        "Why fibroblasts",
        *_wrapped(_lineage(found)),
        "",
        f"Why {found['subtype']}" if found["subtype"] != UNRESOLVED else "Why it has no name",
        *_name(found),
        "",
        f"Why {found['call']}",
        *_verdict(found),
        "",
        "What would change it",
    ]
    for change in found["changes"]:
        lines += _item(f"{change['of']}: {change['text']}")
    if found["cancers"]:
        other = ", ".join(f"{call} in {cancer}" for cancer, call in found["cancers"].items())
        lines += _item(f"call: another cancer ({other}).")
    return "\n".join(lines)


def _call(found: dict[str, Any]) -> str:
    reason = _REASONS.get(found["call_reason"], found["call_reason"])
    return f"{found['call']} ({reason})" if reason else str(found["call"])


def _lineage(found: dict[str, Any]) -> str:
    first, *others = list(found["lineages"].items())[:N_LINEAGES]
    rest = ", ".join(f"{name} {score:.2f}" for name, score in others)
    return f"Its marker panels: {first[0]} {first[1]:.2f} of 1" + (f"; then {rest}." if rest else ".")


def _name(found: dict[str, Any]) -> list[str]:
    if not found["states"]:
        return _wrapped("No published state has enough of its genes in the data.")
    lines = []
    if found["reason"]:
        lines += _wrapped(f"Reason: {found['reason']}. {found['leading']} is ahead, but has not earned it.")
    shown = [s for s in found["states"] if s["state"] in (found["leading"], found["runner_up"])]
    shown += [s for s in found["states"] if s not in shown]
    for state in shown[:N_STATES]:
        lines.append(
            f"  {state['state']:<14} score {state['score']:+.2f}  effect {state['effect']:+.1f} SD  "
            f"{state['share']:>4.0%} of cells  {state['n_sets']} sets"
        )
    lines += _wrapped(
        f"Runner-up {found['runner_up'] or 'none'}, {found['margin']:.1f} standard errors "
        f"({found['lead']:.2f} log units) behind; support {found['support']:.2f} of 1."
    )
    if found["genes"]:
        genes = ", ".join(f"{name} ({cost:.3f})" for name, cost in found["genes"])
        lines += _wrapped(f"Genes that carried the lead, and what it would lose without each: {genes}.")
    return lines


def _verdict(found: dict[str, Any]) -> list[str]:
    cancer = found["cancer"] or "no cancer given"
    lines = _wrapped(
        f"Score {found['score']:+.2f} ({found['low']:+.2f} to {found['high']:+.2f}), {cancer}; independent papers: "
        f"{found['n_pro']} pro, {found['n_anti']} anti."
    )
    outcomes = [
        f"{what} {found[key]}"
        for key, what in (("prognosis", "prognosis"), ("therapy_response", "response to therapy"))
        if found[key]
    ]
    if outcomes:
        lines += _wrapped(f"Reported apart from the call: {', '.join(outcomes)}.")
    sided = found["call"] in ("pro", "anti")
    for title, claims in (
        ("For it" if sided else "For pro", found["claims_for"]),
        ("Against it" if sided else "For anti", found["claims_against"]),
        ("Context", found["claims_context"]),
    ):
        if claims:
            lines.append(f"  {title}:")
        for claim in claims:
            source = f"doi:{claim['doi']}" if claim["doi"] else f"PMID {claim['pmid']}"
            lines += _item(
                f"{claim['weight']:.2f}  {claim['statement']} {claim['citation']}, {source} "
                f"[{claim['evidence']}; {claim['cancer']}; {claim['about']}, present {claim['presence']:.2f}]",
                indent="    ",
            )
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _item(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=f"{indent}- ", subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )
