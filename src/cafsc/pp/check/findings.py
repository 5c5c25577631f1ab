"""What a check has to say: one finding, and how findings are built, sorted and shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]
_SHOWN = 3
_LONGEST = 40


@dataclass(frozen=True)
class Finding:
    """One thing that a check found in a dataset."""

    code: str
    """Stable word for programs."""
    severity: Severity
    message: str
    """What was found."""
    count: int = 0
    """How many cells, genes or entries it concerns; 0 where counting says nothing."""
    examples: tuple[str, ...] = ()
    """The first few of them, safe to print."""
    fix: str = ""
    """What to do about it."""

    def to_dict(self) -> dict[str, Any]:
        """Plain form for JSON."""
        return {**asdict(self), "examples": list(self.examples)}


def _safe(name: object) -> str:
    """A name, shortened, without characters that could steer a terminal."""
    clean = "".join("?" if unicodedata.category(char)[0] == "C" else char for char in str(name))
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 3]}..."


def _finding(
    severity: Severity, code: str, message: str, count: int = 0, shown: Iterable[object] = (), fix: str = ""
) -> Finding:
    """Build a finding with the first few names as examples."""
    return Finding(code, severity, message, count, tuple(map(_safe, islice(shown, _SHOWN))), fix)


error, warning, note = partial(_finding, "error"), partial(_finding, "warning"), partial(_finding, "note")


def by_severity(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors first, then warnings, then notes; otherwise as they come."""
    return tuple(sorted(findings, key=lambda finding: ("error", "warning", "note").index(finding.severity)))
