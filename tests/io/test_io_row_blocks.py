"""Rows of a matrix are the same wherever it is, and of every layout that it can be stored in."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import zarr
from anndata import AnnData
from anndata.io import sparse_dataset, write_elem
from numpy.typing import DTypeLike
from scipy import sparse

from cafsc import io
from cafsc.errors import InputError
from cafsc.io import turned
from cafsc.io.vectors import StoredVector, shuffled

N_ROWS, N_COLUMNS = 700, 300


@pytest.fixture
def counts() -> sparse.csr_matrix:
    random = np.random.default_rng(3)
    found = sparse.random(N_ROWS, N_COLUMNS, 0.1, format="csr", random_state=random, dtype=np.float32)
    found.data = random.poisson(3, found.nnz).astype(np.float32)
    # An empty row at either end, and one in the middle.
    keep = np.ones(N_ROWS, dtype=bool)
    keep[[0, 350, N_ROWS - 1]] = False
    kept = sparse.csr_matrix(sparse.diags(keep.astype(np.float32)) @ found)
    kept.sort_indices()
    # Stored zeros stay.
    kept.data[::50] = 0
    return kept


@pytest.fixture
def file(tmp_path: Path) -> Iterator[h5py.File]:
    with h5py.File(tmp_path / "matrix.h5", "w") as opened:
        yield opened


def _same_blocks(matrix: Any, counts: sparse.csr_matrix, step: int = 97) -> None:
    for start in range(0, N_ROWS, step):
        block, expected = io.read_rows(matrix, start, start + step), counts[start : start + step]
        assert isinstance(block, sparse.csr_matrix)
        assert block.shape == expected.shape
        for name in ("data", "indices", "indptr"):
            found, wanted = getattr(block, name), getattr(expected, name)
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted)


def _stored(
    file: h5py.File, counts: sparse.csr_matrix, chunk: int = 1000, **options: Any
) -> sparse.csr_matrix:
    group = file.create_group("X")
    group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": counts.shape})
    for name in ("data", "indices", "indptr"):
        values = getattr(counts, name)
        group.create_dataset(name, data=values, chunks=(min(chunk, len(values)),), **options)
    return sparse_dataset(group)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "gzip", "compression_opts": 4},
        {"compression": "gzip", "shuffle": True},
        {"compression": "gzip", "compression_opts": 0},
        {"compression": "lzf"},
        {"compression": "gzip", "fletcher32": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("step", [1, 97, 350, N_ROWS])
def test_filters_of_hdf5(
    file: h5py.File, counts: sparse.csr_matrix, options: dict[str, Any], step: int
) -> None:
    _same_blocks(_stored(file, counts, **options), counts, step)


def test_sources_in_memory(counts: sparse.csr_matrix) -> None:
    _same_blocks(counts, counts)
    _same_blocks(counts.tocsc(), counts)
    counts.eliminate_zeros()
    _same_blocks(counts.toarray(), counts)
    _same_blocks(np.asfortranarray(counts.toarray()), counts)


def test_zarr_and_dense(file: h5py.File, counts: sparse.csr_matrix, tmp_path: Path) -> None:
    counts.eliminate_zeros()
    store = zarr.open_group(tmp_path / "a.zarr", mode="w")
    write_elem(store, "X", counts)
    _same_blocks(sparse_dataset(store["X"]), counts)
    store.create_array("dense", data=counts.toarray(), chunks=(64, 50))
    _same_blocks(store["dense"], counts)
    file.create_dataset("dense", data=counts.toarray(), chunks=(64, 50), compression="gzip")
    _same_blocks(file["dense"], counts)


@pytest.mark.parametrize(
    ("part", "dtype"),
    [
        ("data", ">f4"),
        ("indices", ">i2"),
        ("indices", np.uint64),
        ("indptr", np.uint32),
        ("indptr", np.int64),
    ],
)
def test_odd_types_come_out_as_plain_ones(
    file: h5py.File, counts: sparse.csr_matrix, part: str, dtype: DTypeLike
) -> None:
    matrix = _stored(file, counts)
    values = file["X"][part][:].astype(dtype)
    del file["X"][part]
    file["X"].create_dataset(part, data=values, compression="gzip", shuffle=True, chunks=(50,))
    _same_blocks(matrix, counts)


def test_half_precision_is_widened(file: h5py.File, counts: sparse.csr_matrix) -> None:
    matrix = _stored(file, counts)
    values = file["X/data"][:].astype(np.float16)
    del file["X/data"]
    file["X"].create_dataset("data", data=values, compression="gzip", chunks=(50,))
    assert io.read_rows(matrix, 0, 10).dtype == np.float32
    _same_blocks(matrix, counts)


def test_a_number_type_that_numpy_has_only_nearly_is_left_to_hdf5(file: h5py.File) -> None:
    narrow = h5py.h5t.STD_I32LE.copy()
    narrow.set_precision(12)
    narrow.set_offset(7)
    space = h5py.h5s.create_simple((100,))
    listed = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    listed.set_chunk((10,))
    listed.set_deflate(4)
    made = h5py.h5d.create(file.id, b"narrow", narrow, space, listed)
    made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(100, dtype=np.int32))
    np.testing.assert_array_equal(StoredVector(file["narrow"])[:], np.arange(100))


def test_blocks_that_were_never_written_are_what_hdf5_makes_of_them(file: h5py.File) -> None:
    made = file.create_dataset("a", (100,), "i4", chunks=(10,), compression="gzip", fillvalue=7)
    made[30:45] = np.arange(15)
    np.testing.assert_array_equal(StoredVector(made)[:], made[:])


def test_shuffle_is_that_of_hdf5(file: h5py.File) -> None:
    values = np.random.default_rng(0).integers(0, 2**60, 1000)
    made = file.create_dataset("a", data=values, chunks=(1000,), shuffle=True)
    assert made.id.read_direct_chunk((0,))[1] == shuffled(values)


@pytest.mark.parametrize("by_hdf5", [False, True])
def test_a_damaged_block_names_the_file(counts: sparse.csr_matrix, tmp_path: Path, by_hdf5: bool) -> None:
    path = tmp_path / "damaged.h5ad"
    with h5py.File(path, "w") as file:
        _stored(file, counts, compression="gzip", fletcher32=by_hdf5)
        block = file["X/data"].id.get_chunk_info(3)
    data = bytearray(path.read_bytes())
    data[block.byte_offset + block.size // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    with h5py.File(path) as file:
        matrix = sparse_dataset(file["X"])
        assert io.read_rows(matrix, 0, 50).nnz
        with pytest.raises(InputError, match="corrupt") as caught:
            io.read_rows(matrix, 0, N_ROWS)
    assert str(path) in str(caught.value)


def test_a_block_that_unpacks_to_more_than_it_should_is_not_followed(file: h5py.File) -> None:
    made = file.create_dataset("a", (1000,), "i4", chunks=(1000,), compression="gzip")
    made.id.write_direct_chunk((0,), zlib.compress(bytes(400_000_000), 9))
    vector = StoredVector(made)
    tracemalloc.start()
    assert vector._quickly(0) is None
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


# ---------------------------------------------------------------- stored by column


def _open_temporary_files() -> list[str]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open files are not listed here")
    found = []
    for item in folder.iterdir():
        try:
            found.append(os.readlink(item))  # noqa: PTH115
        except OSError:
            continue
    return [name for name in found if "cafsc-" in name]


@pytest.mark.parametrize("n_entries", [50, 1000, 2**21])
def test_stored_by_column(
    file: h5py.File, counts: sparse.csr_matrix, monkeypatch: pytest.MonkeyPatch, n_entries: int
) -> None:
    """With a column that is longer than what is in memory at once."""
    monkeypatch.setattr(turned, "_ENTRIES", n_entries)
    full = counts.tolil()
    full[:, 5] = 1
    full = full.tocsr()
    write_elem(file, "X", full.tocsc())
    _same_blocks(sparse_dataset(file["X"]), full)


def test_repeated_entries_of_a_column_keep_their_order(file: h5py.File) -> None:
    repeated = sparse.csc_matrix(
        (np.array([1.0, 2, 4, 8]), np.array([1, 1, 0, 1]), np.array([0, 3, 4])), shape=(2, 2)
    )
    write_elem(file, "X", repeated)
    rows = io.read_rows(sparse_dataset(file["X"]), 0, 2)
    assert rows.data.tolist() == [4, 1, 2, 8]
    assert rows.indices.tolist() == [0, 0, 0, 1]
    assert rows.indptr.tolist() == [0, 1, 4]


def test_temporary_file_has_no_name_and_goes_with_the_matrix(
    file: h5py.File, counts: sparse.csr_matrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    write_elem(file, "X", counts.tocsc())
    matrix = sparse_dataset(file["X"])
    before = len(_open_temporary_files())
    io.read_rows(matrix, 0, 5)
    assert not list((tmp_path / "scratch").iterdir())
    assert len(_open_temporary_files()) == before + 1
    del matrix
    gc.collect()
    assert len(_open_temporary_files()) == before


_FULL = textwrap.dedent("""
    import resource, sys
    from cafsc import io
    from cafsc.errors import OutputError
    backed = io.read(sys.argv[1], backed=True) if sys.argv[1].endswith("h5ad") else None
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
    try:
        io.read(sys.argv[1], backed=True) if backed is None else io.read_rows(backed.X, 0, 5)
    except OutputError as error:
        print(error)
        sys.exit(2)
""")


def _by_column(counts: sparse.csr_matrix, path: Path) -> None:
    AnnData(counts.tocsc()).write_h5ad(path)


def _of_cell_ranger(counts: sparse.csr_matrix, path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(counts, name)
        group["shape"] = np.array(counts.shape[::-1])
        for name, n in (("barcodes", N_ROWS), ("features/id", N_COLUMNS), ("features/name", N_COLUMNS)):
            group[name] = np.array([f"{name}{number}" for number in range(n)], "S")


@pytest.mark.parametrize(("name", "store"), [("a.h5ad", _by_column), ("a.h5", _of_cell_ranger)])
@pytest.mark.parametrize("limit", [3_000, 100_000])
def test_full_device_of_temporary_files(
    counts: sparse.csr_matrix,
    tmp_path: Path,
    name: str,
    store: Callable[[sparse.csr_matrix, Path], None],
    limit: int,
) -> None:
    """A limit on file sizes stands for the full device: the process says so, and ends as others do."""
    store(counts, tmp_path / name)
    (tmp_path / "scratch").mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FULL, str(tmp_path / name), str(limit)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path / "scratch")},
    )
    assert done.returncode == 2, done.stderr
    assert "no space left" in done.stdout
    assert "TMPDIR" in done.stdout
    assert done.stderr == ""
    assert not list((tmp_path / "scratch").iterdir())


def test_temporary_file_of_a_killed_process_is_swept_by_the_next(
    file: h5py.File, counts: sparse.csr_matrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    program = (
        "import os\nfrom cafsc.io.temporary import temporary_matrix\n"
        "temporary_matrix((2, 2), lambda *_: os.kill(os.getpid(), 9))"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path / "scratch")}
    subprocess.run([sys.executable, "-c", program], check=False, env=environment)
    (left,) = (tmp_path / "scratch").iterdir()
    assert left.stat().st_mode & 0o077 == 0
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    write_elem(file, "X", counts.tocsc())
    io.read_rows(sparse_dataset(file["X"]), 0, 5)
    assert not list((tmp_path / "scratch").iterdir())
