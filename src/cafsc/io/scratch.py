"""A packed matrix that a run reads many times, copied on the way to a file without a name, where reading is quick."""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

# Left free on the device at the least, and never less than what the copy takes.
_LEFT_FREE = 2**30
_NARROW = (np.dtype(np.uint8), np.dtype(np.uint16))
_IN_MEMORY = ("tmpfs", "ramfs")


def _bits(values: NDArray[Any]) -> NDArray[Any]:
    return values.view(f"u{values.dtype.itemsize}")


def narrowed(values: NDArray[Any]) -> NDArray[Any]:
    """Values in one or two bytes each, where that gives back the same bits; else as they are."""
    if values.size and values.dtype.kind in "iuf":
        # Not a number is neither.
        low, high = values.min(), values.max()
        for dtype in _NARROW:
            if dtype.itemsize < values.dtype.itemsize and low >= 0 and high <= np.iinfo(dtype).max:
                found = values.astype(dtype)
                same = values.dtype.kind != "f" or np.array_equal(
                    _bits(found.astype(values.dtype)), _bits(values)
                )
                return found if same else values
    return values


def _is_in_memory(descriptor: int) -> bool:
    """Whether an open file takes memory instead of a disk."""
    device = os.fstat(descriptor).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    fields = (line.partition(" - ") for line in mounts)
    return any(
        before.split()[2] == number and after.split()[0] in _IN_MEMORY for before, _, after in fields if after
    )


@dataclass(frozen=True)
class Copied:
    """Some rows, as they were added.

    Attributes
    ----------
    data, indices, indptr
        Values, their columns, and where each row begins in these, and the end.
    is_canonical
        Whether they are known to be sorted and to hold no entry twice.
    """

    data: NDArray[Any]
    indices: NDArray[Any]
    indptr: NDArray[np.int64]
    is_canonical: bool


@dataclass(frozen=True)
class _Part:
    """Rows that were copied together, and where they are in the file."""

    start: int
    place: int
    indptr: NDArray[np.int64]
    data: np.dtype[Any]
    indices: np.dtype[Any]
    is_canonical: bool

    @property
    def stop(self) -> int:
        return self.start + self.indptr.size - 1


class ScratchCopy:
    """Rows of one matrix, from the first on, as they were read; in a file that is gone with the process.

    Parameters
    ----------
    dtype
        Type of the matrix's values, as its blocks have it.

    Notes
    -----
    Values and columns take one or two bytes each where that is exact, else what they take in memory. Where the file
    cannot be made or goes on no more, the copy is given up, and nothing is read from it.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self._dtype = dtype
        self._parts: list[_Part] = []
        self._size = 0
        self._file: IO[bytes] | None = None
        with suppress(OSError):
            # Python asks for a file without a name, or unlinks it at once, and lets nobody else read it.
            self._file = tempfile.TemporaryFile(prefix="cafsc-", buffering=0)  # noqa: SIM115
        if self._file is not None and _is_in_memory(self._file.fileno()):
            self.close()

    @property
    def n_rows(self) -> int:
        """Rows copied."""
        return self._parts[-1].stop if self._parts else 0

    def close(self) -> None:
        """Give up the copy, and its room on the device."""
        self._parts = []
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        self._file = None

    def add(self, start: int, block: Any) -> None:
        """Copy rows that follow those copied; others are left out.

        Parameters
        ----------
        start
            Number of the first row.
        block
            csr_matrix.
        """
        skipped = self.n_rows - start
        if self._file is None or not 0 <= skipped < block.shape[0]:
            return
        indptr = block.indptr[skipped:].astype(np.int64)
        entries = slice(int(indptr[0]), int(indptr[-1]))
        data, indices = narrowed(block.data[entries]), narrowed(block.indices[entries])
        part = _Part(
            start + skipped,
            self._size,
            indptr - indptr[0],
            data.dtype,
            indices.dtype,
            bool(block.has_canonical_format),
        )
        try:
            if self._has_room(self._file, data.nbytes + indices.nbytes):
                self._write(self._file, data)
                self._write(self._file, indices)
                self._parts.append(part)
                return
        except OSError:
            pass
        self.close()

    def _has_room(self, file: IO[bytes], n_bytes: int) -> bool:
        if not hasattr(os, "fstatvfs"):
            return True
        device = os.fstatvfs(file.fileno())
        size = self._size + n_bytes
        return device.f_bavail * device.f_frsize - n_bytes >= max(size, _LEFT_FREE)

    def _write(self, file: IO[bytes], values: NDArray[Any]) -> None:
        file.seek(self._size)
        view = np.ascontiguousarray(values).view(np.uint8).data
        done = 0
        while done < len(view):
            done += file.write(view[done:])
        self._size += done

    def rows(self, start: int, stop: int) -> Copied | None:
        """Some rows as they were added; None where these are not there."""
        if self._file is None or not start < stop <= self.n_rows:
            return None
        first = bisect_right(self._parts, start, key=lambda part: part.start) - 1
        last = bisect_left(self._parts, stop, key=lambda part: part.start)
        parts = self._parts[first:last]
        cuts = [(max(start - part.start, 0), min(stop, part.stop) - part.start) for part in parts]
        lengths = [np.diff(part.indptr[cut[0] : cut[1] + 1]) for part, cut in zip(parts, cuts, strict=True)]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.concatenate(lengths))])
        wide = any(part.indices.itemsize > 4 for part in parts)
        data = np.empty(int(indptr[-1]), self._dtype)
        indices = np.empty(data.size, np.int64 if wide else np.int32)
        done = 0
        try:
            for part, (begin, end) in zip(parts, cuts, strict=True):
                entries = int(part.indptr[begin]), int(part.indptr[end])
                upto = done + entries[1] - entries[0]
                self._read(self._file, part.place, part.data, entries, data[done:upto])
                behind = part.place + int(part.indptr[-1]) * part.data.itemsize
                self._read(self._file, behind, part.indices, entries, indices[done:upto])
                done = upto
        except OSError:
            self.close()
            return None
        return Copied(data, indices, indptr, all(part.is_canonical for part in parts))

    @staticmethod
    def _read(
        file: IO[bytes], place: int, dtype: np.dtype[Any], entries: tuple[int, int], out: NDArray[Any]
    ) -> None:
        buffer = out if dtype == out.dtype else np.empty(out.size, dtype)
        view = buffer.view(np.uint8).data
        file.seek(place + entries[0] * dtype.itemsize)
        done = 0
        while done < len(view):
            n_read = file.readinto(view[done:])  # type: ignore[attr-defined]
            if not n_read:
                raise OSError("the scratch copy ends too early")
            done += n_read
        if buffer is not out:
            out[...] = buffer


# By the number of the matrix, which is its own while it is kept beside.
_Copies = dict[int, tuple[Any, ScratchCopy | None]]
_COPIES: ContextVar[_Copies | None] = ContextVar("cafsc_scratch_copies", default=None)


@contextmanager
def scratch_copies() -> Iterator[None]:
    """Copy what is packed on disk as its rows are read, for as long as it lasts; within another, its copies serve."""
    if _COPIES.get() is not None:
        yield
        return
    copies: _Copies = {}
    token = _COPIES.set(copies)
    try:
        yield
    finally:
        _COPIES.reset(token)
        for _, copy in copies.values():
            if copy is not None:
                copy.close()


def copy_of(matrix: Any, make: Callable[[Any], ScratchCopy | None]) -> ScratchCopy | None:
    """The copy of a matrix on disk, as far as it goes; None where there is to be none.

    Parameters
    ----------
    matrix
        What is copied.
    make
        Gives an empty copy for it, or None if it is as quick to read as a copy would be; called once.
    """
    copies = _COPIES.get()
    if copies is None:
        return None
    if id(matrix) not in copies:
        copies[id(matrix)] = matrix, make(matrix)
    return copies[id(matrix)][1]
