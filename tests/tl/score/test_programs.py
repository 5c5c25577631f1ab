"""Functional programmes of the kept fibroblasts."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc import sig, tl
from cafsc.errors import InputError
from cafsc.pp.normalize import log1p_depth, symbol_columns


def test_kept_cells_have_programmes_and_the_others_none(labelled: AnnData) -> None:
    kept = (labelled.obs["caf_gate"] == "kept").to_numpy()
    table = labelled.obsm["caf_programs"]
    assert list(table.columns) == list(sig.load().programs)
    assert table[kept].notna().all(axis=None)
    assert table[~kept].isna().all(axis=None)


def test_the_score_is_the_mean_above_genes_of_like_expression(labelled: AnnData) -> None:
    kept = np.flatnonzero(labelled.obs["caf_gate"] == "kept")
    counts = labelled.layers["counts"].astype(np.float64)
    bins = labelled.var["caf_expression_bin"].to_numpy()
    graph = labelled.obsp["caf_neighbors"][kept][:, kept]
    level = log1p_depth(sparse.csr_matrix(graph @ counts[kept]), 1e4).toarray()
    columns = symbol_columns(labelled)
    genes = [columns[gene] for gene in sig.load().programs["hypoxia"].up if gene in columns]
    above = [level[:, gene] - level[:, bins == bins[gene]].mean(axis=1) for gene in genes]
    np.testing.assert_allclose(
        labelled.obsm["caf_programs"]["hypoxia"].to_numpy()[kept], np.mean(above, axis=0), atol=1e-6
    )


def test_each_cluster_has_each_programme_once_however_often_it_runs(labelled: AnnData) -> None:
    n_clusters = len(labelled.uns["cafsc"]["clusters"])
    before = labelled.uns["cafsc"]["scores"]
    tl.programs(labelled)
    after = labelled.uns["cafsc"]["scores"]
    rows = after[after["kind"] == "program"]
    assert len(rows) == n_clusters * len(sig.load().programs)
    assert not after.duplicated(["cluster", "set"]).any()
    assert len(after) == len(before)


def test_matrix_is_a_matter_of_mycaf(labelled: AnnData) -> None:
    clusters = labelled.uns["cafsc"]["clusters"].set_index("cluster")["subtype"]
    rows = labelled.uns["cafsc"]["scores"].query("set == 'ecm-deposition'").set_index("cluster")["effect"]
    assert rows[clusters == "myCAF"].min() > rows[clusters == "iCAF"].max()


def test_labels_come_first(scored: AnnData) -> None:
    with pytest.raises(InputError, match=r"cafsc\.tl\.label"):
        tl.programs(scored)
