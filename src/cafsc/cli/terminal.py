"""What reaches the terminal: escaped text, the steps of a run, and small tables."""

from __future__ import annotations

import json
import logging
import sys
import unicodedata
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TextIO

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


def say(*lines: str) -> None:
    """Escaped lines to stderr; a stderr that is closed or full must not end a run."""
    for line in lines:
        _write(sys.stderr, printable(line) + "\n")


def _write(stream: TextIO | None, text: str) -> None:
    if stream is None:
        return
    with suppress(OSError, ValueError):
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode("ascii"))
        stream.flush()


def emit(*lines: str) -> None:
    """Data to stdout, where there is one."""
    if sys.stdout is not None:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        sys.stdout.flush()


def emit_json(document: object, *, ascii_only: bool = True) -> None:
    """A JSON document to stdout. Names that come from the data are anyone's text, and written in ASCII."""
    emit(json.dumps(document, indent=2, allow_nan=False, ensure_ascii=ascii_only))


@contextmanager
def clean_streams(*, debug: bool) -> Iterator[None]:
    """Keep stdout for our own data, and libraries' warnings and logs off the terminal, unless debugging."""
    before = logging.root.manager.disable
    if not debug:
        logging.disable()
    try:
        with redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("once" if debug else "ignore")
            yield
    finally:
        logging.disable(before)


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


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Container[str] = ()) -> list[str]:
    """Lines of a plain table, two blanks between columns; those that ``right`` names are flush right."""
    escaped = [header, *([printable(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*escaped, strict=True)]
    return [
        "  ".join(
            value.rjust(width) if name in right else value.ljust(width)
            for name, width, value in zip(header, widths, row, strict=True)
        ).rstrip()
        for row in escaped
    ]


def cut(text: str, width: int) -> str:
    """``text`` in at most ``width`` characters, with an ellipsis where it was longer."""
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"
