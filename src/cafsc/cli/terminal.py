"""What reaches the terminal: escaped text, progress, and small tables, all on stderr."""

from __future__ import annotations

import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cafsc._progress import Listener, Pace, listening

Progress = Callable[[str, int, int], None]
"""Called with the step's name, its number from 1, and the number of steps (0 where it is not counted)."""

_FIRST_WAIT = 3.0
_LONG = 5.0
"""Seconds after which a loop says its rate and the time left."""
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


def is_terminal() -> bool:
    """Whether stderr is a terminal that a person looks at."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """A progress reporter: a bar on a terminal, now and then a line elsewhere, nothing when quiet.

    Loops that are `cafsc._progress.tracked` say their rate and the time left in the same place.
    """
    if quiet:
        yield lambda step, number, total: None
    elif is_terminal():
        with _bar() as (report, hear), listening(hear):
            yield report
    else:
        with listening(_pace_lines()):
            yield _lines()


def _lines(now: Callable[[], float] = time.monotonic) -> Progress:
    """Say the first step, and later ones ever more rarely: a log that ends in an error stays short."""
    last, due, wait = "", 0.0, _FIRST_WAIT

    def report(step: str, number: int, total: int) -> None:
        nonlocal last, due, wait
        if step == last or now() < due:
            return
        last, due, wait = step, now() + wait, 2 * wait
        say(f"[{number}/{total}] {step}" if total else step)

    return report


def _pace_lines() -> Listener:
    """Say the pace of a loop after `_LONG` seconds, after twice as many, and so on; a short loop says nothing."""
    due = _LONG

    def hear(pace: Pace) -> None:
        nonlocal due
        if pace.ended:
            due = _LONG
        elif pace.seconds >= due:
            due = 2 * pace.seconds
            say(str(pace))

    return hear


@contextmanager
def _bar() -> Iterator[tuple[Progress, Listener]]:
    """A bar of the steps; beside it, while a long loop runs, how far that is."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None)
        name = "starting"

        def report(step: str, number: int, total: int) -> None:
            nonlocal name
            name = escape(printable(step))
            bar.update(task, description=name, completed=max(number - 1, 0), total=total or None)

        def hear(pace: Pace) -> None:
            long = pace.seconds >= _LONG and not pace.ended
            words = escape(printable(str(pace)))
            bar.update(task, description=f"{name} ({words})" if long else name)

        yield report, hear


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[bool] | None = None
) -> list[str]:
    """Lines of a plain table, two blanks between columns.

    Parameters
    ----------
    header
        Names of the columns.
    rows
        Text of each row, as many as ``header``.
    right
        Whether each column is set flush right, as numbers are; none is where not given.
    """
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
