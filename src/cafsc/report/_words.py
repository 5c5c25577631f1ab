"""Codes and numbers in plain words."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from cafsc._keys import UNRESOLVED
from cafsc.get.schema import CELLS, CLUSTERS, EVIDENCE, lineage_name

if TYPE_CHECKING:
    import pandas as pd

_DOI = re.compile(r"10\.\d{4,9}/\S+")
_PMID = re.compile(r"[1-9]\d{0,8}")
_UNSAFE = re.compile(r"[\s\"'<>\x00-\x1f]")
CALL_SIGNS = {"pro": "▲", "anti": "▼", "mixed": "◆", "undetermined": "○"}
_MATRIX_NAMES = {"counts": "raw counts", "log1p": "log-normalised values", "scaled": "scaled values"}
_WHERE = {
    "pro": "clusters that the literature calls pro-tumour",
    "anti": "clusters called anti-tumour",
    "mixed": "clusters where it points both ways",
    "undetermined": "clusters where it does not decide",
}
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def call_name(call: str, reason: str = "") -> str:
    """Call in words, a single source with it; an unknown call as it is."""
    name = CLUSTERS["call"].word(call) or call
    return f"{name} (single source)" if reason == "single_source" else name


def call_sign(call: str) -> str:
    """Sign of a call, so that colour is not alone."""
    return CALL_SIGNS.get(call, "○")


def verified(how: str) -> str:
    """How far a source was read."""
    return EVIDENCE["verified"].word(how) or how


def matrix(name: str) -> str:
    """What the values of the input were."""
    return _MATRIX_NAMES.get(name, spaced(name))


def spaced(code: str) -> str:
    """A code as words: ``smooth_muscle`` to ``smooth muscle``."""
    return code.replace("_", " ").strip()


def share(part: int, whole: int) -> str:
    """Percentage that never says 0% of something nor 100% of less than all."""
    if whole <= 0 or part <= 0:
        return "0%"
    percent = 100 * part / whole
    if percent < 1:
        return "<1%"
    if percent > 99 and part < whole:
        return ">99%"
    return f"{percent:.0f}%"


def percent_range(low: float, high: float) -> str:
    """``12 to 31%``; one figure where both ends round to it."""
    ends = (f"{100 * low:.0f}", f"{100 * high:.0f}")
    return f"{ends[0]}%" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}%"


def number(value: float, digits: int = 2, *, sign: bool = False) -> str:
    """A number for people; a dash where there is none."""
    if math.isnan(value):
        return "–"
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    if not text.strip("+-0."):
        return text.lstrip("+-")
    return text.replace("-", "−")


def count(n: int, one: str) -> str:
    """``1 cell``, ``1,564 cells``."""
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def unresolved_reason(code: str) -> str:
    """Why a cluster has no name, in one sentence."""
    if not code:
        return "No reason was recorded."
    detail = " and ".join(map(spaced, code.partition(":")[2].split("+")))
    word = CLUSTERS["reason"].word(code)
    return (f"{word.rstrip('.')} ({detail})." if detail else word) if word else f"Reason: {spaced(code)}."


def gate_reason(code: str) -> str:
    """Why a cell was not kept, in a few words."""
    kind, _, detail = code.partition(":")
    lineages = " and ".join(map(lineage_name, detail.split("+")))
    if kind == "not_fibroblast" and detail:
        return f"looks like {lineages}"
    word = CELLS["gate"].word(code) or spaced(kind)
    return f"{word} ({lineages})" if detail else word


def call_reason(code: str) -> str:
    """Why the evidence takes no side, in one sentence; ``""`` where it takes one."""
    return CLUSTERS["call_reason"].word(code) or (f"Reason: {spaced(code)}." if code else "")


def evidence_level(levels: str) -> str:
    """Kinds of evidence of one claim: ``in_vivo+patients`` to ``in vivo, patients``."""
    return ", ".join(EVIDENCE["evidence"].word(level) or spaced(level) for level in levels.split("+"))


def evidence_rank(levels: str) -> int:
    """Place of a claim's strongest kind of evidence, 0 first; the last place for unknown kinds."""
    ranks = {level: i for i, level in enumerate(EVIDENCE["evidence"].codes)}
    return min(ranks.get(level, len(ranks)) for level in levels.split("+"))


def outcome(what: str, code: str) -> str:
    """``prognosis: worse``; ``""`` where the paper reports nothing."""
    return f"{what}: {EVIDENCE['prognosis'].word(code) or spaced(code)}" if code else ""


def subject(about: str) -> str:
    """What a claim speaks about: ``set:costa2018/CAF-S1`` to ``published set CAF-S1``."""
    kind, _, name = about.partition(":")
    if kind == "set" and name:
        return f"published set {name.rpartition('/')[2]}"
    words = {"state": "state", "gene": "gene", "program": "programme"}
    return f"{words[kind]} {spaced(name)}" if kind in words and name else about


def answer(summary: dict[str, Any], clusters: pd.DataFrame) -> str:
    """The result in one paragraph: cells, states, calls, and how the sample was read."""
    given, kept, total = summary["input"], int(summary["gate"]["kept"]), int(summary["input"]["n_cells"])
    if clusters.empty:
        why = str(summary["message"] or "no fibroblast cluster was found").rstrip(".")
        rest = "So there is no state to name, and nothing to call pro- or anti-tumour."
        return f"{why[:1].upper()}{why[1:]}. {rest}"
    n = _SMALL[len(clusters)] if len(clusters) < len(_SMALL) else f"{len(clusters):,}"
    sentences = [
        f"Of {count(total, 'cell')}, {kept:,} ({share(kept, total)}) are fibroblasts, "
        f"in {n} cluster{'s' if len(clusters) > 1 else ''}."
    ]
    sizes = clusters.groupby("subtype")["n_cells"].sum().to_dict()
    n_open = sizes.pop(UNRESOLVED, 0)
    named = [f"{s} ({count(n, 'cell')})" for s, n in sorted(sizes.items(), key=lambda it: (-it[1], it[0]))]
    if named:
        tail = f"; {count(n_open, 'cell')} stayed without a name" if n_open else ""
        sentences.append(f"They are {_join(named)}{tail}.")
    else:
        sentences.append("None of them could be named with confidence.")
    calls = {call: int(summary["calls"].get(call, 0)) for call in _WHERE}
    called = sum(calls.values())
    shares = [f"{share(n, called)} in {_WHERE[call]}" for call, n in calls.items() if n]
    if shares:
        sentences.append(f"By published evidence, {_join(shares).replace(' in ', ' are in ', 1)}.")
    read = f"The sample was read as {given['species'] or 'of unknown species'};"
    if summary["cancer"]:
        cancer = spaced(str(summary.get("cancer_label") or summary["cancer"]))
        sentences.append(f"{read} studies of the cancer type given ({cancer}) weigh most.")
    else:
        sentences.append(f"{read} no cancer type was given, so no study weighs more for its own.")
    return " ".join(sentences)


def _join(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def intervals(found: dict[str, float]) -> str:
    """Interval of a share over resampled cells and, where there are several, samples."""
    if not found:
        return ""
    text = f"{percent_range(found['low'], found['high'])} over resampled cells"
    if "low_samples" in found:
        text += f", {percent_range(found['low_samples'], found['high_samples'])} over resampled samples"
    return text


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
