"""Invariants of a compressed sparse matrix, checked before any code trusts its indices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

_CHUNK = 2**22


class Vector(Protocol):
    """What is needed of a one-dimensional HDF5 dataset, zarr array or numpy array."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def dtype(self) -> Any: ...  # noqa: D102
    def __getitem__(self, key: slice, /) -> Any: ...  # noqa: D105


def _chunks(vector: Vector, overlap: int = 0) -> Iterator[Any]:
    for start in range(0, vector.shape[0], _CHUNK):
        yield np.asarray(vector[start : start + _CHUNK + overlap])


def _vector_fault(name: str, vector: Vector) -> str | None:
    if len(vector.shape) != 1:
        return f"{name} has {len(vector.shape)} dimensions, not 1"
    if vector.dtype.kind not in ("biuf" if name == "data" else "iu"):
        return f"{name} has dtype {vector.dtype}, which is not {'numeric' if name == 'data' else 'integer'}"
    return None


def _pointer_fault(indptr: Vector, n_major: int, n_entries: int) -> str | None:
    if indptr.shape[0] != n_major + 1:
        return f"indptr has {indptr.shape[0]:,} entries, but the shape asks for {n_major + 1:,}"
    first, last = int(np.asarray(indptr[:1])[0]), int(np.asarray(indptr[n_major : n_major + 1])[0])
    if first != 0:
        return f"indptr starts at {first}, not at 0"
    if any((chunk[1:] < chunk[:-1]).any() for chunk in _chunks(indptr, overlap=1)):
        return "indptr is not monotonic: a row would have a negative length"
    if last != n_entries:
        return f"indptr ends at {last:,}, but there are {n_entries:,} entries"
    return None


def _index_fault(indices: Vector, n_minor: int) -> str | None:
    for chunk in _chunks(indices):
        low, high = int(chunk.min()), int(chunk.max())
        if low < 0:
            return f"indices holds {low}, which is negative"
        if high >= n_minor:
            return f"indices holds {high:,}, but there are only {n_minor:,} places"
    return None


def sparse_fault(data: Vector, indices: Vector, indptr: Vector, n_major: int, n_minor: int) -> str | None:
    """First broken invariant of a CSR (or CSC) matrix, in words.

    Parameters
    ----------
    data, indices, indptr
        The three vectors; they are read in chunks of 4 million entries.
    n_major
        Length of the compressed axis (rows of CSR, columns of CSC).
    n_minor
        Length of the other axis.

    Returns
    -------
    None where the matrix is sound; else what is wrong, without the file's name.
    """
    for name, vector in (("data", data), ("indices", indices), ("indptr", indptr)):
        fault = _vector_fault(name, vector)
        if fault:
            return fault
    n_entries = data.shape[0]
    if indices.shape[0] != n_entries:
        return f"data has {n_entries:,} entries, but indices has {indices.shape[0]:,}"
    return _pointer_fault(indptr, n_major, n_entries) or _index_fault(indices, n_minor)
