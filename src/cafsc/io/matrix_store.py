"""Matrices of an h5ad: written in blocks, from memory or from another file, and equal ones once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5a, h5s, h5t
from isal import isal_zlib
from numpy.typing import NDArray

from cafsc.io.row_blocks import is_on_disk, plain_dtype, read_rows, reading, row_source
from cafsc.io.vectors import StoredVector, shuffled

if TYPE_CHECKING:
    import pandas as pd

# A block is this many values. Level 2 of ISA-L on shuffled bytes packs counts to half of what level 4 of zlib does
# without shuffle, in an eighth of the time.
_BLOCK = 2**16
_LEVEL = 2
_PACKED: dict[str, Any] = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
# Values in memory at once of what is copied from another file.
_COPIED = 2**20
# Shorter ones are left to anndata.
_LONG_COLUMN = 1024
_TEXT, _TEXT_IN_MEMORY = (h5t.py_create(h5py.string_dtype(), logical=logical) for logical in (True, False))
_ONE = h5s.create_simple(())
_VECTORS = ("data", "indices", "indptr")
_ENCODING = {"csr": "csr_matrix", "csc": "csc_matrix"}


def _put(dataset: h5py.Dataset, place: tuple[int, ...], values: NDArray[Any]) -> None:
    """Write one whole block, packed."""
    data = shuffled(values.reshape(-1)) if dataset.shuffle else values.tobytes()
    dataset.id.write_direct_chunk(place, isal_zlib.compress(data, _LEVEL))


def _write_text(target: h5py.Dataset, name: str, text: str) -> None:
    """Write an attribute as h5py does, without finding out each time that it is text: there are hundreds."""
    attribute = h5a.create(target.id, name.encode(), _TEXT, _ONE)
    attribute.write(np.array(text, dtype=object), mtype=_TEXT_IN_MEMORY)


class _Vectors:
    """Datasets of one dimension and one length that grow side by side.

    Their blocks are written in one order, however the values come in: the same values give the same file.
    """

    def __init__(self, datasets: Sequence[h5py.Dataset]) -> None:
        self._datasets = datasets
        self._rest = [np.empty(0, dataset.dtype) for dataset in datasets]
        self._n_written = 0

    def append(self, *values: NDArray[Any]) -> None:
        if len(self._rest[0]):
            values = tuple(np.concatenate(pair) for pair in zip(self._rest, values, strict=True))
        n_whole = len(values[0]) // _BLOCK * _BLOCK
        for start in range(0, n_whole, _BLOCK):
            self._write([vector[start : start + _BLOCK] for vector in values])
        self._rest = [vector[n_whole:].copy() for vector in values]

    def _write(self, blocks: list[NDArray[Any]]) -> None:
        for dataset, block in zip(self._datasets, blocks, strict=True):
            # Never larger than what there is: where a dataset shrinks, HDF5 packs its last block again.
            dataset.resize((self._n_written + len(block),))
            whole = np.pad(block, (0, _BLOCK - len(block))) if len(block) < _BLOCK else block
            _put(dataset, (self._n_written,), whole.astype(dataset.dtype, copy=False))
        self._n_written += _BLOCK

    def finish(self) -> None:
        if len(self._rest[0]):
            self._write(self._rest)


def _vector(group: h5py.Group, name: str, dtype: Any) -> h5py.Dataset:
    return group.create_dataset(name, shape=(0,), maxshape=(None,), chunks=(_BLOCK,), dtype=dtype, **_PACKED)


def _equal(one: Any, two: Any) -> bool:
    """Whether two arrays, in memory or in a file, hold the same; they are compared up to the first difference."""
    if one.shape != two.shape or one.dtype != two.dtype:
        return False
    if one is two or (isinstance(one, StoredVector) and isinstance(two, StoredVector) and one.is_same(two)):
        return True
    step = max(1, _COPIED * one.shape[0] // max(1, int(np.prod(one.shape))))
    return all(
        np.array_equal(one[start : start + step], two[start : start + step])
        for start in range(0, one.shape[0], step)
    )


def _index_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Type that an index vector has once it is read into memory."""
    native = dtype.newbyteorder("=")
    return native if native in (np.dtype(np.int32), np.dtype(np.int64)) else np.dtype(np.int64)


@dataclass(frozen=True)
class _Sparse:
    """A CSR or CSC matrix, in memory or in a file."""

    matrix: Any

    @property
    def vectors(self) -> dict[str, Any]:
        """The arrays, or what reads them in stretches."""
        if is_on_disk(self.matrix):
            return {name: StoredVector(self.matrix.group[name]) for name in _VECTORS}
        # There may be room behind the last entry.
        n_entries = int(self.matrix.indptr[-1])
        return {
            "data": self.matrix.data[:n_entries],
            "indices": self.matrix.indices[:n_entries],
            "indptr": self.matrix.indptr,
        }

    def dtypes(self) -> dict[str, np.dtype[Any]]:
        found = {name: np.dtype(vector.dtype) for name, vector in self.vectors.items()}
        if not is_on_disk(self.matrix):
            return found
        indices = [_index_dtype(found[name]) for name in ("indices", "indptr")]
        if indices != [found[name].newbyteorder("=") for name in ("indices", "indptr")]:
            indices = [np.dtype(np.int64)] * 2
        return {"data": plain_dtype(found["data"]), "indices": indices[0], "indptr": indices[1]}

    def blocks(self) -> Iterator[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]:
        """Values, their places and the lengths of some rows (of CSC: columns), in order."""
        if not is_on_disk(self.matrix):
            vectors = self.vectors
            yield vectors["data"], vectors["indices"], np.diff(vectors["indptr"])
            return
        rows = row_source(self.matrix)
        # Rows may be in a scratch copy; what is stored by column is copied by column.
        read = partial(read_rows, self.matrix) if self.matrix.format == "csr" else rows.read
        for start, stop in rows.stretches(_COPIED):
            with reading(self.matrix):
                block = read(start, stop)
            # As reading it into memory does.
            block.sum_duplicates()
            yield block.data, block.indices, np.diff(block.indptr)


@dataclass
class MatrixStore:
    """Writer of the matrices of one file.

    Parameters
    ----------
    check
        Called before each block; may raise.
    """

    check: Callable[[], None]
    _stored: list[tuple[Any, h5py.Group | h5py.Dataset]] = field(default_factory=list)

    def takes(self, value: Any) -> bool:
        """Whether a value is written here: sparse, in another file, or dense; a long column too."""
        from scipy import sparse

        dtype = getattr(value, "dtype", None)
        if not isinstance(dtype, np.dtype) or dtype.kind not in "biuf":
            return False
        if is_on_disk(value):
            return hasattr(value, "group") or len(value.shape) == 2
        if sparse.issparse(value):
            return value.format in _ENCODING
        return _is_plain_array(value) and (
            value.ndim == 2 or (value.ndim == 1 and len(value) >= _LONG_COLUMN)
        )

    def takes_columns(self, value: Any) -> bool:
        """Whether a value is a table of which all columns are taken here, under names that anndata takes as well."""
        import pandas as pd

        if not isinstance(value, pd.DataFrame) or not value.shape[1] or not value.columns.is_unique:
            return False
        columns = (value.iloc[:, place]._values for place in range(value.shape[1]))
        return all(isinstance(name, str) and name and "/" not in name for name in value.columns) and all(
            map(self.takes, columns)
        )

    def write_columns(self, group: h5py.Group, table: pd.DataFrame) -> None:
        """Add the columns of a table to a group that holds one without columns."""
        group.attrs["column-order"] = list(table.columns)
        for name, column in table.items():
            self.write(group, str(name), column._values)

    def write(self, group: h5py.Group, key: str, value: Any) -> None:
        """Write a matrix as anndata encodes it, or link to the parts of one that hold the same."""
        if hasattr(value, "group") or hasattr(value, "indptr"):
            self._write_sparse(group.create_group(key), value)
        else:
            self._write_dense(group, key, value)

    def _write_sparse(self, group: h5py.Group, matrix: Any) -> None:
        group.attrs.update(
            {
                "encoding-type": _ENCODING[matrix.format],
                "encoding-version": "0.1.0",
                "shape": tuple(int(n) for n in matrix.shape),
            }
        )
        source = _Sparse(matrix)
        linked = self._link(group, source)
        dtypes = source.dtypes()
        names = [name for name in ("data", "indices") if name not in linked]
        grown = _Vectors([_vector(group, name, dtypes[name]) for name in names])
        pointers = [np.zeros(1, dtypes["indptr"])]
        for data, indices, lengths in source.blocks() if names else ():
            values = {"data": data, "indices": indices}
            for start in range(0, len(data), _COPIED):
                self.check()
                grown.append(*(values[name][start : start + _COPIED] for name in names))
            pointers.append(pointers[-1][-1:] + np.cumsum(lengths, dtype=dtypes["indptr"]))
        if names:
            grown.finish()
        if "indptr" not in linked:
            indptr = np.concatenate(pointers)
            grown = _Vectors([_vector(group, "indptr", dtypes["indptr"])])
            grown.append(indptr)
            grown.finish()
        self._stored.append((source, group))

    def _link(self, group: h5py.Group, source: _Sparse) -> list[str]:
        """Link to the vectors of an earlier matrix of the same layout that hold the same."""
        mine = source.vectors
        for earlier, target in self._stored:
            if not isinstance(earlier, _Sparse) or earlier.matrix.format != source.matrix.format:
                continue
            theirs = earlier.vectors
            with reading(source.matrix):
                # Repeated entries are summed by their places: where these differ, equal values can become others.
                if not all(_equal(mine[name], theirs[name]) for name in ("indptr", "indices")):
                    continue
                same_values = _equal(mine["data"], theirs["data"])
            # In one order: that of their names is part of the file.
            names = [name for name in _VECTORS if name != "data" or same_values]
            for name in names:
                group[name] = target[name]
            return names
        return []

    def _write_dense(self, group: h5py.Group, key: str, matrix: Any) -> None:
        target = self._equal_dense(matrix)
        if target is not None:
            group[key] = target
            return
        n_rows, *width = matrix.shape
        n_across = int(np.prod(width))
        height = min(max(1, n_rows), max(1, _BLOCK // max(1, n_across)))
        # What is empty cannot have blocks.
        packed = {"chunks": (height, *width), **_PACKED} if n_rows and n_across else {}
        if packed and not width:
            # Scores of cells are few different numbers, which repeat as a whole and not byte by byte.
            packed["shuffle"] = False
        dtype = np.dtype(matrix.dtype).newbyteorder("=")
        dataset = group.create_dataset(key, shape=matrix.shape, dtype=dtype, **packed)
        for name, text in (("encoding-type", "array"), ("encoding-version", "0.2.0")):
            _write_text(dataset, name, text)
        step = height * max(1, _COPIED // (height * max(1, n_across)))
        for start in range(0, n_rows if packed else 0, step):
            self.check()
            with reading(matrix):
                rows = np.asarray(matrix[start : start + step], dtype=dtype)
            rows = np.pad(rows, [(0, -len(rows) % height), *((0, 0) for _ in width)])
            for first in range(0, len(rows), height):
                _put(dataset, (start + first, *(0 for _ in width)), rows[first : first + height])
        if width:
            self._stored.append((matrix, dataset))

    def _equal_dense(self, matrix: Any) -> h5py.Dataset | None:
        """What was written of a matrix that holds the same; columns are not looked up, they are small."""
        for earlier, target in self._stored if len(matrix.shape) == 2 else ():
            with reading(matrix):
                if not isinstance(earlier, _Sparse) and _equal(matrix, earlier):
                    return target
        return None


def _is_plain_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray)
