"""The same result in a poor environment: little memory, few files, no home, no network, nobody listening."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import anndata
import pytest

from cafsc import data, io

pytestmark = pytest.mark.slow
CAFSC = str(Path(sys.executable).with_name("cafsc"))
LABELS = ["caf_gate", "caf_subtype", "caf_call"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("environment") / "tumour.h5ad"
    io.write_h5ad(data.simulated_tumour(400), path)
    return path


def annotate(
    source: Path,
    out: Path,
    *,
    before: str = "",
    environment: Mapping[str, str] | None = None,
    first: Sequence[str] = (),
) -> list[list[str]]:
    """Run the command in a shell that has done `before`; gives the labels."""
    words = [CAFSC, "annotate", str(source), "-o", str(out)]
    done = subprocess.run(
        [*first, "sh", "-c", f'{before} exec "$@"', "sh", *words],
        env=os.environ if environment is None else environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    obs = anndata.read_h5ad(out).obs
    return [obs[name].astype(str).tolist() for name in LABELS]


@pytest.fixture(scope="module")
def labels(source: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    return annotate(source, tmp_path_factory.mktemp("plain") / "out.h5ad")


def test_little_memory_and_few_open_files(source: Path, labels: list[list[str]], tmp_path: Path) -> None:
    limits = f"ulimit -n 60; ulimit -v {2 * 2**20};"
    assert annotate(source, tmp_path / "out.h5ad", before=limits) == labels


def test_no_home_no_locale_no_caches(source: Path, labels: list[list[str]], tmp_path: Path) -> None:
    nowhere = "/proc/nowhere"
    bare = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C",
        "HOME": nowhere,
        "XDG_CACHE_HOME": nowhere,
        "MPLCONFIGDIR": nowhere,
        "NUMBA_CACHE_DIR": nowhere,
        "CAFSC_CACHE_DIR": nowhere,
    }
    shutil.copy(source, tmp_path / "tumeur-\u00e9-\u4e2d.h5ad")
    assert annotate(tmp_path / "tumeur-\u00e9-\u4e2d.h5ad", tmp_path / "out.h5ad", environment=bare) == labels


def test_closed_streams_and_warnings_as_errors(source: Path, labels: list[list[str]], tmp_path: Path) -> None:
    strict = {**os.environ, "PYTHONWARNINGS": "error:::cafsc"}
    assert annotate(source, tmp_path / "out.h5ad", before="exec >&- <&-;", environment=strict) == labels


def test_stderr_closed(source: Path, labels: list[list[str]], tmp_path: Path) -> None:
    assert annotate(source, tmp_path / "out.h5ad", before="exec 2>&-;") == labels


def _without_network() -> list[str]:
    for words in (["unshare", "-n"], ["unshare", "-rn"]):
        with_it = [*words, "true"]
        if (
            shutil.which("unshare")
            and subprocess.run(with_it, capture_output=True, check=False).returncode == 0
        ):
            return words
    pytest.skip("the network cannot be cut off here: unshare -n is not permitted")


def test_without_network(source: Path, labels: list[list[str]], tmp_path: Path) -> None:
    assert annotate(source, tmp_path / "out.h5ad", first=_without_network()) == labels


def test_two_runs_to_one_place_leave_one_whole_result(source: Path, tmp_path: Path) -> None:
    """The second to write finds the result of the very same run; one with other options would be refused."""
    words = [CAFSC, "annotate", str(source), "-o", str(tmp_path / "out.h5ad")]
    runs = [
        subprocess.Popen([*words, *more], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for more in ([], [], ["--cancer", "breast"])
    ]
    said = [run.communicate(timeout=300)[1] for run in runs]
    codes = [run.returncode for run in runs]
    # Whoever is first wins: the two equal ones, or the odd one out.
    assert codes in ([0, 0, 2], [2, 2, 0]), said
    assert all("exists already" in text for text, code in zip(said, codes, strict=True) if code == 2)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    inside = json.loads(anndata.read_h5ad(tmp_path / "out.h5ad").uns["cafsc"]["provenance"])
    assert summary["provenance"] == inside
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert files == {"summary.json", "clusters.tsv", "cells.tsv.gz", "evidence.tsv", "report.html"}
    assert {path.name for path in tmp_path.iterdir()} == {"out", "out.h5ad"}
