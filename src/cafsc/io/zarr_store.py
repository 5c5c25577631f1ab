"""Look through a zarr store before anything trusts it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from cafsc.errors import InputError
from cafsc.io.files import ZARR_ROOTS
from cafsc.io.hdf5 import SPARSE_AXIS, SPARSE_PARTS, damaged, sparse_fault
from cafsc.io.limits import refuse_impossible

_METADATA = ("zarr.json", ".zgroup", ".zarray", ".zattrs", ".zmetadata")
_MAX_FILES = 2_000_000
_MAX_METADATA = 64 * 2**20
_BLOCK = 2**20


def open_store(store: Path) -> Any:
    """Root of a store, by the metadata of each array: a consolidated copy of them could say something else."""
    import zarr

    return zarr.open_group(store, mode="r", use_consolidated=False)


def is_zarr(folder: Path) -> bool:
    """Whether a folder is the root of a zarr store (format 2 or 3)."""
    return any((folder / name).is_file() for name in ZARR_ROOTS)


def _mentions_pickle(value: Any) -> bool:
    if isinstance(value, dict):
        if any("pickle" in str(value.get(key, "")).lower() for key in ("id", "name")):
            return True
        return any(_mentions_pickle(item) for item in value.values())
    return isinstance(value, list) and any(_mentions_pickle(item) for item in value)


def _item_size(metadata: dict[str, Any]) -> int:
    name = metadata.get("dtype", metadata.get("data_type", ""))
    try:
        return np.dtype(name).itemsize or 1
    except TypeError:
        return 1


def _inspect_metadata(store: Path, item: Path) -> None:
    name = item.relative_to(store).as_posix()
    if item.stat().st_size > _MAX_METADATA:
        raise damaged(store, f"{name} is larger than metadata ever are")
    try:
        metadata = json.loads(item.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged(store, f"{name} is not readable JSON") from error
    if not isinstance(metadata, dict):
        raise damaged(store, f"{name} is not a JSON object")
    if _mentions_pickle(metadata):
        raise InputError(
            f"{store}: refused: {name} asks to run pickled Python objects",
            expected="arrays of numbers and text",
            fix="if you trust its origin, load it yourself and write it again as h5ad",
        )
    shape = metadata.get("shape")
    if shape is None:
        return
    if not isinstance(shape, list) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise damaged(store, f"{name} has no valid shape")
    stored = sum(part.stat().st_size for part in item.parent.rglob("*") if part.is_file())
    refuse_impossible(
        store, item.parent.relative_to(store).as_posix(), math.prod(shape) * _item_size(metadata), stored
    )


def inspect_zarr(store: Path) -> None:
    """Walk through a zarr store, decode every array once, and check its sparse matrices.

    Raises
    ------
    InputError
        A link leads out of the store, a codec would unpickle, metadata are damaged, an array claims more than it
        holds, or a sparse matrix breaks its invariants.
    """
    import zarr

    root = store.resolve()
    for count, item in enumerate(sorted(store.rglob("*"))):
        if count > _MAX_FILES:
            raise damaged(store, f"more than {_MAX_FILES:,} files")
        if item.is_symlink() and not item.resolve().is_relative_to(root):
            raise InputError(
                f"{store}: refused: {item.relative_to(store)} is a link to a file outside the store",
                expected="a store that holds its own data",
                fix="copy the file into the store, if you trust its origin",
            )
        if not item.is_file() and not item.is_dir():
            raise InputError(
                f"{store}: refused: {item.relative_to(store)} is a pipe, socket or device",
                expected="a store of regular files",
                fix="copy the store again",
            )
        if item.name in _METADATA and item.is_file():
            _inspect_metadata(store, item)
    opened = open_store(store)
    for name, part in [("/", opened), *opened.members(max_depth=None)]:
        if isinstance(part, zarr.Group):
            major = SPARSE_AXIS.get(str(part.attrs.get("encoding-type", "")))
            if major is not None:
                _inspect_sparse(store, name, part, major)
        elif part.shape:
            step = max(1, _BLOCK * part.shape[0] // max(1, math.prod(part.shape)))
            for start in range(0, part.shape[0], step):
                part[start : start + step]


def _inspect_sparse(store: Path, name: str, group: Any, major: int) -> None:
    shape: Any = group.attrs.get("shape")
    vectors = [group.get(part) for part in SPARSE_PARTS]
    if not isinstance(shape, list) or len(shape) != 2 or any(vector is None for vector in vectors):
        raise damaged(store, f"sparse matrix {name} is not whole")
    for part, vector in zip(SPARSE_PARTS, vectors, strict=True):
        n_missing = vector.nchunks - vector.nchunks_initialized
        if vectors[0].size and n_missing:
            raise damaged(store, f"sparse matrix {name}: {n_missing:,} blocks of {part} are not there")
    fault = sparse_fault(vectors, int(shape[major]), int(shape[1 - major]))
    if fault:
        raise damaged(store, f"sparse matrix {name}: {fault}")
