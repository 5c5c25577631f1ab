"""Kaplan-Meier curves of the samples above and below the median of a score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cafsc.bulk.extras import require
from cafsc.bulk.survival import Survival
from cafsc.errors import OptionError
from cafsc.tl.score.controls import Array


@dataclass(frozen=True)
class Curve:
    """One group's survival.

    Attributes
    ----------
    name
        ``high`` or ``low``.
    n, n_events
        Samples and events.
    times
        Where the curve steps, from 0.
    survival, low, high
        Estimate and 95% interval at these times, 0..1.
    censored
        Times of censored samples.
    """

    name: str
    n: int
    n_events: int
    times: Array
    survival: Array
    low: Array
    high: Array
    censored: Array


@dataclass(frozen=True)
class Curves:
    """Both groups of one score, and the log-rank test between them."""

    label: str
    groups: tuple[Curve, ...]
    p: float
    time: str = "time"


def curves(found: Survival, name: str, time: str = "time") -> Curves:
    """Split the cohort at the median of one score.

    Parameters
    ----------
    found
        Of `cafsc.bulk.survival`.
    name
        A score, as in ``found.table["id"]``.
    time
        What the time axis is called.

    Raises
    ------
    OptionError
        There is no such score, or it does not split the samples; or lifelines is not installed.

    Notes
    -----
    Kaplan and Meier 1958 (doi:10.1080/01621459.1958.10501452); the interval is on the log-log scale. A split at
    the median of the same cohort shows; it does not set a threshold for others.
    """
    lifelines = require("lifelines", "Kaplan-Meier curves")
    from lifelines.statistics import logrank_test

    if name not in found.scores:
        raise OptionError(
            f"score {name!r} is not known", expected="an id of the table", fix="correct the name"
        )
    values = found.scores[name]
    high = (values > values.median()).to_numpy()
    if not high.any() or high.all():
        raise OptionError(f"score {name!r} does not split the samples", fix="choose another score")
    times = found.clinical["time"].to_numpy(dtype=np.float64)
    events = found.clinical["event"].to_numpy(dtype=bool)
    groups = []
    for group, inside in (("high", high), ("low", ~high)):
        fitter = lifelines.KaplanMeierFitter().fit(times[inside], events[inside])
        interval: pd.DataFrame = fitter.confidence_interval_survival_function_
        groups.append(
            Curve(
                name=group,
                n=int(inside.sum()),
                n_events=int(events[inside].sum()),
                times=fitter.survival_function_.index.to_numpy(dtype=np.float64),
                survival=fitter.survival_function_.iloc[:, 0].to_numpy(dtype=np.float64),
                low=interval.iloc[:, 0].to_numpy(dtype=np.float64),
                high=interval.iloc[:, 1].to_numpy(dtype=np.float64),
                censored=np.sort(times[inside & ~events]),
            )
        )
    p = float(logrank_test(times[high], times[~high], events[high], events[~high]).p_value)
    row = found.table.set_index("id").loc[name]
    return Curves(label=str(row["label"]), groups=tuple(groups), p=p, time=time)
