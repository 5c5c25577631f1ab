"""Freed memory is used again, and other C libraries are left alone."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys

import pytest

from cafsc import _freed_memory

_PAGES_TOUCHED = """
import resource, sys
from cafsc import _freed_memory
if sys.argv[1] == "kept":
    _freed_memory.keep()
import numpy as np
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    [np.ones(2_000_000) for _ in range(6)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is one of the GNU C library")
def test_freed_memory_is_used_again() -> None:
    environment = {**os.environ, "NUMPY_MADVISE_HUGEPAGE": "0"}

    def pages(how: str) -> int:
        command = [sys.executable, "-c", _PAGES_TOUCHED, how]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return int(done.stdout)

    assert pages("kept") < pages("given back") / 5


@pytest.mark.parametrize("error", [OSError, TypeError])
def test_another_c_library_is_left_as_it_is(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: object) -> object:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", none)
    monkeypatch.setenv("NUMPY_MADVISE_HUGEPAGE", "1")
    _freed_memory.keep()
    _freed_memory.give_back()
    assert os.environ["NUMPY_MADVISE_HUGEPAGE"] == "1", "what the user has set stays"
