"""A user's weights: the shipped table with some numbers replaced."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from pydantic import ValidationError

from cafsc.errors import CatalogueError, OptionError
from cafsc.sig.files import read_data
from cafsc.sig.model import EvidenceWeights

WeightsLike: TypeAlias = EvidenceWeights | Mapping[str, object] | Path | str
"""A whole table; or the replaced numbers, in the form of ``signatures/weights.yaml``, as a mapping, file or JSON."""

TABLES = ("evidence", "cancer", "species", "subject")
_EXPECTED = "a mapping such as {evidence: {in_vitro: 0.3}}, with the tables " + ", ".join(TABLES)


def own_weights(shipped: EvidenceWeights, given: WeightsLike) -> EvidenceWeights:
    """Weights of claims: the shipped table with the given numbers in place of its own."""
    if isinstance(given, EvidenceWeights):
        return given
    where, content = _content(given)
    if not isinstance(content, Mapping):
        raise OptionError(f"{where}: not a mapping of tables to numbers", expected=_EXPECTED)
    merged = shipped.model_dump()
    for name, values in content.items():
        if name == "why":
            continue
        if name not in TABLES or not isinstance(values, Mapping):
            raise OptionError(f"{where}: {name!r} is not a table of weights", expected=_EXPECTED)
        merged[name] |= values
    try:
        return EvidenceWeights.model_validate(merged)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"] if part != "[key]")
        raise OptionError(
            f"{where}: {place} is {problem['input']!r}: {problem['msg']}",
            expected="the words of signatures/weights.yaml, each with a number from 0 to 1",
        ) from None


def _content(given: Mapping[str, object] | Path | str) -> tuple[str, object]:
    """Name, for errors, and content of the given weights."""
    if isinstance(given, Mapping):
        return "weights", given
    if isinstance(given, str) and given.lstrip().startswith("{"):
        try:
            return "weights", json.loads(given)
        except ValueError as error:
            raise OptionError(f"weights: not JSON ({error})", expected=_EXPECTED) from error
    try:
        return str(given), read_data(Path(given), _EXPECTED)
    except CatalogueError as error:
        raise OptionError(error.found, expected=error.expected or _EXPECTED, fix=error.fix) from error
