"""Columns and words of the tables of crosstalk, and the sources of a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, get_args

import pandas as pd

from cafsc.sig.model import Evidence

if TYPE_CHECKING:
    from cafsc.sig import Catalogue, CatalogueClaim
    from cafsc.sig.records import Record
    from cafsc.tl.score.controls import SetColumns

Row = dict[str, object]

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

NAMED = "named in the CAF literature"
OTHER_WAY = "named, in another direction"
ALSO = "also found"

PAIR_AND_RESPONSE = "pair and response"
PAIR = "pair"
RESPONSE_ONLY = "response alone"
EXPRESSED = "expressed"
POTENTIAL = "sender potential"
CONSISTENT = "consistent"
RAISED = "above matched genes"
NOT_RAISED = "not above matched genes"
NOT_SEEN = "not seen"
NOT_EXPRESSED = "hardly detected"
TOO_FEW = "too few cells"
NO_CELLS = "no such cells here"
NOT_MEASURED = "not measured here"
STATUSES = (
    PAIR_AND_RESPONSE,
    PAIR,
    RESPONSE_ONLY,
    CONSISTENT,
    RAISED,
    EXPRESSED,
    POTENTIAL,
    NOT_RAISED,
    NOT_SEEN,
    NOT_EXPRESSED,
    TOO_FEW,
    NO_CELLS,
    NOT_MEASURED,
)
"""Result of a row, the strongest first."""
KINDS = ("pair", "capacity", "cargo", "recipient", "uptake", "origin", "stimulus", "not measurable")

SEPARATOR = "; "
_STRENGTH = {level: rank for rank, level in enumerate(get_args(Evidence))}


def crosstalk_table(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Rows in the columns `COLUMNS`, best first."""
    frame = typed_table(rows, COLUMNS, NUMBERS)
    by_rank = {
        "kind": frame["kind"].map({kind: rank for rank, kind in enumerate(KINDS)}),
        "named": frame["named"].map({NAMED: 0, OTHER_WAY: 1, ALSO: 2}),
        "status": frame["status"].map({word: rank for rank, word in enumerate(STATUSES)}),
        "p": frame["p"],
        "rank": frame["magnitude_rank"],
        "score": -frame["score"],
        "id": frame["id"] + frame["label"],
        "source": frame["source"],
        "target": frame["target"],
    }
    return ordered(frame, by_rank)


def typed_table(
    rows: Iterable[Mapping[str, object]], columns: Sequence[str], numbers: Sequence[str]
) -> pd.DataFrame:
    """Rows as a table: a missing text is ``""``, a missing number NaN; ``standing`` repeats ``status``."""
    frame: pd.DataFrame = pd.DataFrame(list(rows), columns=list(columns))
    frame["standing"] = frame["status"]
    texts = [name for name in columns if name not in numbers]
    frame[texts] = frame[texts].astype(object).where(frame[texts].notna(), "")
    frame[list(numbers)] = frame[list(numbers)].astype("float64")
    return frame


def ordered(frame: pd.DataFrame, by_rank: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Rows sorted by the ranks, the first one first; ties keep their order."""
    order = pd.DataFrame(by_rank).sort_values(list(by_rank), kind="stable", na_position="last").index
    return frame.loc[order].reset_index(drop=True)


def _papers(catalogue: Catalogue, keys: Iterable[str]) -> Row:
    papers = [catalogue.papers[key] for key in dict.fromkeys(keys)]
    return {
        "papers": SEPARATOR.join(paper.citation for paper in papers),
        "doi": SEPARATOR.join(paper.doi or paper.link for paper in papers),
    }


def _best(levels: Iterable[str]) -> str:
    """The strongest level of evidence; ``review`` where there is none."""
    return min(levels, key=lambda level: _STRENGTH[level], default="review")


def source_of(catalogue: Catalogue, record: Record) -> Row:
    """Evidence, papers and review claims of a record of the catalogue.

    The evidence is that of the record. Without one it is the best evidence of its papers in claims that answer the
    same review claims, or else ``review``.
    """
    claimed = {
        level
        for entry in catalogue.claims
        if entry.paper.key in record.sources
        and set(entry.claim.review_claims).intersection(record.review_claims)
        for level in entry.claim.evidence
    }
    statements = (getattr(record, name, None) for name in ("statement", "shown", "why"))
    mechanism = getattr(record, "mechanism", "")
    return {
        "evidence": getattr(record, "evidence", None) or _best(claimed),
        "cancer": ", ".join(getattr(record, "cancer", [])),
        "mechanism": mechanism if isinstance(mechanism, str) else ", ".join(mechanism),
        "statement": " ".join(str(next(filter(None, statements), "")).split()),
        **_papers(catalogue, record.sources),
        "review_claims": SEPARATOR.join(record.review_claims),
    }


def source_of_claims(catalogue: Catalogue, entries: Sequence[CatalogueClaim]) -> Row:
    """Evidence, papers and review claims of one or more claims."""
    claims = [entry.claim for entry in entries]
    return {
        "evidence": _best(level for claim in claims for level in claim.evidence),
        "cancer": ", ".join(dict.fromkeys(code for claim in claims for code in claim.cancer)),
        "mechanism": ", ".join(dict.fromkeys(name for claim in claims for name in claim.mechanism)),
        "statement": " ".join(" ".join(claim.statement for claim in claims).split()),
        **_papers(catalogue, (entry.paper.key for entry in entries)),
        "review_claims": SEPARATOR.join(
            dict.fromkeys(name for claim in claims for name in claim.review_claims)
        ),
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


def program_row(catalogue: Catalogue, kind: str, name: str, columns: SetColumns) -> Row:
    """Columns of a row about a programme of the catalogue."""
    return {
        "kind": kind,
        "named": NAMED,
        "id": name,
        "label": catalogue.programs[name].label,
        "response": f"program:{name}",
        "reason": f"{columns.n_found} of {columns.n_genes} genes",
        **source_of_program(catalogue, name),
    }
