"""A lost order of magnitude fails here; how the speed benchmark takes its turns, and judges.

Ratios of CPU seconds between works on the same cells in one process: what else the machine does hardly moves them.
Each bar stands several times below what was measured.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import cafsc
from cafsc import data

ROOT = Path(__file__).parents[2]
N_CELLS = 2_000
N_GENES = 10_000
N_SCANPY_SETS = 5


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", ROOT / "benchmarks" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def speed() -> ModuleType:
    return script("speed")


@pytest.fixture(scope="module")
def work() -> ModuleType:
    return script("speed_work")


@pytest.fixture(scope="module")
def seconds(work: ModuleType) -> Callable[[Callable[[], object]], float]:
    """CPU seconds of a call: the least of two, after one that loads and compiles what is needed."""

    def measure(call: Callable[[], object]) -> float:
        call()
        return min(work.cpu_and_wall(call)[0] for _ in range(2))

    return measure


@pytest.fixture(scope="module")
def scoring(work: ModuleType) -> Any:
    pytest.importorskip("scanpy")
    pytest.importorskip("pyucell")
    return work.Scoring(work.synthetic(N_CELLS, N_GENES), work.random_sets(N_GENES))


@pytest.fixture(scope="module")
def scanpy_seconds(scoring: Any, work: ModuleType, seconds: Callable[[Callable[[], object]], float]) -> float:
    """CPU seconds of 100 sets by scanpy, from the time of a few of them."""
    few = dict(list(scoring.named.items())[:N_SCANPY_SETS])
    return seconds(lambda: work.add_score_genes(scoring.adata, few)) * len(scoring.sets) / N_SCANPY_SETS


def test_synthetic_counts_are_as_sparse_as_asked(work: ModuleType) -> None:
    matrix = work.synthetic(300, 5_000)
    assert 0.5 * work.SHARE_DETECTED < matrix.nnz / np.prod(matrix.shape) < 1.5 * work.SHARE_DETECTED


def test_scores_cost_far_less_than_those_of_scanpy(
    scoring: Any, scanpy_seconds: float, seconds: Callable[[Callable[[], object]], float]
) -> None:
    for name, work, bar in (
        ("the same score", scoring.as_scanpy, 10),
        ("bin mean and UCell", scoring.default, 8),
    ):
        ours = seconds(work)
        print(f"{name}: {scanpy_seconds / ours:.1f} times less CPU than score_genes")
        assert scanpy_seconds > bar * ours, name


def test_all_methods_cost_far_less_than_ucell_of_pyucell(
    scoring: Any, seconds: Callable[[Callable[[], object]], float]
) -> None:
    ours, theirs = seconds(scoring.every), seconds(scoring.ucell)
    print(f"all methods of raw counts: {theirs / ours:.1f} times less CPU than pyUCell")
    assert theirs > 3 * ours


def test_loops_are_near_the_least_that_can_be(
    scoring: Any, seconds: Callable[[Callable[[], object]], float]
) -> None:
    lookup = seconds(scoring.lookup)
    for name, work, bar in (("bin mean", scoring.mean_kernel, 10), ("all methods", scoring.every_kernel, 25)):
        ours = seconds(work)
        print(f"{name}: {ours / lookup:.1f} times one look-up a value")
        assert ours < bar * lookup, name


def test_scores_are_those_of_the_peers_where_they_are_timed(scoring: Any, work: ModuleType) -> None:
    # scanpy 1.11 sums in the matrix's own float32.
    atol = 2e-6 if work.scanpy_sums_singly() else 1e-12
    np.testing.assert_allclose(scoring.as_scanpy(), scoring.score_genes(), rtol=0, atol=atol)
    np.testing.assert_allclose(scoring.default()["ucell"], scoring.ucell(), rtol=0, atol=1e-6)
    np.testing.assert_allclose(scoring.every()["ucell"], scoring.ucell(), rtol=0, atol=1e-6)


@pytest.mark.slow
def test_annotating_costs_little_more_than_score_genes(work: ModuleType, scanpy_seconds: float) -> None:
    adata = data.simulated_tumour(N_CELLS)
    cpu, _, result = work.cpu_and_wall(lambda: cafsc.annotate(adata))
    assert len(result.clusters)
    print(f"annotate: {cpu / scanpy_seconds:.2f} times the CPU of 100 score_genes")
    assert cpu < 8 * scanpy_seconds


def test_the_works_take_turns(speed: ModuleType) -> None:
    order = []

    def named(name: str, cpu: list[float]) -> Callable[[], object]:
        def call() -> object:
            order.append(name)
            return speed.Cost(cpu[order.count(name) - 1], 1.0, cpu[order.count(name) - 1])

        return call

    ours, theirs = speed.alternate(3, named("A", [5.0, 1.0, 2.0]), named("B", [7.0, 8.0, 90.0]))
    assert order == ["A", "B"] * 3
    assert (ours.cpu, theirs.cpu) == (2.0, 8.0)
    assert (ours.peak_gb, theirs.peak_gb) == (5.0, 90.0)


@pytest.mark.parametrize(
    ("ours", "theirs", "bar", "at_least", "figure", "met"),
    [
        (1.0, 10.0, 5, True, 10.0, True),
        (1.0, 4.0, 5, True, 4.0, False),
        (12.0, 2.0, 6, False, 6.0, True),
        (14.0, 2.0, 6, False, 7.0, False),
    ],
)
def test_a_row_says_whether_its_bar_is_met(
    speed: ModuleType, ours: float, theirs: float, bar: float, at_least: bool, figure: float, met: bool
) -> None:
    row = speed.Row("what", speed.Cost(ours, 1.0), speed.Cost(theirs, 1.0), bar, at_least)
    assert row.figure == pytest.approx(figure)
    assert row.met is met
    assert row.cells()[-1] == ("yes" if met else "NO")


def test_a_row_beside_the_bars_has_none(speed: ModuleType) -> None:
    row = speed.Row("what", speed.Cost(1.0, 1.0), speed.Cost(4.0, 1.0), None)
    assert row.met is None
    assert row.cells()[-3:] == ["4", "-", "-"]


def test_a_process_is_measured_with_its_memory() -> None:
    # In a small process: a child's peak is never below what its parent held when it started.
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(ROOT / 'benchmarks')!r})\n"
        "import speed\n"
        "for work in ('pass', 'held = b\"1\" * 300_000_000', 'for n in range(3 * 10**6): n * n'):\n"
        "    cost = speed.run(sys.executable, '-c', work)\n"
        "    print(cost.cpu, cost.peak_gb)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    (quiet, small), (_, large), (busy, _) = (map(float, line.split()) for line in out.stdout.splitlines())
    assert large == pytest.approx(small + 300_000_000 / 2**30, abs=0.02)
    assert busy > 3 * quiet


def test_a_command_that_fails_ends_the_benchmark(speed: ModuleType) -> None:
    with pytest.raises(SystemExit, match="ended with 3:\nwhy"):
        speed.run(sys.executable, "-c", "import sys; print('why', file=sys.stderr); sys.exit(3)")
