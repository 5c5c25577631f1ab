"""What reaches the terminal: escaped text, the steps of a run, and small tables."""

from __future__ import annotations

import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout

Progress = Callable[[str, int, int], None]
"""Called with the step's name, its number from 1, and the number of steps (0 where it is not counted)."""

_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: str) -> str:
    r"""``text`` with control, format and bidirectional characters written out as ``\x1b``.

    A cell or sample name is anyone's text: printed as it is, it could move the cursor or hide a line.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _HIDDEN
        else character
        for character in text
    )


def say(line: str = "") -> None:
    """One escaped line to stderr; a stderr that is closed or full must not end a run."""
    _write(sys.stderr, printable(line) + "\n")


def _write(stream: object, text: str) -> None:
    if stream is None:
        return
    try:
        stream.write(text)  # type: ignore[attr-defined]
        stream.flush()  # type: ignore[attr-defined]
    except UnicodeEncodeError:
        stream.write(text.encode("ascii", "backslashreplace").decode("ascii"))  # type: ignore[attr-defined]
        stream.flush()  # type: ignore[attr-defined]
    except (OSError, ValueError):
        pass


def emit(text: str) -> None:
    """Data to stdout, where there is one."""
    if sys.stdout is not None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


@contextmanager
def clean_streams(*, debug: bool) -> Iterator[None]:
    """Keep stdout for our own data, and libraries' warnings off the terminal, unless debugging."""
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("once" if debug else "ignore")
        yield


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """Say each step as it begins: in one line that is written anew on a terminal, in a line of its own elsewhere."""
    on_terminal = sys.stderr is not None and sys.stderr.isatty()

    def report(step: str, number: int, total: int) -> None:
        text = f"[{number}/{total}] {step}" if total else step
        if on_terminal:
            _write(sys.stderr, f"\r\x1b[K{printable(text)}")
        else:
            say(text)

    try:
        yield (lambda step, number, total: None) if quiet else report
    finally:
        if on_terminal and not quiet:
            _write(sys.stderr, "\r\x1b[K")


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[bool] | None = None
) -> list[str]:
    """Lines of a plain table, two blanks between columns; ``right`` names those that are flush right."""
    escaped = [list(header), *[[printable(value) for value in row] for row in rows]]
    widths = [max(len(row[column]) for row in escaped) for column in range(len(header))]
    flush_right = right or [False] * len(header)
    return [
        "  ".join(
            value.rjust(width) if flush else value.ljust(width)
            for value, width, flush in zip(row, widths, flush_right, strict=True)
        ).rstrip()
        for row in escaped
    ]


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters, with an ellipsis where it was longer."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"
