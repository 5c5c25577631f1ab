"""Write results: whole or not at all, and the same values for the same content."""

from __future__ import annotations

import errno
import gzip
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cafsc.errors import OutputError, UserError
from cafsc.io.atomic import atomic
from cafsc.io.hdf5 import cause

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_bytes(path: Path | str, data: bytes, force: bool = False) -> None:
    """Write bytes atomically.

    Parameters
    ----------
    path
        Final name; missing parent folders are made.
    data
        Content of the file.
    force
        Replace a file that is there already.

    Raises
    ------
    OutputError
        The place is occupied, not writable, or the device is full.
    """
    with atomic(path, force) as part:
        part.write_bytes(data)


def write_text(path: Path | str, text: str, force: bool = False) -> None:
    """Write text atomically, as UTF-8 with line feeds; as `write_bytes`. Lone surrogates are written as escapes."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"), force)


def _neutral(value: object) -> object:
    """Prefix an apostrophe to text that a spreadsheet would run as a formula."""
    if not isinstance(value, str) or not value.startswith(_FORMULA_STARTS):
        return value
    if value.startswith("-"):
        with suppress(ValueError):
            float(value)
            return value
    return f"'{value}"


def write_tsv(frame: pd.DataFrame, path: Path | str, force: bool = False) -> None:
    """Write a table atomically as tab-separated text, without its index.

    Parameters
    ----------
    frame
        The table. Missing values become empty cells.
    path
        Final name; a name that ends in ``.gz`` is compressed, without a time stamp.
    force
        Replace a file that is there already.

    Raises
    ------
    OutputError
        The place is occupied, not writable, or the device is full.

    Notes
    -----
    Text that starts with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return gets an apostrophe in
    front, so that no spreadsheet runs it (CWE-1236); negative numbers stay.
    """
    safe = frame.rename(columns=_neutral)
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if column.dtype == object or str(column.dtype) in {"category", "string"}:
            neutral = column.astype(object).map(_neutral, na_action="ignore")
            safe.isetitem(position, neutral.to_numpy(dtype=object))
    data = safe.to_csv(sep="\t", index=False, lineterminator="\n").encode("utf-8", "backslashreplace")
    if Path(path).suffix == ".gz":
        # Without a file name and a time: the same table gives the same bytes.
        data = gzip.compress(data, compresslevel=6, mtime=0)
    write_bytes(path, data, force)


def write_h5ad(adata: AnnData, path: Path | str, force: bool = False) -> None:
    """Write an AnnData atomically as gzip-compressed h5ad.

    Parameters
    ----------
    adata
        The object; it is not changed (text columns are not turned into categories). Backed matrices are copied
        block by block.
    path
        Final name; missing parent folders are made.
    force
        Replace a file that is there already. Whether it is the input is for the caller to refuse.

    Raises
    ------
    InputError
        The file of a backed matrix changed since it was opened, or is damaged.
    OutputError
        The place is occupied or not writable, the device is full, or h5ad cannot hold a part of the object.

    Notes
    -----
    The same object gives the same values; the bytes of the file may differ.
    """
    import h5py
    import numpy as np
    from anndata.experimental import write_dispatched

    options = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    with atomic(path, force) as part, _CarefulFile(part, "r+") as target:

        def write_part(write: Any, store: Any, key: str, value: Any, **_: Any) -> None:
            target.check()
            # HDF5 has no filters for a single value.
            is_single = np.isscalar(value) or getattr(value, "shape", None) == ()
            write(store, key, value, dataset_kwargs={} if is_single else options)

        try:
            with h5py.File(target, "w") as file:
                write_dispatched(file, "/", adata, callback=write_part, dataset_kwargs=options)
        except (MemoryError, UserError):
            raise
        except Exception as error:
            target.check()
            raise OutputError(
                f"{path}: cannot write: h5ad cannot hold a part of the object: {cause(error)}",
                expected="columns and uns entries of numbers, text, categories or arrays",
                fix="convert or delete the part that is named, and write again",
            ) from error
        target.check()


class _CarefulFile(io.FileIO):
    """A file that keeps its first error until it is asked: HDF5 crashes where a write fails."""

    _error: OSError | None = None

    def check(self) -> None:
        """Raise the error of the first write that failed."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        try:
            if self._error is None and super().write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._error = error
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0
