"""Read a present-day h5ad part by part, so that one odd part does not cost the whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from anndata import AnnData


def _is_foreign(group: h5py.Group) -> bool:
    """Whether a sparse matrix is stored in the byte order of another machine, which scipy refuses."""
    return any(not group[name].dtype.isnative for name in ("data", "indices", "indptr"))


def _native_sparse(group: h5py.Group, by_row: bool) -> Any:
    from scipy import sparse

    vectors = [group[name][:] for name in ("data", "indices", "indptr")]
    native = tuple(vector.astype(vector.dtype.newbyteorder("=")) for vector in vectors)
    build = sparse.csr_matrix if by_row else sparse.csc_matrix
    return build(native, shape=tuple(int(n) for n in group.attrs["shape"]))


def read_modern_h5ad(path: Path) -> tuple[AnnData | None, tuple[str, ...]]:
    """Read an h5ad of anndata 0.8 or later.

    Returns
    -------
    The object and the names of parts of ``uns`` that were skipped because anndata cannot decode them; None
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
        if kind == "dict" and name.strip("/").split("/")[0] == "uns":
            kept = {}
            for key in part:
                try:
                    kept[key] = read_dispatched(part[key], element)
                except (MemoryError, RecursionError):
                    raise
                except Exception:
                    # anndata's errors here have no public class; nothing in uns is needed.
                    dropped.append(f"{part.name}/{key}")
            return kept
        return function(part)

    with h5py.File(path, "r", locking="best-effort") as file:
        if file.attrs.get("encoding-type") != "anndata":
            return None, ()
        adata = read_dispatched(file, element)
    return adata, tuple(dropped)
