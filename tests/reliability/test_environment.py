"""The same bytes in a poor environment: little memory, few files, no home, no network, nobody listening."""

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
# Every thread of a numerical library sets memory aside; on a machine of many cores that alone fills 2 GB.
FEW_THREADS = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}
NOT_COMPARED = {"report.html"}
"""Left out where a run is made without a report."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("environment") / "tumeur \u00e9 \u4e2d.h5ad"
    io.write_h5ad(data.simulated_tumour(400), path)
    return path


def run(
    words: Sequence[object],
    *,
    before: str = "",
    environment: Mapping[str, str] | None = None,
    first: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell that has done `before`; it must end well and without a traceback."""
    done = subprocess.run(
        [*first, "sh", "-c", f'{before} exec "$@"', "sh", CAFSC, *map(str, words)],
        env=os.environ if environment is None else environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


def annotate(
    source: Path,
    folder: Path,
    *options: object,
    before: str = "",
    environment: Mapping[str, str] | None = None,
    first: Sequence[str] = (),
) -> dict[str, str]:
    """Annotate in a folder; gives the hash of every file that was written, by name."""
    words = ["annotate", source, "-o", folder / "out.h5ad", *options]
    run(words, before=before, environment=environment, first=first)
    written = [folder / "out.h5ad", *(folder / "out").iterdir()]
    return {path.name: io.sha256(path) for path in written}


@pytest.fixture(scope="module")
def plain(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = annotate(source, tmp_path_factory.mktemp("plain"))
    assert set(found) == {
        "out.h5ad", "summary.json", "clusters.tsv", "cells.tsv.gz", "evidence.tsv", "report.html"
    }  # fmt: skip
    return found


def test_little_memory_and_few_open_files(source: Path, plain: dict[str, str], tmp_path: Path) -> None:
    limits = f"ulimit -n 60; ulimit -v {2 * 2**20};"
    environment = {**os.environ, **FEW_THREADS, "PYTHONHASHSEED": "1"}
    assert annotate(source, tmp_path, before=limits, environment=environment) == plain


def test_no_home_no_locale_no_caches_no_report(source: Path, plain: dict[str, str], tmp_path: Path) -> None:
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
    found = annotate(source, tmp_path, "--no-report", environment=bare)
    assert found == {name: digest for name, digest in plain.items() if name not in NOT_COMPARED}


def test_closed_stdout_and_warnings_as_errors(source: Path, plain: dict[str, str], tmp_path: Path) -> None:
    strict = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONHASHSEED": "2"}
    found = annotate(source, tmp_path, before="exec >&- <&-;", environment=strict)
    assert found == plain


def _without_network() -> list[str]:
    for words in (["unshare", "-n"], ["unshare", "-rn"]):
        with_it = [*words, "true"]
        if (
            shutil.which("unshare")
            and subprocess.run(with_it, capture_output=True, check=False).returncode == 0
        ):
            return words
    pytest.skip("the network cannot be cut off here: unshare -n is not permitted")


def test_without_network_and_stderr(source: Path, plain: dict[str, str], tmp_path: Path) -> None:
    alone = _without_network()
    assert annotate(source, tmp_path, first=alone, before="exec 2>&-;") == plain
    assert "usable" in run(["check", source, "--json"], first=alone).stdout
    assert run(["signatures", "list"], first=alone).stdout
    again = tmp_path / "again.html"
    run(["report", tmp_path / "out.h5ad", "-o", again], first=alone)
    assert io.sha256(again) == plain["report.html"]


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
