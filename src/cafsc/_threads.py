"""Linear algebra on one thread, where a step has to give the same digits on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread: the order of floating-point sums would change the last digits otherwise.

    Import the libraries that compute before: only those that are loaded are limited.
    """
    with threadpool_limits(limits=1):
        yield
