"""Kill a writer at random moments, and look at what stands under the final name."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anndata import AnnData
from scipy import sparse

from cafsc import io


@dataclass(frozen=True)
class Kills:
    """How many kills there were, and what they did."""

    n_kills: int
    n_in_window: int
    """Kills that hit the writer while its temporary file was there."""
    n_old: int
    """Final files that were the old one, byte for byte."""
    n_new: int
    """Final files that were the new one, byte for byte."""
    n_damaged: int
    """Final files that were neither."""
    n_left: int
    """Temporary files that are still there after one whole write at the end."""
    size: int
    """Bytes of the file that was written."""
    seconds: float
    """Time that one undisturbed write takes."""


def _object(n_cells: int, seed: int) -> AnnData:
    matrix = sparse.random(
        n_cells, 1500, density=0.1, format="csr", dtype=np.float32, random_state=np.random.default_rng(seed)
    )
    matrix.data = np.ceil(matrix.data * 20)
    return AnnData(matrix)


def _write_in_child(adata: AnnData, path: Path) -> int:
    child = os.fork()
    if child == 0:
        try:
            io.write_h5ad(adata, path, force=True)
        finally:
            os._exit(0)
    return child


def kill_writers(folder: Path, n_kills: int, *, n_cells: int = 4000, seed: int = 0) -> Kills:
    """Let `n_kills` writers replace a good file, and kill each at a random moment of its write.

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
    new_sha256 = io.sha256(path)
    started = time.perf_counter()
    io.write_h5ad(old, path, force=True)
    seconds = time.perf_counter() - started
    good, old_sha256 = path.read_bytes(), io.sha256(path)
    moments = random.Random(seed)
    count = {"old": 0, "new": 0, "damaged": 0, "window": 0}
    for _ in range(n_kills):
        child = _write_in_child(new, path)
        time.sleep(moments.uniform(0, 1.1 * seconds))
        parts = [item for item in folder.iterdir() if item.suffix == ".part"]
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        count["window"] += bool(parts) and os.WIFSIGNALED(status)
        found = io.sha256(path) if path.exists() else "gone"
        count[{old_sha256: "old", new_sha256: "new"}.get(found, "damaged")] += 1
        if found != old_sha256:
            path.write_bytes(good)
    io.write_h5ad(old, path, force=True)
    left = [item for item in folder.iterdir() if item.name != path.name]
    return Kills(
        n_kills, count["window"], count["old"], count["new"], count["damaged"], len(left), len(good), seconds
    )
