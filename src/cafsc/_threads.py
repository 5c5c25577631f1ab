"""One place that decides how many threads linear algebra may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def limit_threads(threads: int | None) -> Iterator[None]:
    """Limit BLAS and OpenMP to ``threads`` threads; ``None`` leaves them as they are."""
    if threads is None:
        yield
        return
    with threadpool_limits(limits=threads):
        yield


@contextmanager
def reproducible() -> Iterator[None]:
    """Run on one thread, where the order of floating-point sums would change the last bits otherwise."""
    with threadpool_limits(limits=1):
        yield
