"""Kill a writer at random moments, and look at what stands under the final name."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import anndata
import numpy as np
from anndata import AnnData
from scipy import sparse

from cafsc import io


@dataclass
class Kills:
    """How many kills there were, and what stood under the final name after each."""

    n_kills: int
    n_in_window: int = 0
    """Kills that hit the writer while its temporary file was there."""
    n_old: int = 0
    n_new: int = 0
    n_damaged: int = 0
    n_left: int = 0
    """Temporary files that are still there after one whole write at the end."""
    size: int = 0
    """Bytes of the file that was written."""
    seconds: float = 0.0
    """Time that one undisturbed write takes."""


def _object(n_cells: int, seed: int) -> AnnData:
    matrix = sparse.random(
        n_cells, 1500, density=0.1, format="csr", dtype=np.float32, random_state=np.random.default_rng(seed)
    )
    matrix.data = np.ceil(matrix.data * 20)
    return AnnData(matrix)


def _is(path: Path, wanted: AnnData) -> bool:
    try:
        return bool((anndata.read_h5ad(path).X != wanted.X).nnz == 0)
    except Exception:
        return False


def kill_writers(folder: Path, n_kills: int, *, n_cells: int = 4000, seed: int = 0) -> Kills:
    """Let writers replace a good file, and kill each at a random moment of its write.

    Parameters
    ----------
    folder
        Empty folder on the file system to be tested.
    n_kills
        Number of writers.
    n_cells
        Cells of the object: enough that most of a writer's time is spent in writing.
    seed
        Seed of the moments.
    """
    path = folder / "result.h5ad"
    old, new = _object(n_cells, 1), _object(n_cells, 2)
    io.write_h5ad(new, path)
    started = time.perf_counter()
    io.write_h5ad(old, path, force=True)
    found = Kills(n_kills, seconds=time.perf_counter() - started)
    good = path.read_bytes()
    found.size = len(good)
    moments = random.Random(seed)
    for _ in range(n_kills):
        child = os.fork()
        if child == 0:
            try:
                io.write_h5ad(new, path, force=True)
            finally:
                os._exit(0)
        time.sleep(moments.uniform(0, 1.1 * found.seconds))
        has_part = any(item.suffix == ".part" for item in folder.iterdir())
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        found.n_in_window += has_part and os.WIFSIGNALED(status)
        if path.exists() and path.read_bytes() == good:
            found.n_old += 1
            continue
        found.n_new += _is(path, new)
        found.n_damaged += not _is(path, new)
        path.write_bytes(good)
    io.write_h5ad(old, path, force=True)
    found.n_left = len([item for item in folder.iterdir() if item.name != path.name])
    return found
