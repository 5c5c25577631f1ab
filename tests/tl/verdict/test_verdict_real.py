"""The verdict on a triple-negative breast tumour whose fibroblasts were labelled by its authors."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from anndata import AnnData

import cafsc
from cafsc._config import VerdictConfig
from cafsc.tl.verdict.weigh import Vote, weigh


@pytest.mark.slow
def test_matrix_fibroblasts_are_pro_in_breast_and_mixed_in_pancreas(
    dataset: Callable[[str], AnnData],
) -> None:
    result = cafsc.annotate(dataset("breast_tnbc_wu2021_CID4465"), cancer="breast")
    matrix = result.clusters[result.clusters["subtype"] == "myCAF"]
    assert len(matrix) > 0
    assert set(matrix["call"]) == {"pro"}
    for cluster in matrix["cluster"]:
        rows = result.evidence[result.evidence["cluster"] == cluster]
        own = rows[(rows["side"] == "for") & (rows["evidence"] != "review")]
        assert own["group"].nunique() >= 3
        assert {"ozdemir2014", "mcandrews2022"} <= set(rows.loc[rows["side"] == "against", "paper"])
        # No single paper decides it.
        votes = [
            Vote(row.paper, row.effect, row.weight, row.evidence != "review", row.group, row.about)
            for row in rows.itertuples()
        ]
        for paper in rows["paper"].unique():
            left = [vote for vote in votes if vote.paper != paper]
            assert weigh(left, VerdictConfig()).call == "pro", paper
    elsewhere = result.adata.uns["cafsc"]["cancers"].query("cluster in @matrix.cluster")
    for cancer, call in (("breast", "pro"), ("pancreas", "mixed")):
        assert set(elsewhere.loc[elsewhere["cancer"] == cancer, "call"]) == {call}
