"""Write docs/columns.md, the dictionary of output columns, from `cafsc.get.schema`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from cafsc.get.schema import TABLES, Table

PAGE = Path(__file__).parents[1] / "docs" / "columns.md"
INTRO = """# Columns of the result tables

Text columns (`str`) are empty where a value is missing. A column marked *optional* is missing in every row where its
step was not run. [Codes](#codes) are explained at the end.
"""


def page() -> str:
    """The page as it should be."""
    lines = [line for table in TABLES.values() for line in columns(table)]
    return "\n".join([INTRO, *lines, *codes()])


def columns(table: Table) -> Iterator[str]:
    """The columns of one table."""
    place = f"`cafsc.get.{table.name}(adata)`" + (f", `{table.file}`" if table.file else "")
    yield f"## {table.name}"
    yield f"{place}: one row per {table.row}. Written by {table.step}."
    yield ""
    yield "| column | dtype | unit or range | meaning |"
    yield "| --- | --- | --- | --- |"
    for column in table.columns:
        former = f" Former name, kept as a copy for one release: `{column.alias}`." if column.alias else ""
        optional = " *Optional.*" if column.optional else ""
        yield f"| `{column.name}` | {column.dtype} | {column.unit} | {column.meaning}{former}{optional} |"
    if table.extra:
        yield f"| `{table.extra}<id>` | str |  | Label of the cluster in each published scheme. |"
    yield ""


def codes() -> Iterator[str]:
    """The codes, once for all columns that hold them."""
    holders: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for column in (column for table in TABLES.values() for column in table.columns if column.codes):
        names = holders.setdefault(tuple(column.codes.items()), [])
        if column.name not in names:
            names.append(column.name)
    yield "## Codes"
    for entries, names in holders.items():
        yield f"{' and '.join(f'`{name}`' for name in names)}:"
        yield ""
        yield from (f"- `{code}`: {meaning}" for code, meaning in entries)
        yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
