"""The one place where an exception becomes a message and an exit code."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from types import FrameType
from typing import NoReturn, TypeAlias

from cafsc._options import RunOptions
from cafsc.cli.terminal import cut, printable, say
from cafsc.errors import EXIT_BUG, EXIT_OK, EXIT_USER, CafscError, UserError

Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | None

EXIT_BROKEN_PIPE = 141
SIGNALLED = {128 + signal.SIGINT: "interrupted", 128 + signal.SIGTERM: "terminated"}

MAX_LINES = 8
MAX_WIDTH = 1500

# What the machine or the folder refuses: the user can mend it, so it is no bug of ours.
_MENDABLE = {
    errno.ENOSPC: "free some space, or write to another folder with --output",
    errno.EDQUOT: "free some of your quota, or write to another folder with --output",
    errno.EROFS: "write to another folder with --output",
    errno.EACCES: "ask for the permission, or use another folder",
    errno.EPERM: "ask for the permission, or use another folder",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "raise the limit of open files",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "name a file, not a folder",
    errno.ENAMETOOLONG: "use a shorter file name",
    errno.EIO: "check the disk or the network drive",
    errno.ESTALE: "check the network drive",
}


@contextmanager
def naming(source: Path) -> Iterator[None]:
    """Put the input's name before the message of a user error that does not say it."""
    try:
        yield
    except UserError as error:
        found = error.found.removeprefix("the AnnData: ")
        if source.name in found:
            raise
        raise type(error)(f"{source.name}: {found}", expected=error.expected, fix=error.fix) from error


def guarded(run: Callable[[], object], *, debug: bool = False) -> int:
    """Run a command and turn whatever ends it into an exit code and a short message.

    0 fine, 2 an error that the user can correct, 1 a bug of ours, 130 interrupted, 143 terminated, 141 when the
    reader of stdout went away.
    """
    before = _on_sigterm(_terminate)
    try:
        run()
        if sys.stdout is not None:
            sys.stdout.flush()
    except BaseException as error:
        return exit_code(error, debug=debug)
    finally:
        _on_sigterm(before)
    return EXIT_OK


def exit_code(error: BaseException, *, debug: bool = False) -> int:
    """Say in at most eight lines what ended a command, where it has not said so itself, and give the exit code."""
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        # Point stdout at nothing, so that Python's own flush at exit does not complain.
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    if isinstance(error, KeyboardInterrupt):
        error = SystemExit(128 + signal.SIGINT)
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else EXIT_OK if error.code is None else EXIT_BUG
        # Typer turns an interrupt into an exit without a word.
        if code in SIGNALLED:
            say(f"cafsc: {SIGNALLED[code]}")
        return code
    if debug:
        say(*"".join(traceback.format_exception(error)).splitlines())
    if isinstance(error, CafscError) and error.exit_code == EXIT_USER:
        lines = _with_flags(str(error)).splitlines()
    else:
        lines = _mendable(error)
    code = EXIT_USER if lines else EXIT_BUG
    lines = lines or [
        "this is a bug in cafsc",
        f"{type(error).__name__}: {' '.join(str(error).split())}",
        "see where with --debug (prints the traceback), and please send it to the developers",
    ]
    say(*(f"cafsc: error: {cut(printable(line), MAX_WIDTH)}" for line in lines[:MAX_LINES]))
    return code


def _with_flags(text: str) -> str:
    """The arguments of a Python error, such as ``force=True`` and ``layer=``, as options of the command line."""
    names = "|".join(option.name for option in fields(RunOptions) if option.metadata["shell"] is not None)

    def flag(found: re.Match[str]) -> str:
        return f"--{found[1].replace('_', '-')}" + ("" if found[2] else " " if found[3] else "")

    return re.sub(rf"\b({names}|force|backed)=(True\b)?(?=(\w|['\"])?)", flag, text)


def _mendable(error: BaseException) -> list[str]:
    """Message for what the machine refused (memory, disk, permission), or nothing."""
    if isinstance(error, MemoryError):
        return [
            f"not enough memory: {error}" if str(error) else "not enough memory",
            "fix: use a machine with more memory, or give fewer cells at a time (one sample a run)",
        ]
    if isinstance(error, OSError) and error.errno in _MENDABLE:
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or os.strerror(error.errno)
        return [f"{where}{reason}", f"fix: {_MENDABLE[error.errno]}"]
    # HDF5 passes the system's reason on only as text.
    if "No space left on device" in str(error):
        return ["the output cannot be written: No space left on device", f"fix: {_MENDABLE[errno.ENOSPC]}"]
    return []


def _on_sigterm(handler: Handler) -> Handler:
    """Install a handler and give the one before; elsewhere than in the main thread nothing changes."""
    with suppress(ValueError):
        return signal.signal(signal.SIGTERM, handler)
    return None


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    """Leave by an exception, so that half-written files are cleared away on the way out."""
    sys.exit(128 + number)
