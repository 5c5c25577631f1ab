"""The scratch copy of a packed matrix: the same rows as the file, nothing left behind, and no need of it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from anndata.io import sparse_dataset, write_elem
from scipy import sparse

from cafsc import io
from cafsc.io import row_blocks, scratch
from cafsc.io.scratch import narrowed, scratch_copies

N_ROWS, N_COLUMNS, STEP = 500, 300, 64
PACKED = {"compression": "gzip", "shuffle": True}


@pytest.fixture
def counts() -> sparse.csr_matrix:
    random = np.random.default_rng(5)
    found = sparse.random(N_ROWS, N_COLUMNS, 0.1, format="csr", random_state=random, dtype=np.float32)
    found.data = random.poisson(3, found.nnz).astype(np.float32)
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, of which it is known what is in it."""
    path = tmp_path / "scratch"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


@pytest.fixture
def file(tmp_path: Path) -> Iterator[h5py.File]:
    with h5py.File(tmp_path / "matrix.h5", "w") as opened:
        yield opened


def stored(file: h5py.File, matrix: sparse.csr_matrix, name: str = "X", **options: Any) -> Any:
    group = file.create_group(name)
    group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": matrix.shape})
    for part in ("data", "indices", "indptr"):
        values = getattr(matrix, part)
        group.create_dataset(part, data=values, chunks=(min(1000, len(values)),), **options)
    return sparse_dataset(group)


def pass_over(matrix: Any, step: int = STEP) -> None:
    for start in range(0, N_ROWS, step):
        io.read_rows(matrix, start, start + step)


def copy_of(matrix: Any) -> scratch.ScratchCopy | None:
    copies = scratch._COPIES.get()
    assert copies is not None
    return copies[id(matrix)][1]


def from_source(matrix: Any, start: int, stop: int) -> Any:
    """Rows as they are without any copy."""
    token = scratch._COPIES.set(None)
    try:
        return io.read_rows(matrix, start, stop)
    finally:
        scratch._COPIES.reset(token)


def same_bits(matrix: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the copy against those of the source, which is out of reach while the copy is read."""
    cuts = [
        (0, N_ROWS),
        (3, 5),
        (STEP - 1, STEP + 1),
        (STEP, 2 * STEP),
        (1, N_ROWS - 1),
        (N_ROWS - 1, N_ROWS),
    ]
    expected = [from_source(matrix, *cut) for cut in cuts]
    with monkeypatch.context() as patched:
        patched.delattr(row_blocks, "_from_source")
        found = [io.read_rows(matrix, *cut) for cut in cuts]
    for block, wanted in zip(found, expected, strict=True):
        assert block.shape == wanted.shape
        for part in ("data", "indices", "indptr"):
            one, other = getattr(block, part), getattr(wanted, part)
            assert one.dtype == other.dtype
            assert one.tobytes() == other.tobytes()
        summed = wanted.copy()
        block.sum_duplicates()
        summed.sum_duplicates()
        assert (block.data.tobytes(), block.indices.tobytes()) == (
            summed.data.tobytes(),
            summed.indices.tobytes(),
        )


def odd_values(counts: sparse.csr_matrix, kind: str) -> sparse.csr_matrix:
    """Counts with something that one byte does not hold, in some of the blocks."""
    out = counts.copy()
    at = slice(4000, None, 997)
    if kind == "above 255":
        out.data[at] = 256
    elif kind == "above 65,535":
        out.data[at] = 2**20
    elif kind == "fractions":
        out.data[at] = np.float32(0.1)
    elif kind == "minus zero":
        out.data[at] = -0.0
    elif kind == "below zero":
        out.data[at] = -1
    elif kind == "no numbers":
        out.data[4000], out.data[9000] = np.nan, np.inf
    elif kind == "stored zeros":
        out.data[at] = 0
    elif kind == "twice and unsorted":
        # As a file may hold it: the last entries of a row name one column.
        out.indices[:] = out.indices[::-1].copy()
        out.indices[out.indptr[1:-1] - 1] = out.indices[out.indptr[1:-1] - 2]
    else:
        out.data = out.data.astype(kind)
    return out


@pytest.mark.parametrize(
    "kind",
    [
        "above 255",
        "above 65,535",
        "fractions",
        "minus zero",
        "below zero",
        "no numbers",
        "stored zeros",
        "twice and unsorted",
        "float64",
        "int64",
        "uint8",
        "int16",
        ">f4",
        "bool",
    ],
)
def test_the_copy_gives_the_bits_of_the_source(
    file: h5py.File, counts: sparse.csr_matrix, folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = stored(file, odd_values(counts, kind), **PACKED)
    with scratch_copies():
        pass_over(matrix)
        same_bits(matrix, monkeypatch)


@pytest.mark.parametrize("form", ["zarr", "dense", "dense zarr", "wide"])
def test_every_packed_form_is_copied(
    file: h5py.File,
    counts: sparse.csr_matrix,
    folder: Path,
    tmp_path: Path,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = zarr.open_group(tmp_path / "a.zarr", mode="w")
    if form == "zarr":
        write_elem(store, "X", counts)
        matrix: Any = sparse_dataset(store["X"])
    elif form == "dense":
        matrix = file.create_dataset("dense", data=counts.toarray(), chunks=(64, 50), compression="gzip")
    elif form == "dense zarr":
        matrix = store.create_array("dense", data=counts.toarray(), chunks=(64, 50))
    else:
        wide = sparse.csr_matrix((counts.data, counts.indices * 1000, counts.indptr), shape=(N_ROWS, 300_000))
        matrix = stored(file, wide, **PACKED)
    with scratch_copies():
        pass_over(matrix)
        same_bits(matrix, monkeypatch)


def test_counts_take_three_bytes_a_value(file: h5py.File, counts: sparse.csr_matrix, folder: Path) -> None:
    wide = sparse.csr_matrix((counts.data, counts.indices * 100, counts.indptr), shape=(N_ROWS, 30_000))
    matrix = stored(file, wide, **PACKED)
    with scratch_copies():
        pass_over(matrix)
        copy = copy_of(matrix)
        assert copy is not None
        assert copy._file is not None
        assert os.fstat(copy._file.fileno()).st_size == 3 * counts.nnz
        assert os.fstat(copy._file.fileno()).st_mode & 0o077 == 0


def test_what_is_not_packed_is_not_copied(file: h5py.File, counts: sparse.csr_matrix, folder: Path) -> None:
    plain, by_column = stored(file, counts), file.create_group("columns")
    write_elem(by_column, "X", counts.tocsc())
    with scratch_copies():
        for matrix in (plain, sparse_dataset(by_column["X"])):
            pass_over(matrix)
            assert copy_of(matrix) is None


def test_nothing_is_copied_where_nobody_asks_for_it(
    file: h5py.File, counts: sparse.csr_matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(tempfile, "TemporaryFile")
    pass_over(stored(file, counts, **PACKED))


def test_rows_are_copied_in_order_whatever_is_read_first(
    file: h5py.File, counts: sparse.csr_matrix, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = stored(file, counts, **PACKED)
    with scratch_copies():
        for start, stop in ((200, 300), (0, 70), (100, 140), (50, 90)):
            io.read_rows(matrix, start, stop)
        copy = copy_of(matrix)
        assert copy is not None
        assert copy.n_rows == 90
        pass_over(matrix)
        assert copy.n_rows == N_ROWS
        same_bits(matrix, monkeypatch)


def test_within_another_the_copies_go_on_and_none_outlives_the_outer(
    file: h5py.File, counts: sparse.csr_matrix, folder: Path
) -> None:
    matrix = stored(file, counts, **PACKED)
    with scratch_copies():
        with scratch_copies():
            pass_over(matrix)
            copy = copy_of(matrix)
        assert copy is not None
        assert copy.n_rows == N_ROWS
        held = copy._file
    assert held is not None
    assert held.closed
    with scratch_copies():
        pass_over(matrix)
        assert copy_of(matrix) is not copy


def test_an_error_closes_the_copies(file: h5py.File, counts: sparse.csr_matrix, folder: Path) -> None:
    matrix = stored(file, counts, **PACKED)
    held: Any = None
    with pytest.raises(KeyboardInterrupt), scratch_copies():
        pass_over(matrix)
        copy = copy_of(matrix)
        assert copy is not None
        held = copy._file
        raise KeyboardInterrupt
    assert held.closed


def without_copy(matrix: Any, counts: sparse.csr_matrix) -> None:
    """Two passes give the rows of the source, and no file is held."""
    with scratch_copies():
        for _ in range(2):
            for start in range(0, N_ROWS, STEP):
                block = io.read_rows(matrix, start, start + STEP)
                np.testing.assert_array_equal(block.toarray(), counts[start : start + STEP].toarray())
        copy = copy_of(matrix)
        assert copy is not None
        assert copy._file is None


def test_without_room_the_source_is_read_on(
    file: h5py.File, counts: sparse.csr_matrix, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = stored(file, counts, **PACKED)
    real = os.fstatvfs

    def nearly_full(descriptor: int) -> Any:
        found = real(descriptor)
        free = scratch._LEFT_FREE // found.f_frsize
        return os.statvfs_result([*found[:4], free, *found[5:]])

    monkeypatch.setattr(os, "fstatvfs", nearly_full)
    without_copy(matrix, counts)


def test_a_device_that_fills_up_meanwhile_does_not_end_the_run(
    file: h5py.File, counts: sparse.csr_matrix, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matrix = stored(file, counts, **PACKED)
    n_written = 0

    def write(copy: scratch.ScratchCopy, to: Any, values: Any) -> None:
        nonlocal n_written
        n_written += 1
        if n_written > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(copy, to, values)

    real = scratch.ScratchCopy._write
    monkeypatch.setattr(scratch.ScratchCopy, "_write", write)
    without_copy(matrix, counts)
    assert n_written == 6


def test_without_a_folder_to_write_to_the_source_is_read_on(
    file: h5py.File, counts: sparse.csr_matrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    without_copy(stored(file, counts, **PACKED), counts)


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="no folder in memory to try it with")
def test_a_folder_in_memory_is_no_place_for_a_copy(
    file: h5py.File, counts: sparse.csr_matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")
    without_copy(stored(file, counts, **PACKED), counts)


def test_a_copy_that_cannot_be_read_back_is_given_up(
    file: h5py.File, counts: sparse.csr_matrix, folder: Path
) -> None:
    matrix = stored(file, counts, **PACKED)
    with scratch_copies():
        pass_over(matrix)
        copy = copy_of(matrix)
        assert copy is not None
        assert copy._file is not None
        copy._file.truncate(5000)
        np.testing.assert_array_equal(io.read_rows(matrix, 100, 400).toarray(), counts[100:400].toarray())
        assert copy._file is None


_HOLD = """
import sys, time
from cafsc import io
from cafsc.io import scratch
matrix = io.read(sys.argv[1], backed=True).X
with scratch.scratch_copies():
    io.read_rows(matrix, 0, matrix.shape[0])
    print(scratch.copy_of(matrix, lambda _: None).n_rows, flush=True)
    time.sleep(60)
"""


def test_nothing_is_left_of_a_run_that_was_killed(counts: sparse.csr_matrix, tmp_path: Path) -> None:
    from anndata import AnnData

    io.write_h5ad(AnnData(counts), tmp_path / "counts.h5ad")
    folder = tmp_path / "scratch"
    folder.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, tmp_path / "counts.h5ad"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as child:
        assert child.stdout is not None
        n_rows = child.stdout.readline()
        meanwhile = list(folder.iterdir())
        held = [str(link.readlink()) for link in Path(f"/proc/{child.pid}/fd").iterdir()]
        child.send_signal(signal.SIGKILL)
    assert n_rows.strip() == str(N_ROWS)
    assert child.returncode == -signal.SIGKILL
    assert meanwhile == []
    assert any(name.startswith(str(folder)) for name in held)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0, 255], np.float32), np.uint8),
        (np.array([0, 256], np.float64), np.uint16),
        (np.array([0, 65_536], np.float64), np.float64),
        (np.array([0.0, -0.0], np.float32), np.float32),
        (np.array([1.5, 2], np.float32), np.float32),
        (np.array([1, np.nan], np.float32), np.float32),
        (np.array([-1, 2], np.int32), np.int32),
        (np.array([7, 2**40], np.int64), np.int64),
        (np.array([7], np.uint16), np.uint8),
        (np.array([], np.float32), np.float32),
    ],
    ids=str,
)
def test_values_are_made_narrow_only_where_that_is_exact(values: Any, expected: Any) -> None:
    found = narrowed(values)
    assert found.dtype == expected
    assert found.astype(values.dtype).tobytes() == values.tobytes()
