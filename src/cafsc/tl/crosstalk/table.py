"""Columns and words of the tables of crosstalk, and the sources of a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from cafsc.sig.model import Evidence

if TYPE_CHECKING:
    from cafsc.sig import Catalogue, CatalogueClaim
    from cafsc.sig.records import Record

Row = dict[str, Any]

COLUMNS = (
    "kind named id label direction source source_state source_call target target_state effect status reason "
    "confidence source_level source_fraction target_level target_fraction score p fdr magnitude_rank "
    "specificity_rank response response_effect response_fdr contrast contrast_p contrast_fdr evidence cancer mechanism "
    "statement papers doi review_claims standing"
).split()
"""``standing`` is the former name of ``status``, kept for one release."""
NUMBERS = (
    "source_level source_fraction target_level target_fraction score p fdr magnitude_rank specificity_rank "
    "response_effect response_fdr contrast contrast_p contrast_fdr"
).split()
KINDS = ("pair", "capacity", "cargo", "recipient", "uptake", "origin", "stimulus", "not measurable")
NAMED = "named in the CAF literature"
OTHER_WAY = "named, in another direction"
ALSO = "also found"


class Status(StrEnum):
    """Result of a row, the strongest first."""

    PAIR_AND_RESPONSE = "pair and response"
    PAIR = "pair"
    RESPONSE_ONLY = "response alone"
    CONSISTENT = "consistent"
    RAISED = "above matched genes"
    EXPRESSED = "expressed"
    POTENTIAL = "sender potential"
    NOT_RAISED = "not above matched genes"
    NOT_SEEN = "not seen"
    NOT_EXPRESSED = "hardly detected"
    TOO_FEW = "too few cells"
    NO_CELLS = "no such cells here"
    NOT_MEASURED = "not measured here"


SEPARATOR = "; "


def crosstalk_table(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows in the columns `COLUMNS`, best first."""
    by = ["kind", "named", "status", "p", "magnitude_rank", "-score", "id", "label", "source", "target"]
    return sorted_table(rows, COLUMNS, NUMBERS, by, KINDS)


def sorted_table(
    rows: Iterable[Row],
    columns: Sequence[str],
    numbers: Sequence[str],
    by: Sequence[str],
    kinds: Sequence[str],
) -> pd.DataFrame:
    """Rows as a table: a missing text is ``""``, a missing number NaN; ``standing`` repeats ``status``.

    Sorted by some columns, those with a ``-`` from high to low; kinds and words in their order here.
    """
    frame: pd.DataFrame = pd.DataFrame(list(rows), columns=list(columns))
    frame["standing"] = frame["status"] = frame["status"].map(str)
    texts = [name for name in columns if name not in numbers]
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), "")
    frame[list(numbers)] = frame[list(numbers)].astype("float64")
    order = {"kind": kinds, "named": (NAMED, OTHER_WAY, ALSO), "status": [*Status]}
    return frame.sort_values(
        [name.removeprefix("-") for name in by],
        ascending=[not name.startswith("-") for name in by],
        key=lambda column: column.map(order[column.name].index) if column.name in order else column,
        kind="stable",
        ignore_index=True,
    )


def _papers(catalogue: Catalogue, keys: Iterable[str]) -> Row:
    papers = [catalogue.papers[key] for key in dict.fromkeys(keys)]
    return {
        "papers": SEPARATOR.join(paper.citation for paper in papers),
        "doi": SEPARATOR.join(paper.doi or paper.link for paper in papers),
    }


def _best(levels: Iterable[str]) -> str:
    """The strongest level of evidence; ``review`` where there is none."""
    return min(levels, key=get_args(Evidence).index, default="review")


def record_row(catalogue: Catalogue, kind: str, record: Record, **more: object) -> Row:
    """Columns of a row about a record of the catalogue.

    The evidence is that of the record. Without one it is the best evidence of its papers in claims that answer the
    same review claims, or else ``review``.
    """
    entries = [entry for entry in catalogue.claims if entry.paper.key in record.sources]
    claims = [one.claim for one in entries if set(one.claim.review_claims) & set(record.review_claims)]
    statements = (getattr(record, name, None) for name in ("statement", "shown", "why"))
    mechanism = getattr(record, "mechanism", "")
    row = {
        "kind": kind,
        "named": NAMED,
        "id": record.id,
        "label": record.label,
        "evidence": getattr(record, "evidence", None) or _best(one for c in claims for one in c.evidence),
        "cancer": ", ".join(getattr(record, "cancer", [])),
        "mechanism": mechanism if isinstance(mechanism, str) else ", ".join(mechanism),
        "statement": " ".join(str(next(filter(None, statements), "")).split()),
        "review_claims": SEPARATOR.join(record.review_claims),
    }
    return row | _papers(catalogue, record.sources) | more


def result(status: Status, reason: str = "") -> Row:
    """Columns of a row for its result."""
    return {"status": status, "reason": reason}


def source_of_claims(catalogue: Catalogue, entries: Sequence[CatalogueClaim]) -> Row:
    """Evidence, papers and review claims of one or more claims."""
    claims = [entry.claim for entry in entries]

    def every(name: str) -> Iterable[str]:
        return dict.fromkeys(one for claim in claims for one in getattr(claim, name))

    return {
        "evidence": _best(every("evidence")),
        "cancer": ", ".join(every("cancer")),
        "mechanism": ", ".join(every("mechanism")),
        "statement": " ".join(" ".join(claim.statement for claim in claims).split()),
        **_papers(catalogue, (entry.paper.key for entry in entries)),
        "review_claims": SEPARATOR.join(every("review_claims")),
    }


def source_of_program(catalogue: Catalogue, name: str) -> Row:
    """Evidence, papers and review claims of a programme and of the claims about it."""
    program = catalogue.programs[name]
    claims = catalogue.claims_about(f"program:{name}")
    papers = [*(part.paper for part in program.parts), *(entry.paper.key for entry in claims)]
    return {
        **source_of_claims(catalogue, claims),
        "statement": " ".join(f"{program.meaning} {program.proxy or ''}".split()),
        **_papers(catalogue, papers),
    }
