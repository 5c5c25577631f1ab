"""Any matrix, in memory or in a file, as blocks of rows in the form that the loops take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.errors import InputError

# Rows are read and scored so many at a time; and so many where they lie in memory already, to be gone through sooner.
BLOCK_ROWS = 256
_BLOCK_ROWS_IN_MEMORY = 4096
# Fewer rows than these are not worth a call; more sums than these are not made at a time.
_LEAST_ROWS = 256
_MOST_SUMS = 1 << 20


@dataclass(frozen=True, eq=False)
class Rows:
    """Stored values of some rows.

    Attributes
    ----------
    data
        float32 or float64.
    indices
        Column of each value, int32.
    indptr
        Where each row begins, and the end, int64.
    n_columns
        Columns of the matrix.
    """

    data: NDArray[Any]
    indices: NDArray[np.int32]
    indptr: NDArray[np.int64]
    n_columns: int

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        return self.indptr.size - 1

    @property
    def longest(self) -> int:
        """Values of the fullest row, at least 1."""
        return int(np.diff(self.indptr).max(initial=1))

    @property
    def columns(self) -> NDArray[np.uint32]:
        """The indices without a sign, which the loops are quicker with."""
        return self.indices.view(np.uint32)

    def part(self, start: int, stop: int) -> Rows:
        """Some of the rows, on the same values."""
        first, last = int(self.indptr[start]), int(self.indptr[stop])
        indptr = self.indptr[start : stop + 1] - first
        return Rows(self.data[first:last], self.indices[first:last], indptr, self.n_columns)

    def parts(self, n_sums: int, threads: int = 1) -> Iterator[tuple[slice, Rows]]:
        """The rows, some for each thread but not so many that their sums take much memory, and which they are."""
        size = max(_LEAST_ROWS, min(-(-self.n_rows // threads), _MOST_SUMS // max(n_sums, 1)))
        for start in range(0, self.n_rows, size):
            place = slice(start, min(start + size, self.n_rows))
            yield place, self.part(place.start, place.stop)

    def without_zeros(self) -> Rows:
        """The same without stored zeros."""
        kept = self.data != 0
        ends = np.concatenate([[0], np.cumsum(kept)])
        return Rows(self.data[kept], self.indices[kept], ends[self.indptr], self.n_columns)

    def matrix(self) -> sparse.csr_matrix:
        """The same as a matrix of float64."""
        data = self.data.astype(np.float64, copy=False)
        return sparse.csr_matrix((data, self.indices, self.indptr), shape=(self.n_rows, self.n_columns))


def row_blocks(source: Any, size: int | None = None) -> Iterator[tuple[slice, Rows]]:
    """Rows of a matrix, a block at a time.

    Parameters
    ----------
    source
        Rows x columns of real numbers: a SciPy sparse matrix or array of any format, a NumPy array, or anything in a
        file of which rows can be sliced, such as a backed ``CSRDataset`` of anndata or a dense dataset of h5py or zarr.
        Values of CSR matrices in float32 or float64 are not copied; a CSC matrix is read and turned over once, and
        entries that are stored in parts are added up.
    size
        Rows of a block; 256 by default, or 4096 of a sparse matrix in memory, which are not copied.

    Yields
    ------
    Which rows, and the rows.

    Raises
    ------
    InputError
        If it is not a matrix of real numbers.
    """
    shape = getattr(source, "shape", ())
    if len(shape) != 2:
        raise InputError(
            f"the matrix has {len(shape)} dimensions", expected="two: cells x genes", fix="give a matrix"
        )
    if getattr(source, "format", "csr") == "csc" and hasattr(source, "to_memory"):
        # In a file by columns: every block of rows would take a pass over the whole of it.
        source = source.to_memory()
    if sparse.issparse(source):
        source = canonical(source)
    if size is None:
        size = _BLOCK_ROWS_IN_MEMORY if sparse.issparse(source) else BLOCK_ROWS
    n_rows, n_columns = map(int, shape)
    for start in range(0, n_rows, size):
        rows = slice(start, min(start + size, n_rows))
        yield rows, _block(source, rows, n_columns)


def canonical(matrix: Any) -> sparse.csr_matrix:
    """CSR in which every entry stands once and each row in the order of its columns; else a copy that is so."""
    # SciPy notes on a matrix of its own that it was found to be so.
    out = matrix if isinstance(matrix, sparse.csr_matrix) else sparse.csr_matrix(matrix)
    if not out.has_canonical_format:
        if sparse.issparse(matrix) and np.may_share_memory(out.data, matrix.data):
            out = out.copy()
        out.sum_duplicates()
    return out


def n_stored(source: Any) -> int:
    """Number of values that a matrix stores: of a dense one, all."""
    if sparse.issparse(source):
        return int(source.nnz)
    group = getattr(source, "group", None)
    if getattr(source, "format", None) in ("csr", "csc") and group is not None:
        return int(group["data"].shape[0])
    return int(np.prod(source.shape, dtype=np.int64))


def _block(source: Any, rows: slice, n_columns: int) -> Rows:
    if sparse.issparse(source):
        first, last = int(source.indptr[rows.start]), int(source.indptr[rows.stop])
        indptr = source.indptr[rows.start : rows.stop + 1].astype(np.int64) - first
        return Rows(_real(source.data[first:last]), _columns(source.indices[first:last]), indptr, n_columns)
    block = source[rows]
    if not sparse.issparse(block):
        block = sparse.csr_matrix(_real(np.asarray(block)))
    block = canonical(block)
    return Rows(
        _real(block.data), _columns(block.indices), block.indptr.astype(np.int64, copy=False), n_columns
    )


def _real(values: NDArray[Any]) -> NDArray[Any]:
    """float32 and float64 as they are, if in this machine's form; other real numbers as float64."""
    if values.dtype.kind not in "fiub":
        raise InputError(
            f"the matrix has values of type {values.dtype}",
            expected="real numbers",
            fix="convert the matrix, for instance with .astype('float32')",
        )
    kept = values.dtype in (np.dtype(np.float32), np.dtype(np.float64))
    return np.require(values, values.dtype if kept else np.float64, ["C", "W"])


def _columns(indices: NDArray[Any]) -> NDArray[np.int32]:
    return np.require(indices, np.int32, ["C", "W"])
