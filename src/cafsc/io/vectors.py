"""Stretches of a one-dimensional array on disk, its blocks inflated by a quicker library than HDF5 has."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

_DEFLATE = h5py.h5z.FILTER_DEFLATE
_SHUFFLE = h5py.h5z.FILTER_SHUFFLE
# Without blocks of its own, an array is read in stretches of this many values.
_UNCHUNKED = 2**20


def shuffled(values: NDArray[Any]) -> bytes:
    """First bytes of all values, then their second bytes and so on, as HDF5's shuffle filter puts them."""
    planes = np.frombuffer(values.tobytes(), np.uint8).reshape(len(values), values.dtype.itemsize).T
    return planes.tobytes()


def _unshuffled(data: bytes, dtype: np.dtype[Any]) -> NDArray[Any]:
    size = dtype.itemsize
    planes = np.frombuffer(data, np.uint8).reshape(size, -1)
    mixed = np.empty((planes.shape[1], size), np.uint8)
    # Plane by plane: one assignment of the transposed array takes three times as long.
    for number in range(size):
        mixed[:, number] = planes[number]
    return mixed.view(dtype).reshape(-1)


def _inflates(dataset: h5py.Dataset) -> tuple[bool, bool]:
    """Whether the blocks of a dataset are plain deflate, and whether their bytes are shuffled."""
    if dataset.chunks is None or dataset.dtype.kind not in "biuf":
        return False, False
    # A number type that numpy has only nearly, as of odd widths, is HDF5's to convert.
    if not dataset.id.get_type().equal(h5py.h5t.py_create(dataset.dtype)):
        return False, False
    listed = dataset.id.get_create_plist()
    filters = [listed.get_filter(number)[0] for number in range(listed.get_nfilters())]
    return filters in ([_DEFLATE], [_SHUFFLE, _DEFLATE]), _SHUFFLE in filters


class StoredVector:
    """A one-dimensional HDF5 dataset or zarr array that is read in stretches, one behind the other.

    Parameters
    ----------
    array
        h5py.Dataset or zarr.Array of numbers.

    Notes
    -----
    The block that a stretch ends in is kept, so that adjacent stretches inflate every block once. What the quick
    library refuses is read by HDF5, which says what is wrong with it.
    """

    def __init__(self, array: Any) -> None:
        self._array = array
        self.shape: tuple[int, ...] = tuple(array.shape or ())
        self.dtype: np.dtype[Any] = np.dtype(array.dtype)
        self._step = int(array.chunks[0]) if array.chunks else _UNCHUNKED
        self._inflates, self._shuffled = (
            _inflates(array) if isinstance(array, h5py.Dataset) and len(self.shape) == 1 else (False, False)
        )
        self._kept: tuple[int, NDArray[Any]] = (-1, np.empty(0, self.dtype))

    @property
    def is_packed(self) -> bool:
        """Whether reading it takes more than copying bytes: it is compressed, or filtered in another way."""
        if isinstance(self._array, h5py.Dataset):
            return bool(self._array.id.get_create_plist().get_nfilters())
        return bool(self._array.chunks) and bool(self._array.compressors or self._array.filters)

    def is_same(self, other: StoredVector) -> bool:
        """Whether both are one and the same array of one file."""
        return bool(self._array == other._array)

    def __getitem__(self, key: slice) -> NDArray[Any]:
        """Values of a slice without step, in this machine's byte order."""
        start, stop, _ = key.indices(self.shape[0])
        return self.read(start, stop)

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Values from `start` up to `stop`, in this machine's byte order."""
        if not self._inflates and isinstance(self._array, h5py.Dataset):
            found = self._array[start:stop]
            return np.asarray(found, dtype=self.dtype.newbyteorder("="))
        out = np.empty(max(0, stop - start), dtype=self.dtype.newbyteorder("="))
        for place in range(start // self._step * self._step, stop, self._step):
            first, last = max(start, place), min(stop, place + self._step)
            out[first - start : last - start] = self._block(place)[first - place : last - place]
        return out

    def _block(self, place: int) -> NDArray[Any]:
        kept_place, kept = self._kept
        if kept_place != place:
            kept = self._inflated(place)
            self._kept = place, kept
        return kept

    def _inflated(self, place: int) -> NDArray[Any]:
        stop = min(place + self._step, self.shape[0])
        if self._inflates:
            values = self._quickly(place)
            if values is not None:
                return values
        return np.asarray(self._array[place:stop])

    def _quickly(self, place: int) -> NDArray[Any] | None:
        size = self._step * self.dtype.itemsize
        try:
            skipped, raw = self._array.id.read_direct_chunk((place,))
            if skipped:
                return None
            # Never more than a block: a few bytes can be made to unpack to any length.
            stream = isal_zlib.decompressobj()
            data = stream.decompress(raw, size)
        except (RuntimeError, OSError, isal_zlib.IsalError):  # type: ignore[misc]
            return None
        if len(data) != size or not stream.eof:
            return None
        return _unshuffled(data, self.dtype) if self._shuffled else np.frombuffer(data, self.dtype)
