"""What a dataset holds, before anything is computed from it."""

from __future__ import annotations

from cafsc.pp.check.report import CheckReport, check

__all__ = ["CheckReport", "check"]
