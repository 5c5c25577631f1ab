"""What a path leads to, before any library opens it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cafsc.errors import InputError

ACCEPTED = "an .h5ad file, a 10x .h5 file, a 10x mtx folder or a .zarr store"
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
Version = list[tuple[str, int, int, int]]
"""Name, inode, size and time of change of each file of an input."""
_SNIFF = 2048
_KINDS = (
    (b"\x1f\x8b", "a gzip-compressed file", "decompress it first (gunzip)"),
    (b"PK\x03\x04", "a zip archive", "unpack it first (unzip), then give the file that comes out"),
    (b"BZh", "a bzip2-compressed file", "decompress it first (bunzip2)"),
    (b"\xfd7zXZ", "an xz-compressed file", "decompress it first (unxz)"),
    (b"%%MatrixMarket", "a Matrix Market text file", "give its folder, with features.tsv and barcodes.tsv"),
    (b"RDX", "an R data file", "convert it to h5ad in R first (for example with zellkonverter)"),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file itself (git lfs pull)"),
)


def not_accepted(path: Path, what: str, fix: str) -> InputError:
    """Error for an input of a kind that is not read."""
    return InputError(f"{path}: {what}", expected=ACCEPTED, fix=fix)


def stat_input(path: Path) -> os.stat_result:
    """Status of what an input path leads to, or an `InputError` that says why there is none."""
    try:
        return path.stat()
    except FileNotFoundError as error:
        what = "no such file or folder"
        if path.is_symlink():
            what = f"is a symbolic link to a file that does not exist: {path.readlink()}"
        raise not_accepted(path, what, "check the path") from error
    except OSError as error:
        cause = "a symbolic link that leads in a loop" if error.errno == errno.ELOOP else str(error.strerror)
        raise not_accepted(path, f"cannot be read: {cause}", "check the path") from error


def is_zarr(folder: Path) -> bool:
    """Whether a folder is the root of a zarr store (format 2 or 3)."""
    return any((folder / name).is_file() for name in ("zarr.json", ".zgroup"))


def version(path: Path, *, deep: bool = True) -> Version:
    """What tells an input from another that is put under its name.

    Of a folder, its files; of a zarr store, all files below it if `deep`. Other folders are not searched: one that
    is given by mistake may be somebody's whole home.
    """
    try:
        parts = [path]
        if path.is_dir():
            pattern = "**/*" if deep and is_zarr(path) else "*"
            parts = sorted(part for part in path.glob(pattern) if part.is_file())
        found = [(str(part), part.stat()) for part in parts]
    except OSError:
        return []
    return [(name, status.st_ino, status.st_size, status.st_mtime_ns) for name, status in found]


def refuse_changed(path: Path, before: Version, *, deep: bool = True) -> None:
    """Raise `InputError` where an input is not what it was when its `version` was taken."""
    if version(path, deep=deep) != before:
        raise InputError(
            f"{path}: changed while it was read",
            expected="an input that nobody writes to, and that every worker of a cluster sees unchanged",
            fix="wait for its writer to end, then run again",
        )


@contextmanager
def unchanged(path: Path) -> Iterator[None]:
    """Raise `InputError` where an input is not the same at the end of the block as at its beginning."""
    before = version(path)
    yield
    refuse_changed(path, before)


def head(path: Path) -> bytes:
    """First bytes of a regular file with something in it; `InputError` for a pipe, device or empty file."""
    status = stat_input(path)
    if not stat.S_ISREG(status.st_mode):
        what = "is not a regular file but a pipe, socket or device"
        raise not_accepted(path, what, "save the data to a file first, then give that file")
    if status.st_size == 0:
        raise not_accepted(path, "is empty (0 bytes)", "download or write the file again")
    try:
        with path.open("rb") as file:
            return file.read(_SNIFF)
    except OSError as error:
        found = f"{path}: cannot be read: {(error.strerror or str(error)).lower()}"
        fix = "ask its owner for read permission, or copy it to a place of your own"
        raise InputError(found, expected="a file you may read", fix=fix) from error


def not_hdf5(path: Path, first: bytes) -> InputError:
    """Error for a file without the HDF5 signature, with the best guess of what it is."""
    for magic, what, fix in _KINDS:
        if first.startswith(magic):
            return not_accepted(path, f"is not an HDF5 file but {what}", fix)
    if b"\0" not in first:
        fix = "load the table with pandas, make an AnnData (cells x genes) of it and write that as h5ad"
        return not_accepted(path, "is not an HDF5 file but text", fix)
    what = "is not an HDF5 file: the signature is missing or damaged"
    return not_accepted(path, what, "download or copy the file again, and compare its checksum")


def sha256(path: Path | str) -> str:
    """Hash of a file's bytes, or of a folder's files.

    Parameters
    ----------
    path
        A file, or a folder (10x mtx folder, zarr store).

    Returns
    -------
    64 hexadecimal digits. A folder's hash covers the relative path and the hash of every file below it, sorted by
    path, so that it depends neither on the file system's order nor on modification times.
    """
    path = Path(path)
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    members = {member.relative_to(path).as_posix(): member for member in path.rglob("*") if member.is_file()}
    for name in sorted(members):
        total.update(f"{name}\0{sha256(members[name])}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()
