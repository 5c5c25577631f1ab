"""The one form of every row about talk between cells: pairs, exosomes, origin, stimuli."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

TEXT = (
    "kind named id label direction source source_state source_call target target_state effect standing reason "
    "confidence response evidence cancer mechanism statement papers doi review_claims"
).split()
NUMBERS = (
    "source_level source_fraction target_level target_fraction score p fdr magnitude_rank specificity_rank "
    "response_effect response_fdr contrast contrast_p contrast_fdr"
).split()
COLUMNS = (
    "kind named id label direction source source_state source_call target target_state effect standing reason "
    "confidence source_level source_fraction target_level target_fraction score p fdr magnitude_rank "
    "specificity_rank response response_effect response_fdr contrast contrast_p contrast_fdr evidence cancer mechanism "
    "statement papers doi review_claims"
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
STANDINGS = (
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
"""What the data say of a row, the strongest first."""
KINDS = ("pair", "capacity", "cargo", "recipient", "uptake", "origin", "stimulus", "not measurable")


def talk_table(rows: Iterable[Mapping[str, object]]) -> pd.DataFrame:
    """Rows in the columns `COLUMNS`: text is ``""`` and a number NaN where a row has none; sorted, best first."""
    frame: pd.DataFrame = pd.DataFrame(list(rows), columns=COLUMNS)
    frame[TEXT] = frame[TEXT].astype(object).where(frame[TEXT].notna(), "")
    frame[NUMBERS] = frame[NUMBERS].astype("float64")
    ranks = pd.DataFrame(
        {
            "kind": frame["kind"].map({kind: rank for rank, kind in enumerate(KINDS)}),
            "named": frame["named"].map({NAMED: 0, OTHER_WAY: 1, ALSO: 2}),
            "standing": frame["standing"].map({word: rank for rank, word in enumerate(STANDINGS)}),
            "p": frame["p"],
            "rank": frame["magnitude_rank"],
            "score": -frame["score"],
            "id": frame["id"] + frame["label"],
            "source": frame["source"],
            "target": frame["target"],
        }
    )
    order = ranks.sort_values([str(name) for name in ranks], kind="stable", na_position="last").index
    return frame.loc[order].reset_index(drop=True)
