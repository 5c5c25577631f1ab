"""Work on blocks of rows, here or on the workers of a dask cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import h5py

from cafsc.errors import InputError, OptionError
from cafsc.io.files import identity

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")
_CLIENT: ContextVar[Client | None] = ContextVar("cafsc_dask_client", default=None)
_IN_FLIGHT = 3
"""Tasks a thread of the cluster that wait or run at once: so many results lie in memory, at most."""


@contextmanager
def on_cluster(client: Client | None) -> Iterator[None]:
    """Work on blocks of stored matrices on a dask cluster, for as long as it lasts; None changes nothing."""
    token = _CLIENT.set(client)
    try:
        yield
    finally:
        _CLIENT.reset(token)


@dataclass(frozen=True)
class Place:
    """Where a stored matrix is, for a process that has not opened it.

    Attributes
    ----------
    path
        The h5ad or zarr store, absolute.
    name
        The matrix in it.
    is_zarr
        Which of the two it is.
    version
        Digest of what tells the file from another that is put under its name.
    """

    path: str
    name: str
    is_zarr: bool
    version: str


def place_of(matrix: Any) -> Place:
    """Where a stored matrix is.

    Raises
    ------
    OptionError
        If it is in a temporary file, or not in a file that another process can open.
    """
    part = getattr(matrix, "group", matrix)
    if isinstance(part, h5py.Group | h5py.Dataset):
        path, name, is_zarr = Path(part.file.filename), str(part.name), False
    else:
        root = getattr(getattr(part, "store", None), "root", None)
        path, name, is_zarr = Path(str(root)), str(part.path), True
    if not path.exists():
        raise OptionError(
            "the matrix is in no file that the workers of the cluster can open",
            expected="an h5ad or a zarr store whose matrix is dense or compressed by rows (CSR)",
            fix="write it as zarr with its matrix in CSR, or run without a cluster",
        )
    return Place(str(path.resolve()), name, is_zarr, _version(path.resolve()))


def _version(path: Path) -> str:
    return sha256(repr(identity(path)).encode()).hexdigest()


# A run reads one matrix or two; a file that is kept open longer than that could not be deleted by anybody.
@lru_cache(maxsize=2)
def _opened(place: Place) -> Any:
    """The matrix at a place; one open file a process."""
    import anndata

    if _version(Path(place.path)) != place.version:
        raise InputError(
            f"{place.path}: a worker of the cluster sees another file there",
            expected="the same file, unchanged, for the command and all workers",
            fix="wait until nothing writes to it, and see that all machines have it under this path",
        )
    if place.is_zarr:
        import zarr

        part: Any = zarr.open(place.path, mode="r")
    else:
        part = h5py.File(place.path, "r", locking="best-effort")
    part = part[place.name] if place.name else part
    is_sparse = not hasattr(part, "shape")
    return anndata.io.sparse_dataset(part) if is_sparse else part


def spread(
    matrix: Any, function: Callable[..., T], pieces: Iterable[tuple[Any, tuple[Any, ...]]]
) -> Iterator[tuple[Any, T]]:
    """Each piece with ``function(matrix, piece, *arguments)``, in the order of the pieces.

    Parameters
    ----------
    matrix
        A stored matrix; on a cluster every worker opens its file by itself.
    function
        What is done; on a cluster it is sent to every worker once.
    pieces
        What tells the parts of the matrix, and what else the function needs for each.

    Raises
    ------
    InputError
        A worker sees another file than this process.
    OptionError
        The cluster stopped answering, or its workers lack what cafsc needs.
    """
    client = _CLIENT.get()
    if client is None:
        for piece, arguments in pieces:
            yield piece, function(matrix, piece, *arguments)
        return
    with _faults():
        yield from _spread(client, place_of(matrix), function, pieces)


@contextmanager
def _faults() -> Iterator[None]:
    """Say what became of a cluster; its own exceptions speak of futures and messages."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    try:
        yield
    except ImportError as error:
        raise OptionError(
            f"the workers of the cluster cannot import what they need ({error})",
            expected="cafsc with the same versions of its libraries on every worker",
            fix="install cafsc where the workers run, and start them again",
        ) from error
    except (CancelledError, CommClosedError, KilledWorker, TimeoutError) as error:
        raise OptionError(
            "the cluster lost its workers or its scheduler in the middle of the run",
            expected="a cluster that lasts as long as the run",
            fix="look at what the workers said (memory?), start them again, and run once more",
        ) from error


def _spread(
    client: Client,
    place: Place,
    function: Callable[..., T],
    pieces: Iterable[tuple[Any, tuple[Any, ...]]],
) -> Iterator[tuple[Any, T]]:
    sent = client.scatter(function, broadcast=True, hash=False)
    n_threads = sum(client.nthreads().values()) or 1
    waiting: deque[tuple[Any, Any]] = deque()
    try:
        for piece, arguments in pieces:
            waiting.append((piece, client.submit(_at, sent, place, piece, arguments, pure=False)))
            if len(waiting) >= _IN_FLIGHT * n_threads:
                done, future = waiting.popleft()
                yield done, future.result()
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result()
    finally:
        for _, future in waiting:
            future.cancel()


def _at(function: Callable[..., T], place: Place, piece: Any, arguments: tuple[Any, ...]) -> T:
    return function(_opened(place), piece, *arguments)
