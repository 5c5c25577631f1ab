"""How much an input may claim to hold."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from functools import cache
from pathlib import Path

from cafsc.errors import InputError

_ALWAYS_FINE = 64 * 2**20
# Deflate packs at most 1032 to 1; other filters go further, but not on data that anybody measured.
_MOST_PACKED = 2000
_SMALLER = "store the matrix as sparse (CSR), split the file by sample, or use a larger machine"


@cache
def memory() -> int:
    """Bytes of memory this process may use: the machine's, the address-space limit or the container's.

    The first answer stands: a process that limits itself afterwards still judges by what the user has.
    """
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        limits.append(soft)
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            limits.append(int(Path(name).read_text(encoding="ascii")))
    return min(limits)


def _readable(size: float) -> str:
    """A number of bytes as text, such as ``2.5 GB``."""
    unit = next(unit for unit in range(7) if size < 1000 ** (unit + 1) or unit == 6)
    return f"{size / 1000**unit:,.{min(unit, 1)}f} {('bytes', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB')[unit]}"


def refuse_impossible(source: Path, part: str, declared: int, stored: int) -> None:
    """Raise `InputError` where a part claims more bytes (`declared`) than its stored ones can unpack to."""
    if declared > _ALWAYS_FINE and declared > max(stored, 1) * _MOST_PACKED:
        raise InputError(
            f"{source}: damaged: {part} claims {_readable(declared)}, but {_readable(stored)} are stored",
            expected="a size that fits the data in the file",
            fix="write the file again from its source; it would not fit in memory as it is",
        )


def refuse_oversized(source: Path, part: str, declared: int, stored: int, fix: str = _SMALLER) -> None:
    """Raise `InputError` where a part claims more bytes than were stored, or than fit in memory."""
    refuse_impossible(source, part, declared, stored)
    available = memory()
    if declared > _ALWAYS_FINE and declared > available:
        raise InputError(
            f"{source}: {part} needs {_readable(declared)} of memory, and there are {_readable(available)}",
            expected="data that fits in memory",
            fix=fix,
        )
