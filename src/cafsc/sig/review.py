"""The assertions of the two reviews, numbered: each must be answered by something in the catalogue."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cafsc.errors import CatalogueError
from cafsc.sig.files import CatalogueFiles, read_text
from cafsc.sig.record_rules import records
from cafsc.sig.rules import Finding

FILE = "review_claims.tsv"
COLUMNS = ("id", "review", "section", "kind", "lines", "gist")


@dataclass(frozen=True)
class ReviewClaim:
    """One assertion of a review, in our own words."""

    id: str
    review: str
    section: str
    kind: str
    lines: str
    """Lines in the text of the review."""
    gist: str


def read_review_claims(root: Path) -> dict[str, ReviewClaim]:
    """The numbered assertions of a catalogue folder by id; none if it has no such table.

    Raises
    ------
    CatalogueError
        If the table lacks a column or a value, or names an id twice.
    """
    path = root / FILE
    if not path.exists():
        return {}
    found: dict[str, ReviewClaim] = {}
    rows = csv.reader(read_text(path).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    for number, row in enumerate(rows, start=1):
        if number == 1:
            if tuple(row) != COLUMNS:
                raise CatalogueError(f"{path} line 1: other columns", expected=", ".join(COLUMNS))
            continue
        if len(row) != len(COLUMNS) or not all(row):
            raise CatalogueError(
                f"{path} line {number}: a value is missing or too many", expected=", ".join(COLUMNS)
            )
        claim = ReviewClaim(*row)
        if claim.id in found:
            raise CatalogueError(f"{path} line {number}: duplicate id {claim.id!r}", fix="remove one of them")
        found[claim.id] = claim
    return found


def covering(files: CatalogueFiles) -> Iterator[tuple[str, str, str]]:
    """File, subject and review claim of everything that answers one; ``claim:<id>`` for claims."""
    for name, paper in files.papers.items():
        for claim in paper.claims:
            for number in claim.review_claims:
                yield name, f"claim:{claim.id}", number
    for kind, name, entries in records(files):
        for entry in entries:
            for number in entry.review_claims:
                yield name, f"{kind}:{entry.id}", number


def answers(files: CatalogueFiles) -> Mapping[str, tuple[str, ...]]:
    """What answers each review claim."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for _, subject, number in covering(files):
        found[number].append(subject)
    return {number: tuple(dict.fromkeys(subjects)) for number, subjects in found.items()}


def unknown_review_claim(files: CatalogueFiles, known: Mapping[str, ReviewClaim]) -> Iterator[Finding]:
    """Numbers of review claims are those of the table."""
    for name, subject, number in covering(files):
        if number not in known:
            yield Finding(name, "unknown-review-claim", f"{subject}: no {number!r} in {FILE}")


def uncovered_review_claims(files: CatalogueFiles, known: Mapping[str, ReviewClaim]) -> list[ReviewClaim]:
    """What the reviews say and nothing answers."""
    answered = answers(files)
    return [claim for number, claim in known.items() if number not in answered]


def nothing_answers(claim: ReviewClaim) -> Finding:
    """The finding for a review claim that is not covered."""
    return Finding(FILE, "uncovered-review-claim", f"nothing answers {claim.id} ({claim.kind}: {claim.gist})")
