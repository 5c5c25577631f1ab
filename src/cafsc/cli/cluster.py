"""The dask cluster that a user names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cafsc.errors import OptionError

if TYPE_CHECKING:
    from distributed import Client

_WAIT = 20
"""Seconds that a scheduler has to answer, and the first worker to come."""


@contextmanager
def connected(address: str | None) -> Iterator[Client | None]:
    """A client of the cluster at an address, for as long as it lasts; None without an address.

    Raises
    ------
    OptionError
        If dask is not installed, no scheduler answers at the address, or it has no workers.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise OptionError("--dask needs dask", fix='pip install ".[dask]" in the source of cafsc') from error
    try:
        client = Client(address, timeout=_WAIT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise OptionError(
            f"--dask {address}: no scheduler answers there",
            expected="the address that `dask scheduler` prints, such as tcp://node7:8786",
            fix="start the scheduler and its workers, and check the address",
        ) from error
    try:
        client.wait_for_workers(1, timeout=_WAIT)
    except TimeoutError as error:
        client.close()
        raise OptionError(
            f"--dask {address}: the scheduler has no workers",
            expected="one worker at least",
            fix=f"start some: dask worker {address}",
        ) from error
    try:
        yield client
    finally:
        client.close()
