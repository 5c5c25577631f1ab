"""A file for HDF5 to write to that never fails in its hands."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any


class SafeFile(io.RawIOBase):
    """A file that HDF5 writes through Python, and that never fails in HDF5's hands.

    HDF5 crashes the process when a write fails while it closes a file, as on a full device. So the first
    failure is kept in `failure`, and HDF5 goes on with a copy in memory until the caller has closed it.
    """

    def __init__(self, path: Path) -> None:  # noqa: D107
        self._file: io.FileIO | io.BytesIO = io.FileIO(path, "rb+")
        self.failure: OSError | None = None

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
        return self._file.readinto(buffer) or 0

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where it stands."""
        return self._file.tell()

    def write(self, data: Any, /) -> int:
        """Write all of the data; where that fails, keep them in memory."""
        view = memoryview(data).cast("B")
        start = self._file.tell()
        try:
            self._put(view)
        except OSError as error:
            self._continue_in_memory(error)
            self._file.seek(start)
            self._file.write(view)
        return len(view)

    def _put(self, view: memoryview) -> None:
        done = 0
        while done < len(view):
            done += self._file.write(view[done:]) or 0

    def truncate(self, size: int | None = None, /) -> int:
        """Give it a size."""
        try:
            return self._file.truncate(size)
        except OSError as error:
            self._continue_in_memory(error)
            return size or 0

    def _continue_in_memory(self, error: OSError) -> None:
        self.failure = self.failure or error
        self._file.seek(0)
        written = self._file.read()
        self._file.close()
        self._file = io.BytesIO(written)

    def check(self) -> None:
        """Raise the first failure, if there was one."""
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        """Close it; a failure is kept."""
        self._file.close()
        super().close()
