"""What changed between two releases of the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cafsc.errors import CatalogueError
from cafsc.sig.catalogue import read
from cafsc.sig.entry import SECTIONS
from cafsc.sig.export import to_json
from cafsc.sig.files import read_text

Sections = dict[str, dict[str, Any]]


@dataclass(frozen=True, order=True)
class Change:
    """An entry that came, went or changed."""

    section: str
    """Section of the JSON export, such as ``sets``."""
    id: str
    what: str
    """``added``, ``removed`` or ``changed``."""
    details: tuple[str, ...] = ()
    """For a changed entry: ``field: +new -old`` for lists, ``field: old -> new`` for single values."""


def diff(old: Path | str, new: Path | str) -> tuple[Change, ...]:
    """Compare two catalogue folders or JSON exports.

    Parameters
    ----------
    old, new
        A folder of the form of ``signatures/``, or a file written by ``cafsc signatures export --format json``.

    Raises
    ------
    CatalogueError
        If one of them cannot be read as either.
    """
    before, after = _content(Path(old)), _content(Path(new))
    changes: list[Change] = []
    for section in SECTIONS.values():
        one, two = before.get(section, {}), after.get(section, {})
        changes += [Change(section, name, "added") for name in two if name not in one]
        changes += [Change(section, name, "removed") for name in one if name not in two]
        for name in one:
            details = _details(one[name], two[name]) if name in two else ()
            if details:
                changes.append(Change(section, name, "changed", details))
    return tuple(sorted(changes))


def _content(path: Path) -> Sections:
    text = to_json(read(path)) if path.is_dir() else read_text(path)
    try:
        content = json.loads(text)
        content["claims"] = {claim["id"]: claim for claim in content["claims"]}
        return {section: dict(content.get(section, {})) for section in SECTIONS.values()}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise CatalogueError(
            f"{path}: not a catalogue",
            expected="a folder with papers/, or a file of 'cafsc signatures export --format json'",
            fix="name one of these",
        ) from None


def _details(one: Any, two: Any) -> tuple[str, ...]:
    if not isinstance(one, dict) or not isinstance(two, dict):
        return () if one == two else (f"{one} -> {two}",)
    return tuple(_change(name, one.get(name), two.get(name)) for name in _changed(one, two))


def _changed(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[str]:
    # A field that an older release did not have yet is as good as empty.
    return [
        name for name in dict.fromkeys((*two, *one)) if (one.get(name) or None) != (two.get(name) or None)
    ]


def _change(name: str, one: Any, two: Any) -> str:
    if isinstance(one or two, list | dict):
        came = [str(part) for part in two or () if part not in (one or ())]
        went = [str(part) for part in one or () if part not in (two or ())]
        if isinstance(one, dict) and isinstance(two, dict):
            came += [f"{key}={two[key]}" for key in two if key in one and one[key] != two[key]]
        said = " ".join([*(f"+{part}" for part in came), *(f"-{part}" for part in went)])
        return f"{name}: {said or 'other order'}"
    return f"{name}: {one} -> {two}"
