"""Compiled loops where nothing can be kept on disk, and where what is kept there is broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cafsc

PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np
from kept import total
print(total(np.arange(5.0)))
"""
MODULE = """
from cafsc.engine.compiled import compiled

@compiled
def total(values):
    out = 0.0
    for k in range(values.size):
        out += values[k]
    return out
"""


def run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(folder=str(folder))],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kept.py").write_text(MODULE)
    return tmp_path


def test_machine_code_is_kept_for_the_next_process(folder: Path) -> None:
    found = run(folder, NUMBA_CACHE_DIR=str(folder / "cache"))
    assert found.stdout == "10.0\n", found.stderr
    (code,) = (folder / "cache").rglob("*.nbc")
    written = code.stat().st_mtime_ns
    assert run(folder, NUMBA_CACHE_DIR=str(folder / "cache")).stdout == "10.0\n"
    assert code.stat().st_mtime_ns == written


def test_no_folder_to_keep_it_in_is_no_failure(folder: Path) -> None:
    # A file where each folder would be: that refuses whoever runs this.
    (folder / "__pycache__").write_text("")
    (folder / "taken").write_text("")
    nowhere = str(folder / "taken" / "cache")
    found = run(folder, NUMBA_CACHE_DIR=nowhere, HOME=nowhere, XDG_CACHE_HOME=nowhere, IPYTHONDIR=nowhere)
    assert found.stdout == "10.0\n", found.stderr
    assert not list(folder.rglob("*.nbi"))


@pytest.mark.parametrize("kind", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("content", [b"", b"not what it was", b"\x80\x04K\x05."])
def test_broken_machine_code_is_no_failure(folder: Path, kind: str, content: bytes) -> None:
    cache = folder / "cache"
    assert run(folder, NUMBA_CACHE_DIR=str(cache)).stdout == "10.0\n"
    (found,) = cache.rglob(kind)
    found.write_bytes(content)
    again = run(folder, NUMBA_CACHE_DIR=str(cache))
    assert again.stdout == "10.0\n", again.stderr


def test_a_folder_that_goes_away_is_no_failure(folder: Path) -> None:
    cache = folder / "cache"
    gone = (
        "from kept import total\n"
        "import pathlib, shutil\n"
        f"shutil.rmtree({str(cache)!r})\n"
        f"pathlib.Path({str(cache)!r}).write_text('')\n"
    )
    program = PROGRAM.format(folder=str(folder)).replace("from kept import total\n", gone)
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
    )
    assert found.stdout == "10.0\n", found.stderr


def test_what_is_wrong_with_a_call_is_said(folder: Path) -> None:
    program = PROGRAM.format(folder=str(folder)).replace("np.arange(5.0)", "'five'")
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False
    )
    assert found.returncode == 1
    assert "TypingError" in found.stderr


def test_the_loops_run_from_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    shutil.copytree(
        Path(cafsc.__file__).parent, tmp_path / "cafsc", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "cafsc" / "engine" / "__pycache__").write_text("")
    (tmp_path / "taken").write_text("")
    nowhere = str(tmp_path / "taken" / "cache")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import numpy as np, cafsc\n"
        "from cafsc.engine import Members, gene_means\n"
        "assert cafsc.__file__.startswith(sys.path[0])\n"
        "print(gene_means(np.arange(6.0).reshape(2, 3), n_values=10**12).tolist())\n"
        "from cafsc.engine import loops\n"
        "print('numba' in sys.modules, loops._column_sums.__class__.__name__)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "NUMBA_CACHE_DIR": nowhere, "HOME": nowhere, "XDG_CACHE_HOME": nowhere},
    )
    assert found.stdout.splitlines() == ["[1.5, 2.5, 3.5]", "True CPUDispatcher"], found.stderr


def test_a_small_matrix_does_not_import_numba() -> None:
    program = (
        "import sys, numpy as np\n"
        "from cafsc.engine import METHODS, Members, Scorer\n"
        "sets = [Members(np.array([0, 2]), 2)]\n"
        "Scorer(3, sets, METHODS, n_values=6, bins=np.zeros(3, dtype=int)).score(np.arange(6.0).reshape(2, 3))\n"
        "print('numba' in sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=True
    )
    assert found.stdout == "False\n"
