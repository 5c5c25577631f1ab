"""``cafsc --version`` and ``cafsc --help``, answered before anything is imported.

The help is kept as text in ``help.txt``, as typer prints it on a terminal of 80 columns or more; a test holds the
two together, and ``tools/update_help.py`` writes it again.
"""

from __future__ import annotations

import os
import sys

from cafsc._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 80
"""Columns from which on the help does not grow any wider."""
HELP = os.path.join(os.path.dirname(__file__), "help.txt")  # noqa: PTH118, PTH120
_COMPLETION = "_CAFSC_COMPLETE"


def answered(words: Sequence[str]) -> bool:
    """Answer where the words after ``cafsc`` ask for the version or the help and nothing else.

    Parameters
    ----------
    words
        Words after ``cafsc``.

    Returns
    -------
    Whether the answer stands on stdout; if not, nothing does, and the whole command line has to answer.
    """
    if len(words) != 1 or _COMPLETION in os.environ or sys.stdout is None:
        return False
    try:
        if words[0] == "--version":
            text = f"cafsc {__version__}\n"
        elif words[0] in ("-h", "--help") and _columns() >= WIDTH:
            with open(HELP, encoding="utf-8") as file:  # noqa: PTH123
                text = file.read()
        else:
            return False
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError):
        # Whatever refuses it refuses it again, and is then named.
        return False
    return True


def _columns() -> int:
    """Columns of the terminal, by the same rules as `shutil.get_terminal_size`, whose import takes longer."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    if columns <= 0 and sys.__stdout__ is not None:
        try:
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns
        except (OSError, ValueError, AttributeError):
            columns = 0
    return columns if columns > 0 else WIDTH
