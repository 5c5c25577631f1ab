"""CPU time, wall time and peak memory beside scanpy and pyUCell.

    python benchmarks/speed.py [--quick] [--rounds N] [--rows start,scores,annotate]

Ours and theirs take turns (A B A B) and each figure is a median. A command is a fresh process with one thread for
linear algebra and numba; scores are compared within one process, after a warm-up. A ratio is their CPU seconds over
ours. ``--quick`` takes fewer cells and one round; the bars hold for the full sizes. `scale.py` measures larger data.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

# Nothing heavy is imported here: a process inherits the peak memory of the one that starts it.

WORK = Path(__file__).with_name("speed_work.py")
DATA = Path(__file__).with_name("large_data.py")
CAFSC = Path(sys.executable).with_name("cafsc")
_WARM_UP_CELLS = 300
_SMALL_CELLS = 2_000
_HEAD = ["what (ours / theirs)", "CPU s", "wall s", "peak GB", "figure", "bar", "met"]


@dataclass(frozen=True)
class Cost:
    """What a piece of work took; peak memory only where it had a process of its own."""

    cpu: float
    wall: float
    peak_gb: float | None = None


@dataclass(frozen=True)
class Row:
    """One line: with a peer, its CPU seconds over ours, at least `bar`; without, our wall seconds, at most `bar`."""

    what: str
    ours: Cost
    theirs: Cost | None
    bar: float | None

    @property
    def figure(self) -> float:
        return self.theirs.cpu / self.ours.cpu if self.theirs else self.ours.wall

    @property
    def met(self) -> bool:
        return self.bar is None or (self.figure >= self.bar if self.theirs else self.figure <= self.bar)

    def cells(self) -> list[str]:
        """The table's cells."""
        costs = [self.ours, self.theirs] if self.theirs else [self.ours]
        peaks = ["-" if cost.peak_gb is None else f"{cost.peak_gb:.2f}" for cost in costs]
        figure = f"{self.figure:.3g} {'times' if self.theirs else 's'}"
        bar = "-" if self.bar is None else f"at {'least' if self.theirs else 'most'} {self.bar:g}"
        cpu, wall = [f"{cost.cpu:.2f}" for cost in costs], [f"{cost.wall:.2f}" for cost in costs]
        met = "-" if self.bar is None else "yes" if self.met else "NO"
        return [self.what, *map(" / ".join, (cpu, wall, peaks)), figure, bar, met]


def run(*command: str | Path | int) -> Cost:
    """Run a command in a fresh process, with one thread and no display; ends the benchmark if it fails."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    words, environment = list(map(str, command)), {**os.environ, **threads, "MPLBACKEND": "Agg"}
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            text = errors.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(words)} ended with {process.returncode}:\n{text}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 2**20)


def middle(costs: list[Cost]) -> Cost:
    """Medians; the largest peak."""
    peak = max((cost.peak_gb for cost in costs if cost.peak_gb is not None), default=None)
    return Cost(median(cost.cpu for cost in costs), median(cost.wall for cost in costs), peak)


def alternate(n_rounds: int, *works: Callable[[], Cost]) -> list[Cost]:
    """Each work in turn, `n_rounds` times; medians."""
    rounds = [[work() for work in works] for _ in range(n_rounds)]
    return [middle(list(costs)) for costs in zip(*rounds, strict=True)]


@dataclass(frozen=True)
class Benchmark:
    """The measurements, in a folder of their own."""

    folder: Path
    n_cells: int
    rounds: int

    def data(self, n_cells: int) -> Path:
        """A simulated tumour of that many cells and 30,000 genes."""
        path = self.folder / f"{n_cells}.h5ad"
        if not path.exists():
            run(sys.executable, DATA, path, n_cells, "--distinct", n_cells)
        return path

    def ours(self, n_cells: int) -> Cost:
        """The whole command, with report."""
        output = self.folder / "out.h5ad"
        return run(CAFSC, "annotate", self.data(n_cells), "--output", output, "--force", "--quiet")

    def theirs(self, n_cells: int) -> Cost:
        """The same steps in scanpy and pyUCell."""
        return run(sys.executable, WORK, "scanpy", self.data(n_cells), self.folder / "theirs.h5ad")

    def start(self) -> Iterator[Row]:
        """What answers at once."""
        works = (partial(run, sys.executable, "-c", "import cafsc"), partial(run, CAFSC, "--help"))
        # The first start after an installation writes byte code.
        alternate(1, *works)
        module, text = alternate(3, *works)
        yield Row("import cafsc", module, None, 0.2)
        yield Row("cafsc --help", text, None, 0.5)

    def scores(self) -> Iterator[Row]:
        """Scores of 100 sets in a matrix."""
        out = self.folder / "scores.json"
        run(sys.executable, WORK, "scores", self.data(self.n_cells), out, self.rounds)
        found = json.loads(out.read_text())
        cost = {name: middle([Cost(*seconds) for seconds in times]) for name, times in found.items()}
        size = f"{self.n_cells:,} cells x 100 sets"
        yield Row(f"control-corrected mean / score_genes, {size}", cost["mean"], cost["score_genes"], 20)
        yield Row(f"UCell / pyUCell, {size}", cost["ucell"], cost["pyucell"], 5)

    def annotate(self) -> Iterator[Row]:
        """The whole command, on a small file and beside the same steps."""
        works = (self.ours, self.theirs)
        # numba keeps on disk what a first run compiles; it is not timed.
        alternate(1, *(partial(work, _WARM_UP_CELLS) for work in works))
        (small,) = alternate(self.rounds, partial(self.ours, _SMALL_CELLS))
        yield Row(f"annotate with report, {_SMALL_CELLS:,} cells", small, None, None)
        ours, theirs = alternate(self.rounds, *(partial(work, self.n_cells) for work in works))
        what = f"annotate with report / same steps in scanpy and pyUCell, {self.n_cells:,} cells"
        yield Row(what, ours, theirs, 2.5)


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU and wall seconds beside scanpy and pyUCell")
    parser.add_argument("--quick", action="store_true", help="fewer cells, one round")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of all but what answers at once")
    parser.add_argument("--rows", default="start,scores,annotate", help="which measurements")
    options = parser.parse_args()
    n_cells, rounds = (3_000, 1) if options.quick else (20_000, 3)
    packages = ", ".join(f"{name} {version(name)}" for name in ("scanpy", "pyucell", "numpy", "scipy"))
    print(f"{packages}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        benchmark = Benchmark(Path(folder), n_cells, options.rounds or rounds)
        print(f"| {' | '.join(_HEAD)} |\n|{' --- |' * len(_HEAD)}")
        for name in options.rows.split(","):
            for row in getattr(benchmark, name)():
                print(f"| {' | '.join(row.cells())} |", flush=True)


if __name__ == "__main__":
    main()
