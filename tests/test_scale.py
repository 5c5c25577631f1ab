"""Data of any size: from a file as from memory, a sample that stands for all, a cluster of machines."""

from __future__ import annotations

import os
import pickle
import signal
import tempfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import cafsc
from cafsc import AnnotationResult, data, io
from cafsc._config import AnnotateConfig, ClusterConfig, GateConfig, ScoreConfig
from cafsc.errors import InputError, OptionError
from cafsc.io.row_blocks import RowSource
from cafsc.pp import spread

N_CELLS = 3_000
SKETCH = AnnotateConfig(
    gate=GateConfig(components=ClusterConfig(resolution=3.0, max_cells=1_000)),
    score=ScoreConfig(max_cells=300),
)
"""Limits that the simulated tumour exceeds."""
Run = tuple[AnnData, AnnotationResult]


@pytest.fixture(scope="module")
def tumour_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scale") / "tumour.h5ad"
    io.write_h5ad(data.simulated_tumour(N_CELLS, seed=4), path)
    return path


@pytest.fixture(scope="module")
def sketched(tumour_file: Path) -> Run:
    adata = io.read(tumour_file)
    return adata, cafsc.annotate(adata, cancer="breast", config=SKETCH)


def same(one: Run, other: Run) -> None:
    for part in ("obs", "var"):
        pd.testing.assert_frame_equal(getattr(one[0], part), getattr(other[0], part), check_exact=True)
    assert set(one[0].obsm) == set(other[0].obsm)
    for name, table in one[0].obsm.items():
        np.testing.assert_array_equal(np.asarray(table), np.asarray(other[0].obsm[name]))
    for name in ("clusters", "evidence", "scores"):
        pd.testing.assert_frame_equal(getattr(one[1], name), getattr(other[1], name), check_exact=True)


@pytest.mark.slow
def test_a_sample_gives_the_names_that_all_cells_give(tumour_file: Path, sketched: Run) -> None:
    whole = io.read(tumour_file)
    cafsc.annotate(whole, cancer="breast")
    adata, _ = sketched
    assert (adata.obs["caf_lineage"].astype(str) == whole.obs["caf_lineage"].astype(str)).mean() > 0.95
    kept = (whole.obs["caf_gate"] == "kept") & (adata.obs["caf_gate"] == "kept")
    names = [obs["caf_subtype"][kept].astype(str) for obs in (adata.obs, whole.obs)]
    assert (names[0] == names[1]).mean() > 0.97
    assert adata.obs["caf_sketch"].sum() == 300
    assert "caf_sketch" not in whole.obs
    # A cell outside the sample is pooled with as many as one inside.
    edges = np.diff(adata.obsp["caf_neighbors"].indptr)
    assert len(set(edges[adata.obs["caf_gate"] == "kept"])) == 1


@pytest.mark.slow
def test_a_file_gives_what_memory_gives_to_the_last_byte(
    tumour_file: Path, sketched: Run, tmp_path: Path
) -> None:
    backed = io.read(tumour_file, backed=True)
    assert io.is_on_disk(backed.X)
    result = cafsc.annotate(backed, cancer="breast", config=SKETCH)
    same((backed, result), sketched)
    io.write_h5ad(backed, tmp_path / "backed.h5ad")
    io.write_h5ad(sketched[0], tmp_path / "memory.h5ad")
    assert (tmp_path / "backed.h5ad").read_bytes() == (tmp_path / "memory.h5ad").read_bytes()


@pytest.mark.slow
def test_a_run_inflates_its_matrix_once_and_leaves_no_copy(
    tumour_file: Path, sketched: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_rows = 0

    def read(source: RowSource, start: int, stop: int) -> Any:
        nonlocal n_rows
        n_rows += stop - start
        return real(source, start, stop)

    real = RowSource.read
    monkeypatch.setattr(RowSource, "read", read)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    backed = io.read(tumour_file, backed=True)
    same((backed, cafsc.annotate(backed, cancer="breast", config=SKETCH)), sketched)
    assert n_rows == N_CELLS
    assert list(tmp_path.iterdir()) == []
    # Where there is no place for a copy, the file is read again and again, and the result is the same.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    again = io.read(tumour_file, backed=True)
    same((again, cafsc.annotate(again, cancer="breast", config=SKETCH)), sketched)
    assert n_rows > 5 * N_CELLS


@pytest.mark.slow
def test_workers_of_a_cluster_give_what_one_process_gives(
    tumour_file: Path, sketched: Run, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    io.read(tumour_file).write_zarr(tmp_path / "tumour.zarr")
    adata = io.read(tmp_path / "tumour.zarr", backed=True)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        result = cafsc.annotate(adata, cancer="breast", config=SKETCH, client=client)
        n_opened = client.run(lambda: spread._opened.cache_info().misses).values()
        assert all(n_opened)
        assert not any(client.processing().values())
    same((adata, result), sketched)


def test_workers_see_a_file_that_took_the_place_of_another(tmp_path: Path) -> None:
    path = str(tmp_path / "matrix.h5")
    for value in (1.0, 2.0):
        Path(path).unlink(missing_ok=True)
        with h5py.File(path, "w") as file:
            file["x"] = np.full((3, 2), value)
        with h5py.File(path) as file:
            place = spread.place_of(file["x"])
        assert (spread._opened(place)[:] == value).all()
    spread._opened.cache_clear()
    with h5py.File(path, "a") as file:
        file["y"] = np.zeros(100)
    with pytest.raises(InputError, match="another file") as caught:
        spread._opened(place)
    sent = pickle.loads(pickle.dumps(caught.value))
    assert (sent.found, sent.fix) == (caught.value.found, caught.value.fix)


@pytest.mark.slow
def test_logged_values_in_a_file_give_what_they_give_in_memory(tumour_file: Path, tmp_path: Path) -> None:
    adata = io.read(tumour_file)[:1200].copy()
    counts = adata.X.toarray()
    adata.X = np.log1p(counts / counts.sum(axis=1, keepdims=True) * 1e4).astype(np.float32)
    io.write_h5ad(adata, tmp_path / "logged.h5ad")
    runs = []
    for backed in (False, True):
        read = io.read(tmp_path / "logged.h5ad", backed=backed)
        runs.append((read, cafsc.annotate(read)))
    same(*runs)
    assert len(runs[0][1].clusters)


def test_a_cluster_for_a_matrix_in_memory_is_refused_with_the_way_out() -> None:
    adata = data.simulated_tumour(200, seed=1)
    with pytest.raises(OptionError, match="in memory") as caught:
        cafsc.annotate(adata, client=object())  # type: ignore[arg-type]
    assert "backed=True" in str(caught.value.fix)


def test_a_matrix_that_workers_cannot_open_is_refused_with_the_way_out() -> None:
    with h5py.File("nowhere.h5", "w", driver="core", backing_store=False) as file:
        dataset = file.create_dataset("x", data=np.ones((2, 2)))
        with pytest.raises(OptionError, match="workers") as caught:
            spread.place_of(dataset)
    assert "zarr" in str(caught.value.fix)


@pytest.mark.parametrize("backed", [False, True])
def test_what_lies_beside_the_values_of_raw_is_kept(tmp_path: Path, backed: bool) -> None:
    adata = data.simulated_tumour(200, seed=1)
    adata.raw = adata.copy()
    adata.X = adata.X.toarray() - 1.5
    adata.obsm["X_umap"] = np.arange(400.0).reshape(200, 2)
    adata.obsp["near"] = sparse.eye_array(200, format="csr")
    io.write_h5ad(adata, tmp_path / "raw.h5ad")
    result = cafsc.annotate(io.read(tmp_path / "raw.h5ad", backed=backed))
    np.testing.assert_array_equal(result.adata.obsm["X_umap"], adata.obsm["X_umap"])
    assert result.adata.obsp["near"].nnz == 200


def _die(matrix: Any, piece: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_worker_that_dies_ends_the_run_with_the_way_out(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    with h5py.File(tmp_path / "matrix.h5", "w") as file:
        file["x"] = np.ones((3, 2))
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        spread.on_cluster(client),
        h5py.File(tmp_path / "matrix.h5") as file,
        pytest.raises(OptionError, match="lost its workers") as caught,
    ):
        list(spread.spread(file["x"], _die, [(0, ())]))
    assert "run once more" in str(caught.value.fix)
