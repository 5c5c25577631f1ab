"""What one run reads of a matrix, kept for the steps after it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_KEPT: ContextVar[dict[Hashable, tuple[Any, Any]] | None] = ContextVar("cafsc_kept_rows", default=None)


@contextmanager
def keeping() -> Iterator[None]:
    """Keep what `kept` makes, for as long as it lasts: a file is not read anew at every step."""
    token = _KEPT.set({})
    try:
        yield
    finally:
        _KEPT.reset(token)


def kept(owner: object, key: Hashable, make: Callable[[], T]) -> T:
    """What `make` gives, made once for each owner and key while something is `keeping`; it must not be changed."""
    memory = _KEPT.get()
    if memory is None:
        return make()
    place = (id(owner), key)
    if place not in memory:
        # The owner is kept too: its number is its own only while it lives.
        memory[place] = (owner, make())
    found: T = memory[place][1]
    return found
