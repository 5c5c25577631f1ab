"""Tables and single entries on standard output."""

from __future__ import annotations

import sys
from typing import Any, Literal

Row = dict[str, Any]

PIPE_WIDTH = 400
"""Columns of a table that is not printed on a terminal."""


def print_table(title: str, rows: list[Row]) -> None:
    """Rows with the same keys as a table; says so if there are none."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Piped into another program, a row stays on one line.
    console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
    if not rows:
        console.print("nothing matches", highlight=False)
        return
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in rows[0]:
        justify: Literal["right", "left"] = "right" if name.startswith("n_") else "left"
        table.add_column(name, overflow="fold", justify=justify, no_wrap=name == "id")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    console.print(table)


def print_entry(entry: Row) -> None:
    """One entry, a field a line."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for name, given in entry.items():
        if given in (None, [], {}, ""):
            continue
        value = [f"{key}: {part}" for key, part in given.items()] if isinstance(given, dict) else given
        if isinstance(given, dict) and name == "dropped":
            value = [{"gene": f"{key}: {part}"} for key, part in given.items()]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            console.print(Text(f"{name}:", style="bold"))
            for part in value:
                console.print(Text("  - " + "; ".join(_cell(piece) for piece in part.values() if piece)))
        else:
            console.print(Text.assemble((f"{name}: ", "bold"), _cell(value)))


def _cell(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)
