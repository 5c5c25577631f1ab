"""Look through a zarr store before anything trusts it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from cafsc.io.hdf5 import SPARSE_AXIS, SPARSE_PARTS, damaged, hostile, inspect_sparse
from cafsc.io.limits import refuse_impossible

_MAX_FILES = 2_000_000
_BLOCK = 2**20


def open_store(store: Path) -> Any:
    """Root of a store, by the metadata of each array: a consolidated copy of them could say something else."""
    import zarr

    return zarr.open_group(store, mode="r", use_consolidated=False)


def _inspect_files(store: Path) -> None:
    """Refuse links out of the store, what is no regular file, and codecs that run pickled objects."""
    root = store.resolve()
    for count, item in enumerate(store.rglob("*")):
        name = item.relative_to(store).as_posix()
        if count > _MAX_FILES:
            raise damaged(store, f"more than {_MAX_FILES:,} files")
        if item.is_symlink() and not item.resolve().is_relative_to(root):
            raise hostile(store, f"{name} is a link to a file outside the store")
        if not item.is_file() and not item.is_dir():
            raise hostile(store, f"{name} is a pipe, socket or device")
        if item.name not in (".zarray", "zarr.json"):
            continue
        try:
            metadata = dict(json.loads(item.read_text(encoding="utf-8")))
        except (ValueError, TypeError, RecursionError) as error:
            raise damaged(store, f"{name} is not readable JSON") from error
        metadata.pop("attributes", None)
        if "pickle" in json.dumps(metadata).lower():
            raise hostile(store, f"{name} asks to run pickled Python objects")


def inspect_zarr(store: Path) -> None:
    """Walk through a zarr store, decode every array once, and check its sparse matrices."""
    _inspect_files(store)
    parts = dict(open_store(store).members(max_depth=None))
    arrays = {name: part for name, part in parts.items() if getattr(part, "shape", None)}
    for name, array in arrays.items():
        n_bytes = math.prod(array.shape) * max(array.dtype.itemsize, 1)
        refuse_impossible(store, name, n_bytes, int(array.nbytes_stored()))
    for name, part in parts.items():
        major = SPARSE_AXIS.get(str(part.attrs.get("encoding-type", "")))
        if major is not None:
            _inspect_matrix(store, name, part, major)
    for array in arrays.values():
        step = max(1, _BLOCK * array.shape[0] // max(1, math.prod(array.shape)))
        for start in range(0, array.shape[0], step):
            array[start : start + step]


def _inspect_matrix(store: Path, name: str, group: Any, major: int) -> None:
    label, shape = f"sparse matrix {name}", group.attrs.get("shape")
    vectors = [group.get(part) for part in SPARSE_PARTS]
    if not isinstance(shape, list) or len(shape) != 2 or any(vector is None for vector in vectors):
        raise damaged(store, f"{label} is not whole")

    def n_missing(vector: Any) -> int:
        return vector.nchunks - vector.nchunks_initialized if vectors[0].size else 0

    inspect_sparse(store, label, vectors, (shape[major], shape[1 - major]), n_missing)
