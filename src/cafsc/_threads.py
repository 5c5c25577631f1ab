"""One place that decides how many threads linear algebra may use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController, threadpool_limits


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
    with _controller(len(sys.modules)).limit(limits=1):
        yield


@lru_cache(maxsize=1)
def _controller(n_modules: int) -> ThreadpoolController:
    """The libraries of linear algebra that are loaded: to be sought again once more modules are."""
    return ThreadpoolController()
