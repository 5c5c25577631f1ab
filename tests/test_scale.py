"""Data of any size: from a file as from memory, a sample that stands for all, a cluster of machines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import cafsc
from cafsc import AnnotationResult, data, io
from cafsc._config import ClusterConfig, Config, GateConfig, ScoreConfig
from cafsc.errors import OptionError
from cafsc.pp.blocks import is_backed

N_CELLS = 3_000
SKETCH = Config(
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
        pd.testing.assert_frame_equal(getattr(one[0], part), getattr(other[0], part))
    assert set(one[0].obsm) == set(other[0].obsm)
    for name, table in one[0].obsm.items():
        np.testing.assert_allclose(np.asarray(table), np.asarray(other[0].obsm[name]), rtol=1e-6, atol=1e-9)
    for name in ("clusters", "evidence", "scores"):
        pd.testing.assert_frame_equal(getattr(one[1], name), getattr(other[1], name))


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
def test_a_file_gives_what_memory_gives(tumour_file: Path, sketched: Run) -> None:
    backed = io.read(tumour_file, backed=True)
    assert is_backed(backed.X)
    same((backed, cafsc.annotate(backed, cancer="breast", config=SKETCH)), sketched)


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
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        result = cafsc.annotate(adata, cancer="breast", config=SKETCH, client=client)
        n_done = client.run(lambda dask_worker: len(dask_worker.state.log)).values()
        assert all(n_done)
        assert not any(client.processing().values())
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
    distributed = pytest.importorskip("distributed")
    adata = data.simulated_tumour(200, seed=1)
    with (
        distributed.Client(processes=False, n_workers=1, dashboard_address=None) as client,
        pytest.raises(OptionError, match="in memory") as caught,
    ):
        cafsc.annotate(adata, client=client)
    assert "backed=True" in str(caught.value.fix)


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
