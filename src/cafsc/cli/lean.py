"""What a process of our own can do without: libraries that only others ask for, and searches for garbage."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from cafsc import _own_process

UNUSED = ("dask", "fsspec", "matplotlib", "pyarrow", "xarray")
"""igraph would import matplotlib to draw, pandas and anndata the others for arrays that no input of ours has."""


@contextmanager
def absent(*names: str) -> Iterator[None]:
    """Have modules look as if they were not installed, for as long as it lasts; those in memory stay.

    What is imported meanwhile does without them until the process ends, so that nothing is hidden unless the process
    is our own.

    Parameters
    ----------
    names
        Names of packages that what is imported can do without.
    """
    hidden = [name for name in names if name not in sys.modules] if _own_process.claimed else []
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            if name in sys.modules and sys.modules[name] is None:
                del sys.modules[name]


def collect_garbage_from_here() -> None:
    """Collect garbage again where that was turned off at the start, leaving out all that is there by now."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
