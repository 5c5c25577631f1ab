"""What each cell holds."""

from __future__ import annotations

import numpy as np
from anndata import AnnData

from cafsc import pp
from cafsc._config import QCConfig


def test_each_cell_is_counted(small: AnnData) -> None:
    pp.normalize(small)
    pp.qc(small)
    dense = small.X.toarray()
    np.testing.assert_array_equal(small.obs["caf_total_counts"], dense.sum(axis=1))
    np.testing.assert_array_equal(small.obs["caf_n_genes_by_counts"], (dense > 0).sum(axis=1))
    assert small.obs["caf_n_genes_by_counts"].dtype == np.int64


def test_mitochondrial_share(small: AnnData) -> None:
    small.var_names = ["MT-CO1", "mt-Nd1", "GRCh38_MT-ND2", "MTOR", *small.var_names[4:]]
    pp.normalize(small)
    pp.qc(small)
    dense = small.X.toarray()
    np.testing.assert_allclose(
        small.obs["caf_pct_counts_mt"], 100 * dense[:, :3].sum(axis=1) / dense.sum(axis=1)
    )


def test_mitochondrial_genes_are_known_by_their_symbols(small: AnnData) -> None:
    small.var_names = ["MT-CO1", "MT-ND1", *small.var_names[2:]]
    by_symbol = small.copy()
    small.var["gene_symbols"] = list(small.var_names)
    small.var_names = [f"ENSG{number:011}" for number in range(small.n_vars)]
    for adata in (small, by_symbol):
        pp.normalize(adata)
        pp.qc(adata)
    assert (by_symbol.obs["caf_pct_counts_mt"] > 0).any()
    np.testing.assert_array_equal(small.obs["caf_pct_counts_mt"], by_symbol.obs["caf_pct_counts_mt"])


def test_a_cell_with_too_few_genes_is_marked_and_none_removed(small: AnnData) -> None:
    dense = small.X.toarray()
    dense[7] = 0
    dense[8] = 0
    dense[8, :30] = 1
    small.X = dense
    pp.normalize(small)
    pp.qc(small)
    assert small.n_obs == 120
    assert list(np.flatnonzero(small.obs["caf_low_quality"])) == [7, 8]
    assert small.obs.loc[small.obs_names[7], "caf_pct_counts_mt"] == 0
    pp.qc(small, config=QCConfig(min_genes=30))
    assert list(np.flatnonzero(small.obs["caf_low_quality"])) == [7]


def test_another_prefix(small: AnnData) -> None:
    pp.normalize(small, key_added="mine")
    pp.qc(small, key_added="mine")
    assert {"mine_total_counts", "mine_n_genes_by_counts", "mine_pct_counts_mt", "mine_low_quality"} <= set(
        small.obs
    )
    assert not [name for name in small.obs if name.startswith("caf_")]
