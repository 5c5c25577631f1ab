"""A file for HDF5 to write to that never fails in its hands."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BLOCK = 2**16


class SafeFile(io.RawIOBase):
    """A file that HDF5 writes through Python, and that never fails in HDF5's hands.

    HDF5 crashes the process when a write fails while it closes a file, as on a full device. So the first failure is
    kept in `failure`. What HDF5 writes from then on, until the caller has closed it, is in memory, in blocks that stand
    before those of the file: little, if the caller asks `check` often.
    """

    def __init__(self, path: Path) -> None:
        self._file = io.FileIO(path, "rb+")
        self.failure: OSError | None = None
        # Used from the failure on.
        self._blocks: dict[int, bytearray] = {}
        self._place = self._size = 0

    def readable(self) -> bool:
        """HDF5 reads again what it has written."""
        return True

    def writable(self) -> bool:
        """HDF5 writes to it."""
        return True

    def seekable(self) -> bool:
        """HDF5 writes at any place."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read from where it stands."""
        if self.failure is None:
            return self._file.readinto(buffer) or 0
        view = memoryview(buffer).cast("B")[: max(0, self._size - self._place)]
        for piece, number, within in self._pieces(len(view)):
            view[piece] = self._block(number)[within]
        return len(view)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""
        if self.failure is None:
            return self._file.seek(offset, whence)
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def tell(self) -> int:
        """Where it stands."""
        return self._file.tell() if self.failure is None else self._place

    def write(self, data: Any, /) -> int:
        """Write all of the data; from the first failure on, to memory."""
        view = memoryview(data).cast("B")
        if self.failure is None:
            start = self._file.tell()
            try:
                self._put(view)
                return len(view)
            except OSError as error:
                self._fail(error, start)
        for piece, number, within in self._pieces(len(view)):
            self._blocks[number] = self._block(number)
            self._blocks[number][within] = view[piece]
        self._size = max(self._size, self._place)
        return len(view)

    def _put(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            done += self._file.write(view[done:]) or 0

    def truncate(self, size: int | None = None, /) -> int:
        """Give it a size; from the first failure on, in memory."""
        if self.failure is None:
            try:
                return self._file.truncate(size)
            except OSError as error:
                self._fail(error, self._file.tell())
        self._size = self._place if size is None else size
        return self._size

    def _fail(self, error: OSError, place: int) -> None:
        self.failure = error
        self._place, self._size = place, self._file.seek(0, io.SEEK_END)

    def _pieces(self, length: int) -> Iterator[tuple[slice, int, slice]]:
        """Go on by a length, block by block: the piece of it, the number of the block, and the place within."""
        done = 0
        while done < length:
            number, start = divmod(self._place, _BLOCK)
            size = min(_BLOCK - start, length - done)
            yield slice(done, done + size), number, slice(start, start + size)
            done += size
            self._place += size

    def _block(self, number: int) -> bytearray:
        if number in self._blocks:
            return self._blocks[number]
        self._file.seek(number * _BLOCK)
        return bytearray(self._file.read(_BLOCK).ljust(_BLOCK, b"\0"))

    def check(self) -> None:
        """Raise the first failure, if there was one."""
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """Close it; a failure is kept."""
        self._file.close()
        super().close()
