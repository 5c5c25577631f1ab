"""The clinical table of a cohort: read it, match it to the samples, and check time and event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from cafsc.bulk.table import read_table
from cafsc.errors import InputError, OptionError

MIN_EVENTS = 5
_HAPPENED = frozenset(
    "1 1.0 true yes y event dead deceased died death relapse relapsed progressed recurred".split()
)
_CENSORED = frozenset("0 0.0 false no n censored alive living none disease-free progression-free".split())
_CODED = {"0:": "0", "1:": "1"}
_MAX_LEVELS = 10
SOURCE = "the clinical table"


@dataclass(frozen=True)
class Clinical:
    """Samples with known outcome.

    Attributes
    ----------
    frame
        Index: samples of the cohort. Columns ``time`` (float64), ``event`` (bool), then the adjusted ones as
        numbers; a text column has one column of 0 and 1 for each level but the first.
    notes
        Which samples were left out, and why.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]


def read_clinical(path: Path | str) -> pd.DataFrame:
    """Read a clinical table: one row a sample, with a header.

    Parameters
    ----------
    path
        Tab-, comma- or semicolon-separated text, gzip-compressed or not.

    Returns
    -------
    The table as it stands.

    Raises
    ------
    InputError
        It is no such table.
    """
    frame = read_table(Path(path))
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise InputError(
            f"{path}: the column {repeated[0]!r} is there twice",
            expected="one name a column",
            fix="rename one of them",
        )
    return frame


def match(
    clinical: pd.DataFrame, samples: Sequence[str], time: str, event: str, adjust: Sequence[str], source: str
) -> Clinical:
    """Rows of a clinical table for the samples of a cohort.

    Parameters
    ----------
    clinical
        One row a sample; its names are in the index, or in whichever column fits the samples best.
    samples
        Names of the cohort's samples.
    time, event, adjust
        Columns.
    source
        Name of the file, for messages.

    Raises
    ------
    OptionError
        A column is not there.
    InputError
        No sample has a row, a sample has two, or time or event cannot be read.
    """
    for name in (time, event, *adjust):
        if name not in clinical.columns:
            raise OptionError(
                f"{source}: has no column {name!r}",
                expected="one of " + ", ".join(str(column) for column in clinical.columns[:20]),
                fix="correct --time, --event or --adjust",
            )
    names = _sample_names(clinical, samples, source)
    rows = clinical.set_axis(names, axis=0)[names.isin(list(samples))]
    repeated = rows.index[rows.index.duplicated()]
    if len(repeated):
        raise InputError(
            f"{source}: {len(set(repeated)):,} samples have more than one row, such as {repeated[0]!r}",
            expected="one row a sample",
            fix="drop the repeats",
        )
    rows = rows.reindex([name for name in samples if name in rows.index])
    notes = []
    if len(rows) < len(samples):
        missing = [name for name in samples if name not in rows.index]
        notes.append(
            f"{len(rows):,} of {len(samples):,} samples have a clinical row ({missing[0]!r} has none)"
        )
    out = pd.DataFrame({"time": _times(rows[time], source), "event": _events(rows[event], source)})
    out = out.join(_covariates(rows, adjust, source))
    whole = out.notna().all(axis=1)
    if not whole.all():
        notes.append(
            f"{int((~whole).sum()):,} samples lack time, event or an adjusted column and are left out"
        )
    out = out[whole]
    n_events = int(out["event"].astype(bool).sum())
    if n_events < MIN_EVENTS:
        raise InputError(
            f"{source}: {n_events} events among {len(out):,} matched samples",
            expected=f"at least {MIN_EVENTS} events",
            fix="check --event (1 = it happened, 0 = censored), or use a larger cohort",
        )
    if n_events < 10 * (1 + out.shape[1] - 2):
        notes.append(f"only {n_events} events for {out.shape[1] - 1} terms a model: intervals are wide")
    return Clinical(out.astype({"event": bool}), tuple(notes))


def _sample_names(clinical: pd.DataFrame, samples: Sequence[str], source: str) -> pd.Index:
    """The names that fit the samples: the index, or the column with the most matches."""
    wanted = set(samples)
    candidates = {"": clinical.index.astype(str).str.strip()}
    for name in clinical.columns:
        candidates[str(name)] = pd.Index(clinical[name].astype(str).str.strip())
    best = max(candidates, key=lambda name: len(wanted & set(candidates[name])))
    if not wanted & set(candidates[best]):
        first = candidates[str(clinical.columns[0])] if clinical.shape[1] else candidates[""]
        shown = [", ".join(repr(str(name)[:30]) for name in names[:2]) for names in (samples, list(first))]
        raise InputError(
            f"{source}: no sample of the expression table ({shown[0]} ...) has a row here ({shown[1]} ...)",
            expected="a column with the same sample names as the expression table",
            fix=_hint(samples, first),
        )
    return candidates[best]


def _hint(samples: Sequence[str], names: pd.Index) -> str:
    if any(
        str(sample).startswith(str(name)) for sample in samples[:20] for name in names if len(str(name)) > 3
    ):
        return "cut the sample names to the patients' names: they start alike"
    if {str(s).replace(".", "-") for s in samples} & {str(n).replace(".", "-") for n in names}:
        return "write '-' for '.' in the sample names: R changed them"
    return "make the names the same in both tables"


def _times(column: pd.Series, source: str) -> pd.Series:
    times = pd.to_numeric(column, errors="coerce").astype(float)
    bad = column[times.isna() & column.notna()]
    if len(bad):
        raise InputError(
            f"{source}: {str(bad.iloc[0])[:40]!r} in the time column {column.name!r} is no number",
            expected="time to event or censoring, as numbers",
            fix="correct the cells, or leave them empty",
        )
    if (times < 0).any() or np.isinf(times).any():
        raise InputError(
            f"{source}: negative or infinite times in the column {column.name!r}",
            expected="times from 0",
            fix="correct the cells, or leave them empty",
        )
    return times


def _events(column: pd.Series, source: str) -> pd.Series:
    """1.0 where it happened, 0.0 where censored, NaN where not known."""
    words = column.astype(object).where(column.notna(), None)
    out = []
    for value in words:
        word = "" if value is None else str(value).strip().casefold()
        word = _CODED.get(word[:2], word)
        if word and word not in _HAPPENED | _CENSORED:
            raise InputError(
                f"{source}: {str(value)[:40]!r} in the event column {column.name!r} is not understood",
                expected="1 or 0, true or false, dead or alive (1 = it happened, 0 = censored)",
                fix="recode the column",
            )
        out.append(np.nan if not word else float(word in _HAPPENED))
    return pd.Series(out, index=column.index, dtype=float)


def _covariates(rows: pd.DataFrame, adjust: Sequence[str], source: str) -> pd.DataFrame:
    parts = [pd.DataFrame(index=rows.index)]
    for name in dict.fromkeys(adjust):
        column = rows[name]
        numbers = pd.to_numeric(column, errors="coerce")
        if numbers.notna().sum() == column.notna().sum() and numbers.notna().any():
            parts.append(numbers.astype(float).rename(f"{name}").to_frame())
            continue
        levels = sorted({str(value) for value in column.dropna()})
        if not 2 <= len(levels) <= _MAX_LEVELS:
            raise InputError(
                f"{source}: the adjusted column {name!r} has {len(levels)} different texts",
                expected=f"numbers, or 2 to {_MAX_LEVELS} groups",
                fix="leave it out of --adjust, or group its values",
            )
        text = column.astype(object).where(column.notna(), None)
        parts.append(
            pd.DataFrame(
                {
                    f"{name}={level}": [np.nan if v is None else float(str(v) == level) for v in text]
                    for level in levels[1:]
                },
                index=rows.index,
            )
        )
    return pd.concat(parts, axis=1)
