"""YAML as plain data: text, numbers, lists and mappings, and nothing that can surprise.

Built from parser events, so that tags, anchors and aliases are refused before anything is constructed, and a
gene called ``NO`` or ``ON`` stays text (YAML 1.2 core rules for plain words; dates stay text too).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

MAX_DEPTH = 32

Place = tuple[str | int, ...]
"""Where a value stands: mapping keys and list positions from the top."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMERIC = frozenset("-+.0123456789")
"""What a number can begin with."""


class YamlError(ValueError):
    """The text is not the plain YAML that is accepted; ``line`` and ``column`` count from 1."""

    def __init__(self, problem: str, fix: str, line: int | None = None, column: int | None = None) -> None:
        self.problem = problem
        self.fix = fix
        self.line = line
        self.column = column
        super().__init__(problem)


def loads(text: str, lines: dict[Place, int] | None = None) -> object:
    """Read one YAML document.

    Parameters
    ----------
    text
        The document.
    lines
        If given, filled with the line (from 1) of every value, by place; used to word errors.

    Returns
    -------
    Nested dict, list, str, int, float, bool and None; None for an empty document.

    Raises
    ------
    YamlError
        For a syntax error, a tag, an anchor or alias, a duplicate key, a second document, or deep nesting.
    """
    root: object = None
    documents = 0
    try:
        loader = _LOADER(text)
        try:
            while type(event := loader.get_event()) is not yaml.StreamEndEvent:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        raise _refused("a second document (---)", "keep one document a file", event)
                elif isinstance(event, yaml.NodeEvent):
                    root = _value(event, loader.get_event, 0, (), lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
        raise YamlError(
            f"not YAML: {error.problem or error.context}", "mend the syntax there", *where
        ) from None
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {str(error).splitlines()[0]}", "save the file as UTF-8 text") from None
    return root


def _value(
    event: Any, next_event: Callable[[], Any], depth: int, place: Place, lines: dict[Place, int] | None
) -> object:
    """The value that begins with ``event``; its ``place`` is kept only where ``lines`` are asked for."""
    # The catalogue has a hundred thousand events: looked at by their very type, scalars first.
    kind = type(event)
    if event.anchor is not None or (kind is not yaml.AliasEvent and event.tag is not None):
        raise _unplain(event)
    if depth > MAX_DEPTH:
        raise _refused(f"nested more than {MAX_DEPTH} levels deep", "flatten the file", event)
    if lines is not None:
        lines[place] = event.start_mark.line + 1
    if kind is yaml.ScalarEvent:
        return _scalar(event)
    if kind is yaml.SequenceStartEvent:
        items: list[object] = []
        while type(event := next_event()) is not yaml.SequenceEndEvent:
            inside = place if lines is None else (*place, len(items))
            items.append(_value(event, next_event, depth + 1, inside, lines))
        return items
    mapping: dict[object, object] = {}
    while type(event := next_event()) is not yaml.MappingEndEvent:
        if type(event) is not yaml.ScalarEvent or event.anchor is not None or event.tag is not None:
            raise _unplain(event)
        key = _scalar(event)
        if key in mapping:
            raise _refused(f"duplicate key {key!r}", "keep one of the two", event)
        inside = place if lines is None else (*place, str(key))
        mapping[key] = _value(next_event(), next_event, depth + 1, inside, lines)
    return mapping


def _unplain(event: Any) -> YamlError:
    """Why an event is no plain value, or no plain key."""
    if event.anchor is not None:
        return _refused(
            f"anchor or alias {event.anchor!r}, which are not allowed", "write the values out", event
        )
    if getattr(event, "tag", None) is not None:
        return _refused(f"tag {event.tag!r}; tags are not allowed", "remove the tag", event)
    return _refused("a key that is itself a list or mapping", "use a plain word as key", event)


def _scalar(event: Any) -> str | int | float | bool | None:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text[:1] not in _NUMERIC:
        return _WORDS.get(text, text)
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def _refused(problem: str, fix: str, event: Any) -> YamlError:
    return YamlError(problem, fix, event.start_mark.line + 1, event.start_mark.column + 1)
