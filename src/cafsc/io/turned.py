"""A matrix stored by column, turned into one stored by row without having it in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from cafsc.io.temporary import temporary_matrix
from cafsc.io.vectors import StoredVector

# Entries that are in memory at once; each takes some 50 bytes while it is sorted.
_ENTRIES = 2**21


def _row_lengths(indices: StoredVector, n_rows: int) -> NDArray[np.int64]:
    lengths = np.zeros(n_rows, np.int64)
    for start in range(0, indices.shape[0], _ENTRIES):
        lengths += np.bincount(indices[start : start + _ENTRIES].astype(np.int64), minlength=n_rows)
    return lengths


def stretches(pointers: NDArray[Any], n_entries: int) -> Iterator[tuple[int, int]]:
    """Lines (rows or columns) that hold a bounded number of entries together; at least one at a time."""
    start, n_lines = 0, len(pointers) - 1
    while start < n_lines:
        stop = int(np.searchsorted(pointers, int(pointers[start]) + n_entries, side="right")) - 1
        stop = min(max(stop, start + 1), n_lines)
        yield start, stop
        start = stop


def _order(lines: NDArray[Any], n_lines: int) -> tuple[NDArray[np.int32], NDArray[Any]]:
    """Places of entries in the order of their lines, those of one line as they were, and where each line begins."""
    from scipy import sparse

    # One row of places by column: scipy turns it in one pass, keeps that order, and does not sum.
    places = sparse.csr_matrix(
        (np.arange(len(lines), dtype=np.int32), lines, np.array([0, len(lines)])), shape=(1, n_lines)
    )
    by_line = places.tocsc()
    return by_line.data, by_line.indptr


def turned(group: Any, shape: tuple[int, int]) -> h5py.Group:
    """Write a CSC matrix of an open file as CSR to a temporary file.

    Parameters
    ----------
    group
        HDF5 or zarr group with ``data``, ``indices`` (rows) and ``indptr`` (a column each), already checked.
    shape
        Rows and columns.

    Returns
    -------
    The open group ``X`` of the temporary file, encoded as anndata encodes CSR. Entries of a row are in the order of
    their columns.

    Raises
    ------
    OutputError
        There is no room for the temporary file.

    Notes
    -----
    Two passes: entries are dealt out, a stretch of columns at a time, to stretches of rows, each of which is then
    sorted in place. Memory holds a few million entries at a time.
    """
    return temporary_matrix(shape, partial(_turn, group, shape))


def _turn(group: Any, shape: tuple[int, int], target: h5py.Group, check: Callable[[], None]) -> None:
    n_rows, n_columns = shape
    data, indices = StoredVector(group["data"]), StoredVector(group["indices"])
    columns_at = np.asarray(StoredVector(group["indptr"])[:]).astype(np.int64)
    n_entries = int(columns_at[-1])
    indptr = np.zeros(n_rows + 1, np.int64)
    np.cumsum(_row_lengths(indices, n_rows), out=indptr[1:])

    target["indptr"] = indptr
    stored_data = target.create_dataset("data", (n_entries,), data.dtype.newbyteorder("="))
    stored_columns = target.create_dataset(
        "indices", (n_entries,), np.int32 if n_columns < 2**31 else np.int64
    )
    # Last, so that the file gets shorter when it goes.
    stored_rows = target.create_dataset("rows", (n_entries,), np.int32 if n_rows < 2**31 else np.int64)

    shares = list(stretches(indptr, _ENTRIES))
    starts = np.array([start for start, _ in shares] + [n_rows])
    free = indptr[starts[:-1]].copy()
    for first, last in stretches(columns_at, _ENTRIES):
        lengths = np.diff(columns_at[first : last + 1])
        # A single column can be longer than a stretch.
        columns = np.repeat(np.arange(first, last, dtype=stored_columns.dtype), lengths)
        begin, end = int(columns_at[first]), int(columns_at[last])
        for start in range(begin, end, _ENTRIES):
            stop = min(start + _ENTRIES, end)
            rows = indices.read(start, stop)
            order, rows_at = _order(rows, n_rows)
            values, own_rows = data.read(start, stop)[order], rows[order]
            own_columns = columns[start - begin : stop - begin][order]
            cuts = rows_at[starts]
            for number in np.flatnonzero(np.diff(cuts)):
                piece = slice(int(cuts[number]), int(cuts[number + 1]))
                place = slice(int(free[number]), int(free[number]) + piece.stop - piece.start)
                stored_data[place] = values[piece]
                stored_columns[place] = own_columns[piece]
                stored_rows[place] = own_rows[piece]
                free[number] = place.stop
            check()
    for first, last in shares:
        place = slice(int(indptr[first]), int(indptr[last]))
        order, _ = _order(stored_rows[place] - first, last - first)
        stored_data[place] = stored_data[place][order]
        stored_columns[place] = stored_columns[place][order]
        check()
    del target["rows"]
