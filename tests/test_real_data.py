"""What the defaults reach on public data, with the author's labels where there are any.

Datasets are read from the folder named by CAFSC_DATA_DIR, and the tests are skipped where it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import anndata
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

import cafsc
from cafsc import io, report

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc import AnnotationResult

CANCERS = {
    "breast_tnbc_wu2021_CID4465": "breast",
    "pdac_lin2020_P01": "PDAC",
    "breast_tnbc_gao2021_302": "TNBC",
    "hnscc_puram2017_180": "HNSCC",
}
Results = Callable[[str], "AnnotationResult"]


@pytest.fixture(scope="module")
def result(dataset: Callable[[str], AnnData]) -> Results:
    """One run a dataset, with the defaults."""
    made: dict[str, AnnotationResult] = {}

    def annotate(name: str) -> AnnotationResult:
        if name not in made:
            made[name] = cafsc.annotate(dataset(name), cancer=CANCERS.get(name))
        return made[name]

    return annotate


def kept(found: AnnotationResult) -> np.ndarray:
    return np.asarray(found.adata.obs["caf_gate"] == "kept")


def counts_of(found: AnnotationResult, *genes: str) -> np.ndarray:
    """Cells x genes: counts, or linear values, of some genes."""
    rows = [found.adata.var["caf_symbol"].tolist().index(gene) for gene in genes]
    matrix = found.adata.layers.get("counts", found.adata.X)
    return np.asarray(matrix[:, rows].todense())


@pytest.fixture(scope="module")
def cid4465(result: Results) -> AnnotationResult:
    return result("breast_tnbc_wu2021_CID4465")


def truth_of_states(found: AnnotationResult) -> pd.Series:
    """``iCAF``, ``myCAF`` or ``mural`` by the author's labels; missing for other cells and for transitions."""
    obs = found.adata.obs
    minor = obs["celltype_minor"].astype(str)
    truth = pd.Series(None, index=obs.index, dtype=object)
    truth[minor == "CAFs MSC iCAF-like"] = "iCAF"
    truth[minor == "CAFs myCAF-like"] = "myCAF"
    truth[obs["celltype_subset"].astype(str).str.contains("Transitioning s3")] = None
    truth[obs["celltype_major"].astype(str) == "PVL"] = "mural"
    return truth


def test_cid4465_keeps_the_authors_fibroblasts_and_not_their_mural_cells(cid4465: AnnotationResult) -> None:
    major = cid4465.adata.obs["celltype_major"].astype(str)
    assert (major == "CAFs").sum() > 300
    assert kept(cid4465)[major == "CAFs"].mean() >= 0.90
    assert kept(cid4465)[major == "PVL"].mean() <= 0.05
    assert f1_score(major == "CAFs", kept(cid4465)) >= 0.96


def test_cid4465_names_icaf_and_mycaf_among_the_kept(cid4465: AnnotationResult) -> None:
    truth = truth_of_states(cid4465)
    judged = truth.isin(["iCAF", "myCAF"]) & kept(cid4465)
    named = cid4465.adata.obs["caf_cell_subtype"].astype(str)
    score = f1_score(truth[judged], named[judged], average="macro", labels=["iCAF", "myCAF"])
    assert score >= 0.92


def test_cid4465_names_icaf_mycaf_and_mural_among_the_stroma(cid4465: AnnotationResult) -> None:
    truth = truth_of_states(cid4465).dropna()
    obs = cid4465.adata.obs.loc[truth.index]
    named = obs["caf_cell_subtype"].astype(object).where(obs["caf_gate"] == "kept", "other").astype(str)
    named[obs["caf_lineage"].isin(["pericyte", "smooth_muscle"])] = "mural"
    score = f1_score(truth, named, average="macro", labels=["iCAF", "myCAF", "mural"])
    assert score >= 0.93


def test_cid4465_clusters_have_the_name_of_most_of_their_cells(cid4465: AnnotationResult) -> None:
    assert {"iCAF", "myCAF"} <= set(cid4465.clusters["subtype"])
    truth = truth_of_states(cid4465)
    judged = truth.isin(["iCAF", "myCAF"]) & kept(cid4465)
    cluster = cid4465.adata.obs["caf_cluster"].astype(str)[judged]
    most = truth[judged].groupby(cluster).agg(lambda cells: cells.value_counts().index[0])
    named = cid4465.clusters.set_index("cluster")["subtype"]
    told = named[named != "unresolved"]
    assert len(told) >= 2
    assert (told == most.loc[told.index]).all()


def test_cid4465_shows_papers_for_and_against_each_call(cid4465: AnnotationResult) -> None:
    evidence = cid4465.evidence
    assert (evidence["doi"] != "").mean() > 0.9
    assert ((evidence["doi"] != "") | (evidence["pmid"] != "")).all()
    assert (evidence.groupby("cluster")["effect"].agg(lambda e: {"pro", "anti"} <= set(e))).all()


def test_cid4465_reads_back_with_its_counts(
    cid4465: AnnotationResult, dataset: Callable[[str], AnnData], tmp_path: Path
) -> None:
    io.write_h5ad(cid4465.adata, tmp_path / "out.h5ad")
    back = anndata.read_h5ad(tmp_path / "out.h5ad")
    given = dataset("breast_tnbc_wu2021_CID4465")
    assert (back.layers["counts"] != given.X).nnz == 0
    assert (back.X != given.X).nnz == 0
    assert back.layers["counts"].dtype == given.X.dtype
    assert len(cafsc.get.clusters(back)) == len(cid4465.clusters)


def test_pdac_refuses_malignant_cells_in_transition(result: Results) -> None:
    found = result("pdac_lin2020_P01")
    collagen, *decorin = counts_of(found, "COL1A1", "LUM", "DCN").T
    malignant = (collagen > 0) & (np.sum(decorin, axis=0) == 0)
    assert malignant.sum() > 150
    assert kept(found)[malignant].mean() <= 0.05
    matrix = counts_of(found, "COL3A1", "LUM", "DCN")
    clear = (matrix[:, 0] >= 10) & (matrix[:, 1:].sum(axis=1) >= 20)
    assert clear.sum() >= 15
    assert kept(found)[clear].mean() >= 0.8


def test_gao_finds_the_few_fibroblasts_among_tumour_cells_that_look_alike(result: Results) -> None:
    found = result("breast_tnbc_gao2021_302")
    # All eight, and at most one cell that shows no collagen.
    assert 8 <= kept(found).sum() <= 9
    assert counts_of(found, "EPCAM")[kept(found)].sum() == 0
    assert (counts_of(found, "COL1A1", "LUM")[kept(found)] > 0).all(axis=-1).sum() == 8
    assert len(found.clusters) == 1


def test_hnscc_tpm_keeps_the_fibroblasts(result: Results) -> None:
    found = result("hnscc_puram2017_180")
    author = found.adata.obs["celltypes"].astype(str)
    fibroblasts = author.str.contains("ibroblast|CAF", regex=True)
    assert fibroblasts.sum() == 20
    assert kept(found)[fibroblasts].mean() >= 0.90
    assert kept(found)[~fibroblasts].sum() <= 1
    assert found.summary["input"]["matrix"] == "log2"
    assert "counts" not in found.adata.layers


def test_mouse_gut_runs_as_mouse(result: Results) -> None:
    found = result("mouse_gut_mca2018_219")
    assert found.summary["input"]["species"] == "mouse"
    author = found.adata.obs["cell_type_annotation_broad"].astype(str)
    assert (author == "Fibroblast").sum() == 10
    assert kept(found)[author == "Fibroblast"].sum() >= 5
    assert kept(found)[author == "Smooth muscle cell"].sum() <= 1
    assert kept(found)[author != "Fibroblast"].sum() <= 4


def test_cell_lines_with_ensembl_identifiers_have_no_fibroblast(result: Results) -> None:
    found = result("cell_lines_tian2019_celseq2")
    assert found.summary["input"]["identifiers"] == "ensembl"
    assert kept(found).sum() == len(found.clusters) == 0
    assert found.summary["message"].startswith("no CAF cluster: no group of cells expresses")
    assert len(found.summary["message"].splitlines()) == 1


def test_a_panel_without_fibroblast_genes_says_so(result: Results) -> None:
    found = result("colon_mesenchyme_kinchen2018_250")
    assert kept(found).sum() == len(found.clusters) == 0
    assert "fibroblast markers are in the data, too few to tell" in found.summary["message"]
    assert "few_genes" in {finding["code"] for finding in found.summary["input"]["findings"]}


@pytest.mark.parametrize("name", sorted(CANCERS))
def test_a_report_is_made_of_every_sample(result: Results, name: str) -> None:
    page = report.build(result(name).adata)
    for cluster in result(name).clusters["subtype"]:
        assert cluster in page
    assert page.rstrip().endswith("</html>")
