"""What a process of our own can do without: libraries for others, searches for garbage, memory cleared twice."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

UNUSED = ("dask", "fsspec", "matplotlib", "pyarrow", "xarray")
"""igraph would import matplotlib to draw, pandas and anndata the others for arrays that no input of ours has."""

# Of the GNU C library's <malloc.h>: bytes that are kept, and the size from which on an array is given back at once.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT, _LARGEST_KEPT = 1 << 30, 32 << 20

in_own_process = False
"""Whether the process is there for the command alone, and not for a session that calls the command."""


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
    hidden = [name for name in names if name not in sys.modules] if in_own_process else []
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            if name in sys.modules and sys.modules[name] is None:
                del sys.modules[name]


def keep_freed_memory() -> None:
    """Have freed memory used again, not given back and then cleared anew for the next array.

    Nor is memory asked for in pages of 2 MB: finding them takes longer than they save. To be called before NumPy is
    imported.
    """
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    with suppress(AttributeError, OSError, TypeError):
        # Other systems have no such function, or no such library.
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
        library.mallopt(_TRIM_THRESHOLD, _KEPT)


def collect_garbage_from_here() -> None:
    """Collect garbage again where that was turned off at the start, leaving out all that is there by now."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
