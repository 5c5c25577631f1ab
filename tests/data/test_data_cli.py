"""The ``cafsc data`` commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from cafsc import data, io


def _cafsc(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache"), **variables}
    return subprocess.run(
        [sys.executable, "-c", "from cafsc.cli import main; main()", "data", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment,
    )


def test_list_names_every_dataset(tmp_path: Path) -> None:
    done = _cafsc("list", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in data.datasets()["name"])


def test_list_as_json(tmp_path: Path) -> None:
    done = _cafsc("list", "--json", folder=tmp_path)
    assert [row["name"] for row in json.loads(done.stdout)] == data.datasets()["name"].tolist()


def test_fetch_prints_the_path(dataset_path: Callable[[str], Path], tmp_path: Path) -> None:
    path = dataset_path("mouse_gut_mca2018_219").resolve()
    done = _cafsc("fetch", path.stem, folder=tmp_path, CAFSC_DATA_DIR=str(path.parent))
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == path


def test_fetch_of_an_unknown_name_is_for_the_user_to_mend(tmp_path: Path) -> None:
    done = _cafsc("fetch", "nothing", folder=tmp_path)
    assert done.returncode == 2
    assert "pdac_lin2020_P01" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_writes_a_file_that_says_it_is_simulated(tmp_path: Path) -> None:
    done = _cafsc("demo", "--cells", "120", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    path = tmp_path / done.stdout.strip()
    assert "simulated" in path.name
    found = io.read(path)
    assert found.n_obs == 120
    assert "SIMULATED" in str(found.uns["cafsc_simulated"])
    again = _cafsc("demo", "--cells", "120", folder=tmp_path)
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_help_imports_nothing_heavy() -> None:
    program = "import sys, cafsc.cli.data; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"numpy", "pandas", "anndata", "scanpy", "h5py", "pooch"} & set(done.stdout.split())
