"""Matrices that are neither in memory nor in a file of the user's: in a file that is gone when it is closed."""

from __future__ import annotations

import atexit
import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cafsc._errors import OutputError

_FULL_DEVICE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BLOCK = 2**18


@contextmanager
def room() -> Iterator[None]:
    """Say where there is no room when a temporary file cannot be written.

    Raises
    ------
    OutputError
        The device is full.
    """
    try:
        yield
    except OSError as error:
        # HDF5 gives the number of a failed write only in its words.
        if error.errno in _FULL_DEVICE or "No space left" in str(error) or "File too large" in str(error):
            raise OutputError(
                f"{tempfile.gettempdir()}: no space left for a temporary copy of the matrix",
                expected="room for its values and their places",
                fix="name a larger folder with TMPDIR, or write the input again as h5ad with the matrix as CSR",
            ) from error
        raise


def temporary_file() -> h5py.File:
    """Open an HDF5 file in the folder for temporary files, gone when it is closed or when the process ends."""
    handle, name = tempfile.mkstemp(prefix="cafsc-", suffix=".h5")
    os.close(handle)
    file = h5py.File(name, "w", locking=False)
    try:
        Path(name).unlink()
    except OSError:
        # Where open files cannot be unlinked.
        atexit.register(_remove, Path(name))
    return file


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def matrix_group(shape: tuple[int, int]) -> h5py.Group:
    """Group in a new temporary file for a CSR matrix, encoded as anndata does it, still without its vectors."""
    group = temporary_file().create_group("X")
    group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": shape})
    return group


def stored_rows(blocks: Iterable[Any], shape: tuple[int, int], dtype: Any) -> h5py.Group:
    """Write a CSR matrix that comes in blocks of rows to a temporary file.

    Parameters
    ----------
    blocks
        csr_matrix, one after the other.
    shape
        Rows and columns of the whole.
    dtype
        Type of its values.

    Raises
    ------
    OutputError
        There is no room for it.
    """
    with room():
        group = matrix_group(shape)
        vectors = [
            group.create_dataset(name, shape=(0,), maxshape=(None,), chunks=(_BLOCK,), dtype=kind)
            for name, kind in (("data", dtype), ("indices", np.int32))
        ]
        lengths = [np.zeros(1, np.int64)]
        for block in blocks:
            for vector, values in zip(vectors, (block.data, block.indices), strict=True):
                start = vector.shape[0]
                vector.resize((start + len(values),))
                vector[start:] = values
            lengths.append(np.diff(block.indptr))
        group["indptr"] = np.cumsum(np.concatenate(lengths))
        return group
