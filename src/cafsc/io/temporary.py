"""Matrices that are neither in memory nor in a file of the user's: in a file that is gone when it is closed."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from cafsc.errors import OutputError
from cafsc.io.parts import new_part
from cafsc.io.safe_file import SafeFile

_FULL_DEVICE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BLOCK = 2**18


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL_DEVICE:
            raise OutputError(
                f"{tempfile.gettempdir()}: no space left for a temporary copy of the matrix",
                expected="room for its values and their places",
                fix="name a larger folder with TMPDIR, or write the input again as h5ad with the matrix as CSR",
            ) from error
        raise


def temporary_matrix(
    shape: tuple[int, int], fill: Callable[[h5py.Group, Callable[[], None]], None]
) -> h5py.Group:
    """Write a CSR matrix to a temporary file, in the folder that ``TMPDIR`` names.

    Parameters
    ----------
    shape
        Rows and columns.
    fill
        Adds the vectors to an open group. What it is given beside that raises where there was no room: to be
        called after each block.

    Returns
    -------
    The group ``X`` of the file, open for reading, encoded as anndata encodes CSR. The file has no name any more, and
    is gone when it is closed or the process ends.

    Raises
    ------
    OutputError
        There is no room for it.

    Notes
    -----
    What a process leaves that is killed while it writes, the next one removes.
    """
    with _room(), new_part(Path(tempfile.gettempdir()) / "cafsc-matrix.h5") as part:
        # The folder may be everybody's.
        part.chmod(0o600)
        with SafeFile(part) as file:
            with h5py.File(file, "w") as target:
                group = target.create_group("X")
                group.attrs.update(
                    {"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": shape}
                )
                fill(group, file.check)
            file.check()
        # Opened again by HDF5 itself: at the end of a process it closes files when Python is gone.
        return h5py.File(part, "r", locking=False)["X"]


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

    def fill(group: h5py.Group, check: Callable[[], None]) -> None:
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
                check()
            lengths.append(np.diff(block.indptr))
        group["indptr"] = np.cumsum(np.concatenate(lengths))

    return temporary_matrix(shape, fill)
