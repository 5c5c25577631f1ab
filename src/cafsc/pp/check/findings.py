"""What a check has to say: one finding, and how findings are counted and shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
_SHOWN = 3
_LONGEST = 40


@dataclass(frozen=True)
class Finding:
    """One thing that a check found in a dataset."""

    code: str
    """Stable word for programs."""
    severity: Severity
    message: str
    """What was found, in one sentence."""
    count: int = 0
    """How many cells, genes or entries it concerns; 0 where counting says nothing."""
    examples: tuple[str, ...] = ()
    """The first few of them, safe to print."""
    fix: str = ""
    """What to do about it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain form for JSON."""
        return {**asdict(self), "examples": list(self.examples)}


def printable(text: str) -> str:
    """Shorten a name from a file and take out what could steer a terminal."""
    clean = "".join(char if unicodedata.category(char)[0] != "C" else "?" for char in text)
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 3]}..."


def examples(names: Iterable[object]) -> tuple[str, ...]:
    """First few names, safe to print."""
    return tuple(printable(str(name)) for name in islice(names, _SHOWN))


def error(code: str, message: str, count: int = 0, shown: Iterable[object] = (), fix: str = "") -> Finding:
    """Build a finding that makes the dataset unusable."""
    return Finding(code, "error", message, count, examples(shown), fix)


def warning(code: str, message: str, count: int = 0, shown: Iterable[object] = (), fix: str = "") -> Finding:
    """Build a finding that a user has to know of."""
    return Finding(code, "warning", message, count, examples(shown), fix)


def note(code: str, message: str, count: int = 0, shown: Iterable[object] = ()) -> Finding:
    """Build a finding that explains what was done."""
    return Finding(code, "note", message, count, examples(shown))


def by_severity(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Errors first, then warnings, then notes; otherwise as they come."""
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))
