"""What answers at once: help, version, completion; and what they must not import."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from cafsc_command import Cafsc

import cafsc as package
from cafsc._options import RunOptions

HEAVY = (
    "scanpy",
    "anndata",
    "pandas",
    "numpy",
    "scipy",
    "matplotlib",
    "sklearn",
    "h5py",
    "yaml",
    "jinja2",
    "rich",
)


def modules_after(*words: str) -> tuple[int, set[str], str]:
    """Exit code, top-level modules in memory at the end, and stdout of one run in a fresh process."""
    code = (
        "import atexit, sys\n"
        "names = lambda: {module.split('.')[0] for module in sys.modules}\n"
        "atexit.register(lambda: print('MODULES', *names(), file=sys.stderr))\n"
        "from cafsc.cli import main\n"
        f"main({list(words)!r})\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    line = next(line for line in run.stderr.splitlines() if line.startswith("MODULES"))
    return run.returncode, set(line.split()[1:]), run.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("--version",),
        ("annotate", "--help"),
        ("data", "--help"),
        ("signatures", "--help"),
    ],
)
def test_help_and_version_import_nothing_heavy(words: tuple[str, ...]) -> None:
    code, modules, out = modules_after(*words)
    assert code == 0
    assert out.strip()
    assert modules.isdisjoint(HEAVY), sorted(modules & set(HEAVY))


def test_a_full_disk_is_named_where_the_help_should_go() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    with full.open("w") as out:
        run = subprocess.run(
            [sys.executable, "-m", "cafsc", "--help"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.returncode == 2
    assert "No space left on device" in run.stderr
    assert "Traceback" not in run.stderr


def test_help_names_every_option_and_command(cafsc: Cafsc) -> None:
    shown = cafsc("annotate", "--help").out
    for option in fields(RunOptions):
        if option.metadata["shell"] is not None:
            assert option.metadata.get("flag", f"--{option.name.replace('_', '-')}") in shown
    for option in (
        "--output",
        "--no-report",
        "--dry-run",
        "--force",
        "--json",
        "--quiet",
        "--debug",
        "--config",
    ):
        assert option in shown
    for command in ("annotate", "check", "explain", "score", "data", "signatures"):
        assert command in cafsc("--help").out


def test_python_m_cafsc_is_the_command() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cafsc", "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout) == (0, f"cafsc {package.__version__}\n")


def complete(line: str) -> list[str]:
    words = line.split(" ")
    run = subprocess.run(
        [sys.executable, "-m", "cafsc"],
        env={
            **os.environ,
            "_CAFSC_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


def test_completion_offers_options_and_values() -> None:
    assert "--cluster-key" in complete("cafsc annotate --clu")
    assert "annotate" in complete("cafsc ann")
    assert "mouse" in complete("cafsc annotate --species m")
    assert "breast" in complete("cafsc annotate --cancer b")


def test_import_and_help_are_quick() -> None:
    """CPU time, which other work on the machine changes less than the time that passes."""
    for words, most in ((["-c", "import cafsc"], 0.2), (["-m", "cafsc", "--help"], 0.5)):
        times = []
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *words], capture_output=True, timeout=60, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert min(times) < most, words
