"""Write results: whole or not at all, and the same bytes for the same content."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cafsc.errors import OutputError, UserError
from cafsc.io.atomic import atomic
from cafsc.io.backed import require_unchanged
from cafsc.io.matrix_store import MatrixStore
from cafsc.io.safe_file import SafeFile

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
    """Write text atomically, as UTF-8 with line feeds on every system.

    Parameters are those of `write_bytes`. Lone surrogates, which cannot be encoded, are written as escapes.
    """
    write_bytes(path, text.encode("utf-8", "backslashreplace"), force)


def _neutral(value: object) -> object:
    """Prefix an apostrophe to text that a spreadsheet would run as a formula."""
    if not isinstance(value, str) or not value.startswith(_FORMULA_STARTS):
        return value
    if value.startswith("-"):
        try:
            float(value)
        except ValueError:
            return f"'{value}"
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
            safe.isetitem(
                position, column.astype(object).map(_neutral, na_action="ignore").to_numpy(dtype=object)
            )
    data = safe.to_csv(sep="\t", index=False, lineterminator="\n").encode("utf-8", "backslashreplace")
    if Path(path).suffix == ".gz":
        packed = io.BytesIO()
        # An empty file name and time zero: the same table gives the same bytes.
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=6) as file:
            file.write(data)
        data = packed.getvalue()
    write_bytes(path, data, force)


def write_h5ad(adata: AnnData, path: Path | str, force: bool = False) -> None:
    """Write an AnnData atomically as gzip-compressed h5ad.

    Parameters
    ----------
    adata
        The object; it is not changed (text columns are not turned into categories). Matrices that are in a file
        are copied in blocks.
    path
        Final name; missing parent folders are made.
    force
        Replace a file that is there already. Whether it is the input is for the caller to refuse.

    Raises
    ------
    InputError
        A file that its matrices are in changed since it was opened, or is damaged.
    OutputError
        The place is occupied or not writable, the device is full, or h5ad cannot hold a part of the object.

    Notes
    -----
    No time stamps are stored: the same object gives the same bytes, be its matrices in memory or in a file. Vectors of
    sparse matrices that hold the same, as those of ``X`` and ``layers["counts"]`` often do, are stored once and linked
    to: who changes one in place in the file changes both.
    """
    import h5py
    from anndata.experimental import write_dispatched

    options = {"compression": "gzip", "compression_opts": 4}
    with atomic(path, force) as part, SafeFile(part) as file:
        matrices = MatrixStore(file.check)

        def element(write: Any, store: Any, key: str, value: Any, *, dataset_kwargs: Any, **_: Any) -> None:
            file.check()
            if matrices.takes(value):
                matrices.write(store, key, value)
                return
            if matrices.takes_columns(value):
                # anndata takes thrice as long for a column, and there is one for each set.
                write(store, key, value.iloc[:, :0], dataset_kwargs=dataset_kwargs)
                matrices.write_columns(store[key], value)
                return
            write(store, key, value, dataset_kwargs=dataset_kwargs)

        try:
            with h5py.File(file, "w") as target:
                write_dispatched(target, "/", adata, callback=element, dataset_kwargs=options)
        except (MemoryError, UserError):
            raise
        except Exception as error:
            # anndata raises whatever its parts raise; only a failed write is not about the object.
            if file.failure is None:
                raise OutputError(
                    f"{path}: cannot write: h5ad cannot hold a part of the object: {_first_line(error)}",
                    expected="columns and uns entries of numbers, text, categories or arrays",
                    fix="convert or delete the part that is named, and write again",
                ) from error
        file.check()
        # Before it gets its name: what was copied from a file that changed is a mixture.
        require_unchanged(adata)


def _first_line(error: BaseException) -> str:
    """The error in one line, with the place that anndata notes beside it."""
    lines = [*str(error).strip().splitlines()[:1], *getattr(error, "__notes__", ())[:1]]
    return " ".join("; ".join(lines or [type(error).__name__]).split())[:300]
