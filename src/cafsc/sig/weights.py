"""Weights of one's own: the shipped table with the numbers that a user changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from pydantic import ValidationError

from cafsc.errors import CatalogueError, OptionError
from cafsc.sig.files import read_data
from cafsc.sig.model import EvidenceWeights
from cafsc.sig.user import refuse_special

WeightsLike: TypeAlias = EvidenceWeights | Mapping[str, object] | Path | str
"""A whole table; a mapping with the numbers that change; a file, or JSON text, with the same."""

TABLES = ("evidence", "cancer", "species", "subject")
_EXPECTED = "a mapping such as {evidence: {in_vitro: 0.3}}, with the tables " + ", ".join(TABLES)


def own_weights(shipped: EvidenceWeights, given: WeightsLike) -> EvidenceWeights:
    """Weights of a claim, with a user's numbers in place of the shipped ones.

    Parameters
    ----------
    shipped
        Table that holds every number.
    given
        Path of a YAML file in the form of ``signatures/weights.yaml``, a mapping of the same form, or that mapping
        as JSON text. What is not named stays.

    Returns
    -------
    The whole table.

    Raises
    ------
    OptionError
        If a table, a word or a number is not one that there is.
    CatalogueError
        If the file cannot be read.
    """
    if isinstance(given, EvidenceWeights):
        return given
    where, content = _content(given)
    if not isinstance(content, Mapping):
        raise OptionError(f"{where}: no mapping of tables to numbers", expected=_EXPECTED)
    merged = shipped.model_dump()
    for name, values in content.items():
        if name == "why":
            continue
        if name not in TABLES or not isinstance(values, Mapping):
            raise OptionError(f"{where}: {name!r} is no table of weights", expected=_EXPECTED)
        for word, value in values.items():
            if word not in merged[name]:
                known = ", ".join(map(str, merged[name]))
                raise OptionError(f"{where}: {name}.{word} is not known", expected=f"one of {known}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise OptionError(f"{where}: {name}.{word} is {value!r}", expected="a number from 0 to 1")
            merged[name][word] = float(value)
    try:
        return EvidenceWeights.model_validate(merged)
    except ValidationError as error:
        raise OptionError(f"{where}: not a table of weights", expected=_EXPECTED) from error


def _content(given: Mapping[str, object] | Path | str) -> tuple[str, object]:
    if isinstance(given, Mapping):
        return "weights", given
    if isinstance(given, str) and given.lstrip().startswith("{"):
        try:
            return "weights", json.loads(given)
        except ValueError as error:
            raise OptionError(f"weights: not JSON ({error})", expected=_EXPECTED) from error
    path = Path(given)
    try:
        refuse_special(path)
        return str(path), read_data(path, _EXPECTED)
    except CatalogueError as error:
        raise OptionError(error.found, expected=error.expected or _EXPECTED, fix=error.fix) from error
