"""How a result table is taken out of ``adata.uns``: found or refused, with fixed columns and dtypes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from pandas.api.types import infer_dtype

from cafsc._keys import Keys
from cafsc.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

Kind = Literal["text", "count", "number", "flag"]
RUN_FIRST = "run cafsc.annotate first"
RUN_AGAIN = "run cafsc.annotate again; the slots of a result are not meant to be edited"

_DIGITS = re.compile(r"(\d+)")


def results(adata: AnnData, key_added: str) -> Mapping[str, Any]:
    """Everything that one run left in ``adata.uns``."""
    slot = Keys(key_added).uns
    stored = adata.uns.get(slot)
    if stored is None:
        raise InputError(
            f"the AnnData has no result in uns[{slot!r}]",
            expected=f"an AnnData annotated with key_added={key_added!r}",
            fix=RUN_FIRST,
        )
    if not isinstance(stored, Mapping):
        raise InputError(
            f"uns[{slot!r}] is a {type(stored).__name__}",
            expected="a result of cafsc.annotate",
            fix=RUN_AGAIN,
        )
    return stored


def part(adata: AnnData, key_added: str, name: str) -> Any:
    """One named part of the result."""
    stored = results(adata, key_added)
    if name not in stored:
        raise InputError(
            f"uns[{Keys(key_added).uns!r}] has no {name!r}",
            expected=f"the parts of a result: {', '.join(sorted(stored)) or 'none'} and {name}",
            fix=RUN_FIRST,
        )
    return stored[name]


def table(
    adata: AnnData, key_added: str, name: str, columns: Mapping[str, Kind], *, extra: str | None = None
) -> pd.DataFrame:
    """One result table with the given columns, in that order and with fixed dtypes.

    Parameters
    ----------
    columns
        Column -> ``text`` (object of str, ``""`` where missing), ``count`` (int64), ``number`` (float64) or
        ``flag`` (bool, false where missing).
    extra
        Prefix of further text columns to keep, behind the others.
    """
    stored = part(adata, key_added, name)
    where = f"uns[{Keys(key_added).uns!r}][{name!r}]"
    if not isinstance(stored, pd.DataFrame):
        raise InputError(f"{where} is a {type(stored).__name__}", expected="a table", fix=RUN_AGAIN)
    missing = [column for column in columns if column not in stored.columns]
    if missing and len(stored):
        raise InputError(
            f"{where} has no column {', '.join(missing)}",
            expected=f"the columns {', '.join(columns)}",
            fix=RUN_AGAIN,
        )
    kinds: dict[str, Kind] = dict(columns)
    if extra is not None:
        kinds |= {str(c): "text" for c in stored.columns if str(c).startswith(extra)}
    frame = stored.reindex(columns=list(kinds)).reset_index(drop=True)
    try:
        return pd.DataFrame({column: _typed(frame[column], kind) for column, kind in kinds.items()})
    except (TypeError, ValueError) as error:
        raise InputError(f"{where} holds a value of the wrong type: {error}", fix=RUN_AGAIN) from error


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key under which cluster ``10`` comes after cluster ``9``."""
    pieces = _DIGITS.split(name)
    return tuple((0, int(p), "") if i % 2 else (1, 0, p) for i, p in enumerate(pieces) if p)


def cluster_order(names: pd.Series) -> pd.Series:
    """Rank of each row's cluster in natural order, int64."""
    rank = {name: i for i, name in enumerate(sorted(set(names), key=lambda n: (natural(n), n)))}
    return names.map(rank).astype("int64")


def sorted_rows(frame: pd.DataFrame, **ranks: pd.Series) -> pd.DataFrame:
    """Order the rows by the ranks, first one first; rows alike keep their order."""
    order = pd.DataFrame(ranks).sort_values(list(ranks), kind="stable").index
    return frame.loc[order].reset_index(drop=True)


def _typed(column: pd.Series, kind: Kind) -> pd.Series:
    if kind == "text":
        values = column.astype(object)
        if infer_dtype(values, skipna=False) == "string":
            return values
        return values.where(values.notna(), "").map(str).astype(object)
    numbers = pd.to_numeric(column).astype("float64")
    if kind == "flag":
        return numbers.fillna(0).astype(bool)
    if kind == "number":
        return numbers
    return numbers.fillna(0).astype("int64")
