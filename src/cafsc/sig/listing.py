"""The catalogue as tables: one table per kind of entry, one row per entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from cafsc.sig.catalogue import Catalogue
from cafsc.sig.model import PAN, distinct

Row = dict[str, Any]
"""``id`` first; ``genes`` are all genes of the entry; ``cancer`` where the entry has any."""

_COLUMNS: Mapping[str, tuple[str, str, str]] = {
    "sets": ("sets", "set", "label species cancer n_genes states schemes paper=paper.citation"),
    "programs": ("programs", "program", "label n_genes papers=sources meaning"),
    "papers": ("papers", "paper", "citation title cancer n_sets n_claims verified link"),
    "claims": (
        "claims",
        "claim",
        "about=claim.about effect=claim.effect evidence=claim.evidence cancer=claim.cancer "
        "statement=claim.statement paper=paper.citation link=paper.link",
    ),
    "states": ("states", "state", "label meaning members"),
    "schemes": ("schemes", "scheme", "label paper method members"),
    "pairs": ("pairs", "axis", "pair=label directions effect cancer mechanism statement sources"),
    "exosome": (
        "exosome_axes",
        "exosome",
        "cargo kind=cargo_kind direction targets change=target_change effect cancer measurable statement sources",
    ),
    "agents": ("agents", "agent", "label kind targets acts_on evidence cancer shown sources"),
    "biomarkers": (
        "biomarkers",
        "biomarker",
        "label measured_in predicts prognosis therapy_response cancer sources",
    ),
    "unmeasured": ("unmeasured", "unmeasured", "what why proxy"),
    "review": ("review_claims", "review", "kind lines gist answers"),
}
"""Table -> attribute of `Catalogue`, kind of subject, and columns as ``name`` or ``name=attribute``."""

KINDS = tuple(_COLUMNS)
"""Names of the tables."""
SECTIONS = {subject: attribute for attribute, subject, _ in _COLUMNS.values()}
"""Kind of subject -> attribute of `Catalogue`, and section of the JSON export."""


def rows(catalogue: Catalogue, kind: str) -> list[Row]:
    """Rows of one of `KINDS`, in the order of the catalogue."""
    attribute, subject, columns = _COLUMNS[kind]
    entries: Mapping[str, Any] = (
        {entry.claim.id: entry for entry in catalogue.claims}
        if kind == "claims"
        else getattr(catalogue, attribute)
    )
    found = []
    for key, entry in entries.items():
        genes = catalogue.genes_of(f"{subject}:{key}")
        computed: Row = {"n_genes": len(genes)}
        if kind == "schemes":
            genes = _genes(catalogue.sets_in_scheme(key))
        elif kind == "claims":
            genes = catalogue.genes_of(entry.claim.about)
        elif kind == "review":
            computed = {"answers": list(catalogue.answers.get(key, ()))}
        elif kind == "papers":
            genes, computed = _of_paper(catalogue, key)
        found.append({"id": key, **_fields(entry, columns, computed), "genes": list(genes)})
    return found


def in_cancer(row: Row, cancer: str) -> bool:
    """Whether a row holds for a cancer code; a row without cancers, or for all of them, always does."""
    return "cancer" not in row or bool({cancer, PAN} & {*row["cancer"]})


def names_gene(row: Row, gene: str) -> bool:
    """Whether a row names a gene, in any case."""
    return gene.casefold() in {name.casefold() for name in row["genes"]}


def _fields(entry: object, columns: str, computed: Row) -> Row:
    """Columns of one entry: computed ones, and attributes with their lists copied."""
    found: Row = {}
    for column in columns.split():
        name, _, attribute = column.partition("=")
        value = computed[name] if name in computed else attrgetter(attribute or name)(entry)
        found[name] = list(value) if isinstance(value, tuple | list) else value
    return found


def _of_paper(catalogue: Catalogue, key: str) -> tuple[tuple[str, ...], Row]:
    sets = [entry for entry in catalogue.sets.values() if entry.paper.key == key]
    claims = [entry.claim for entry in catalogue.claims if entry.paper.key == key]
    cancer = sorted(distinct(*(entry.cancer for entry in sets), *(claim.cancer for claim in claims)))
    return _genes(sets), {"cancer": cancer, "n_sets": len(sets), "n_claims": len(claims)}


def _genes(sets: Iterable[Any]) -> tuple[str, ...]:
    return distinct(*(entry.definition.genes for entry in sets))
