"""The catalogue of what the literature says: load it, check it, hand it to other tools."""

from __future__ import annotations

from cafsc.sig.catalogue import Catalogue, CatalogueClaim, CatalogueSet, load, read
from cafsc.sig.conflicts import Conflict, conflicts
from cafsc.sig.coverage import Coverage, coverage
from cafsc.sig.diff import Change, diff
from cafsc.sig.entry import find
from cafsc.sig.export import to_gmt, to_json, to_net, to_schema
from cafsc.sig.lint import LintReport, lint
from cafsc.sig.location import signatures_dir
from cafsc.sig.rules import Finding
from cafsc.sig.search import Hit, search

__all__ = [
    "Catalogue",
    "CatalogueClaim",
    "CatalogueSet",
    "Change",
    "Conflict",
    "Coverage",
    "Finding",
    "Hit",
    "LintReport",
    "conflicts",
    "coverage",
    "diff",
    "find",
    "lint",
    "load",
    "read",
    "search",
    "signatures_dir",
    "to_gmt",
    "to_json",
    "to_net",
    "to_schema",
]
