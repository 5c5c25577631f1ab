"""Cox models: what each score says of the time to an event."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cafsc.bulk.clinical import SOURCE, Clinical, match
from cafsc.bulk.extras import require
from cafsc.bulk.score import BulkResult
from cafsc.tl.score.controls import Array, false_discovery

VERDICT = "verdict"
COLUMNS = "id label kind n n_events hazard_ratio low high p fdr adjusted note".split()
_TERM = "cafsc_score"


@dataclass(frozen=True)
class Survival:
    """Cox models of a cohort.

    Attributes
    ----------
    table
        One row a score, smallest p first: ``id``, ``label``, ``kind``, ``n`` (samples), ``n_events``,
        ``hazard_ratio`` for one standard deviation more, ``low`` and ``high`` (95% interval), ``p`` (Wald,
        two-sided), ``fdr`` (Benjamini-Hochberg over the scores), ``adjusted`` (columns), ``note`` (why there is no
        number).
    scores
        Matched samples x scores, in standard deviations.
    clinical
        Matched samples: ``time``, ``event`` and the adjusted columns.
    notes
        Samples left out, and why.
    """

    table: pd.DataFrame
    scores: pd.DataFrame
    clinical: pd.DataFrame
    notes: tuple[str, ...]


def survival(
    result: BulkResult,
    clinical: pd.DataFrame,
    *,
    time: str,
    event: str,
    adjust: Sequence[str] = (),
    source: str = SOURCE,
) -> Survival:
    """Fit one Cox proportional-hazards model a score.

    Parameters
    ----------
    result
        Of `cafsc.bulk.score`.
    clinical
        One row a sample, its name in the index or in any column (the one that fits best is taken).
    time
        Column: time to the event or to censoring, any unit.
    event
        Column: 1 where the event happened, 0 where censored; true and false, dead and alive are understood.
    adjust
        Columns that go into every model beside the score: numbers as they are, texts as groups.
    source
        Name of the clinical file, for messages.

    Returns
    -------
    Survival

    Raises
    ------
    InputError
        The samples do not match, a cell cannot be read, or there are fewer than five events.
    OptionError
        A column is not there, or lifelines is not installed.

    Notes
    -----
    Cox 1972 (doi:10.1111/j.2517-6161.1972.tb00899.x), fitted by lifelines (doi:10.21105/joss.01317), ties by
    Efron. A hazard ratio of a score says nothing of cause.
    """
    lifelines = require("lifelines", "survival models", "leave out --clinical")
    scores = result.scores.assign(**{VERDICT: result.verdict["verdict_score"].to_numpy()})
    found = match(clinical, list(scores.index), time, event, adjust, source)
    scores = _standardised(scores.loc[found.frame.index])
    info = result.subjects.set_index("id")
    rows = []
    for name in scores.columns:
        label, kind = ("net verdict", VERDICT) if name == VERDICT else info.loc[name, ["label", "kind"]]
        model = _cox(lifelines, scores[name].to_numpy(dtype=np.float64), found)
        rows.append({"id": name, "label": label, "kind": kind, **model, "adjusted": ", ".join(adjust)})
    table = pd.DataFrame(rows)
    tested = table["p"].notna()
    table["fdr"] = np.nan
    table.loc[tested, "fdr"] = false_discovery(table.loc[tested, "p"].to_numpy(dtype=np.float64))
    table = table.sort_values(["p", "id"], kind="stable", ignore_index=True)[COLUMNS]
    return Survival(table, scores, found.frame, found.notes)


def _standardised(scores: pd.DataFrame) -> pd.DataFrame:
    spread = scores.std(ddof=1)
    return (scores - scores.mean()).div(spread.where(spread > 0)).fillna(0.0)


def _cox(lifelines: Any, values: Array, clinical: Clinical) -> dict[str, Any]:
    """One model; without numbers where it cannot be fitted."""
    frame = clinical.frame
    out: dict[str, Any] = {
        "n": len(frame),
        "n_events": int(frame["event"].sum()),
        **dict.fromkeys(("hazard_ratio", "low", "high", "p"), np.nan),
        "note": "",
    }
    if not values.any():
        return {**out, "note": "the same in all matched samples"}
    data = frame.astype(float).assign(**{_TERM: values})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row = lifelines.CoxPHFitter().fit(data, "time", "event").summary.loc[_TERM]
    except (lifelines.exceptions.ConvergenceError, np.linalg.LinAlgError, ValueError) as error:
        return {**out, "note": f"no fit: {' '.join(str(error).split())[:120]}"}
    numbers = {
        "hazard_ratio": row["exp(coef)"],
        "low": row["exp(coef) lower 95%"],
        "high": row["exp(coef) upper 95%"],
        "p": row["p"],
    }
    if not all(np.isfinite(number) for number in numbers.values()):
        return {**out, "note": "no fit: the score separates the events wholly"}
    return out | {name: float(number) for name, number in numbers.items()}
