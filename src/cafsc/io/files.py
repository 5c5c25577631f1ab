"""What a path leads to, before any library opens it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cafsc.errors import InputError

ACCEPTED = "an .h5ad file, a 10x .h5 file, a 10x mtx folder or a .zarr store"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
ZARR_ROOTS = ("zarr.json", ".zgroup")
_SNIFF = 2048
_KINDS = (
    (
        b"\x1f\x8b",
        "a gzip-compressed file",
        "decompress it first (gunzip), then give the file that comes out",
    ),
    (b"PK\x03\x04", "a zip archive", "unpack it first (unzip), then give the file that comes out"),
    (b"BZh", "a bzip2-compressed file", "decompress it first (bunzip2)"),
    (b"\xfd7zXZ", "an xz-compressed file", "decompress it first (unxz)"),
    (
        b"%%MatrixMarket",
        "a Matrix Market text file",
        "give the folder with matrix.mtx, features.tsv and barcodes.tsv",
    ),
    (b"RDX", "an R data file", "convert it to h5ad in R first (for example with zellkonverter)"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file itself",
        "fetch the file itself (git lfs pull)",
    ),
)


def stat_input(path: Path) -> os.stat_result:
    """Status of what an input path leads to.

    Raises
    ------
    InputError
        Nothing is there, a link leads nowhere or in a circle, or it may not be looked at.
    """
    try:
        return path.stat()
    except FileNotFoundError as error:
        if path.is_symlink():
            raise InputError(
                f"{path}: is a symbolic link to a file that does not exist: {os.readlink(path)}",  # noqa: PTH115
                fix="restore the file it leads to, or give another path",
            ) from error
        raise InputError(
            f"{path}: no such file or folder", expected=ACCEPTED, fix="check the path"
        ) from error
    except OSError as error:
        cause = "a symbolic link that leads in a loop" if error.errno == errno.ELOOP else str(error.strerror)
        raise InputError(
            f"{path}: cannot be read: {cause}", expected=ACCEPTED, fix="check the path"
        ) from error


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Refuse an input that is not the same at the end of the block as at its beginning.

    Raises
    ------
    InputError
        It was written to, or replaced by another, meanwhile.
    """
    before = identity(path)
    yield
    refuse_changed(path, before)


def refuse_changed(path: Path, before: list[tuple[str, int, int, int]]) -> None:
    """Refuse an input that is not what it was when its `identity` was taken.

    Raises
    ------
    InputError
        It was written to, or replaced by another, meanwhile.
    """
    if identity(path) != before:
        raise InputError(
            f"{path}: changed while it was read",
            expected="an input that nobody writes to",
            fix="wait for its writer to end, then run again",
        )


def identity(path: Path) -> list[tuple[str, int, int, int]]:
    """Name, number, size and time of change of a file, or of each file of a folder.

    Below the first level only in a zarr store: what else is given may be somebody's whole home.
    """
    try:
        parts = [path]
        if path.is_dir():
            deep = any((path / name).is_file() for name in ZARR_ROOTS)
            parts = sorted(part for part in path.glob("**/*" if deep else "*") if part.is_file())
        found = [(str(part), part.stat()) for part in parts]
    except OSError:
        return []
    return [(name, status.st_ino, status.st_size, status.st_mtime_ns) for name, status in found]


def head(path: Path) -> bytes:
    """First bytes of a regular file with something in it.

    Raises
    ------
    InputError
        It is a pipe or device, is empty, or may not be read.
    """
    status = stat_input(path)
    if not stat.S_ISREG(status.st_mode):
        raise InputError(
            f"{path}: is not a regular file but a pipe, socket or device",
            expected=ACCEPTED,
            fix="save the data to a file first, then give that file",
        )
    if status.st_size == 0:
        raise InputError(
            f"{path}: is empty (0 bytes)", expected=ACCEPTED, fix="download or write the file again"
        )
    try:
        with path.open("rb") as file:
            return file.read(_SNIFF)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read: {(error.strerror or str(error)).lower()}",
            expected="a file you may read",
            fix="ask its owner for read permission, or copy it to a place of your own",
        ) from error


def has_hdf5_signature(path: Path, first: bytes) -> bool:
    """Whether the HDF5 signature stands where the format allows it: at byte 0, 512, 1024, 2048, ..."""
    if first.startswith(HDF5_SIGNATURE):
        return True
    size = path.stat().st_size
    with path.open("rb") as file:
        offset = 512
        while offset + len(HDF5_SIGNATURE) <= size:
            file.seek(offset)
            if file.read(len(HDF5_SIGNATURE)) == HDF5_SIGNATURE:
                return True
            offset *= 2
    return False


def not_hdf5(path: Path, first: bytes) -> InputError:
    """Error for a file without the HDF5 signature, with the best guess of what it is."""
    for magic, what, fix in _KINDS:
        if first.startswith(magic):
            return InputError(f"{path}: is not an HDF5 file but {what}", expected=ACCEPTED, fix=fix)
    if b"\0" not in first:
        return InputError(
            f"{path}: is not an HDF5 file but text",
            expected=ACCEPTED,
            fix="load the table with pandas, make an AnnData (cells x genes) of it and write that as h5ad",
        )
    return InputError(
        f"{path}: is not an HDF5 file: the signature is missing or damaged",
        expected=ACCEPTED,
        fix="download or copy the file again, and compare its checksum",
    )
