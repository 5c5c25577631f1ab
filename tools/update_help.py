"""Keep what ``cafsc --help`` prints, as typer makes it, where it can be printed without typer."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from pathlib import Path

from cafsc.cli.app import command
from cafsc.cli.instant import HELP, WIDTH


def made(columns: int = WIDTH) -> str:
    """What typer prints on a terminal of that many columns."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(columns)
    out = io.StringIO()
    try:
        with redirect_stdout(out):
            command()(args=["--help"], prog_name="cafsc", standalone_mode=False)
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return out.getvalue()


if __name__ == "__main__":
    Path(HELP).write_text(made(), encoding="utf-8")
