"""Linear algebra on one thread, where a step has to give the same digits on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Limit the libraries that are loaded: the order of sums would change the last digits otherwise."""
    with threadpool_limits(limits=1):
        yield
