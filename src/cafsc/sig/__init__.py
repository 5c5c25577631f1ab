"""The catalogue of published signatures and claims: load, check, search and export it."""

from __future__ import annotations

from cafsc.sig.catalogue import Catalogue, CatalogueClaim, CatalogueSet, Conflict, conflicts, load, read
from cafsc.sig.export import Change, diff, to_gmt, to_json, to_net, to_schema
from cafsc.sig.files import signatures_dir
from cafsc.sig.lint import Finding, LintReport, lint
from cafsc.sig.listing import Hit, find, search

__all__ = [
    "Catalogue",
    "CatalogueClaim",
    "CatalogueSet",
    "Change",
    "Conflict",
    "Finding",
    "Hit",
    "LintReport",
    "conflicts",
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
