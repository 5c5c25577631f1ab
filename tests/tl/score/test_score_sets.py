"""Scores of one's own sets are those of the packages whose methods they are, in memory and from a file."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

import cafsc
from cafsc.errors import InputError, OptionError
from cafsc.tl.score.controls import SetColumns, control_corrected, expression_bins
from cafsc.tl.score.own_sets import METHODS

N_CELLS, N_GENES = 2_100, 900


@pytest.fixture(scope="module")
def whole() -> AnnData:
    """More cells than one block has."""
    random = np.random.default_rng(0)
    counts = random.poisson(random.gamma(0.3, 1.0, N_GENES), (N_CELLS, N_GENES))
    counts[:, 5] = 0
    names = [f"GENE{number}" for number in range(N_GENES)]
    adata = AnnData(
        sparse.csr_matrix(np.log1p(counts * 1e4 / np.maximum(counts.sum(axis=1, keepdims=True), 1))),
        var=pd.DataFrame(index=names),
    )
    adata.layers["counts"] = sparse.csr_matrix(counts)
    return adata


@pytest.fixture
def adata(whole: AnnData) -> AnnData:
    return whole.copy()


@pytest.fixture(scope="module")
def gene_sets(whole: AnnData) -> dict[str, list[str]]:
    random = np.random.default_rng(1)
    drawn = {f"set{n}": list(random.choice(whole.var_names, 8 + 9 * n, replace=False)) for n in range(5)}
    drawn["set1"] += ["ABSENT", drawn["set1"][0], "GENE5"]
    return drawn


def scored(adata: AnnData, gene_sets: dict[str, list[str]], method: str) -> np.ndarray:
    assert cafsc.tl.score_sets(adata, gene_sets, method=method) is None
    found = adata.obsm[f"{method}_scores"]
    assert list(found.columns) == list(gene_sets)
    assert found.index.equals(adata.obs_names)
    assert (found.dtypes == np.float64).all()
    return found.to_numpy()


def test_ucell(adata: AnnData, gene_sets: dict[str, list[str]]) -> None:
    pyucell = pytest.importorskip("pyucell")
    distinct = {name: list(dict.fromkeys(genes)) for name, genes in gene_sets.items()}
    cafsc.tl.score_sets(adata, gene_sets, method="ucell", max_rank=400, key_added="ranks")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyucell.compute_ucell_scores(adata, distinct, max_rank=400, n_jobs=1)
    for name, values in adata.obsm["ranks"].items():
        np.testing.assert_allclose(values, adata.obs[f"{name}_UCell"], rtol=0, atol=1e-6)


def test_mean(adata: AnnData, gene_sets: dict[str, list[str]]) -> None:
    bins = expression_bins(np.asarray(adata.X.mean(axis=0)).ravel(), 25)
    none = np.empty(0, dtype=np.int64)
    columns = [np.unique(adata.var_names.get_indexer(genes)) for genes in gene_sets.values()]
    sets = [SetColumns(found[found >= 0], none, found.size) for found in columns]
    expected = control_corrected(adata.X, bins, sets)
    np.testing.assert_allclose(scored(adata, gene_sets, "mean"), expected, rtol=0, atol=1e-12)


def make_dense(adata: AnnData) -> None:
    adata.X = adata.X.toarray()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("change", [None, make_dense])
def test_a_backed_file_scores_as_memory_does(
    adata: AnnData,
    gene_sets: dict[str, list[str]],
    tmp_path: Path,
    method: str,
    change: Callable[[AnnData], None] | None,
) -> None:
    expected = scored(adata, gene_sets, method)
    if change:
        change(adata)
    path = tmp_path / "cells.h5ad"
    adata.write_h5ad(path)
    backed = cafsc.io.read(path, backed=True)
    np.testing.assert_array_equal(scored(backed, gene_sets, method), expected)


def test_a_layer_is_scored(adata: AnnData, gene_sets: dict[str, list[str]]) -> None:
    for method in METHODS:
        cafsc.tl.score_sets(adata, gene_sets, method=method, layer="counts", key_added="of_counts")
        # Depth changes the order of no cell's genes.
        assert np.allclose(adata.obsm["of_counts"], scored(adata, gene_sets, method)) == (method == "ucell")


def test_scores_can_be_written(adata: AnnData, tmp_path: Path) -> None:
    cafsc.tl.score_sets(adata, {"paper/a set": ["GENE1", "GENE2"]})
    adata.write_h5ad(tmp_path / "x.h5ad")
    again = anndata.read_h5ad(tmp_path / "x.h5ad")
    assert list(again.obsm["mean_scores"].columns) == ["paper:a set"]


def test_sets_without_genes_are_refused(adata: AnnData) -> None:
    with pytest.raises(OptionError, match=r"measured: b, c\n.*GENE0"):
        cafsc.tl.score_sets(adata, {"a": ["GENE1"], "b": ["absent"], "c": []}, method="ucell")
    with pytest.raises(OptionError, match=r"0, 1, 2, 3, 4 and 2 more"):
        cafsc.tl.score_sets(adata, {str(n): ["absent"] for n in range(7)})
    assert not adata.obsm.keys()


def test_two_sets_of_one_name_are_refused(adata: AnnData) -> None:
    for sets in ({"x/y": ["GENE1"], "x:y": ["GENE2"]}, {1: ["GENE1"], "1": ["GENE2"]}):
        with pytest.raises(OptionError, match="two sets are named"):
            cafsc.tl.score_sets(adata, sets)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("backed", [False, True])
def test_entries_stored_in_parts_are_one_value(
    adata: AnnData, gene_sets: dict[str, list[str]], tmp_path: Path, method: str, backed: bool
) -> None:
    x = adata.X
    halves = (np.repeat(x.data / 2, 2), np.repeat(x.indices, 2), 2 * x.indptr)
    parted = AnnData(sparse.csr_matrix(halves, shape=x.shape), var=adata.var)
    if backed:
        parted.write_h5ad(tmp_path / "parted.h5ad")
        parted = cafsc.io.read(tmp_path / "parted.h5ad", backed=True)
    np.testing.assert_array_equal(scored(parted, gene_sets, method), scored(adata, gene_sets, method))
    assert backed or parted.X.nnz == 2 * x.nnz


def test_what_cannot_be_scored_is_said(adata: AnnData) -> None:
    some = {"a": ["GENE1"]}
    with pytest.raises(OptionError, match="decoupler"):
        cafsc.tl.score_sets(adata, some, method="aucell")
    with pytest.raises(OptionError, match="no gene sets"):
        cafsc.tl.score_sets(adata, {})
    with pytest.raises(OptionError, match="'a' is text"):
        cafsc.tl.score_sets(adata, {"a": "GENE1"})
    with pytest.raises(OptionError, match="more than max_rank"):
        cafsc.tl.score_sets(adata, {"a": list(adata.var_names[:50])}, method="ucell", max_rank=49)
    with pytest.raises(InputError, match="its layers: counts"):
        cafsc.tl.score_sets(adata, some, layer="lognorm")
    with pytest.raises(InputError, match="no X"):
        cafsc.tl.score_sets(AnnData(var=adata.var), some)
    scaled = AnnData(adata.X - 1.0 * (adata.X > 0), var=adata.var)
    scaled.X.data[0] = -3.0
    with pytest.raises(InputError, match="negative"):
        cafsc.tl.score_sets(scaled, {"a": list(adata.var_names[:50])}, method="ucell")
    adata.var_names = ["GENE1", *adata.var_names[1:]]
    with pytest.raises(InputError, match="repeated, for example 'GENE1'"):
        cafsc.tl.score_sets(adata, some)
