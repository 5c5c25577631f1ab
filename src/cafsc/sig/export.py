"""The catalogue in the formats that other tools read, and differences between two exports.

Sets known only as protein levels are no gene lists: JSON holds them, GMT and the network do not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from cafsc.errors import CatalogueError
from cafsc.sig.catalogue import Catalogue, read
from cafsc.sig.files import FILES, read_text
from cafsc.sig.listing import SECTIONS, sections

if TYPE_CHECKING:
    import pandas as pd


def _lists(catalogue: Catalogue) -> Iterator[tuple[str, str, float, Sequence[str]]]:
    """Id, source, sign (1 for up, -1 for down) and genes of every list of the sets and programmes."""
    for entry in catalogue.sets.values():
        yield entry.id, entry.paper.link, 1.0, entry.definition.up
        yield entry.id, entry.paper.link, -1.0, entry.definition.down
    for program in catalogue.programs.values():
        papers = [catalogue.papers[key] for key in program.sources if key in catalogue.papers]
        source = " ".join(dict.fromkeys(paper.link for paper in papers))
        yield f"program/{program.id}", source, 1.0, program.up
        # A gene that one source counts as up and another as down stays up.
        yield f"program/{program.id}", source, -1.0, [gene for gene in program.down if gene not in program.up]


def to_gmt(catalogue: Catalogue) -> str:
    """Gene matrix transposed: one set per line, ``name<TAB>source<TAB>gene<TAB>gene...``.

    Down genes are a set of their own, ``<id>/down``. Read by GSEA, gseapy, clusterProfiler, decoupler.
    """
    # gseapy's writer has one description for all sets; here each line names its own source.
    lines = [
        "\t".join((name if sign > 0 else f"{name}/down", source, *genes)) + "\n"
        for name, source, sign, genes in _lists(catalogue)
        if genes
    ]
    return "".join(lines)


def to_net(catalogue: Catalogue) -> pd.DataFrame:
    """Network for decoupler 2.

    Returns
    -------
    Columns ``source`` (set id), ``target`` (gene symbol), ``weight`` (1.0 for up genes, -1.0 for down genes).
    """
    import pandas as pd

    rows = [(name, gene, sign) for name, _, sign, genes in _lists(catalogue) for gene in genes]
    return pd.DataFrame(rows, columns=["source", "target", "weight"])


def to_json(catalogue: Catalogue) -> str:
    """The whole catalogue as one JSON object with the keys of `Catalogue`."""
    return json.dumps(sections(catalogue), indent=1, ensure_ascii=False) + "\n"


def to_schema() -> str:
    """JSON Schema (draft 2020-12) of the catalogue's YAML files, for editors and other programs.

    The document fits any of the files; its ``files`` says which definition a path follows.
    """
    schemas, definitions = models_json_schema([(model, "validation") for model in FILES.values()])
    refs = {name: schemas[model, "validation"] for name, model in FILES.items()}
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Files of the cafsc catalogue",
        "anyOf": list(refs.values()),
        "files": {name: ref["$ref"] for name, ref in refs.items()},
        **definitions,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True, order=True)
class Change:
    """An added, removed or changed entry."""

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
        If one of them is neither.
    """
    before, after = _content(Path(old)), _content(Path(new))
    changes: list[Change] = []
    for section in SECTIONS.values():
        one, two = before[section], after[section]
        changes += [Change(section, name, "added") for name in two if name not in one]
        changes += [Change(section, name, "removed") for name in one if name not in two]
        for name in [name for name in one if name in two]:
            fields = dict.fromkeys((*two[name], *one[name]))
            details = [_change(field, one[name].get(field), two[name].get(field)) for field in fields]
            if said := tuple(filter(None, details)):
                changes.append(Change(section, name, "changed", said))
    return tuple(sorted(changes))


def _content(path: Path) -> dict[str, dict[str, Any]]:
    """Entries by section and id."""
    try:
        content = sections(read(path)) if path.is_dir() else json.loads(read_text(path))
        content["claims"] = {claim["id"]: claim for claim in content["claims"]}
        named = {section: content.get(section, {}).items() for section in SECTIONS.values()}
        return {section: {name: dict(entry) for name, entry in items} for section, items in named.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CatalogueError(
            f"{path}: not a catalogue",
            expected="a folder with papers/, or a file of 'cafsc signatures export --format json'",
            fix="give one of these",
        ) from None


def _change(field: str, one: Any, two: Any) -> str:
    """What changed in one field; empty if nothing did. A field that an older release lacks counts as empty."""
    if (one or None) == (two or None):
        return ""
    if not isinstance(one or two, list | dict):
        return f"{field}: {one} -> {two}"
    added = [str(part) for part in two or () if part not in (one or ())]
    removed = [str(part) for part in one or () if part not in (two or ())]
    if isinstance(one, dict) and isinstance(two, dict):
        added += [f"{key}={two[key]}" for key in two if key in one and one[key] != two[key]]
    said = " ".join([*(f"+{part}" for part in added), *(f"-{part}" for part in removed)])
    return f"{field}: {said or 'other order'}"
