"""YAML as plain data, read by PyYAML's safe loader under YAML 1.2 rules for plain words.

A gene called ``NO`` and a date stay text. Tags, anchors, aliases, duplicate keys and deep nesting are refused, so
that a short file cannot expand into a large one and no value is lost silently.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

MAX_DEPTH = 32

_SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN_WORDS = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(0|[1-9][0-9]{0,17})", list("-+0123456789")),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", list("-+.0123456789")),
}
"""YAML tag, the plain words that have it, and their possible first characters."""


class YamlError(ValueError):
    """The text is not plain YAML; ``line`` and ``column`` count from 1."""

    def __init__(self, problem: str, fix: str, mark: Any = None) -> None:
        super().__init__(problem)
        self.problem, self.fix = problem, fix
        self.line: int | None = mark and mark.line + 1
        self.column: int | None = mark and mark.column + 1


class _PlainLoader(_SAFE_LOADER):  # type: ignore[misc]
    """PyYAML's safe loader with fewer special words and without duplicate keys."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML keeps them on the class)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        """The mapping of a node; refuses a key that occurs twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise YamlError(f"duplicate key {key.value!r}", "keep one of the two", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


for _tag, (_pattern, _first) in _PLAIN_WORDS.items():
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def loads(text: str) -> Any:
    """Read one YAML document as nested dict, list, str, int, float, bool and None; None if it is empty."""
    try:
        _require_plain(text)
        return yaml.load(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        problem = f"not YAML: {error.problem or error.context}"
        raise YamlError(problem, "correct the syntax", error.problem_mark) from None
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {str(error).splitlines()[0]}", "save the file as UTF-8 text") from None


def line_of(text: str, place: tuple[str | int, ...]) -> int:
    """Line, from 1, of the value under these keys and list positions, or of the nearest value around it."""
    node: Any = yaml.compose(text, Loader=_PlainLoader)
    for part in place:
        values: dict[str, yaml.Node] = {}
        if isinstance(node, yaml.MappingNode):
            values = {key.value: value for key, value in node.value}
        elif isinstance(node, yaml.SequenceNode):
            values = {str(index): value for index, value in enumerate(node.value)}
        if str(part) not in values:
            break
        node = values[str(part)]
    return int(node.start_mark.line) + 1


def _require_plain(text: str) -> None:
    """Refuse what the loader must not see, event by event: it would follow nesting of any depth."""
    depth = 0
    for event in yaml.parse(text, Loader=_PlainLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.NodeEvent):
            depth += isinstance(event, yaml.CollectionStartEvent)
            tag = getattr(event, "tag", None)
            if event.anchor is not None:
                raise YamlError(f"anchor or alias {event.anchor!r}", "write the values out", event.start_mark)
            if tag is not None:
                raise YamlError(f"tag {tag!r}; tags are not allowed", "remove the tag", event.start_mark)
            if depth > MAX_DEPTH:
                problem = f"nested more than {MAX_DEPTH} levels deep"
                raise YamlError(problem, "flatten the file", event.start_mark)
