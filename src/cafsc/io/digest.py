"""SHA-256 of an input, be it a file or a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256(path: Path | str) -> str:
    """Hash of a file's bytes, or of a folder's files.

    Parameters
    ----------
    path
        A file, or a folder (10x mtx folder, zarr store).

    Returns
    -------
    64 hexadecimal digits. A folder's hash covers the relative path and the hash of every file below it, in
    sorted order, so that it depends neither on the file system's order nor on modification times.
    """
    path = Path(path)
    if not path.is_dir():
        return _of_file(path)
    total = hashlib.sha256()
    members = {member.relative_to(path).as_posix(): member for member in path.rglob("*") if member.is_file()}
    for name in sorted(members):
        total.update(f"{name}\0{_of_file(members[name])}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()
