"""Look through an input in a process of its own: a file can be made to crash the C libraries that parse it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from cafsc.errors import InputError, UserError
from cafsc.io.hdf5 import cause, damaged, inspect, open_hdf5
from cafsc.io.limits import memory

_SECONDS = 60
_BYTES_A_SECOND = 5e6
_MEMORY_BESIDE_THE_FILE = 3 * 2**30
_START = (
    "import sys; sys.path[:] = sys.argv[4:]; from cafsc.io.inspect_child import main; main(*sys.argv[1:4])"
)
_ENDLESS = "looking through it does not come to an end"


def inspect_input(path: Path) -> None:
    """Look through an HDF5 file or zarr store; `InputError` says what is wrong with it."""
    parts = path.rglob("*") if path.is_dir() else [path]
    size = sum(part.stat().st_size for part in parts if part.is_file())
    seconds = int(_SECONDS + size / _BYTES_A_SECOND)
    limits = [str(seconds), str(min(memory(), _MEMORY_BESIDE_THE_FILE + size))]
    command = [sys.executable, "-I", "-S", "-c", _START, os.fspath(path.absolute()), *limits, *sys.path]
    # Stacks of threads count as memory.
    few_threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL, capture_output=True, check=False,
            env=os.environ | few_threads, timeout=seconds + 5,
        )  # fmt: skip
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        raise damaged(path, _ENDLESS) from None
    except (OSError, ValueError):
        answer = done = None
    if done is not None and done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        if name in ("SIGALRM", "SIGXCPU"):
            raise damaged(path, _ENDLESS)
        raise damaged(path, f"reading it crashes the library that parses it ({name})")
    if answer is None:
        # The child could not even start.
        _look_through(path)
    elif answer:
        found, expected, fix = answer
        raise InputError(found, expected=expected, fix=fix)


def _look_through(path: Path) -> None:
    if path.is_dir():
        from cafsc.io.zarr_store import inspect_zarr

        inspect_zarr(path)
        return
    with open_hdf5(path) as file:
        inspect(path, file)


def main(name: str, seconds: str, memory_limit: str) -> None:
    """Be the child: limit this process, look through the input, answer as JSON on stdout."""
    path = Path(name)
    error: UserError | None = None
    # Asked before the limit is set: what an input may claim is up to the machine, not to this child.
    memory()
    _limit(int(seconds), int(memory_limit))
    try:
        _look_through(path)
    except UserError as found:
        error = found
    except MemoryError:
        error = damaged(path, "its structure does not fit in memory")
    except RecursionError:
        error = damaged(path, "its groups are nested too deep to be read")
    except Exception as found:  # h5py and zarr throw whatever comes up at damaged bytes.
        error = damaged(path, cause(found))
    sys.stdout.write(json.dumps([error.found, error.expected, error.fix] if error else []))
    sys.stdout.flush()
    # Closing damaged files at exit could crash after all; the answer is given.
    os._exit(0)


def _limit(seconds: int, memory_limit: int) -> None:
    signal.alarm(seconds)
    with suppress(OSError, ValueError):
        cpu_seconds = seconds - _SECONDS + 5
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
        resource.setrlimit(resource.RLIMIT_AS, (memory_limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
