"""CPU time, wall time and peak memory beside scanpy and pyUCell.

    python benchmarks/speed.py [--quick] [--rounds N] [--rows scores,annotate,small,start] [--markdown FILE]

Ours and theirs take turns (A B A B) and each figure is a median. Every run of a command, ours or theirs, is a fresh
process with one thread for linear algebra and numba; scores are compared within one process, after a warm-up on a few
cells. CPU seconds are those of the process and its children; numba's cache on disk is filled before. Ratios are of CPU
seconds: what else the machine does moves them less than wall seconds. ``--quick`` takes fewer cells and one round,
under three minutes on two idle cores; the bars were set for the full sizes. `scale.py` measures larger data.
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
from importlib.metadata import version
from pathlib import Path
from statistics import median

# Nothing heavy is imported here: a process inherits the peak memory of the one that starts it.

WORK = Path(__file__).with_name("speed_work.py")
_WARM_UP_CELLS = 300
CAFSC = Path(sys.executable).with_name("cafsc")


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    score_cells: int
    score_genes: int
    cells: int
    small_cells: int
    rounds: int


FULL = Sizes(20_000, 30_000, 20_000, 2_000, 3)
QUICK = Sizes(1_000, 30_000, 3_000, 2_000, 1)


@dataclass(frozen=True)
class Cost:
    """What a piece of work took; peak memory only where it had a process of its own."""

    cpu: float
    wall: float
    peak_gb: float | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table: `figure` is theirs over ours where `at_least`, else ours over theirs."""

    what: str
    ours: Cost
    theirs: Cost
    bar: float | None
    at_least: bool = True

    @property
    def figure(self) -> float:
        ratio = self.theirs.cpu / self.ours.cpu
        return ratio if self.at_least else 1.0 / ratio

    @property
    def met(self) -> bool | None:
        if self.bar is None:
            return None
        return self.figure >= self.bar if self.at_least else self.figure <= self.bar

    def cells(self) -> list[str]:
        """The table's cells."""
        pairs = [
            f"{self.ours.cpu:.2f} / {self.theirs.cpu:.2f}",
            f"{self.ours.wall:.2f} / {self.theirs.wall:.2f}",
            " / ".join(
                "-" if cost.peak_gb is None else f"{cost.peak_gb:.2f}" for cost in (self.ours, self.theirs)
            ),
        ]
        sign = "at least" if self.at_least else "at most"
        bar = "-" if self.bar is None else f"{sign} {self.bar:g}"
        met = {None: "-", True: "yes", False: "NO"}[self.met]
        return [self.what, *pairs, f"{self.figure:.3g}", bar, met]


HEAD = ["what (ours / theirs)", "CPU s", "wall s", "peak GB", "ratio", "bar", "met"]


def environment() -> dict[str, str]:
    """The environment of every process: one thread, no display."""
    names = ("OMP", "OPENBLAS", "MKL", "NUMBA")
    return {**os.environ, **{f"{name}_NUM_THREADS": "1" for name in names}, "MPLBACKEND": "Agg"}


def run(*command: str | Path | int) -> Cost:
    """Run a command in a fresh process; ends the benchmark if it fails."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.DEVNULL, stderr=errors, env=environment()
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            errors.seek(0)
            text = errors.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{text}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 2**20)


def middle(costs: list[Cost]) -> Cost:
    """Medians; the largest peak."""
    peaks = [cost.peak_gb for cost in costs if cost.peak_gb is not None]
    return Cost(
        median(cost.cpu for cost in costs), median(cost.wall for cost in costs), max(peaks) if peaks else None
    )


def alternate(n_rounds: int, *works: Callable[[], Cost]) -> list[Cost]:
    """Each work in turn, `n_rounds` times; medians."""
    rounds = [[work() for work in works] for _ in range(n_rounds)]
    return [middle(list(costs)) for costs in zip(*rounds, strict=True)]


class Benchmark:
    """The measurements, in a folder of their own."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder, self.sizes = folder, sizes
        self.sets = folder / "sets.json"

    def data(self, n_cells: int) -> Path:
        """A simulated tumour of that many cells."""
        path = self.folder / f"{n_cells}.h5ad"
        if not path.exists():
            run(sys.executable, WORK, "data", self.folder, n_cells)
        return path

    def annotate(self, n_cells: int, *options: str) -> Cost:
        """The whole command, in a fresh process."""
        output = self.folder / "out.h5ad"
        common = ("--force", "--quiet", *options)
        return run(CAFSC, "annotate", self.data(n_cells), "--output", output, *common)

    def scores(self) -> Iterator[Row]:
        """Scores of 100 sets in a matrix."""
        sizes, out = self.sizes, self.folder / "scores.json"
        run(sys.executable, WORK, "scores", out, sizes.score_cells, sizes.score_genes, sizes.rounds)
        found = json.loads(out.read_text())
        cost = {
            name: middle([Cost(cpu, wall) for cpu, wall in times]) for name, times in found["seconds"].items()
        }
        size = f"{sizes.score_cells:,} cells x 100 sets"
        bar = 40 if scanpy_release() < (1, 12) else 25
        theirs, lookup = cost["score_genes"], cost["lookup"]
        yield Row(
            f"scanpy's score_genes from our engine / from scanpy, {size}", cost["as_scanpy"], theirs, bar
        )
        yield Row("default score (bin mean and UCell) / scanpy score_genes", cost["default"], theirs, 35)
        every = "bin mean, UCell, AUCell and ULM of raw counts"
        yield Row(f"{every} / pyUCell's UCell", cost["every"], cost["ucell"], 10)
        yield Row("bin-mean loop / one look-up a value", cost["mean_kernel"], lookup, 2.2, at_least=False)
        yield Row(
            "loop of all methods / one look-up a value", cost["every_kernel"], lookup, 5, at_least=False
        )
        differences = ", ".join(f"{name} {value:.1e}" for name, value in found["difference"].items())
        print(
            f"largest differences from the peers: {differences}; {found['n_values']:,} values that are not zero"
        )

    def whole(self) -> Iterator[Row]:
        """The whole command beside the same steps."""
        n_cells = self.sizes.cells
        source = self.data(n_cells)
        rest = source, self.sets, self.folder / "theirs.h5ad"
        # numba keeps on disk what their first run compiles: nobody pays that twice, so it is not timed.
        run(sys.executable, WORK, "scanpy", self.data(_WARM_UP_CELLS), *rest[1:])
        ours, theirs, exact = alternate(
            self.sizes.rounds,
            lambda: self.annotate(n_cells),
            lambda: run(sys.executable, WORK, "scanpy", *rest),
            lambda: run(sys.executable, WORK, "scanpy_exact", *rest),
        )
        what = f"annotate with report / same steps in scanpy and pyUCell, {n_cells:,} cells"
        yield Row(what, ours, theirs, 5)
        yield Row(f"{what}, exact neighbours by scikit-learn", ours, exact, None)

    def small(self) -> Iterator[Row]:
        """A small file without report."""
        n_cells = self.sizes.small_cells
        source = self.data(n_cells)
        theirs = (sys.executable, WORK, "score_genes", source, self.sets)
        a, b = alternate(
            self.sizes.rounds, lambda: self.annotate(n_cells, "--no-report"), lambda: run(*theirs)
        )
        yield Row(f"annotate without report / import scanpy and 100 score_genes, {n_cells:,} cells", a, b, 3)

    def start(self) -> Iterator[Row]:
        """What answers at once."""
        a, b, c = alternate(
            3,
            lambda: run(CAFSC, "--help"),
            lambda: run(CAFSC, "--version"),
            lambda: run(sys.executable, "-c", "import scanpy"),
        )
        yield Row("cafsc --help / import scanpy", a, c, 0.03, at_least=False)
        yield Row("cafsc --version / import scanpy", b, c, 0.03, at_least=False)


def scanpy_release() -> tuple[int, int]:
    """Major and minor number of the installed scanpy."""
    major, minor = version("scanpy").split(".")[:2]
    return int(major), int(minor)


def table(rows: list[list[str]]) -> str:
    """Rows of text under the head, in Markdown."""
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer cells, one round")
    parser.add_argument("--rounds", type=int, help="rounds of all but what answers at once, which has 3")
    parser.add_argument("--rows", default="start,small,scores,annotate", help="which measurements")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    sizes = QUICK if options.quick else FULL
    if options.rounds:
        sizes = Sizes(**{**vars(sizes), "rounds": options.rounds})
    packages = ", ".join(f"{name} {version(name)}" for name in ("scanpy", "pyucell", "numpy", "scipy"))
    load = f"load {os.getloadavg()[0]:.1f} before, on {os.cpu_count()} cores"
    print(f"{packages}; {load}; rounds {sizes.rounds} (of what answers at once 3)", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        benchmark = Benchmark(Path(folder), sizes)
        measurements = {
            "start": benchmark.start,
            "small": benchmark.small,
            "scores": benchmark.scores,
            "annotate": benchmark.whole,
        }
        for name in options.rows.split(","):
            for row in measurements[name]():
                rows.append(row.cells())
                print("; ".join(row.cells()), file=sys.stderr, flush=True)
    print(table(rows))
    if options.markdown:
        options.markdown.write_text(table(rows) + "\n")


if __name__ == "__main__":
    main()
