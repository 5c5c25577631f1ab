"""Temporary files beside an output: made for one writer, and swept when that writer is dead."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

_NAME_MAX = 255
_SUFFIX = ".part"
_TOKEN_BYTES = 6
_TRIES = 20


def lock(handle: int, *, wait: bool) -> bool | None:
    """Lock an open file or folder; False where another process holds it, None where nothing can be locked here.

    The system gives the lock back when its holder ends, however that happens: a file that can be locked has no
    living writer, on this machine or on another that shares the folder.
    """
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _stem(final: Path) -> str:
    room = _NAME_MAX - len("..") - 2 * _TOKEN_BYTES - len(_SUFFIX)
    return f".{os.fsdecode(os.fsencode(final.name)[:room])}."


def sweep(final: Path) -> None:
    """Remove the temporary files of an output whose writers are dead."""
    stem = _stem(final)
    with contextlib.suppress(OSError), os.scandir(final.parent) as items:
        for item in items:
            token = item.name.removeprefix(stem).removesuffix(_SUFFIX)
            if item.name != f"{stem}{token}{_SUFFIX}" or not _is_token(token):
                continue
            with contextlib.suppress(OSError):
                _remove_if_dead(Path(item.path))


def _is_token(text: str) -> bool:
    return len(text) == 2 * _TOKEN_BYTES and set(text) <= set("0123456789abcdef")


def _remove_if_dead(part: Path) -> None:
    handle = os.open(part, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        if lock(handle, wait=False):
            part.unlink()
    finally:
        os.close(handle)


def is_same(handle: int, path: Path) -> bool:
    """Whether an open file or folder is still what stands under a path."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(handle), path.stat())
    return False


def _make(final: Path) -> tuple[Path, int]:
    for _ in range(_TRIES):
        part = final.with_name(f"{_stem(final)}{secrets.token_hex(_TOKEN_BYTES)}{_SUFFIX}")
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o666)
        try:
            lock(handle, wait=True)
        except BaseException:
            os.close(handle)
            part.unlink(missing_ok=True)
            raise
        # Another process may have swept it between its making and its locking.
        if is_same(handle, part):
            return part, handle
        os.close(handle)
    raise BlockingIOError(f"other processes keep removing {final.name}'s temporary file")


@contextlib.contextmanager
def new_part(final: Path) -> Iterator[Path]:
    """Make the temporary file of an output, and remove it in the end if it is still there.

    Yields
    ------
    Its path; the file is locked for as long as the block lasts.
    """
    sweep(final)
    part, handle = _make(final)
    try:
        yield part
    finally:
        # Under the lock, so that nobody sweeps it in between.
        part.unlink(missing_ok=True)
        os.close(handle)


@contextlib.contextmanager
def second_name(path: Path) -> Iterator[Path | None]:
    """Keep a file under another name as long as the block lasts, whatever takes its place.

    Yields
    ------
    The other name, beside it; None where there can be none. What a writer leaves that is killed, the next one sweeps.
    """
    # Now: what a dead writer left may be this very file, which cannot be told from a living one's once it is locked.
    sweep(path)
    kept = path.with_name(f"{_stem(path)}{secrets.token_hex(_TOKEN_BYTES)}{_SUFFIX}")
    linked, handle = False, None
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        # Locked before it has that name: nobody may take it for what a dead writer left.
        lock(handle, wait=False)
        os.link(path, kept)
        linked = True
    try:
        yield kept if linked else None
    finally:
        if linked:
            kept.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)
