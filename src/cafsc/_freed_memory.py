"""One place that decides what becomes of freed memory, where the C library is GNU's; others are left as they are."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

# Of <malloc.h>: bytes that are kept, and the size from which on an array is given back at once.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT, _LARGEST_KEPT = 1 << 30, 32 << 20


def keep() -> None:
    """Use freed memory again, rather than give it back and have it cleared anew for the next array.

    Nor is memory asked for in pages of 2 MB: finding them takes longer than they save. It is a setting of the whole
    process, to be made before NumPy is imported.
    """
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    _call("mallopt", _MMAP_THRESHOLD, _LARGEST_KEPT)
    _call("mallopt", _TRIM_THRESHOLD, _KEPT)


def give_back() -> None:
    """Hand all freed memory back to the system, that between what is in use too."""
    _call("malloc_trim", 0)


def _call(function: str, *numbers: int) -> None:
    # Other systems have no such function, or no such library.
    with suppress(AttributeError, OSError, TypeError):
        getattr(ctypes.CDLL(None), function)(*numbers)
