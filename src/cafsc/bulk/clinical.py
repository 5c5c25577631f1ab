"""The clinical table of a cohort: read it, match it to the samples, and check time and event."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cafsc.bulk.table import read_table
from cafsc.errors import InputError, OptionError

MIN_EVENTS = 5
SOURCE = "the clinical table"
_EVENT: dict[str, float] = dict.fromkeys(
    "1 1.0 true yes y event dead deceased died death relapse relapsed progressed recurred".split(), 1.0
) | dict.fromkeys("0 0.0 false no n censored alive living none disease-free progression-free".split(), 0.0)
_MAX_LEVELS = 10


def read_clinical(path: Path | str) -> pd.DataFrame:
    """Read a clinical table: one row per sample, with a header.

    Parameters
    ----------
    path
        Tab-, comma- or semicolon-separated text, gzip-compressed or not.

    Returns
    -------
    The table as it is.

    Raises
    ------
    InputError
        The file is not such a table.
    """
    frame = read_table(Path(path))
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise InputError(
            f"{path}: the column {repeated[0]!r} is there twice",
            expected="one name per column",
            fix="rename one of them",
        )
    return frame


def match(
    clinical: pd.DataFrame, samples: Sequence[str], time: str, event: str, adjust: Sequence[str], source: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Outcome of the samples of a cohort, and notes on those left out.

    Columns ``time`` (float64), ``event`` (bool), then the adjusted ones as numbers; a text column becomes one column
    of 0 and 1 per level but the first.
    """
    for name in (time, event, *adjust):
        if name not in clinical.columns:
            raise OptionError(
                f"{source}: has no column {name!r}",
                expected="one of " + ", ".join(str(column) for column in clinical.columns[:20]),
                fix="correct the name of the time, event or adjusted column",
            )
    names = _sample_names(clinical, samples, source)
    rows = clinical.set_axis(names, axis=0)[names.isin(samples)]
    repeated = rows.index[rows.index.duplicated()]
    if len(repeated):
        raise InputError(
            f"{source}: {repeated.nunique():,} samples have more than one row, such as {repeated[0]!r}",
            expected="one row per sample",
            fix="drop the duplicates",
        )
    rows = rows.reindex([name for name in samples if name in rows.index])
    notes = []
    if missing := [name for name in samples if name not in rows.index]:
        have = f"{len(rows):,} of {len(samples):,} samples have a clinical row"
        notes.append(f"{have} ({missing[0]!r} has none)")
    columns = [_times(rows[time], source), _events(rows[event], source)]
    every = pd.concat([*columns, *(_covariate(rows[name], source) for name in dict.fromkeys(adjust))], axis=1)
    out = every.dropna().astype({"event": bool})
    if n_lost := len(every) - len(out):
        notes.append(f"{n_lost:,} samples lack time, event or an adjusted column and are left out")
    n_events = int(out["event"].sum())
    if n_events < MIN_EVENTS:
        raise InputError(
            f"{source}: {n_events} events among {len(out):,} matched samples",
            expected=f"at least {MIN_EVENTS} events",
            fix="check the event column (1 = it happened, 0 = censored), or use a larger cohort",
        )
    n_terms = out.shape[1] - 1
    if n_events < 10 * n_terms:
        notes.append(f"only {n_events} events for {n_terms} terms per model: intervals are wide")
    return out, tuple(notes)


def _sample_names(clinical: pd.DataFrame, samples: Sequence[str], source: str) -> pd.Index:
    """Names of the rows: the column, or the index, that matches most samples."""
    candidates = [clinical.index, *(pd.Index(clinical[name]) for name in clinical.columns)]
    texts: list[pd.Index[str]] = [names.astype(str).str.strip() for names in candidates]
    best = max(texts, key=lambda names: names.isin(samples).sum())
    if not best.isin(samples).any():
        first = texts[min(1, len(texts) - 1)]
        shown = [", ".join(repr(str(name)[:30]) for name in names[:2]) for names in (samples, list(first))]
        fix = "make the names the same in both tables"
        if any(sample.startswith(name) for sample in samples[:20] for name in first if len(name) > 3):
            fix = "shorten the sample names to the patients' names: they start alike"
        elif {name.replace(".", "-") for name in samples} & {name.replace(".", "-") for name in first}:
            fix = "write '-' for '.' in the sample names: R changed them"
        raise InputError(
            f"{source}: no sample of the expression table ({shown[0]} ...) has a row here ({shown[1]} ...)",
            expected="a column with the same sample names as the expression table",
            fix=fix,
        )
    return best


def _times(column: pd.Series, source: str) -> pd.Series:
    times = pd.to_numeric(column, errors="coerce").astype(float)
    bad = column[times.isna() & column.notna()]
    found = None
    if len(bad):
        found = f"{str(bad.iloc[0])[:40]!r} in the time column {column.name!r} is not a number"
    elif (times < 0).any() or np.isinf(times).any():
        found = f"negative or infinite times in the column {column.name!r}"
    if found:
        raise InputError(
            f"{source}: {found}",
            expected="time to event or censoring, as numbers from 0",
            fix="correct the cells, or leave them empty",
        )
    return times.rename("time")


def _events(column: pd.Series, source: str) -> pd.Series:
    """1.0 where the event happened, 0.0 where it was censored, NaN where it is not known."""
    words = column.map(lambda value: str(value).strip().casefold(), na_action="ignore").astype(object)
    # cBioPortal writes 1:DECEASED and 0:LIVING.
    words = words.replace(r"^([01]):.*", r"\1", regex=True)
    events = words.map(_EVENT)
    bad = column[events.isna() & words.notna() & (words != "")]
    if len(bad):
        raise InputError(
            f"{source}: {str(bad.iloc[0])[:40]!r} in the event column {column.name!r} is not understood",
            expected="1 or 0, true or false, dead or alive (1 = it happened, 0 = censored)",
            fix="recode the column",
        )
    return events.astype(float).rename("event")


def _covariate(column: pd.Series, source: str) -> pd.DataFrame:
    """A column of numbers as it is; texts as one column of 0 and 1 per level but the first."""
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().any() and numbers.notna().equals(column.notna()):
        return numbers.astype(float).to_frame()
    levels = column.dropna().astype(str)
    if not 2 <= levels.nunique() <= _MAX_LEVELS:
        raise InputError(
            f"{source}: the adjusted column {column.name!r} has {levels.nunique()} different texts",
            expected=f"numbers, or 2 to {_MAX_LEVELS} groups",
            fix="do not adjust for it, or group its values",
        )
    dummies = pd.get_dummies(levels, prefix=str(column.name), prefix_sep="=", drop_first=True, dtype=float)
    return dummies.reindex(column.index)
