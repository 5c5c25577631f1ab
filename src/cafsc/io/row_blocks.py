"""Blocks of rows of a matrix, wherever it is: in memory, or in an open HDF5 file or zarr store."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from cafsc.io.hdf5 import cause, damaged
from cafsc.io.scratch import ScratchCopy, copy_of
from cafsc.io.turned import stretches, turned
from cafsc.io.vectors import StoredVector

_FULL = {np.dtype(np.float16): np.dtype(np.float32)}


def is_on_disk(matrix: Any) -> bool:
    """Whether a matrix is an open part of a file: a sparse dataset of anndata, an HDF5 dataset or a zarr array."""
    return hasattr(matrix, "group") or isinstance(matrix, h5py.Dataset) or _is_zarr_array(matrix)


def _is_zarr_array(matrix: Any) -> bool:
    return type(matrix).__module__.startswith("zarr.") and hasattr(matrix, "chunks")


def stored_in(matrix: Any) -> Path:
    """File or store that a matrix on disk lies in."""
    part = getattr(matrix, "group", matrix)
    if isinstance(part, h5py.Group | h5py.Dataset):
        return Path(part.file.filename)
    return Path(str(getattr(part.store, "root", part.store)))


def plain_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type of a block's values: that of the source, in this machine's byte order and such as scipy has."""
    native = dtype.newbyteorder("=")
    return _FULL.get(native, native)


@contextmanager
def reading(matrix: Any) -> Iterator[None]:
    """Name the file of a matrix on disk where reading it fails.

    Raises
    ------
    InputError
        A block of it is damaged, or cannot be found.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise damaged(stored_in(matrix), cause(error)) from error


def _block(data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], n_columns: int) -> Any:
    from scipy import sparse

    lengths = indptr.astype(np.int64) - int(indptr[0])
    # Both index vectors have one type, whatever the source has.
    fits = max(int(lengths[-1]), n_columns) <= np.iinfo(np.int32).max
    kind = np.dtype(np.int32 if fits else np.int64)
    return sparse.csr_matrix(
        (
            data.astype(plain_dtype(data.dtype), copy=False),
            indices.astype(kind, copy=False),
            lengths.astype(kind),
        ),
        shape=(len(indptr) - 1, n_columns),
    )


class RowSource:
    """Lines of one sparse matrix on disk: their pointers, and the block that the last stretch ended in.

    Parameters
    ----------
    group
        Open group with ``data``, ``indices`` and ``indptr``.
    n_minor
        Length of a line: columns of CSR, rows of CSC.
    """

    def __init__(self, group: Any, n_minor: int) -> None:
        self._n_minor = n_minor
        pointers = np.asarray(StoredVector(group["indptr"])[:])
        # As narrow as they are stored: there is one for each of many cells.
        self._indptr = pointers if pointers.dtype in (np.int32, np.int64) else pointers.astype(np.int64)
        self._data, self._indices = StoredVector(group["data"]), StoredVector(group["indices"])

    def read(self, start: int, stop: int) -> Any:
        """Some lines, as csr_matrix."""
        first, last = int(self._indptr[start]), int(self._indptr[stop])
        return _block(
            self._data.read(first, last),
            self._indices.read(first, last),
            self._indptr[start : stop + 1],
            self._n_minor,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of lines, and their length."""
        return self._indptr.size - 1, self._n_minor

    @property
    def is_packed(self) -> bool:
        """Whether the values or their places have to be inflated."""
        return self._data.is_packed or self._indices.is_packed

    def stretches(self, n_entries: int) -> Iterator[tuple[int, int]]:
        """First line, and the one behind the last, of stretches of a bounded number of entries (or one line)."""
        return stretches(self._indptr, n_entries)


def row_source(matrix: Any) -> RowSource:
    """Lines of a sparse matrix on disk as they are stored: of a CSC matrix its columns."""
    return RowSource(matrix.group, int(matrix.shape[1 if matrix.format == "csr" else 0]))


# Row pointers are read once for each matrix, and forgotten with it.
_stored: dict[int, tuple[weakref.ref[Any], RowSource]] = {}


def _stored_rows(matrix: Any) -> RowSource:
    known = _stored.get(id(matrix))
    if known is not None and known[0]() is matrix:
        return known[1]
    number = id(matrix)
    group = matrix.group if matrix.format == "csr" else turned(matrix.group, matrix.shape)
    rows = RowSource(group, int(matrix.shape[1]))
    _stored[number] = (weakref.ref(matrix, lambda _: _stored.pop(number, None)), rows)
    return rows


def forget_rows(matrix: Any) -> None:
    """Let go of what is kept of a matrix on disk, and with it of its file."""
    _stored.pop(id(matrix), None)


def read_rows(matrix: Any, start: int, stop: int) -> Any:
    """Rows of a matrix as CSR.

    Parameters
    ----------
    matrix
        Cells x genes: numpy array; scipy sparse matrix; sparse or dense dataset in an open
        HDF5 file or zarr store.
    start, stop
        First row, and the one behind the last; cut at the number of rows.

    Returns
    -------
    csr_matrix of (stop - start) x genes, of the matrix's own number type in this machine's byte order (float32 for
    float16), its indices int32 wherever they fit: the same from memory as from a file. Entries are as they are stored,
    zeros and repeated ones too. The block may share its values with a matrix in memory.

    Raises
    ------
    InputError
        A block of the file is damaged.
    OutputError
        There is no room for the temporary copy that a matrix stored by column needs.

    Notes
    -----
    Deflated blocks of HDF5 (with or without shuffle) are read as they are stored and inflated by ISA-L, which
    takes half of the computing that HDF5 takes with zlib. The values are the same. A matrix on disk that is stored by
    column (CSC) is turned at the first call, into a temporary file in the folder that ``TMPDIR`` names, which is gone
    when the matrix is closed or the process ends.
    """
    on_disk = is_on_disk(matrix)
    with reading(matrix) if on_disk else nullcontext():
        stop = min(stop, _shape(matrix)[0])
        start = min(max(0, start), stop)
        if on_disk:
            return _from_disk(matrix, start, stop)
    from scipy import sparse

    if sparse.issparse(matrix):
        # Rows next to each other are one stretch of the vectors: nothing has to be copied.
        rows = matrix if matrix.format == "csr" else sparse.csr_matrix(matrix[start:stop])
        first, pointers = (start, stop) if rows is matrix else (0, rows.shape[0])
        indptr = rows.indptr[first : pointers + 1]
        values = slice(int(indptr[0]), int(indptr[-1]))
        return _block(rows.data[values], rows.indices[values], indptr, matrix.shape[1])
    return _from_dense(np.asarray(matrix[start:stop]))


def _from_dense(rows: NDArray[Any]) -> Any:
    from scipy import sparse

    block = sparse.csr_matrix(rows.astype(plain_dtype(rows.dtype), copy=False))
    return _block(block.data, block.indices, block.indptr, rows.shape[1])


def _shape(matrix: Any) -> tuple[int, int]:
    """Rows and columns; of a stored sparse matrix as they were at first, as it would look them up each time."""
    known = _stored.get(id(matrix))
    return matrix.shape if known is None or known[0]() is not matrix else known[1].shape


def _from_disk(matrix: Any, start: int, stop: int) -> Any:
    copy = copy_of(matrix, _copy_of_packed)
    found = None if copy is None else copy.rows(start, stop)
    if found is None:
        block = _from_source(matrix, start, stop)
        if copy is not None:
            copy.add(start, block)
        return block
    block = _block(found.data, found.indices, found.indptr, _shape(matrix)[1])
    if found.is_canonical:
        block.has_canonical_format = True
    return block


def _copy_of_packed(matrix: Any) -> ScratchCopy | None:
    """Room for a copy of a matrix of which rows are compressed, or stored with their zeros; else None."""
    is_packed = not hasattr(matrix, "group") or _stored_rows(matrix).is_packed
    return ScratchCopy(plain_dtype(matrix.dtype)) if is_packed else None


def _from_source(matrix: Any, start: int, stop: int) -> Any:
    if not hasattr(matrix, "group"):
        return _from_dense(np.asarray(matrix[start:stop]))
    return _stored_rows(matrix).read(start, stop)
