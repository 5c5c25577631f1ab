"""A file under its final name is whole or absent: temporary file beside it, fsync, then one rename."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from cafsc.errors import OutputError

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
_LONGEST_STEM = 230  # of the 255 bytes of a file name, beside two dots, a token and a suffix
_WHY = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "no space left on the device"),
    **dict.fromkeys((errno.EACCES, errno.EPERM), "permission denied: the folder is not writable"),
    errno.EROFS: "the file system is read-only, nothing can be written",
    errno.ENAMETOOLONG: "the file name is too long",
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST), "a file stands where a folder is needed"),
}


def _exists(path: Path) -> OutputError:
    fix = "choose another name, or give force=True"
    return OutputError(f"{path}: exists already", expected="a name that is free", fix=fix)


def refuse_occupied(path: Path | str, force: bool) -> Path:
    """Final place of an output; only a regular file or a link to one is replaced, and only with `force`."""
    given = Path(path)
    try:
        final = given.parent.resolve() / given.name
        exists = final.exists()
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{given}: cannot write: {error}", fix="choose another place") from error
    if exists and not final.is_file():
        what = "is a directory" if final.is_dir() else "is not a regular file"
        raise OutputError(f"{given}: {what}", expected="a file name", fix="give a file name")
    if os.path.lexists(final) and not force:
        raise _exists(given)
    return final


def lock(handle: int, *, wait: bool) -> bool:
    """Lock an open file or folder; False where another process holds it, or nothing can be locked here.

    The system gives the lock back when its holder ends, however that happens: a file that can be locked has no
    living writer, on this machine or on another that shares the folder.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _stem(final: Path) -> str:
    return f".{os.fsdecode(os.fsencode(final.name)[:_LONGEST_STEM])}."


def _sweep(final: Path) -> None:
    """Remove the temporary files of an output whose writers are dead."""
    pattern = re.compile(re.escape(_stem(final)) + r"[0-9a-f]{12}\.part")
    with contextlib.suppress(OSError):
        for item in final.parent.iterdir():
            if pattern.fullmatch(item.name):
                with contextlib.suppress(OSError):
                    handle = os.open(item, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
                    try:
                        if lock(handle, wait=False):
                            item.unlink()
                    finally:
                        os.close(handle)


def _make_part(final: Path) -> tuple[Path, int]:
    """A new, locked temporary file beside an output, and its handle."""
    for _ in range(20):
        part = final.with_name(f"{_stem(final)}{secrets.token_hex(6)}.part")
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        lock(handle, wait=True)
        # Another process may have swept it between its making and its locking.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), part.stat()):
                return part, handle
        os.close(handle)
    raise BlockingIOError(f"other processes keep removing {final.name}'s temporary file")


def _publish(part: Path, final: Path, given: Path, force: bool) -> None:
    """Give a temporary file its final name, and sync the folder."""
    if force:
        part.replace(final)
    else:
        # A rename would replace a file that another process has put there in the meantime; a link does not.
        try:
            os.link(part, final)
        except FileExistsError as error:
            raise _exists(given) from error
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            part.replace(final)
    # Some file systems refuse to open or sync a folder; the rename itself is atomic all the same.
    with contextlib.suppress(OSError):
        handle = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def atomic(path: Path | str, force: bool = False) -> Iterator[Path]:
    """Give a new empty file beside an output; it is synced and renamed, or removed if the block fails.

    What killed writers of the same output left is removed first. `OutputError` where the place is occupied, not
    writable, or the device full.
    """
    final = refuse_occupied(path, force)
    given = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        _sweep(final)
        part, handle = _make_part(final)
        try:
            yield part
            os.fsync(handle)
            _publish(part, final, given, force)
        finally:
            # Under the lock, so that nobody sweeps it in between.
            part.unlink(missing_ok=True)
            os.close(handle)
    except OSError as error:
        why = _WHY.get(error.errno or 0) or error.strerror or str(error)
        raise OutputError(
            f"{given}: cannot write: {why}", fix="mend that, or choose another place"
        ) from error
