"""What the command does without stays out of memory, and can be imported afterwards."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from cafsc import _own_process
from cafsc.cli.lean import absent, collect_garbage_from_here


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of the command's own."""
    monkeypatch.setattr(_own_process, "claimed", True)


def test_in_a_process_of_somebody_else_nothing_is_hidden() -> None:
    with absent("colorsys"):
        import colorsys
    assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_absent_modules_cannot_be_imported_and_come_back(own: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with absent("colorsys"), pytest.raises(ImportError):
        import colorsys
    import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_modules_in_memory_stay(own: None) -> None:
    with absent("json"):
        import json

        assert json.loads("1") == 1


def test_garbage_is_collected_again_after_the_start() -> None:
    gc.disable()
    try:
        collect_garbage_from_here()
        assert gc.isenabled()
        kept = gc.get_freeze_count()
        gc.unfreeze()
        assert kept > gc.get_freeze_count()
    finally:
        gc.enable()
    before = gc.get_freeze_count()
    collect_garbage_from_here()
    assert gc.get_freeze_count() == before, "where it was never turned off, nothing is kept from it"


def test_a_run_without_report_imports_nothing_that_only_draws(source: Path, tmp_path: Path) -> None:
    words = ["annotate", str(source), "--output", str(tmp_path / "out.h5ad"), "--no-report", "--quiet"]
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('MODULES', *sorted(sys.modules), file=sys.stderr))\n"
        f"sys.argv = {['cafsc', *words]!r}\n"
        "from cafsc.cli import main\n"
        "main()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr
    modules = set(next(line for line in run.stderr.splitlines() if line.startswith("MODULES")).split())
    slow = {"matplotlib", "xarray", "dask", "sklearn", "scipy.stats", "rich", "jinja2", "scanpy", "pooch"}
    assert modules.isdisjoint(slow), sorted(modules & slow)
