"""Read a present-day h5ad part by part, so that one odd part does not cost the whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from cafsc.io.hdf5 import MAX_DEPTH

if TYPE_CHECKING:
    from anndata import AnnData


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


def _is_foreign(group: h5py.Group) -> bool:
    """Whether scipy has no sparse matrix of what is stored: another machine's byte order, odd widths."""
    indices = (group["indices"].dtype, group["indptr"].dtype)
    return (
        not all(group[name].dtype.isnative for name in ("data", "indices", "indptr"))
        or group["data"].dtype == np.float16
        or any(dtype not in (np.dtype(np.int32), np.dtype(np.int64)) for dtype in indices)
    )


def _native_sparse(group: h5py.Group, by_row: bool) -> Any:
    from scipy import sparse

    data = group["data"][:]
    data = data.astype(
        np.float32 if data.dtype.itemsize == 2 and data.dtype.kind == "f" else data.dtype.newbyteorder("=")
    )
    # What the indices hold was checked against the shape: none is too large for this type.
    indices, indptr = (group[name][:].astype(np.int64) for name in ("indices", "indptr"))
    build = sparse.csr_matrix if by_row else sparse.csc_matrix
    return build((data, indices, indptr), shape=tuple(int(n) for n in group.attrs["shape"]))


def read_modern_h5ad(path: Path) -> tuple[AnnData | None, tuple[str, ...]]:
    """Read an h5ad of anndata 0.8 or later.

    Returns
    -------
    The object and the names of parts that were skipped because anndata cannot decode them; None
    and nothing where the file is of an older layout.
    """
    from anndata.experimental import read_dispatched

    dropped: list[str] = []

    def element(function: Any, name: str, part: Any, iospec: Any) -> Any:
        kind = iospec.encoding_type
        if kind in ("csr_matrix", "csc_matrix") and _is_foreign(part):
            return _native_sparse(part, by_row=kind == "csr_matrix")
        if (
            kind == "array"
            and isinstance(part, h5py.Dataset)
            and not part.dtype.isnative
            and part.dtype.kind in "iuf"
        ):
            return np.asarray(part[()]).astype(part.dtype.newbyteorder("="))
        if kind == "dict" and name.strip("/").split("/")[0] in _NOT_NEEDED:
            return readable(part, list(part))
        if kind == "dataframe" and iospec.encoding_version == "0.2.0" and name.strip("/") in ("obs", "var"):
            return _table(part, readable)
        return function(part)

    def readable(part: h5py.Group, keys: list[str]) -> dict[str, Any]:
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

    with h5py.File(path, "r", locking="best-effort") as file:
        if file.attrs.get("encoding-type") != "anndata":
            return None, ()
        adata = read_dispatched(file, element)
    return adata, tuple(dropped)
