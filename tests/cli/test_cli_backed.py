"""``cafsc annotate`` of a matrix that stays in its file, and on a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cafsc_command import Cafsc

from cafsc import data, io

# The package has a function of this name.
annotate = import_module("cafsc.cli.annotate")

CAFSC = Path(sys.executable).with_name("cafsc")


def run(*words: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CAFSC, *map(str, words)], capture_output=True, text=True, timeout=300, check=False, cwd=folder
    )


@pytest.fixture(scope="module")
def tumour_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("backed") / "tumour.h5ad"
    io.write_h5ad(data.simulated_tumour(900, seed=2), path)
    return path


def same(one: Path, other: Path) -> None:
    """The same columns and values in two results."""
    first, second = io.read(one), io.read(other)
    pd.testing.assert_frame_equal(first.obs, second.obs, check_exact=True)
    assert set(first.obsm) == set(second.obsm)
    for name, values in first.obsm.items():
        np.testing.assert_array_equal(np.asarray(values), np.asarray(second.obsm[name]))
    assert (first.layers["counts"] != second.layers["counts"]).nnz == 0


@pytest.mark.slow
def test_a_matrix_in_its_file_gives_the_same_files(tumour_path: Path, tmp_path: Path) -> None:
    for name, option in (("memory", "--no-backed"), ("file", "--backed")):
        words = ["annotate", tumour_path.name, "-o", tmp_path / f"{name}.h5ad", option, "--no-report"]
        done = run(*words, folder=tumour_path.parent)
        assert done.returncode == 0, done.stderr
    same(tmp_path / "memory.h5ad", tmp_path / "file.h5ad")
    for table in ("clusters.tsv", "cells.tsv.gz", "evidence.tsv"):
        assert (tmp_path / "memory" / table).read_bytes() == (tmp_path / "file" / table).read_bytes()
    # How it was read is no part of the run: it has nothing left to do.
    again = run("annotate", tumour_path, "-o", tmp_path / "file.h5ad", "--no-backed", "--no-report")
    assert "nothing to do" in again.stderr


@pytest.mark.slow
def test_an_input_that_changes_before_the_end_leaves_nothing(
    source: Path, cafsc: Cafsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = annotate.write

    def touched(*words: Any, **more: Any) -> None:
        os.utime(source, (0, 0))
        real(*words, **more)

    monkeypatch.setattr(annotate, "write", touched)
    words = ["annotate", source, "--backed", "--no-report"]
    done = cafsc(*words)
    assert done.code == 2
    assert "changed while it was read" in done.err
    assert [path.name for path in source.parent.iterdir()] == [source.name]
    monkeypatch.undo()
    again = cafsc(*words)
    assert again.code == 0
    assert "nothing to do" not in again.err


def test_a_folder_of_text_cannot_stay_where_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 1\n")
    (folder / "genes.tsv").write_text("ENSG00000108821\tCOL1A1\n")
    (folder / "barcodes.tsv").write_text("AAA\n")
    done = run("annotate", folder, "--backed", "-o", tmp_path / "out.h5ad")
    assert done.returncode == 2
    assert "in blocks of cells" in done.stderr
    assert "python -c" in done.stderr
    assert not (tmp_path / "out.h5ad").exists()


@pytest.mark.slow
def test_a_cluster_that_does_not_answer_ends_the_run(tumour_path: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    done = run("annotate", tumour_path, "-o", tmp_path / "out.h5ad", "--dask", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "no scheduler answers" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out.h5ad").exists()


@pytest.mark.slow
def test_a_cluster_without_workers_ends_the_run(tumour_path: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=0, processes=True, dashboard_address=None) as cluster:
        words = ["annotate", tumour_path, "-o", tmp_path / "out.h5ad"]
        done = run(*words, "--dask", cluster.scheduler_address)
    assert done.returncode == 2
    assert "no workers" in done.stderr
    assert "dask worker tcp://" in done.stderr


@pytest.mark.slow
def test_a_cluster_gives_the_same_file(tumour_path: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    adata = io.read(tumour_path)
    adata.write_zarr(tmp_path / "tumour.zarr")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        source = tmp_path / "tumour.zarr"
        words = ["annotate", source, "-o", tmp_path / "cluster.h5ad", "--no-report"]
        done = run(*words, "--dask", cluster.scheduler_address)
    assert done.returncode == 0, done.stderr
    alone = run("annotate", source, "-o", tmp_path / "alone.h5ad", "--no-report")
    assert alone.returncode == 0, alone.stderr
    same(tmp_path / "cluster.h5ad", tmp_path / "alone.h5ad")
