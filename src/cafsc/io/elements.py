"""Read a present-day h5ad part by part, so that one odd part does not cost the whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from cafsc.io.hdf5 import MAX_DEPTH, SPARSE_PARTS
from cafsc.io.vectors import StoredVector
from cafsc.io.zarr_store import open_store

if TYPE_CHECKING:
    from anndata import AnnData


_TEXTS = 2**14
_NOT_NEEDED = ("uns", "obsm", "varm", "obsp", "varp", "layers")


def _is_too_deep(part: h5py.Group | h5py.Dataset) -> bool:
    """Whether groups are nested deeper than was looked into, as below ``uns``."""
    level = [part] if isinstance(part, h5py.Group) else []
    for _ in range(MAX_DEPTH - 2):
        level = [child for group in level for child in group.values() if isinstance(child, h5py.Group)]
    return bool(level)


def _table(part: h5py.Group, readable: Callable[[h5py.Group, list[str]], dict[str, Any]]) -> Any:
    """Stored obs or var; a column that cannot be decoded is left out."""
    import pandas as pd

    order = [key.decode() if isinstance(key, bytes) else str(key) for key in part.attrs["column-order"]]
    key = part.attrs["_index"]
    missing = [name for name in order if name not in part]
    if missing:
        raise KeyError(f"{part.name} names columns that are not there: {', '.join(missing[:4])}")
    index = readable(part, [key])
    if key not in index:
        raise KeyError(f"the names in {part.name}/{key} cannot be decoded")
    columns = readable(part, list(dict.fromkeys(order)))
    n_rows = len(index[key])
    for name, column in columns.items():
        if np.ndim(column) != 1 or len(column) != n_rows:
            size = " x ".join(f"{n:,}" for n in np.shape(column)) or "a single value"
            raise ValueError(f"{part.name}/{name} has the wrong length: {size}, for {n_rows:,} rows")
    return pd.DataFrame(
        columns, index=pd.Index(index[key], name=None if key == "_index" else key), columns=list(columns)
    )


def _vector(array: Any, linked: dict[int, Any]) -> Any:
    """Values of an array; of one that several matrices link to a copy each, inflated once."""
    if not isinstance(array, h5py.Dataset):
        # zarr decodes the blocks of a whole array side by side.
        return np.asarray(array[...], dtype=array.dtype.newbyteorder("="))
    if h5py.h5o.get_info(array.id).rc == 1:
        return StoredVector(array)[:]
    address = h5py.h5o.get_info(array.id).addr
    if address in linked:
        return linked[address].copy()
    linked[address] = StoredVector(array)[:]
    return linked[address]


def _native_sparse(group: Any, by_row: bool, linked: dict[int, Any]) -> Any:
    """Sparse matrix in memory, of types that scipy has, whatever another machine or program wrote."""
    from scipy import sparse

    data, indices, indptr = (_vector(group[name], linked) for name in SPARSE_PARTS)
    if data.dtype == np.float16:
        data = data.astype(np.float32)
    if any(part.dtype not in (np.int32, np.int64) for part in (indices, indptr)):
        # What the indices hold was checked against the shape: none is too large for this type.
        indices, indptr = indices.astype(np.int64), indptr.astype(np.int64)
    build = sparse.csr_matrix if by_row else sparse.csc_matrix
    matrix = build(tuple(int(n) for n in group.attrs["shape"]), dtype=data.dtype)
    # As anndata does it: the constructor would give all index vectors one type, and write another file.
    matrix.data, matrix.indices, matrix.indptr = data, indices, indptr
    return matrix


def _native_array(part: Any, function: Callable[[Any], Any]) -> Any:
    if not part.dtype.isnative and part.dtype.kind in "iuf":
        return np.asarray(part[()]).astype(part.dtype.newbyteorder("="))
    return function(part)


def _texts(dataset: h5py.Dataset) -> NDArray[np.object_]:
    """Text of a vector, read in stretches: the library holds all that it reads twice, and leaves the room in holes."""
    text, (n_texts,) = dataset.asstr(), dataset.shape
    step = max(_TEXTS, dataset.chunks[0] if dataset.chunks else 1)
    out = np.empty(n_texts, dtype=object)
    for start in range(0, n_texts, step):
        out[start : start + step] = text[start : start + step]
    return out


def is_matrix(name: str) -> bool:
    """Whether a part holds a value for each cell and gene."""
    return name in ("X", "raw/X") or (name.startswith("layers/") and name.count("/") == 1)


def read_elements(root: Any, *, backed: bool) -> tuple[AnnData, tuple[str, ...]]:
    """Read an AnnData part by part from an open HDF5 file or zarr store.

    Parameters
    ----------
    root
        Open file or root group, encoded as anndata 0.8 and later do it.
    backed
        Leave X, layers and the matrix of raw where they are; `root` has to stay open then.

    Returns
    -------
    The object and the names of parts that were skipped because anndata cannot decode them.
    """
    from anndata.experimental import read_dispatched
    from anndata.io import sparse_dataset

    dropped: list[str] = []
    linked: dict[int, Any] = {}

    def element(function: Any, name: str, part: Any, iospec: Any) -> Any:
        kind, name = iospec.encoding_type, name.strip("/")
        if kind in ("csr_matrix", "csc_matrix"):
            is_left = backed and is_matrix(name)
            return sparse_dataset(part) if is_left else _native_sparse(part, kind == "csr_matrix", linked)
        if kind == "array":
            return part if backed and is_matrix(name) else _native_array(part, function)
        if kind == "string-array" and isinstance(part, h5py.Dataset) and len(part.shape) == 1:
            return _texts(part)
        if kind == "dict" and name.split("/")[0] in _NOT_NEEDED:
            return readable(part, sorted(part))
        if kind == "dataframe" and iospec.encoding_version == "0.2.0" and name in ("obs", "var"):
            return _table(part, readable)
        return function(part)

    def readable(part: Any, keys: list[str]) -> dict[str, Any]:
        kept = {}
        for key in keys:
            try:
                if _is_too_deep(part[key]):
                    raise ValueError("nested too deep")
                kept[key] = read_dispatched(part[key], element)
            except (MemoryError, RecursionError):
                raise
            except Exception:
                # anndata's errors here have no public class. None of these parts is needed, and a layer that
                # a user names is missed by the check.
                dropped.append(f"{part.name}/{key}")
        return kept

    return read_dispatched(root, element), tuple(dropped)


def read_modern_h5ad(path: Path) -> tuple[AnnData | None, tuple[str, ...]]:
    """Read an h5ad of anndata 0.8 or later into memory.

    Returns
    -------
    As `read_elements`; None and nothing where the file is of an older layout.
    """
    with h5py.File(path, "r", locking="best-effort") as file:
        if not is_modern(file):
            return None, ()
        return read_elements(file, backed=False)


def read_modern_zarr(path: Path) -> tuple[AnnData | None, tuple[str, ...]]:
    """Read a zarr store of anndata 0.8 or later into memory; as `read_modern_h5ad`."""
    root = open_store(path)
    return read_elements(root, backed=False) if is_modern(root) else (None, ())


def is_modern(root: Any) -> bool:
    """Whether an open file or store is encoded as anndata 0.8 and later do it."""
    return bool(root.attrs.get("encoding-type") == "anndata")
