"""Look through an input in a process of its own, which may crash, hang or swell without harm.

The parsers below are C libraries, and a file can be made to bring them down. So a short-lived child walks through
the file first; only what it has passed is opened in the user's process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from cafsc.errors import InputError, UserError
from cafsc.io.limits import memory

# Of waiting, as for a slow disk or a busy machine; and of computing, which an endless loop uses up at once.
_LEAST_SECONDS = 60.0
_LEAST_CPU_SECONDS = 5.0
_BYTES_A_SECOND = 5e6
_MEMORY_BESIDE_THE_FILE = 3 * 2**30
_START = "import sys; sys.path[:] = sys.argv[5:]; from cafsc.io.watched import main; main(*sys.argv[1:5])"
_OUT_OF_TIME = {-getattr(signal, name) for name in ("SIGALRM", "SIGXCPU") if hasattr(signal, name)}
_ENDLESS = "looking through it does not come to an end"


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    return path.stat().st_size


class Inspection:
    """The child that looks through one input, from its start until it is asked for its answer.

    Parameters
    ----------
    path
        HDF5 file or zarr store.

    Notes
    -----
    Between start and answer the caller can do something else, such as importing what it will need. Where no
    process can be started, the input is looked through in this one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        size = _size(path)
        self._seconds = _LEAST_SECONDS + size / _BYTES_A_SECOND
        cpu_seconds = _LEAST_CPU_SECONDS + size / _BYTES_A_SECOND
        limits = [int(self._seconds), int(cpu_seconds), min(memory(), _MEMORY_BESIDE_THE_FILE + size)]
        # As few threads as possible: their stacks count as memory.
        environment = {
            **os.environ,
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
        }
        command = [sys.executable, "-I", "-S", "-c", _START, os.fspath(path.absolute())]
        command += [*map(str, limits), *sys.path]
        self._child: subprocess.Popen[bytes] | None = None
        with suppress(OSError, ValueError):
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )

    def close(self) -> None:
        """End the child, whatever it is doing."""
        if self._child is not None:
            if self._child.poll() is None:
                self._child.kill()
            self._child.communicate()

    def answer(self) -> None:
        """Wait for the child.

        Raises
        ------
        InputError
            It found something, or it crashed, ran out of time or out of memory.
        """
        if self._child is None:
            inspect_input(self._path)
            return
        try:
            said, _ = self._child.communicate(timeout=self._seconds + 5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            raise _refused(self._path, _ENDLESS) from None
        code = self._child.returncode
        if code in _OUT_OF_TIME:
            raise _refused(self._path, _ENDLESS)
        if code < 0:
            raise _refused(self._path, f"reading it crashes the library that parses it ({_signal(code)})")
        try:
            document = json.loads(said)
        except ValueError:
            # The child could not even start: nothing is known of the file.
            inspect_input(self._path)
            return
        _raise_what_was_found(self._path, document)


def _signal(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _refused(path: Path, what: str) -> InputError:
    return InputError(
        f"{path}: damaged: {what}",
        expected="a whole file as anndata or Cell Ranger writes it",
        fix="copy or download the file again, or write it again from its source",
    )


def _raise_what_was_found(path: Path, document: dict[str, Any]) -> None:
    if "found" in document:
        raise InputError(document["found"], expected=document["expected"], fix=document["fix"])
    if "memory" in document:
        raise InputError(
            f"{path}: its structure does not fit in memory",
            expected="a file whose parts fit in memory",
            fix="write the file again from its source, or use a machine with more memory",
        )
    if "error" in document:
        raise _refused(path, document["error"])


def inspect_input(path: Path) -> None:
    """Look through an input in this process.

    Raises
    ------
    InputError
        See `cafsc.io.hdf5.inspect` and `cafsc.io.zarr_store.inspect_zarr`.
    """
    if path.is_dir():
        from cafsc.io.zarr_store import decode_zarr, inspect_zarr

        inspect_zarr(path)
        decode_zarr(path)
        return
    from cafsc.io.hdf5 import inspect, open_hdf5

    with open_hdf5(path) as file:
        inspect(path, file)


def main(name: str, seconds: str, cpu_seconds: str, memory_limit: str) -> NoReturn:
    """Be the child: limit this process, look through the input, answer as one JSON object on stdout."""
    # Asked before the limit is set: what an input may claim is up to the machine, not to this child.
    memory()
    _limit(int(seconds), int(cpu_seconds), int(memory_limit))
    answer: dict[str, Any]
    try:
        inspect_input(Path(name))
        answer = {"sound": True}
    except UserError as error:
        answer = {"found": error.found, "expected": error.expected, "fix": error.fix}
    except MemoryError:
        answer = {"memory": True}
    except RecursionError:
        answer = {"error": "its groups are nested too deep to be read"}
    except Exception as error:  # h5py and zarr throw whatever comes up at damaged bytes.
        from cafsc.io.hdf5 import cause

        answer = {"error": cause(error)}
    sys.stdout.write(json.dumps(answer))
    sys.stdout.flush()
    # Closing damaged files at exit could crash after all; the answer is given.
    os._exit(0)


def _limit(seconds: int, cpu_seconds: int, memory_limit: int) -> None:
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (memory_limit, hard))
