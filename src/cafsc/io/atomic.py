"""A file under its final name is whole or absent: temporary file beside it, fsync, then one rename."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from cafsc.errors import OutputError
from cafsc.io.parts import new_part

_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


def _why(error: OSError) -> tuple[str, str]:
    """Cause and fix of a failed write, in a user's words."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return "no space left on the device", "free space there, or choose another folder with -o"
        case errno.EACCES | errno.EPERM:
            return "permission denied: the folder is not writable", "choose a folder you may write to with -o"
        case errno.EROFS:
            return "the file system is read-only, nothing can be written", "choose a writable folder with -o"
        case errno.ENAMETOOLONG:
            return "the file name is too long", "choose a shorter name with -o"
        case errno.ENOTDIR | errno.EEXIST:
            return "a file stands where a folder is needed", "choose another folder with -o"
        case _:
            return error.strerror or str(error), "choose another place with -o"


def _failed(path: Path, error: OSError) -> OutputError:
    cause, fix = _why(error)
    return OutputError(f"{path}: cannot write: {cause}", fix=fix)


def _exists(path: Path) -> OutputError:
    return OutputError(
        f"{path}: exists already",
        expected="a name that is free",
        fix="choose another name with -o, or give --force",
    )


def refuse_occupied(path: Path | str, force: bool) -> Path:
    """Final place of an output, or an error if it may not be written there.

    Parameters
    ----------
    path
        Where the output shall be. A symbolic link is followed, so that the link itself stays.
    force
        Whether a regular file that is there already may be replaced.

    Raises
    ------
    OutputError
        It is a folder, a device or a pipe, or it exists and `force` is false.
    """
    given = Path(path)
    try:
        final = given.resolve()
        exists = final.exists()
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{given}: cannot write: {error}", fix="choose another place with -o") from error
    if final.is_dir():
        raise OutputError(f"{given}: is a directory", expected="a file name", fix="give a file name with -o")
    if exists and not final.is_file():
        raise OutputError(
            f"{given}: is not a regular file", expected="a file name", fix="give a file name with -o"
        )
    if exists and not force:
        raise _exists(given)
    return final


def _sync_folder(folder: Path) -> None:
    # Some file systems refuse to open or sync a folder; the rename itself is atomic all the same.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _publish(part: Path, final: Path, given: Path, force: bool) -> None:
    if not force:
        # A rename would replace a file that another process has put there in the meantime; a link does not.
        try:
            os.link(part, final)
        except FileExistsError as error:
            raise _exists(given) from error
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
        else:
            part.unlink()
            return
    part.replace(final)


@contextlib.contextmanager
def atomic(path: Path | str, force: bool = False) -> Iterator[Path]:
    """Give a temporary path to write to; on leaving without an error it gets its final name.

    Parameters
    ----------
    path
        Final name. Missing parent folders are made.
    force
        Replace a regular file that is there already.

    Yields
    ------
    Path of a new empty file in the same folder, ``.<name>.<token>.part``. Whatever stands in it when
    the block ends is synced and renamed; if the block fails, it is removed. What earlier processes that were
    killed left of the same output is removed first.

    Raises
    ------
    OutputError
        The place is occupied, not writable, or the device is full.
    """
    final = refuse_occupied(path, force)
    given = Path(path)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with new_part(final) as part:
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            _publish(part, final, given, force)
        _sync_folder(final.parent)
    except OSError as error:
        raise _failed(given, error) from error
