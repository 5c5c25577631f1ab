"""How far a long loop is, for whoever listens; where nobody does, nothing happens and no clock is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import TypeAlias, TypeVar

Block = TypeVar("Block")


@dataclass(frozen=True)
class Pace:
    """How far a loop is, and how fast.

    Attributes
    ----------
    what
        What the loop does, in words.
    done, total
        Units gone through, and units in all; 0 in all where that is not known.
    unit
        Name of the units, in the plural.
    seconds
        Time since the loop began.
    ended
        Whether the loop is over: every loop says so once, at its end, even one that was broken off.
    """

    what: str
    done: int
    total: int
    unit: str
    seconds: float
    ended: bool = False

    @property
    def rate(self) -> float:
        """Units a second so far; 0 before the first."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end if the pace stays; None where it cannot be told."""
        if self.rate <= 0 or self.total <= 0:
            return None
        return max(self.total - self.done, 0) / self.rate

    def __str__(self) -> str:
        """``score: 40,960 of 1,000,000 cells, 8,120 cells/s, 2 min left``."""
        of = f" of {self.total:,}" if self.total else ""
        rate = f"{self.rate:,.0f}" if self.rate >= 10 else f"{self.rate:.2g}"
        words = [f"{self.what}: {self.done:,}{of} {self.unit}", f"{rate} {self.unit}/s"]
        if self.seconds_left is not None:
            words.append(f"{duration(self.seconds_left)} left")
        return ", ".join(words)


Listener: TypeAlias = Callable[[Pace], None]

_LISTENER: ContextVar[Listener | None] = ContextVar("cafsc_progress_listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have `listener` told of every loop that `tracked` goes through, for as long as it lasts."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tracked(
    blocks: Iterable[Block],
    what: str,
    n_total: int = 0,
    *,
    n_in: Callable[[Block], int] | None = None,
    unit: str = "cells",
) -> Iterator[Block]:
    """Go through `blocks` and tell the listener, after each, how far the loop is.

    Parameters
    ----------
    blocks
        What the loop goes through.
    what
        What it does, in words.
    n_total
        Units in all blocks; 0 where that is not known.
    n_in
        Units in a block; each block is one unit where not given.
    unit
        Name of the units, in the plural.

    Returns
    -------
    The same blocks in the same order. Without a listener this is ``iter(blocks)``.

    Examples
    --------
    >>> for rows in tracked(blocks, "score the cells", n_cells, n_in=len):  # doctest: +SKIP
    ...     score(rows)
    """
    listener = _LISTENER.get()
    return iter(blocks) if listener is None else _told(blocks, what, n_total, n_in, unit, listener)


def _told(
    blocks: Iterable[Block],
    what: str,
    n_total: int,
    n_in: Callable[[Block], int] | None,
    unit: str,
    listener: Listener,
) -> Iterator[Block]:
    begin, done = monotonic(), 0
    try:
        for block in blocks:
            yield block
            # The loop asks for the next block: this one is done.
            done += 1 if n_in is None else n_in(block)
            listener(Pace(what, done, n_total, unit, monotonic() - begin))
    finally:
        listener(Pace(what, done, n_total, unit, monotonic() - begin, ended=True))


def duration(seconds: float) -> str:
    """``seconds`` in words, to two figures or so: ``8 s``, ``12 min``, ``3 h 20 min``."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
