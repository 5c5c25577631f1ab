"""What only a process may do that is there for the command alone, and not for a session that calls it."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn

claimed = False
"""Whether the process is the command's own."""


def claim() -> None:
    """Say that the process is there for one run of the command and ends with it."""
    global claimed  # noqa: PLW0603
    claimed = True


def leave(code: int) -> NoReturn:
    """End the process, its own in all but name already.

    Raises
    ------
    SystemExit
        Where the process is somebody else's.

    Notes
    -----
    What was registered to run at the end runs, and what was printed is printed. Python would then free its objects one
    by one, which takes a third of a second once pandas and numba are among them; the system frees all of it at once.
    """
    if not claimed:
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # There may be none, or nobody may read it any more.
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
    os._exit(code)
