"""The control-corrected mean beside a plain computation and scanpy's score with every gene of a bin as control."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from cafsc.engine.means import control_corrected_mean, control_weights
from cafsc.tl.score.controls import SetColumns

NONE = np.empty(0, dtype=np.int64)


def reference(dense: np.ndarray, bins: np.ndarray, sets: list[SetColumns]) -> np.ndarray:
    out = np.zeros((len(dense), len(sets)))
    for index, members in enumerate(sets):
        for sign, genes in ((1, members.up), (-1, members.down)):
            for gene in genes:
                control = dense[:, bins == bins[gene]].mean(axis=1)
                out[:, index] += sign * (dense[:, gene] - control) / genes.size
    return out


@pytest.fixture(scope="module")
def bins(lognorm: sparse.csr_matrix) -> np.ndarray:
    return np.argsort(np.argsort(np.asarray(lognorm.mean(axis=0)).ravel())) * 10 // lognorm.shape[1]


@pytest.mark.parametrize("form", ["csr", "float32", "dense", "unsorted"])
def test_it_is_the_mean_difference_from_the_genes_of_the_same_bins(
    lognorm: sparse.csr_matrix, sets: list[SetColumns], bins: np.ndarray, form: str
) -> None:
    expected = reference(lognorm.toarray(), bins, sets)
    matrix: object = lognorm
    if form == "float32":
        matrix = lognorm.astype(np.float32)
    elif form == "dense":
        matrix = lognorm.toarray()
    elif form == "unsorted":
        # A product of sparse matrices has its columns in no order.
        order = np.concatenate([np.arange(a, b)[::-1] for a, b in pairwise(lognorm.indptr)])
        matrix = sparse.csr_matrix(
            (lognorm.data[order], lognorm.indices[order], lognorm.indptr), shape=lognorm.shape
        )
    found = control_corrected_mean(matrix, control_weights(bins, sets))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 if form == "float32" else 1e-12)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_any_matrix_bins_and_sets(data: st.DataObject) -> None:
    n_genes = data.draw(st.integers(1, 12))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    dense = random.poisson(1.0, (data.draw(st.integers(0, 5)), n_genes)).astype(float)
    bins = random.integers(0, data.draw(st.integers(1, 5)), n_genes)
    side = st.lists(st.integers(0, n_genes - 1), unique=True)
    sets = [
        SetColumns(np.array(up, dtype=np.int64), np.array(down, dtype=np.int64), len(up) + len(down))
        for up, down in data.draw(st.lists(st.tuples(side, side), max_size=4))
    ]
    found = control_corrected_mean(sparse.csr_matrix(dense), control_weights(bins, sets))
    np.testing.assert_allclose(found, reference(dense, bins, sets), rtol=0, atol=1e-12)


def test_scanpy_agrees_where_it_takes_every_gene_of_the_bins(lognorm: sparse.csr_matrix) -> None:
    import scanpy as sc

    adata = AnnData(lognorm.copy(), var=pd.DataFrame(index=[f"g{n}" for n in range(lognorm.shape[1])]))
    genes = np.array([30, 31, 32, 200, 201], dtype=np.int64)
    # Two intervals, one of the highest gene alone, and controls without end: all genes but that one and the set's own.
    sc.tl.score_genes(adata, adata.var_names[genes], ctrl_size=1000, n_bins=2)
    bins = np.zeros(lognorm.shape[1], dtype=np.int64)
    bins[np.asarray(lognorm.mean(axis=0)).argmax()] = 1
    found = control_corrected_mean(lognorm, control_weights(bins, [SetColumns(genes, NONE, genes.size)]))
    # With the set's own genes among the controls, the difference is smaller by a known factor.
    n_bin = np.count_nonzero(bins == 0)
    expected = adata.obs["score"].to_numpy() * (n_bin - genes.size) / n_bin
    np.testing.assert_allclose(found[:, 0], expected, rtol=0, atol=1e-10)
