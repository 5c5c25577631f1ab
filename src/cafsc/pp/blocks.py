"""Cells x genes block by block: from memory or from a file, here or on a dask cluster, with the same borders."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._threads import one_thread
from cafsc.errors import InputError, UserError
from cafsc.io.hdf5 import cause
from cafsc.io.read import BLOCK

Index = NDArray[np.int64]
T = TypeVar("T")
Convert = Callable[[sparse.csr_matrix], sparse.csr_matrix]
_WINDOW = 64
"""Blocks that a cluster works on at once: so many results lie in memory, at most."""


def is_backed(matrix: Any) -> bool:
    """Whether a matrix is a dask array, as `cafsc.io.read` gives it with ``backed=True``."""
    return hasattr(matrix, "__dask_graph__")


def canonical(matrix: Any) -> sparse.csr_matrix:
    """CSR in which every entry stands once, each row in the order of its columns; a copy where it was not so."""
    out = matrix if isinstance(matrix, sparse.csr_matrix) else sparse.csr_matrix(matrix)
    if not out.has_canonical_format:
        if sparse.issparse(matrix) and np.may_share_memory(out.data, matrix.data):
            out = out.copy()
        out.sum_duplicates()
    return out


def parts(matrix: Any) -> Iterator[tuple[int, Any]]:
    """A matrix and the number of its first row: whole where it is in memory, else in blocks of rows."""
    if not is_backed(matrix):
        yield 0, matrix
        return
    for start in range(0, matrix.shape[0], BLOCK):
        yield start, _read(matrix[start : start + BLOCK])


def rows_of(matrix: Any, rows: Index) -> Any:
    """Some rows, sorted, in memory, of a matrix in memory or in a file."""
    if not is_backed(matrix):
        is_run = rows.size and rows[-1] - rows[0] + 1 == rows.size
        found = matrix[int(rows[0]) : int(rows[-1]) + 1] if is_run else matrix[rows]
        return sparse.csr_matrix(found) if sparse.issparse(found) else np.asarray(found)
    pieces = [_read(block)[inside] for _, block, inside in _lazy_pieces(matrix, _by_block(rows))]
    if not pieces:
        return sparse.csr_matrix((0, matrix.shape[1]), dtype=matrix.dtype)
    return sparse.vstack(pieces, format="csr") if sparse.issparse(pieces[0]) else np.concatenate(pieces)


def _by_block(rows: Index) -> list[Index]:
    """Sorted rows, cut where a block of the matrix ends."""
    return np.split(rows, np.flatnonzero(np.diff(rows // BLOCK)) + 1) if rows.size else []


def _lazy_pieces(matrix: Any, pieces: Iterable[Index]) -> Iterator[tuple[Index, Any, Index]]:
    """Some rows of one block each, that block, and their places in it."""
    for piece in pieces:
        start = int(piece[0]) // BLOCK * BLOCK
        yield piece, matrix[start : start + BLOCK], piece - start


def _read(block: Any) -> Any:
    """A block of a backed matrix, in memory."""
    try:
        return block.compute(scheduler="synchronous")
    except UserError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        # h5py and zarr throw these at damaged bytes.
        raise InputError(
            f"the matrix cannot be read from its file, which may be damaged: {cause(error)}",
            expected="a whole file as anndata writes it",
            fix="copy or download the file again, or write it again from its source",
        ) from error


class CountRows:
    """Counts of cells x genes, float64, of a matrix in memory or a dask array.

    `convert` makes counts of float64 rows of the matrix; it must treat each row by itself.
    """

    def __init__(self, matrix: Any, convert: Convert | None = None) -> None:
        if hasattr(matrix, "to_memory") or type(matrix).__module__.startswith(("h5py", "zarr")):
            raise InputError(
                f"the matrix is opened by anndata in its file ({type(matrix).__name__})",
                expected="a numpy array, a scipy sparse matrix, or a dask array of one of them",
                fix="load it: adata = adata.to_memory(), or open its file with cafsc.io.read(path, backed=True)",
            )
        self._matrix = matrix if is_backed(matrix) else canonical(matrix)
        self._convert = convert
        self.shape: tuple[int, int] = (int(matrix.shape[0]), int(matrix.shape[1]))

    def take(self, rows: Index) -> sparse.csr_matrix:
        """Some rows, sorted; float64 CSR, not to be changed."""
        return _counts(rows_of(self._matrix, rows), self._convert)

    def blocks(self, rows: Index | None = None) -> Iterator[tuple[Index, sparse.csr_matrix]]:
        """Row numbers and counts of each block of rows; of all rows, or of some, sorted.

        The borders of the blocks are those of the matrix, whichever rows are asked for.
        """
        for piece in _by_block(np.arange(self.shape[0]) if rows is None else rows):
            yield piece, self.take(piece)

    def map(
        self, function: Callable[..., T], rows: Index | None = None, *beside: Any
    ) -> Iterator[tuple[Index, T]]:
        """Row numbers of each block, and `function` of its counts and of those rows of each array `beside`.

        Blocks of a backed matrix are worked on by the current dask client, if there is one.
        """
        pieces = _by_block(np.arange(self.shape[0]) if rows is None else rows)
        work = partial(_on_counts, function, self._convert)
        client = _current_client() if is_backed(self._matrix) else None
        if client is None:
            for piece in pieces:
                yield (
                    piece,
                    work(rows_of(self._matrix, piece), slice(None), *(array[piece] for array in beside)),
                )
        else:
            yield from _on_cluster(client, work, list(_lazy_pieces(self._matrix, pieces)), *beside)

    def group_sums(self, codes: Index, n_groups: int, rows: Index | None = None) -> NDArray[np.float64]:
        """Sums of counts over the cells of each group: groups x genes; a negative code is in no group."""
        out = np.zeros((n_groups, self.shape[1]))
        for _, sums in self.map(partial(_group_sums, n_groups=n_groups), rows, codes):
            out += sums
        return out

    def gene_sums(self) -> NDArray[np.float64]:
        """Sum of each gene over all cells."""
        return self.group_sums(np.zeros(self.shape[0], dtype=np.int64), 1).ravel()


def _current_client() -> Any:
    """The dask client that is current, or None."""
    try:
        from distributed import get_client

        return get_client()
    except (ImportError, ValueError):
        return None


def _on_cluster(
    client: Any, work: Callable[..., T], pieces: Sequence[tuple[Index, Any, Index]], *beside: Any
) -> Iterator[tuple[Index, T]]:
    """Row numbers of each piece and what the workers make of it, a window of pieces at a time."""
    from dask.delayed import delayed

    sent, call = client.scatter(work, broadcast=True, hash=False), delayed(operator.call, pure=False)
    for start in range(0, len(pieces), _WINDOW):
        window = pieces[start : start + _WINDOW]
        tasks = [
            call(sent, block, inside, *(array[rows] for array in beside)) for rows, block, inside in window
        ]
        for (piece, _, _), found in zip(window, client.gather(client.compute(tasks)), strict=True):
            yield piece, found


def _on_counts(
    function: Callable[..., T], convert: Convert | None, block: Any, inside: Index | slice, *beside: Any
) -> T:
    # Where a block is worked on must not show in the last digits.
    with one_thread():
        return function(_counts(block[inside], convert), *beside)


def _counts(rows: Any, convert: Convert | None) -> sparse.csr_matrix:
    """Rows of any form as float64 CSR counts."""
    out = canonical(sparse.csr_matrix(rows, dtype=np.float64))
    return out if convert is None else convert(out)


def _group_sums(counts: sparse.csr_matrix, codes: Index, n_groups: int) -> NDArray[np.float64]:
    inside = np.flatnonzero(codes >= 0)
    weights = sparse.csr_matrix(
        (np.ones(inside.size), (codes[inside], inside)), shape=(n_groups, counts.shape[0])
    )
    return np.asarray((weights @ counts).toarray(), dtype=np.float64)
