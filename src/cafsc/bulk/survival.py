"""Survival: Cox models of every score, and Kaplan-Meier curves above and below its median."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from cafsc.bulk.clinical import SOURCE, match
from cafsc.bulk.score import BulkResult
from cafsc.errors import OptionError
from cafsc.tl.score.controls import Array

VERDICT = "verdict"
COLUMNS = "id label kind n n_events hazard_ratio low high p fdr adjusted note".split()
_TERM = "cafsc_score"
_NUMBERS = {
    "exp(coef)": "hazard_ratio",
    "exp(coef) lower 95%": "low",
    "exp(coef) upper 95%": "high",
    "p": "p",
}


@dataclass(frozen=True)
class Survival:
    """Cox models of a cohort.

    Attributes
    ----------
    table
        One row per score, smallest p first: ``id``, ``label``, ``kind``, ``n`` (samples), ``n_events``,
        ``hazard_ratio`` per standard deviation, ``low`` and ``high`` (95% interval), ``p`` (Wald, two-sided), ``fdr``
        (Benjamini-Hochberg over the scores), ``adjusted`` (columns), ``note`` (why there is no number).
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


@dataclass(frozen=True)
class Curve:
    """Survival of one group: estimate and 95% interval (0..1) at the steps of the curve."""

    name: str
    """``high`` or ``low``."""
    n: int
    n_events: int
    times: Array
    survival: Array
    low: Array
    high: Array
    censored: Array
    """Times of censored samples."""


@dataclass(frozen=True)
class Curves:
    """Both groups of one score, and the log-rank test between them."""

    label: str
    groups: tuple[Curve, ...]
    p: float
    time: str = "time"


def survival(
    result: BulkResult,
    clinical: pd.DataFrame,
    *,
    time: str,
    event: str,
    adjust: Sequence[str] = (),
    source: str = SOURCE,
) -> Survival:
    """Fit one Cox proportional-hazards model per score.

    Parameters
    ----------
    result
        Of `cafsc.bulk.score`.
    clinical
        One row per sample, its name in the index or in any column (the one that matches most samples is used).
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
    Cox 1972 (doi:10.1111/j.2517-6161.1972.tb00899.x), fitted by lifelines (doi:10.21105/joss.01317), ties by Efron. A
    hazard ratio is an association, not a cause.

    Examples
    --------
    >>> clinical = cafsc.bulk.read_clinical("patients.csv")  # doctest: +SKIP
    >>> cafsc.bulk.survival(result, clinical, time="days", event="dead").table  # doctest: +SKIP
    """
    lifelines = _lifelines()
    scores = result.scores.assign(**{VERDICT: result.verdict["verdict_score"].to_numpy()})
    outcome, notes = match(clinical, list(scores.index), time, event, adjust, source)
    scores = scores.loc[outcome.index]
    spread = scores.std()
    scores = (scores - scores.mean()).div(spread.where(spread > 0)).fillna(0.0)
    info = result.subjects.set_index("id")
    rows = []
    for name in scores.columns:
        label, kind = ("net verdict", VERDICT) if name == VERDICT else info.loc[name, ["label", "kind"]]
        model = _cox(lifelines, outcome.astype(float).assign(**{_TERM: scores[name]}))
        rows.append({"id": name, "label": label, "kind": kind, **model})
    table = pd.DataFrame(rows).assign(
        n=len(outcome), n_events=int(outcome["event"].sum()), fdr=np.nan, adjusted=", ".join(adjust)
    )
    tested = table["p"].notna()
    table.loc[tested, "fdr"] = false_discovery_control(table.loc[tested, "p"])
    table = table.sort_values(["p", "id"], kind="stable", ignore_index=True)[COLUMNS]
    return Survival(table, scores, outcome, notes)


def curves(found: Survival, name: str, time: str = "time") -> Curves:
    """Kaplan-Meier curves of the samples above and below the median of one score.

    Parameters
    ----------
    found
        Of `cafsc.bulk.survival`.
    name
        A score, as in ``found.table["id"]``.
    time
        Label of the time axis.

    Raises
    ------
    OptionError
        There is no such score, or it does not split the samples; or lifelines is not installed.

    Notes
    -----
    Kaplan and Meier 1958 (doi:10.1080/01621459.1958.10501452); the interval is on the log-log scale. The median of a
    cohort is no threshold for other cohorts.
    """
    lifelines = _lifelines()
    if name not in found.scores:
        raise OptionError(f"score {name!r} is not known", expected="an id of the table", fix="correct it")
    above = found.scores[name] > found.scores[name].median()
    if above.nunique() < 2:
        raise OptionError(f"score {name!r} does not split the samples", fix="choose another score")
    high, low = found.clinical[above], found.clinical[~above]
    test = lifelines.statistics.logrank_test(high["time"], low["time"], high["event"], low["event"])
    groups = []
    for group, part in (("high", high), ("low", low)):
        fitter = lifelines.KaplanMeierFitter().fit(part["time"], part["event"])
        steps = fitter.survival_function_.iloc[:, 0].astype(np.float64)
        bottom, top = fitter.confidence_interval_survival_function_.to_numpy(dtype=np.float64).T
        censored = np.sort(part.loc[~part["event"], "time"].to_numpy(dtype=np.float64))
        times = steps.index.to_numpy(dtype=np.float64)
        n_events = int(part["event"].sum())
        groups.append(Curve(group, len(part), n_events, times, steps.to_numpy(), bottom, top, censored))
    label = str(found.table.set_index("id").loc[name, "label"])
    return Curves(label=label, groups=tuple(groups), p=float(test.p_value), time=time)


def _lifelines() -> Any:
    """The package lifelines, with its tests."""
    try:
        import lifelines.statistics
    except ImportError as error:
        raise OptionError(
            "survival models need the package lifelines, which is not installed",
            expected='the extra "bulk" of cafsc',
            fix='pip install "cafsc[bulk]", or give no clinical table',
        ) from error
    return lifelines


def _cox(lifelines: Any, data: pd.DataFrame) -> dict[str, Any]:
    """One model; without numbers where it cannot be fitted."""
    empty = dict.fromkeys(_NUMBERS.values(), np.nan)
    if not data[_TERM].any():
        return {**empty, "note": "the same in all matched samples"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            row = lifelines.CoxPHFitter().fit(data, "time", "event").summary.loc[_TERM]
    except (lifelines.exceptions.ConvergenceError, np.linalg.LinAlgError, ValueError) as error:
        return {**empty, "note": f"no fit: {' '.join(str(error).split())[:120]}"}
    numbers = {name: float(row[key]) for key, name in _NUMBERS.items()}
    if not np.isfinite(list(numbers.values())).all():
        return {**empty, "note": "no fit: the score separates the events completely"}
    return {**numbers, "note": ""}
