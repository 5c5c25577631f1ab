"""The same labels in a poor environment: little memory, few files, no home, no network, nobody listening."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import anndata
import pandas as pd
import pytest

from cafsc import data, io

pytestmark = pytest.mark.slow
CAFSC = str(Path(sys.executable).with_name("cafsc"))
# Every thread of a numerical library sets memory aside; on a machine of many cores that alone fills the limit.
FEW_THREADS = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}
TABLES = ("cells.tsv.gz", "clusters.tsv", "evidence.tsv")


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


def annotate(source: Path, folder: Path, *options: object, **how: object) -> dict[str, pd.DataFrame]:
    """The tables of a run in a folder."""
    run(["annotate", source, "-o", folder / "out.h5ad", "--no-report", "--no-umap", *options], **how)  # type: ignore[arg-type]
    assert anndata.read_h5ad(folder / "out.h5ad").n_obs == 400
    return {name: pd.read_csv(folder / "out" / name, sep="\t") for name in TABLES}


def same(found: dict[str, pd.DataFrame], expected: dict[str, pd.DataFrame]) -> None:
    for name in TABLES:
        pd.testing.assert_frame_equal(found[name], expected[name], rtol=1e-6)


@pytest.fixture(scope="module")
def plain(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pd.DataFrame]:
    return annotate(source, tmp_path_factory.mktemp("plain"))


def test_little_memory_and_few_open_files(
    source: Path, plain: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    limits = f"ulimit -n 60; ulimit -v {4 * 2**20};"
    environment = {**os.environ, **FEW_THREADS, "PYTHONHASHSEED": "1"}
    same(annotate(source, tmp_path, before=limits, environment=environment), plain)


def test_no_home_no_locale_no_caches(source: Path, plain: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    nowhere = "/proc/nowhere"
    folders = ("HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "CAFSC_CACHE_DIR")
    bare = {"PATH": os.environ["PATH"], "LC_ALL": "C", **dict.fromkeys(folders, nowhere)}
    kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    same(annotate(source, tmp_path, environment={**bare, **kept}), plain)


def test_closed_stdout(source: Path, plain: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    other_seed = {**os.environ, "PYTHONHASHSEED": "2"}
    same(annotate(source, tmp_path, before="exec >&- <&-;", environment=other_seed), plain)


def test_without_network_and_stderr(source: Path, plain: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    ways = [["unshare", "-n"], ["unshare", "-rn"]] if shutil.which("unshare") else []
    alone = next((way for way in ways if subprocess.run([*way, "true"], check=False).returncode == 0), None)
    if alone is None:
        pytest.skip("the network cannot be cut off here: unshare -n is not permitted")
    same(annotate(source, tmp_path, first=alone, before="exec 2>&-;"), plain)
    assert "usable" in run(["check", source, "--json"], first=alone).stdout
    assert run(["signatures", "list"], first=alone).stdout


def test_two_runs_to_one_place_leave_one_whole_result(source: Path, tmp_path: Path) -> None:
    words = [CAFSC, "annotate", str(source), "-o", str(tmp_path / "out.h5ad"), "--no-report", "--no-umap"]
    runs = [
        subprocess.Popen([*words, *more], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for more in ([], ["--cancer", "breast"])
    ]
    said = [run.communicate(timeout=300)[1] for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 2], said
    assert "exists already" in "".join(said)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    inside = json.loads(anndata.read_h5ad(tmp_path / "out.h5ad").uns["cafsc"]["provenance"])
    assert summary["provenance"] == inside
    assert {path.name for path in tmp_path.iterdir()} == {"out", "out.h5ad"}
