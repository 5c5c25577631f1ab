"""Kill a writer at random moments, and look at what stands under the final name."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anndata import AnnData
from scipy import sparse

import cafsc
from cafsc import AnnotationResult, data, io
from cafsc.cli.outputs import Outputs, write_outputs


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


def _in_child(write: Callable[[], object]) -> int:
    child = os.fork()
    if child == 0:
        try:
            write()
        finally:
            os._exit(0)
    return child


@dataclass(frozen=True)
class RunKills:
    """What kills in the writing of all files of a run did."""

    n_kills: int
    n_in_window: int
    """Kills that hit while a temporary file was there."""
    n_files: int
    """Files looked at: those of a run, once a kill."""
    n_damaged: int
    """Files that were neither the old nor the new ones, byte for byte."""
    n_left: int
    """Temporary files that are still there after one whole run at the end."""
    size: int
    """Bytes of the largest file."""


def kill_runs(folder: Path, n_kills: int, *, seed: int = 0) -> RunKills:
    """Let a run write its files over those of another, and kill it at a random moment, again and again.

    As the runner's case G03, but with an output large enough for the kills to land inside the write.

    Parameters
    ----------
    folder
        Empty folder on the file system to be tested.
    n_kills
        Number of kills.
    seed
        Seed of the moments and of the ballast.
    """
    # Without the report: drawing it takes longer than all the writing.
    outputs = Outputs(folder / "result.h5ad", with_report=False)
    old, new = _results(seed)
    wanted: list[dict[str, str]] = []
    for result in (new, old):
        started = time.perf_counter()
        write_outputs(outputs, result, result.summary, force=True)
        seconds = time.perf_counter() - started
        wanted.append(_digests(outputs))
    good = {path: path.read_bytes() for path in outputs.all().values()}
    moments = random.Random(seed)
    n_in_window = n_damaged = 0
    for _ in range(n_kills):
        child = _in_child(lambda: write_outputs(outputs, new, new.summary, force=True))
        time.sleep(moments.uniform(0, 1.1 * seconds))
        parts = list(folder.rglob("*.part"))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        n_in_window += bool(parts) and os.WIFSIGNALED(status)
        found = _digests(outputs)
        n_damaged += sum(digest not in (wanted[0][name], wanted[1][name]) for name, digest in found.items())
        for path, content in good.items():
            path.write_bytes(content)
    write_outputs(outputs, old, old.summary, force=True)
    return RunKills(
        n_kills,
        n_in_window,
        n_kills * len(good),
        n_damaged,
        len(list(folder.rglob("*.part"))),
        max(map(len, good.values())),
    )


def _results(seed: int) -> tuple[AnnotationResult, AnnotationResult]:
    """Two results that differ in their ballast only, which takes most of the time to write."""
    first = cafsc.annotate(data.simulated_tumour(200, seed=1))
    second = deepcopy(first)
    for number, result in enumerate((first, second)):
        random_ = np.random.default_rng(seed + number)
        result.adata.uns["ballast"] = random_.random(600_000, dtype=np.float32)
        result.summary["ballast"] = number
    return first, second


def _digests(outputs: Outputs) -> dict[str, str]:
    return {name: io.sha256(path) if path.exists() else "gone" for name, path in outputs.all().items()}


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
        child = _in_child(lambda: io.write_h5ad(new, path, force=True))
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
