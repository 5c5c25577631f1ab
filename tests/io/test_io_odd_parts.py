"""Odd numbers, lost blocks, lying copies of metadata, lists without end: read as they are meant, or refused."""

from __future__ import annotations

import gzip
import json
import os
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from anndata import AnnData
from numpy.typing import DTypeLike
from scipy import io as scipy_io

from cafsc import io
from cafsc.errors import InputError


@pytest.fixture
def h5ad(small: AnnData, tmp_path: Path) -> Path:
    path = tmp_path / "sample.h5ad"
    small.write_h5ad(path)
    return path


@pytest.fixture
def store(small: AnnData, tmp_path: Path) -> Path:
    path = tmp_path / "sample.zarr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small.write_zarr(path)
    return path


@pytest.fixture
def folder(small: AnnData, tmp_path: Path) -> Path:
    path = tmp_path / "filtered"
    path.mkdir()
    scipy_io.mmwrite(path / "matrix.mtx", small.X.T.astype(np.int32))
    (path / "features.tsv").write_text("".join(f"{name}\t{name}\n" for name in small.var_names))
    (path / "barcodes.tsv").write_text("".join(f"{name}\n" for name in small.obs_names))
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        io.read(path)
    said = str(caught.value)
    assert path.name in said
    assert len(said.splitlines()) <= 8
    return said


def replace(path: Path, name: str, make: Callable[[np.ndarray], object], **options: object) -> None:
    """Put another dataset in the place of one, with its attributes."""
    with h5py.File(path, "r+") as file:
        kept, values = dict(file[name].attrs), file[name][...]
        del file[name]
        made = file.create_dataset(name, data=make(values), **options)
        made.attrs.update(kept)


@pytest.mark.parametrize(
    ("part", "dtype"),
    [
        ("X/indices", np.uint64),
        ("X/indptr", np.uint32),
        ("X/indices", ">i2"),
        ("X/indices", np.uint16),
        ("X/data", np.float16),
        ("X/data", ">f8"),
    ],
)
def test_unusual_widths_hold_the_same_matrix(h5ad: Path, small: AnnData, part: str, dtype: DTypeLike) -> None:
    replace(h5ad, part, lambda values: values.astype(dtype))
    assert (io.read(h5ad).X.toarray() == small.X.toarray()).all()


@pytest.mark.parametrize("part", ["data", "indices", "indptr"])
def test_a_block_of_a_sparse_matrix_that_was_never_written(h5ad: Path, part: str) -> None:
    with h5py.File(h5ad, "r+") as file:
        kept, values = dict(file[f"X/{part}"].attrs), file[f"X/{part}"][...]
        del file[f"X/{part}"]
        made = file["X"].create_dataset(part, shape=values.shape, dtype=values.dtype, chunks=(60,))
        made[60:] = values[60:]
        made.attrs.update(kept)
    assert f"1 blocks of {part} were never written" in refused(h5ad)


def test_a_filter_that_is_not_installed_is_named(h5ad: Path) -> None:
    with h5py.File(h5ad, "r+") as file:
        kept, values = dict(file["X/data"].attrs), file["X/data"][...]
        del file["X/data"]
        made = file["X"].create_dataset(
            "data", shape=values.shape, dtype=values.dtype, chunks=values.shape, compression=32_767,
            allow_unknown_filter=True,
        )  # fmt: skip
        made.id.write_direct_chunk((0,), zlib.compress(values.tobytes()))
        made.attrs.update(kept)
    said = refused(h5ad)
    assert "HDF5 filter 32767" in said
    assert "/X/data" in said


@pytest.mark.parametrize("shape", [(3,), (120, 2)])
def test_a_column_of_another_length_is_refused(h5ad: Path, shape: tuple[int, ...]) -> None:
    with h5py.File(h5ad, "r+") as file:
        column = file["obs"].create_dataset("odd", data=np.zeros(shape))
        column.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        file["obs"].attrs["column-order"] = np.array(["odd"], dtype=object)
    assert "obs" in refused(h5ad)


def test_a_lost_chunk_of_a_zarr_store(store: Path) -> None:
    chunk = next(item for item in sorted((store / "X/data").rglob("*")) if item.name.isdigit())
    chunk.unlink()
    assert "1 blocks of data were never written" in refused(store)


def test_a_pipe_in_a_zarr_store(store: Path) -> None:
    os.mkfifo(store / "X/data/9")
    assert "is a pipe, socket or device" in refused(store)


def test_the_consolidated_copy_of_zarr_metadata_is_not_trusted(store: Path, small: AnnData) -> None:
    copy = store / ".zmetadata"
    document = json.loads(copy.read_text())
    document["metadata"]["X/data/.zarray"]["shape"] = [10**13]
    copy.write_text(json.dumps(document))
    assert (io.read(store).X.toarray() == small.X.toarray()).all()


def test_more_barcodes_than_columns_are_not_all_read(folder: Path) -> None:
    with gzip.open(folder / "barcodes.tsv.gz", "wb") as file:
        file.write(b"cell\n" * 3_000_000)
    (folder / "barcodes.tsv").unlink()
    assert "120 columns in matrix.mtx, but more than 120 barcodes" in refused(folder)


def test_a_matrix_that_declares_columns_that_nobody_named(folder: Path) -> None:
    matrix = folder / "matrix.mtx"
    matrix.write_text(matrix.read_text().replace("400 120 ", "400 1000000000000 ", 1))
    assert "1,000,000,000,000 columns in matrix.mtx, but 120 barcodes" in refused(folder)


def test_marks_of_windows_in_the_lists(folder: Path, small: AnnData) -> None:
    for name in ("features.tsv", "barcodes.tsv"):
        text = (folder / name).read_bytes().replace(b"\n", b"\r\n")
        (folder / name).write_bytes(b"\xef\xbb\xbf" + text)
    found = io.read(folder)
    assert list(found.var_names) == list(small.var_names)
    assert list(found.obs_names) == list(small.obs_names)


def test_a_broken_index_of_blocks_is_not_read_as_zeros(h5ad: Path, small: AnnData) -> None:
    """One changed byte in the key of a block, and it is listed, but not found by reading."""
    n_values = io.read(h5ad).X.nnz
    replace(h5ad, "X/indices", lambda values: values, chunks=(n_values // 4 + 1,), compression="gzip")
    data = bytearray(h5ad.read_bytes())
    start, n_changed = data.find(b"TREE\x01\x00"), 0
    while start >= 0:
        n_entries = int.from_bytes(data[start + 6 : start + 8], "little")
        # Keys of one dimension: size, mask, place and zero, with an address behind them; 4, 4, 8, 8, 8 bytes.
        last_key = start + 24 + (n_entries - 1) * 32
        if n_entries > 2:
            data[last_key + 19] = 31
            n_changed += 1
        start = data.find(b"TREE\x01\x00", start + 1)
    assert n_changed
    h5ad.write_bytes(data)
    with h5py.File(h5ad) as file:
        assert (file["X/indices"][-100:] == 0).all(), "the library itself reads zeros"
    assert ": the index of its blocks is broken" in refused(h5ad)
