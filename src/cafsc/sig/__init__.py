"""The catalogue of what the literature says: load it, check it, hand it to other tools."""

from __future__ import annotations

from cafsc.sig.catalogue import Catalogue, CatalogueClaim, CatalogueSet, load, read
from cafsc.sig.conflicts import Conflict
from cafsc.sig.coverage import Coverage, coverage
from cafsc.sig.export import to_gmt, to_json, to_net
from cafsc.sig.lint import LintReport, lint
from cafsc.sig.location import signatures_dir
from cafsc.sig.rules import Finding

__all__ = [
    "Catalogue",
    "CatalogueClaim",
    "CatalogueSet",
    "Conflict",
    "Coverage",
    "Finding",
    "LintReport",
    "coverage",
    "lint",
    "load",
    "read",
    "signatures_dir",
    "to_gmt",
    "to_json",
    "to_net",
]
