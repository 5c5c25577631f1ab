"""Data of any size: from a file as from memory, a sample that stands for all, a cluster of machines."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

import cafsc
from cafsc import AnnotationResult, data, io
from cafsc._config import AnnotateConfig, ClusterConfig, GateConfig, ScoreConfig
from cafsc._errors import OptionError
from cafsc.io.row_blocks import RowSource

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
        n_tasks = sum(len(worker) for worker in client.processing().values())
    assert n_tasks == 0
    same((adata, result), sketched)


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
    import h5py

    from cafsc.pp.spread import place_of

    with h5py.File("nowhere.h5", "w", driver="core", backing_store=False) as file:
        dataset = file.create_dataset("x", data=np.ones((2, 2)))
        with pytest.raises(OptionError, match="workers") as caught:
            place_of(dataset)
    assert "zarr" in str(caught.value.fix)
