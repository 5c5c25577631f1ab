"""The whole way on simulated tumours whose truth is known."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import cafsc
from cafsc import AnnotationResult, data, get, io
from cafsc._config import LabelConfig
from cafsc._options import RunOptions
from cafsc.errors import InputError, OptionError

N_CELLS = 360
TABLES = ("clusters", "evidence", "scores")

RERUN = """
import sys
import cafsc
adata = cafsc.data.simulated_tumour({n_cells}, seed=21)
result = cafsc.annotate(adata, cancer="breast")
for table in (result.clusters, result.cells, result.evidence, result.scores):
    sys.stdout.write(table.to_csv(index=False, float_format="%.6g"))
"""


def tumour(**options: Any) -> AnnData:
    return data.simulated_tumour(N_CELLS, seed=21, **options)


def names(result: AnnotationResult) -> pd.DataFrame:
    """What each cell was named, by cell."""
    return result.cells.set_index("cell")[["gate", "subtype", "cell_subtype", "call"]].astype(str)


@pytest.fixture(scope="module")
def first() -> AnnotationResult:
    return cafsc.annotate(tumour(), cancer="breast")


def test_states_are_those_the_cells_were_drawn_from(annotated_tumour: AnnotationResult) -> None:
    obs = annotated_tumour.adata.obs
    truth = obs["simulated_type"].astype(str)
    fibroblasts = truth.isin(["iCAF", "myCAF"])
    kept = obs["caf_gate"] == "kept"
    assert kept[fibroblasts].mean() >= 0.95
    assert kept[~fibroblasts].mean() <= 0.01
    for column in ("caf_cell_subtype", "caf_subtype"):
        assert (obs[column].astype(str)[fibroblasts] == truth[fibroblasts]).mean() >= 0.93


def test_every_cluster_has_a_call_with_papers(annotated_tumour: AnnotationResult) -> None:
    clusters, evidence = annotated_tumour.clusters, annotated_tumour.evidence
    assert {"iCAF", "myCAF"} <= set(clusters["subtype"])
    assert (clusters["leading"] != "").all()
    assert ((evidence["doi"] != "") | (evidence["pmid"] != "")).all()
    for cluster in clusters["cluster"]:
        assert {"pro", "anti"} <= set(evidence.loc[evidence["cluster"] == cluster, "effect"])


def test_the_summary_counts_what_the_tables_hold(annotated_tumour: AnnotationResult) -> None:
    summary, cells = annotated_tumour.summary, annotated_tumour.cells
    gate = cells["gate"].astype(str).value_counts()
    assert summary["gate"]["kept"] == gate["kept"] == annotated_tumour.clusters["n_cells"].sum()
    assert summary["gate"]["refused"] == {name: n for name, n in gate.items() if name != "kept"}
    assert sum(summary["lineages"].values()) == len(cells) == summary["input"]["n_cells"]
    assert summary["calls"] == cells["call"].astype(object).dropna().value_counts().to_dict()
    assert summary["n_clusters"] == len(annotated_tumour.clusters)
    assert summary["n_papers"] == annotated_tumour.evidence["paper"].nunique()
    assert (summary["cancer"], summary["message"], summary["simulated"]) == ("breast", "", True)


def test_the_input_stays_and_the_counts_are_kept(
    annotated_tumour: AnnotationResult, _tumour: AnnData
) -> None:
    found = annotated_tumour.adata
    for matrix in (found.X, found.layers["counts"]):
        assert matrix.dtype == _tumour.X.dtype
        assert (matrix != _tumour.X).nnz == 0
    assert list(found.obs_names) == list(_tumour.obs_names)
    assert list(found.var_names) == list(_tumour.var_names)
    pd.testing.assert_frame_equal(found.obs[_tumour.obs.columns], _tumour.obs)


def test_the_result_is_the_object_that_was_given() -> None:
    adata = data.simulated_tumour(150, seed=1)
    assert cafsc.annotate(adata).adata is adata


def test_the_file_reads_back_in_plain_anndata(first: AnnotationResult, tmp_path: Path) -> None:
    io.write_h5ad(first.adata, tmp_path / "out.h5ad")
    back = anndata.read_h5ad(tmp_path / "out.h5ad")
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(get, name)(back), getattr(first, name))
    pd.testing.assert_frame_equal(get.cells(back), first.cells)
    assert get.summary(back) == first.summary
    assert (back.layers["counts"] != first.adata.X).nnz == 0
    pd.testing.assert_frame_equal(back.obsm["caf_scores"], first.adata.obsm["caf_scores"])


def test_provenance_names_versions_options_and_the_catalogue(first: AnnotationResult) -> None:
    record = get.provenance(first.adata)
    assert record["seed"] == 0
    assert record["versions"]["cafsc"] == cafsc.__version__
    assert record["parameters"]["cancer"] == "breast"
    assert record["parameters"]["config"]["label"]["min_support"] == LabelConfig().min_support
    assert record["catalogue"]["sha256"] == first.summary["catalogue_sha256"] == cafsc.sig.load().sha256


def test_annotating_an_annotated_object_changes_no_table_and_says_so(first: AnnotationResult) -> None:
    again = cafsc.annotate(first.adata.copy(), cancer="breast")
    for table in ("clusters", "cells", "evidence", "scores"):
        assert getattr(again, table).to_csv() == getattr(first, table).to_csv()
    assert "slots_replaced" in {finding["code"] for finding in again.summary["input"]["findings"]}


@pytest.mark.slow
def test_threads_and_hash_seeds_change_no_label_and_no_value() -> None:
    outputs = []
    for threads, seed in ((1, "0"), (2, "1")):
        code = RERUN.format(n_cells=N_CELLS)
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            timeout=300,
            check=False,
            env={**os.environ, "PYTHONHASHSEED": seed, "OMP_NUM_THREADS": str(threads)},
        )
        assert run.returncode == 0, run.stderr.decode()
        outputs.append(run.stdout)
    assert len(outputs[0]) > 10_000
    assert outputs[0] == outputs[1]


def test_another_seed_may_change_support_but_not_the_states(first: AnnotationResult) -> None:
    other = cafsc.annotate(tumour(), cancer="breast", seed=5)
    same = names(other)["cell_subtype"] == names(first)["cell_subtype"]
    assert same.mean() > 0.99


@pytest.mark.parametrize(
    "form", ["other order of cells", "other order of genes", "empty genes", "dense", "csc"]
)
def test_the_form_of_the_input_changes_no_name(first: AnnotationResult, form: str) -> None:
    adata = tumour()
    random = np.random.default_rng(0)
    if form == "other order of cells":
        adata = adata[random.permutation(adata.n_obs)].copy()
    elif form == "other order of genes":
        adata = adata[:, random.permutation(adata.n_vars)].copy()
    elif form == "empty genes":
        empty = sparse.csr_matrix((adata.n_obs, 200), dtype=np.float32)
        var = pd.DataFrame(index=[*adata.var_names, *(f"nobody{number}" for number in range(200))])
        adata = AnnData(sparse.hstack([adata.X, empty], format="csr"), obs=adata.obs, var=var)
    else:
        adata.X = adata.X.toarray() if form == "dense" else adata.X.tocsc()
    found = names(cafsc.annotate(adata, cancer="breast")).loc[names(first).index]
    changed = (found[["gate", "cell_subtype"]] != names(first)[["gate", "cell_subtype"]]).any(axis=1)
    assert changed.mean() <= 0.005


def test_two_runs_stand_side_by_side(first: AnnotationResult) -> None:
    adata = first.adata.copy()
    before = set(adata.obs) | set(adata.obsm) | set(adata.layers) | set(adata.uns) | set(adata.obsp)
    other = cafsc.annotate(adata, cancer="pancreas", key_added="pdac")
    after = set(adata.obs) | set(adata.obsm) | set(adata.layers) | set(adata.uns) | set(adata.obsp)
    assert all("pdac" in name for name in after - before)
    assert get.summary(adata)["cancer"] == "breast"
    assert get.summary(adata, "pdac")["cancer"] == other.summary["cancer"] != "breast"
    pd.testing.assert_frame_equal(get.clusters(adata), first.clusters)
    assert list(other.clusters["subtype"]) == list(first.clusters["subtype"])
    assert list(other.clusters["verdict_score"]) != list(first.clusters["verdict_score"])


def test_clusters_of_the_user_are_named_and_a_mixture_says_so() -> None:
    adata = tumour()
    truth = adata.obs["simulated_type"].astype(str)
    even = np.arange(adata.n_obs) % 2 == 0
    adata.obs["mine"] = np.where(truth.isin(["iCAF", "myCAF"]) & even, "both", truth)
    result = cafsc.annotate(adata, cancer="breast", cluster_key="mine")
    table = result.clusters.set_index("cluster")
    assert table.loc["iCAF", "subtype"] == "iCAF"
    assert table.loc["myCAF", "subtype"] == "myCAF"
    assert table.loc["both", "reason"] in ("mixed:iCAF+myCAF", "mixed:myCAF+iCAF")
    assert (table.loc["both", "call"], table.loc["both", "call_reason"]) == ("undetermined", "unresolved")


def test_states_are_counted_in_each_sample() -> None:
    adata = tumour()
    adata.obs["patient"] = np.where(np.arange(adata.n_obs) % 3 == 0, "one", "two")
    adata.obs["lane"] = np.where(np.arange(adata.n_obs) % 2 == 0, "a", "b")
    result = cafsc.annotate(adata, sample_key="patient", batch_key="lane")
    samples = result.summary["samples"]
    kept = adata.obs[adata.obs["caf_gate"] == "kept"]
    for patient in ("one", "two"):
        here = kept.loc[kept["patient"] == patient, "caf_subtype"].astype(str).value_counts()
        assert samples[patient] == here.to_dict()
    truth = adata.obs["simulated_type"].astype(str)
    fibroblasts = truth.isin(["iCAF", "myCAF"])
    assert (adata.obs["caf_cell_subtype"].astype(str) == truth)[fibroblasts].mean() >= 0.9


def test_counts_in_a_layer() -> None:
    adata = tumour()
    plain = names(cafsc.annotate(adata.copy(), cancer="breast"))
    adata.layers["umi"] = adata.X.copy()
    adata.X = sparse.csr_matrix(np.log1p(adata.X.toarray() * 3.7))
    before = adata.X.copy()
    result = cafsc.annotate(adata, cancer="breast", layer="umi")
    pd.testing.assert_frame_equal(names(result), plain)
    assert (before != adata.X).nnz == 0
    assert (adata.layers["counts"] != adata.layers["umi"]).nnz == 0


def test_usable_values_in_raw_are_taken_and_said() -> None:
    adata = tumour()
    adata.raw = adata.copy()
    dense = adata.X.toarray()[:, :2000]
    scaled = adata[:, :2000].copy()
    scaled.X = (dense - dense.mean(axis=0)) / (dense.std(axis=0) + 1)
    result = cafsc.annotate(scaled, cancer="breast")
    assert "raw_used" in {finding["code"] for finding in result.summary["input"]["findings"]}
    assert result.adata is not scaled
    assert result.adata.n_vars == adata.n_vars
    assert {"iCAF", "myCAF"} <= set(result.clusters["subtype"])
    assert not [name for name in scaled.obs if name.startswith("caf_")]


def test_blood_has_no_fibroblast_and_says_so() -> None:
    scanpy = pytest.importorskip("scanpy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        blood = scanpy.datasets.pbmc68k_reduced()
    result = cafsc.annotate(blood)
    assert "raw_used" in {finding["code"] for finding in result.summary["input"]["findings"]}
    assert result.summary["gate"]["kept"] == len(result.clusters) == len(result.evidence) == 0
    message = result.summary["message"]
    assert message.startswith("no CAF cluster: ")
    assert "\n" not in message
    assert message in result._repr_html_()


@pytest.mark.parametrize("option", ["sample_key", "batch_key", "cluster_key"])
def test_an_unknown_column_is_refused_before_anything_is_written(option: str) -> None:
    adata = data.simulated_tumour(150, seed=1)
    with pytest.raises(OptionError, match="simulated_type") as caught:
        cafsc.annotate(adata, **{option: "nothing"})  # type: ignore[arg-type]
    assert option in str(caught.value)
    assert list(adata.obs) == ["simulated_type"]
    assert not adata.layers


@pytest.mark.parametrize(
    ("options", "known"),
    [
        ({"cancer": "brest"}, "breast"),
        ({"species": "rat"}, "mouse"),
        ({"layer": "nothing"}, "layers"),
        ({"schemes": ["nothing"]}, "elyada"),
        ({"resolution": 0.0}, "0.01"),
        ({"resolution": float("nan")}, "0.01"),
        ({"config": {"label": {"min_margn": 1}}}, "min_margin"),
    ],
)
def test_a_wrong_option_is_answered_with_the_right_ones(options: dict[str, Any], known: str) -> None:
    with pytest.raises(OptionError) as caught:
        cafsc.annotate(data.simulated_tumour(150, seed=1), **options)
    assert known in str(caught.value)
    assert str(caught.value).count("\n") < 8


def test_a_scaled_matrix_is_refused() -> None:
    adata = data.simulated_tumour(150, seed=1)
    dense = adata.X.toarray()
    adata.X = (dense - dense.mean(axis=0)) / (dense.std(axis=0) + 1)
    with pytest.raises(InputError, match="scaled"):
        cafsc.annotate(adata)


def test_cells_too_shallow_to_name_end_in_a_message() -> None:
    result = cafsc.annotate(data.simulated_tumour(150, seed=1, depth=10))
    assert len(result.clusters) == 0
    assert result.summary["gate"]["refused"] == {"low_quality": 150}
    assert result.summary["message"].startswith("no CAF cluster: ")


def test_progress_is_told_step_by_step() -> None:
    told: list[tuple[str, int, int]] = []
    cafsc.annotate(data.simulated_tumour(150, seed=1), progress=lambda *step: told.append(step))
    assert [done for _, done, _ in told] == list(range(1, len(told) + 1))
    assert {total for _, _, total in told} == {len(told)}
    assert len({name for name, _, _ in told}) == len(told)


def test_html_is_escaped() -> None:
    adata = tumour()
    fibroblast = adata.obs["simulated_type"].isin(["iCAF", "myCAF"])
    adata.obs["mine"] = np.where(fibroblast, "<script>alert(1)</script>", "other")
    result = cafsc.annotate(adata, cluster_key="mine")
    shown = result._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "kept" in shown


def test_the_plain_form_counts(first: AnnotationResult) -> None:
    kept = first.summary["gate"]["kept"]
    assert f"{len(first.clusters)} fibroblast clusters" in repr(first)
    assert f"{kept} of {N_CELLS} cells" in repr(first)


def test_a_path_and_sets_of_ones_own(tmp_path: Path) -> None:
    adata = data.simulated_tumour(150, seed=1)
    io.write_h5ad(adata, tmp_path / "tumour.h5ad")
    own = {"matrix": list(adata.var_names[:20])}
    result = cafsc.annotate(str(tmp_path / "tumour.h5ad"), signatures=own, umap=False)
    assert result.summary["input"]["file"] == "tumour.h5ad"
    record = get.provenance(result.adata)
    assert record["input"]["sha256"] == io.sha256(tmp_path / "tumour.h5ad")
    assert record["parameters"]["umap"] is False
    assert "own/matrix" in set(result.scores["set"])
    assert str(tmp_path) not in str(record)


def test_thresholds_as_a_dict() -> None:
    assert cafsc.Config.of({"label": {"min_margin": 2}}).label.min_margin == 2
    result = cafsc.annotate(data.simulated_tumour(150, seed=1), config={"qc": {"min_genes": 10_000}})
    assert result.summary["gate"]["kept"] == 0
    assert get.provenance(result.adata)["parameters"]["config"]["qc"]["min_genes"] == 10_000


def test_every_option_is_an_argument_with_the_same_default_and_is_explained() -> None:
    parameters = inspect.signature(cafsc.annotate).parameters
    for option in fields(RunOptions):
        assert parameters[option.name].default == option.default
        assert option.metadata["help"][:40] in cafsc.annotate.__doc__
