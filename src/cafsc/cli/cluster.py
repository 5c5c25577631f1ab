"""The dask cluster that a user names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cafsc.errors import OptionError

if TYPE_CHECKING:
    from distributed import Client

_SECONDS = 20


@contextmanager
def connected(address: str | None) -> Iterator[Client | None]:
    """A client of the cluster at an address, for as long as it lasts; None without an address."""
    if address is None:
        yield None
        return
    try:
        from distributed import Client, KilledWorker
        from distributed.comm import CommClosedError
    except ImportError as error:
        raise OptionError("--dask needs dask", fix='pip install "cafsc[dask]"') from error
    try:
        client = Client(address, timeout=_SECONDS, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise OptionError(
            f"--dask {address}: no scheduler answers there",
            expected="the address that `dask scheduler` prints, such as tcp://node7:8786",
            fix="start the scheduler and its workers, and check the address",
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=_SECONDS)
            yield client
        except TimeoutError as error:
            fix = f"start some: dask worker {address}"
            raise OptionError(f"--dask {address}: the scheduler has no workers", fix=fix) from error
        except (KilledWorker, CommClosedError) as error:
            raise OptionError(
                f"--dask {address}: the cluster lost its workers or its scheduler in the middle of the run",
                fix="look at what the workers said (memory?), start them again, and run once more",
            ) from error
