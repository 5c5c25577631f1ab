"""A file that fails goes on as if it had not, and takes little memory."""

from __future__ import annotations

import errno
import io
import os
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from cafsc.io.safe_file import SafeFile


def _full(self: SafeFile, view: memoryview) -> None:
    # As a device does that has room for a part of it.
    self._file.write(view[: len(view) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _size(file: SafeFile | io.BytesIO) -> int:
    place = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(place)
    return end


@pytest.mark.parametrize("seed", range(10))
def test_what_is_read_is_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    random = np.random.default_rng(seed)
    (tmp_path / "file").touch()
    expected = io.BytesIO()
    with SafeFile(tmp_path / "file") as file:
        for step in range(60):
            if step == 20:
                monkeypatch.setattr(SafeFile, "_put", _full)
            place, length = int(random.integers(300_000)), int(random.integers(200_000))
            for one in (file, expected):
                # HDF5 leaves no holes that it reads.
                end = _size(one)
                one.seek(min(place, end))
            data = random.bytes(length)
            assert file.write(data) == expected.write(data)
            assert file.tell() == expected.tell()
            if step % 7 == 0:
                size = _size(expected) + int(random.integers(1000))
                assert file.truncate(size) == size
                # BytesIO does not grow.
                expected.seek(0, os.SEEK_END)
                expected.write(bytes(size - expected.tell()))
            for one in (file, expected):
                one.seek(place // 2)
            assert file.read(length) == expected.read(length)
        assert _size(file) == _size(expected)
        file.seek(0)
        assert file.readall() == expected.getvalue()
        with pytest.raises(OSError, match="No space"):
            file.check()


def test_a_size_that_cannot_be_had_is_a_failure(tmp_path: Path) -> None:
    class Full(io.FileIO):
        def truncate(self, size: int | None = None, /) -> int:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))

    (tmp_path / "file").write_bytes(b"abc")
    with SafeFile(tmp_path / "file") as file:
        file._file = Full(tmp_path / "file", "rb+")
        assert file.truncate(2**40) == 2**40
        assert file.failure is not None
        assert file.read(2) == b"ab"


def test_a_failure_takes_no_memory_for_what_was_written_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    with SafeFile(tmp_path / "file") as file:
        file.truncate(50_000_000)
        monkeypatch.setattr(SafeFile, "_put", _full)
        tracemalloc.start()
        file.seek(25_000_000)
        file.write(b"x" * 1000)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        tracemalloc.stop()
        assert file.failure is not None
