"""The ``cafsc`` command; it adds nothing that the Python API cannot do."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code.

    Parameters
    ----------
    args
        Words after ``cafsc``; those of the process where ``None``.

    Raises
    ------
    SystemExit
        Always: 0 fine, 2 what the user can mend, 1 a bug of cafsc, 130 and 143 interrupted.
    """
    from cafsc.cli.instant import answered

    words = list(sys.argv[1:] if args is None else args)
    if answered(words):
        sys.exit(0)
    from cafsc import _own_process
    from cafsc.cli.failures import guarded

    # Figures go to files only; a backend that the user's shell names may not be there.
    os.environ["MPLBACKEND"] = "agg"
    # Our models need no plugin, and pydantic would look for one in every package that is installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

    if args is None and words[:1] == ["annotate"]:
        import gc

        from cafsc import _freed_memory

        _own_process.claim()
        _freed_memory.keep()
        # What is imported and read first stays; it is not worth a search for what could be freed of it.
        gc.disable()

    def run() -> None:
        from cafsc.cli.app import command

        command()(args=words, prog_name="cafsc")

    _own_process.leave(guarded(run, debug="--debug" in words))
