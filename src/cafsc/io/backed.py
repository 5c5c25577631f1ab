"""A data set whose matrices stay in their file: opened, held open, and closed."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from cafsc._freed_memory import give_back
from cafsc.errors import InputError
from cafsc.io.elements import is_matrix, is_modern, read_elements
from cafsc.io.files import identity, refuse_changed
from cafsc.io.hdf5 import open_lasting
from cafsc.io.limits import memory, refuse_oversized
from cafsc.io.row_blocks import forget_rows, is_on_disk
from cafsc.io.zarr_store import open_store

if TYPE_CHECKING:
    from anndata import AnnData

# Of the memory; larger matrices are left in their file where that is not said.
LARGE_SHARE = 0.25
_LEAVE = "leave the matrix in its file (--backed), store it as sparse (CSR), or split the file by sample"
_File = tuple[Path, list[tuple[str, int, int, int]]]
# What the file of a matrix was when it was opened, so that it can be told whether it still is. By the number of the
# matrix, which is its own as long as it is there: another file may stand under the same path by now.
_opened: dict[int, _File] = {}


def _arrays(root: Any) -> Iterator[tuple[str, Any]]:
    """Name and array of each part of an open file or store that was looked through."""
    found: list[tuple[str, Any]] = []
    if isinstance(root, h5py.Group):
        root.visititems(lambda name, item: found.append((name, item)))
    else:
        found.extend(root.members(max_depth=None))
    return ((name, item) for name, item in found if getattr(item, "shape", None))


def _is_of_a_matrix(name: str) -> bool:
    return is_matrix(name) or is_matrix(name.rpartition("/")[0])


def _n_bytes(array: Any) -> int:
    return int(math.prod(array.shape) * array.dtype.itemsize)


def is_large(root: Any) -> bool:
    """Whether the matrices of an open data set, h5ad, zarr or 10x, take a large share of the memory."""
    arrays = _arrays(root)
    # Of an older layout, they can only be loaded; a 10x file is one matrix and two lists.
    if "obs" in root:
        arrays = ((name, array) for name, array in arrays if is_modern(root) and _is_of_a_matrix(name))
    return sum(_n_bytes(array) for _, array in arrays) > LARGE_SHARE * memory()


def require_memory(path: Path, root: Any, *, backed: bool) -> None:
    """Refuse a data set of which a part that will be loaded is larger than the memory.

    Raises
    ------
    InputError
        The message names the part, its size and the memory.
    """
    for name, array in _arrays(root):
        if not _is_of_a_matrix(name):
            refuse_oversized(path, name, _n_bytes(array), _n_bytes(array))
        elif not backed:
            refuse_oversized(path, name, _n_bytes(array), _n_bytes(array), fix=_LEAVE)


def read_backed(path: Path) -> tuple[AnnData, tuple[str, ...]]:
    """Read an h5ad or zarr store that was looked through, but for its matrices.

    Returns
    -------
    The object, with what `cafsc.io.elements.read_elements` skipped. Its matrices hold the file open.

    Raises
    ------
    InputError
        The h5ad is of an older layout.
    """
    # Absolute, as the working folder may be another one when the file is closed.
    place = path.absolute()
    before = identity(place)
    root: Any = open_store(place) if place.is_dir() else open_lasting(place)
    try:
        if not is_modern(root):
            raise InputError(
                f"{path}: was written by an anndata before 0.8, whose matrices can only be loaded",
                expected="a file of anndata 0.8 or later",
                fix="load it with anndata and write it again, or leave out --backed",
            )
        require_memory(path, root, backed=True)
        adata, dropped = read_elements(root, backed=True)
    except BaseException:
        _shut(root)
        raise
    file = place, before
    for matrix in _matrices(adata):
        _opened[id(matrix)] = file
        weakref.finalize(matrix, _opened.pop, id(matrix), None)
    # The room of names that were read and turned into text lies between what is in use.
    give_back()
    return adata, dropped


def _is_open(part: Any) -> bool:
    return bool(part) if isinstance(part, h5py.Group | h5py.Dataset) else True


def _shut(part: Any) -> None:
    if isinstance(part, h5py.Group | h5py.Dataset) and part:
        part.file.close()


def _matrices(adata: AnnData) -> list[Any]:
    raw = None if adata.raw is None else adata.raw.X
    return [matrix for matrix in (adata.X, *adata.layers.values(), raw) if is_on_disk(matrix)]


def _files(matrices: list[Any]) -> list[_File]:
    """The files of some matrices, each once."""
    found = [_opened[id(matrix)] for matrix in matrices if id(matrix) in _opened]
    return list({id(file): file for file in found}.values())


def require_unchanged(adata: AnnData) -> None:
    """Refuse an AnnData whose matrices are in a file that is not what it was when it was opened.

    Raises
    ------
    InputError
        It was written to, or replaced by another: what is read of it is a mixture.
    """
    for place, before in _files(_matrices(adata)):
        refuse_changed(place, before)


def close(adata: AnnData) -> None:
    """Close the files that the matrices of an AnnData are in.

    Parameters
    ----------
    adata
        As `cafsc.io.read` gives it with ``backed=True``; its matrices cannot be read any more. Nothing is done to
        one in memory.

    Raises
    ------
    InputError
        The file is not what it was when it was opened: results are of a mixture.

    Notes
    -----
    Files that are not closed are closed when no object leads to them any more.
    """
    matrices = _matrices(adata)
    parts = [part for part in (getattr(matrix, "group", matrix) for matrix in matrices) if _is_open(part)]
    files = _files(matrices)
    for matrix in matrices:
        forget_rows(matrix)
        _opened.pop(id(matrix), None)
    for part in parts:
        _shut(part)
    for place, before in files:
        refuse_changed(place, before)
