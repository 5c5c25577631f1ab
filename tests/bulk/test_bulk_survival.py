"""Cox models and Kaplan-Meier curves: what was planted is found again, what cannot be read is refused."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from cafsc import bulk, pl
from cafsc.errors import InputError, OptionError

LOG_HAZARD = 0.8
KINDS = ("state", "lineage")


@pytest.fixture(scope="module")
def result(result: bulk.BulkResult) -> bulk.BulkResult:
    """A few of the scores: one model each takes time."""
    subjects = result.subjects[result.subjects["kind"].isin(KINDS)]
    return dataclasses.replace(result, scores=result.scores[list(subjects["id"])], subjects=subjects)


def drawn(scores: pd.Series, seed: int) -> pd.DataFrame:
    """Times drawn by a score; age is its companion without a hazard of its own."""
    random = np.random.default_rng(seed)
    z = (scores - scores.mean()) / scores.std()
    times = random.exponential(100 / np.exp(LOG_HAZARD * z))
    censoring = random.exponential(400, len(z))
    return pd.DataFrame(
        {
            "patient": z.index,
            "months": np.minimum(times, censoring),
            "dead": (times <= censoring).astype(int),
            "age": (60 + 6 * z + random.normal(0, 6, len(z))).to_numpy(),
            "stage": random.choice(["I", "II", "III"], len(z)),
        }
    )


@pytest.fixture(scope="module")
def clinical(result: bulk.BulkResult) -> pd.DataFrame:
    return drawn(result.scores["state:myCAF"], seed=3)


def fit(result: bulk.BulkResult, clinical: pd.DataFrame, **options: Any) -> bulk.Survival:
    return bulk.survival(result, clinical, **{"time": "months", "event": "dead", **options})


@pytest.fixture(scope="module")
def found(result: bulk.BulkResult, clinical: pd.DataFrame) -> bulk.Survival:
    return fit(result, clinical)


def test_the_planted_hazard_is_recovered(result: bulk.BulkResult) -> None:
    """Over eight draws: without bias, and inside most intervals."""
    name = "state:myCAF"
    one = dataclasses.replace(result, scores=result.scores[[name]])
    rows = [fit(one, drawn(one.scores[name], seed)).table.set_index("id").loc[name] for seed in range(8)]
    estimates = np.log([row["hazard_ratio"] for row in rows])
    assert estimates.mean() == pytest.approx(LOG_HAZARD, abs=0.15)
    assert sum(row["low"] < np.exp(LOG_HAZARD) < row["high"] for row in rows) >= 6
    assert np.median([row["p"] for row in rows]) < 1e-3


def test_it_is_what_lifelines_gives(found: bulk.Survival) -> None:
    from lifelines import CoxPHFitter

    own = CoxPHFitter().fit(
        found.clinical.astype(float).assign(score=found.scores["state:iCAF"]), "time", "event"
    )
    row = found.table.set_index("id").loc["state:iCAF"]
    assert row["hazard_ratio"] == pytest.approx(float(own.hazard_ratios_["score"]))


def test_fdr_is_over_the_scores_that_were_fitted(found: bulk.Survival) -> None:
    from scipy.stats import false_discovery_control

    tested = found.table.dropna(subset="p")
    np.testing.assert_allclose(tested["fdr"], false_discovery_control(tested["p"]))
    assert tested["p"].is_monotonic_increasing
    assert "verdict" in set(tested["id"])


def test_adjusting_for_age_and_stage(result: bulk.BulkResult, clinical: pd.DataFrame) -> None:
    adjusted = fit(result, clinical, adjust=["age", "stage"])
    assert list(adjusted.clinical.columns) == ["time", "event", "age", "stage=II", "stage=III"]
    assert set(adjusted.table["adjusted"]) == {"age, stage"}
    plain = fit(result, clinical).table.set_index("id").loc["state:myCAF"]
    row = adjusted.table.set_index("id").loc["state:myCAF"]
    # The companion widens the interval; the hazard stays.
    assert row["low"] < np.exp(LOG_HAZARD) < row["high"]
    assert row["high"] / row["low"] > plain["high"] / plain["low"]


def test_rows_are_matched_by_name_not_by_order(
    result: bulk.BulkResult, clinical: pd.DataFrame, found: bulk.Survival
) -> None:
    mixed = clinical.sample(frac=1, random_state=0)[["age", "stage", "patient", "dead", "months"]]
    pd.testing.assert_frame_equal(fit(result, mixed).table, found.table)
    pd.testing.assert_frame_equal(fit(result, clinical.set_index("patient")).table, found.table)


def test_samples_without_a_row_are_left_out_and_said(result: bulk.BulkResult, clinical: pd.DataFrame) -> None:
    part = clinical.iloc[5:].copy()
    part.loc[part.index[0], "months"] = np.nan
    found = fit(result, part)
    assert set(found.table["n"]) == {54}
    assert "55 of 60" in found.notes[0]
    assert "1 samples lack" in found.notes[1]


@pytest.mark.parametrize("words", [("dead", "alive"), ("1:DECEASED", "0:LIVING"), (True, False)])
def test_events_in_words(
    result: bulk.BulkResult, clinical: pd.DataFrame, found: bulk.Survival, words: tuple[object, object]
) -> None:
    recoded = clinical.assign(dead=[words[0] if value else words[1] for value in clinical["dead"]])
    pd.testing.assert_frame_equal(fit(result, recoded).table, found.table)


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], type[Exception], str]] = {
    "no column": ({}, {"time": "weeks"}, OptionError, "no column 'weeks'"),
    "no sample": ({"patient": [f"P{n}" for n in range(60)]}, {}, InputError, "no sample of the expression"),
    "repeated": ({"patient": ["S001"] * 60}, {}, InputError, "more than one row, such as 'S001'"),
    "text time": ({"months": ["long"] * 60}, {}, InputError, "'long' in the time column"),
    "negative time": ({"months": [-1.0] * 60}, {}, InputError, "negative"),
    "odd event": ({"dead": ["perhaps"] * 60}, {}, InputError, "'perhaps' in the event column"),
    "no events": ({"dead": [0] * 60}, {}, InputError, "0 events"),
    "many groups": (
        {"stage": [f"g{n}" for n in range(60)]},
        {"adjust": ["stage"]},
        InputError,
        "60 different",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_clinical_tables_are_refused(
    result: bulk.BulkResult, clinical: pd.DataFrame, what: str
) -> None:
    columns, options, kind, message = WRONG[what]
    with pytest.raises(kind, match=message) as stop:
        fit(result, clinical.assign(**columns), source="clinic.tsv", **options)
    assert "clinic.tsv" in str(stop.value)


def test_a_score_that_never_varies_has_no_number_and_a_reason(
    result: bulk.BulkResult, clinical: pd.DataFrame
) -> None:
    scores = result.scores.assign(**{"state:iCAF": 1.0})
    table = fit(
        bulk.BulkResult(scores, None, result.subjects, result.verdict, result.evidence, {}), clinical
    ).table
    row = table.set_index("id").loc["state:iCAF"]
    assert np.isnan(row["p"]) and np.isnan(row["fdr"])
    assert "the same" in row["note"]


def test_curves_are_those_of_lifelines_and_split_at_the_median(found: bulk.Survival) -> None:
    curves = bulk.curves(found, "state:myCAF", "months")
    high, low = curves.groups
    assert (high.n, low.n) == (30, 30)
    assert high.n_events + low.n_events == int(found.clinical["event"].sum())
    assert curves.p < 0.05
    assert high.survival[0] == low.survival[0] == 1
    assert (np.diff(high.survival) <= 0).all()
    last = min(high.times[-1], low.times[-1])
    assert high.survival[high.times <= last][-1] < low.survival[low.times <= last][-1]
    plot = pl.to_svg(pl.kaplan_meier(curves, ax=Figure()))
    assert "months" in plot and "log-rank p" in plot
    with pytest.raises(OptionError, match="not known"):
        bulk.curves(found, "nothing")


def test_clinical_table_from_a_file(clinical: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "clinic.csv"
    clinical.to_csv(path, index=False)
    pd.testing.assert_frame_equal(bulk.read_clinical(path), clinical, check_dtype=False)
    path.write_text("patient,months,months\nS001,1,2\n")
    with pytest.raises(InputError, match="'months' is there twice"):
        bulk.read_clinical(path)


def test_without_lifelines_the_message_says_how_to_get_it(
    result: bulk.BulkResult, clinical: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lifelines", None)
    with pytest.raises(OptionError, match=r"cafsc\[bulk\]"):
        fit(result, clinical)
