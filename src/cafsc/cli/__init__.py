"""The ``cafsc`` command; it adds nothing that the Python API cannot do."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line on the words after ``cafsc``, those of the process where ``None``, and leave it.

    Exit code 0 is fine, 2 an error that the user can correct, 1 a bug of cafsc, 130 and 143 interrupted.
    """
    from cafsc.cli.failures import guarded

    # Figures go to files only; the backend that the user's shell names may not be installed.
    os.environ["MPLBACKEND"] = "agg"
    words = list(sys.argv[1:] if args is None else args)

    def run() -> None:
        from cafsc.cli.app import command

        command()(args=words, prog_name="cafsc")

    sys.exit(guarded(run, debug="--debug" in words))
