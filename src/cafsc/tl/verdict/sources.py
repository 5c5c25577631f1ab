"""Where a row of a table comes from: papers, DOI, claims of the reviews, level of evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, get_args

from cafsc.sig.model import Evidence

if TYPE_CHECKING:
    from cafsc.sig import Catalogue, CatalogueClaim
    from cafsc.sig.records import Record

SEPARATOR = "; "
COLUMNS = "evidence cancer mechanism statement papers doi review_claims".split()
_STRENGTH = {level: rank for rank, level in enumerate(get_args(Evidence))}


def best_evidence(levels: Iterable[str]) -> str:
    """The strongest level of evidence; ``review`` where there is none."""
    return min(levels, key=lambda level: _STRENGTH[level], default="review")


def papers_of(catalogue: Catalogue, keys: Iterable[str]) -> dict[str, str]:
    """Columns ``papers`` and ``doi`` (or PubMed address) of papers of the catalogue."""
    papers = [catalogue.papers[key] for key in dict.fromkeys(keys)]
    return {
        "papers": SEPARATOR.join(paper.citation for paper in papers),
        "doi": SEPARATOR.join(paper.doi or paper.link for paper in papers),
    }


def source_of(catalogue: Catalogue, record: Record) -> dict[str, str]:
    """Columns `COLUMNS` of a record of the catalogue.

    The evidence is the record's own, or the best of what its papers claim in answer to the same claims of a review,
    or ``review``.
    """
    claimed = {
        level
        for entry in catalogue.claims
        if entry.paper.key in record.sources
        and set(entry.claim.review_claims).intersection(record.review_claims)
        for level in entry.claim.evidence
    }
    own = getattr(record, "evidence", None)
    statement = next(
        (str(text) for name in ("statement", "shown", "why") if (text := getattr(record, name, None))), ""
    )
    mechanism = getattr(record, "mechanism", "")
    return {
        "evidence": own or best_evidence(claimed),
        "cancer": ", ".join(getattr(record, "cancer", [])),
        "mechanism": mechanism if isinstance(mechanism, str) else ", ".join(mechanism),
        "statement": " ".join(statement.split()),
        **papers_of(catalogue, record.sources),
        "review_claims": SEPARATOR.join(record.review_claims),
    }


def source_of_claims(catalogue: Catalogue, claims: Iterable[CatalogueClaim]) -> dict[str, str]:
    """Columns `COLUMNS` of one or more claims."""
    entries = list(claims)
    return {
        "evidence": best_evidence(level for entry in entries for level in entry.claim.evidence),
        "cancer": ", ".join(dict.fromkeys(code for entry in entries for code in entry.claim.cancer)),
        "mechanism": ", ".join(dict.fromkeys(name for entry in entries for name in entry.claim.mechanism)),
        "statement": " ".join(" ".join(entry.claim.statement for entry in entries).split()),
        **papers_of(catalogue, (entry.paper.key for entry in entries)),
        "review_claims": SEPARATOR.join(
            dict.fromkeys(name for entry in entries for name in entry.claim.review_claims)
        ),
    }


def source_of_program(catalogue: Catalogue, name: str) -> dict[str, str]:
    """Columns `COLUMNS` of a programme: its papers, and the claims about it."""
    program = catalogue.programs[name]
    about = source_of_claims(catalogue, catalogue.claims_about(f"program:{name}"))
    return {
        **about,
        "statement": " ".join(f"{program.meaning} {program.proxy or ''}".split()),
        **papers_of(
            catalogue,
            [
                *(part.paper for part in program.parts),
                *(claim.paper.key for claim in catalogue.claims_about(f"program:{name}")),
            ],
        ),
    }


def split(text: str) -> list[str]:
    """Parts of a column of this module."""
    return [part for part in text.split(SEPARATOR) if part]


def sourced(row: Mapping[str, object]) -> bool:
    """Whether a row names a paper and where it opens."""
    return bool(row["papers"]) and bool(row["doi"])
