"""Cells x genes a block of rows at a time, from memory or from a file."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._progress import tracked
from cafsc._threads import reproducible
from cafsc.pp.memory import kept
from cafsc.pp.spread import spread

BLOCK = 2048
"""Cells in a block. Sums over cells are added up block by block, in memory and from a file alike."""
Index = NDArray[np.int64]
T = TypeVar("T")
Convert = Callable[[sparse.csr_matrix], sparse.csr_matrix]


def is_stored(matrix: Any) -> bool:
    """Whether a matrix is in a file, and read from there: backed sparse, or an HDF5 or zarr array."""
    return not (sparse.issparse(matrix) or isinstance(matrix, np.ndarray)) and hasattr(matrix, "shape")


def is_readable(matrix: Any) -> bool:
    """Whether a matrix in a file can be read by rows."""
    return is_stored(matrix) and hasattr(matrix, "dtype") and hasattr(matrix, "__getitem__")


def canonical(matrix: Any) -> sparse.csr_matrix:
    """CSR in which every entry stands once, each row in the order of its columns; a copy where it was not so."""
    out = matrix if isinstance(matrix, sparse.csr_matrix) else sparse.csr_matrix(matrix)
    if not out.has_canonical_format:
        if sparse.issparse(matrix) and np.may_share_memory(out.data, matrix.data):
            out = out.copy()
        out.sum_duplicates()
    return out


def stored_rows(matrix: Any, start: int, stop: int) -> Any:
    """Some rows of a stored matrix, in memory; repeated entries are summed, as reading the whole file does."""
    from cafsc.io.row_blocks import read_rows

    rows = read_rows(matrix, start, stop)
    if sparse.issparse(rows):
        rows.sum_duplicates()
    return rows


def parts(matrix: Any, what: str = "read the matrix") -> Iterator[tuple[int, Any]]:
    """A matrix and the number of its first row: whole where it is in memory, else in blocks of rows."""
    if not is_stored(matrix):
        yield 0, matrix
        return
    n_rows = int(matrix.shape[0])
    starts = range(0, n_rows, BLOCK)
    for start in tracked(starts, what, n_rows, n_in=lambda start: min(BLOCK, n_rows - start)):
        yield start, stored_rows(matrix, start, min(start + BLOCK, n_rows))


def rows_of(matrix: Any, rows: Index) -> Any:
    """Some rows, sorted, in memory, of a matrix in memory or in a file."""
    if not is_stored(matrix):
        if rows.size and rows[-1] - rows[0] + 1 == rows.size:
            return _run_of_rows(matrix, int(rows[0]), int(rows[-1]) + 1)
        return sparse.csr_matrix(matrix[rows]) if sparse.issparse(matrix) else np.asarray(matrix[rows])
    pieces = [_stored_piece(matrix, start, wanted) for start, wanted in _by_block(rows)]
    if not pieces:
        return sparse.csr_matrix((0, matrix.shape[1]), dtype=matrix.dtype)
    if len(pieces) == 1:
        return pieces[0]
    return sparse.vstack(pieces, format="csr") if sparse.issparse(pieces[0]) else np.concatenate(pieces)


def _run_of_rows(matrix: Any, start: int, stop: int) -> Any:
    """Successive rows of a matrix in memory, on the same numbers where it is CSR."""
    if not sparse.issparse(matrix):
        return np.asarray(matrix[start:stop])
    if matrix.format != "csr":
        return sparse.csr_matrix(matrix[start:stop])
    first, last = matrix.indptr[start], matrix.indptr[stop]
    places = (matrix.data[first:last], matrix.indices[first:last], matrix.indptr[start : stop + 1] - first)
    return sparse.csr_matrix(places, shape=(stop - start, matrix.shape[1]))


def _stored_piece(matrix: Any, start: int, wanted: Index) -> Any:
    """Some rows of the stored block that begins at `start`."""
    block = stored_rows(matrix, start, min(start + BLOCK, matrix.shape[0]))
    return block if wanted.size == block.shape[0] else block[wanted - start]


def _by_block(rows: Index) -> Iterator[tuple[int, Index]]:
    """Start of each block that holds some of the rows, and those rows."""
    block = rows // BLOCK
    for wanted in np.split(rows, np.flatnonzero(np.diff(block)) + 1) if rows.size else ():
        yield int(wanted[0] // BLOCK * BLOCK), wanted


class Rows:
    """Counts of cells, float64, whichever form they are stored in.

    Parameters
    ----------
    matrix
        Cells x genes: sparse or dense, in memory or in a file.
    convert
        Makes counts of the float64 rows of the matrix; it must treat each row by itself.
    """

    def __init__(self, matrix: Any, convert: Convert | None = None) -> None:
        self._matrix = matrix if is_stored(matrix) else canonical(matrix)
        self._origin = matrix
        self._convert = convert
        self.shape: tuple[int, int] = (int(matrix.shape[0]), int(matrix.shape[1]))

    def _counts(self, rows: Any) -> sparse.csr_matrix:
        return as_counts(rows, self._convert)

    def take(self, rows: Index) -> sparse.csr_matrix:
        """Some rows, sorted; float64 CSR, not to be changed."""
        if rows.size == self.shape[0]:
            return self.all()
        return self.kept(rows.tobytes(), lambda: self._counts(rows_of(self._matrix, rows)))

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` makes of these counts: made once a run for each key, and not to be changed."""
        return kept(self._origin, key, make)

    def all(self) -> sparse.csr_matrix:
        """All rows in memory, float64 CSR; it may share its numbers with the matrix."""
        if is_stored(self._matrix):
            return self._counts(rows_of(self._matrix, np.arange(self.shape[0])))
        return self._counts(self._matrix)

    def blocks(self, what: str = "", rows: Index | None = None) -> Iterator[tuple[Index, sparse.csr_matrix]]:
        """Row numbers and counts of each block of rows; of all rows, or of some, sorted.

        The borders of the blocks are those of the matrix, whichever rows are asked for.
        """
        wanted = np.arange(self.shape[0]) if rows is None else rows
        pieces = list(_by_block(wanted))
        told = tracked(pieces, what or "read the counts", wanted.size, n_in=lambda piece: int(piece[1].size))
        for _, piece in told:
            yield piece, self._counts(rows_of(self._matrix, piece))

    def map(
        self, function: Callable[[sparse.csr_matrix], T], what: str = "", rows: Index | None = None
    ) -> Iterator[tuple[Index, T]]:
        """Row numbers of each block, and `function` of its counts, in their order; on a cluster if there is one."""
        yield from self.map_with(_Alone(function), np.empty((self.shape[0], 0)), what, rows)

    def gene_sums(self) -> NDArray[np.float64]:
        """Sum of each gene over all cells."""
        out = np.zeros(self.shape[1])
        for _, counts in self.blocks():
            out += np.asarray(counts.sum(axis=0)).ravel()
        return out

    def group_sums(
        self, codes: Index, n_groups: int, what: str = "", rows: Index | None = None
    ) -> NDArray[np.float64]:
        """Sums of counts over the cells of each group: groups x genes; a negative code is in no group.

        Not to be changed.
        """
        key = (codes.tobytes(), n_groups, None if rows is None else rows.tobytes())
        return self.kept(key, lambda: self._group_sums(codes, n_groups, what, rows))

    def _group_sums(self, codes: Index, n_groups: int, what: str, rows: Index | None) -> NDArray[np.float64]:
        out = np.zeros((n_groups, self.shape[1]))
        for _, sums in self.map_with(partial(_group_sums, n_groups=n_groups), codes, what, rows):
            out += sums
        return out

    def map_with(
        self,
        function: Callable[[sparse.csr_matrix, Any], T],
        beside: Any,
        what: str = "",
        rows: Index | None = None,
    ) -> Iterator[tuple[Index, T]]:
        """The same with `function` of the counts and of those rows of `beside`, which is in memory."""
        wanted = np.arange(self.shape[0]) if rows is None else rows
        pieces = ((piece, (beside[piece],)) for _, piece in _by_block(wanted))
        told = tracked(pieces, what or "read the counts", wanted.size, n_in=lambda piece: int(piece[0].size))
        work = _OnCounts(function, self._convert)
        if is_stored(self._matrix):
            yield from spread(self._matrix, work, told)
            return
        for piece, arguments in told:
            yield piece, work(self._matrix, piece, *arguments)


@dataclass(frozen=True)
class _Alone(Generic[T]):
    """A function of counts that takes nothing beside them."""

    function: Callable[[sparse.csr_matrix], T]

    def __call__(self, counts: sparse.csr_matrix, beside: Any) -> T:
        return self.function(counts)


@dataclass(frozen=True)
class _OnCounts(Generic[T]):
    """A function of counts, called with some rows of a matrix."""

    function: Callable[[sparse.csr_matrix, Any], T]
    convert: Convert | None

    def __call__(self, matrix: Any, rows: Index, beside: Any) -> T:
        # Where a block is worked on must not show in the last digits.
        with reproducible():
            return self.function(as_counts(rows_of(matrix, rows), self.convert), beside)


def as_counts(rows: Any, convert: Convert | None) -> sparse.csr_matrix:
    """Rows of any form as float64 CSR counts."""
    out = sparse.csr_matrix(rows, dtype=np.float64)
    return out if convert is None else convert(out)


def _group_sums(counts: sparse.csr_matrix, codes: Index, n_groups: int) -> NDArray[np.float64]:
    inside = np.flatnonzero(codes >= 0)
    if not inside.size:
        return np.zeros((n_groups, counts.shape[1]))
    weights = sparse.csr_matrix(
        (np.ones(inside.size), (codes[inside], inside)), shape=(n_groups, counts.shape[0])
    )
    return np.asarray((weights @ counts).toarray(), dtype=np.float64)
