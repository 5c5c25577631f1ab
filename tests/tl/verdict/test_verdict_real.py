"""What the verdict must say of a triple-negative breast tumour whose fibroblasts were labelled by its authors."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from anndata import AnnData

import cafsc
from cafsc import AnnotationResult, sig
from cafsc._config import VerdictConfig
from cafsc.tl.verdict.weigh import Vote, weigh

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def called(dataset: Callable[[str], AnnData]) -> Callable[[str], AnnotationResult]:
    made: dict[str, AnnotationResult] = {}

    def call(cancer: str) -> AnnotationResult:
        if cancer not in made:
            made[cancer] = cafsc.annotate(dataset("breast_tnbc_wu2021_CID4465"), cancer=cancer)
        return made[cancer]

    return call


def matrix_clusters(result: AnnotationResult) -> pd.DataFrame:
    found = result.clusters[result.clusters["subtype"] == "myCAF"]
    assert len(found) > 0
    return found


def votes(rows: pd.DataFrame) -> list[Vote]:
    return [
        Vote(row.paper, row.effect, row.weight, row.evidence != "review", row.group, row.about)
        for row in rows.itertuples()
    ]


def test_matrix_fibroblasts_of_breast_are_pro_whichever_paper_is_left_out(
    called: Callable[[str], AnnotationResult],
) -> None:
    result = called("breast")
    for row in matrix_clusters(result).to_dict("records"):
        assert row["call"] == "pro"
        rows = result.evidence[result.evidence["cluster"] == row["cluster"]]
        own = rows[(rows["side"] == "for") & (rows["evidence"] != "review")]
        assert own["group"].nunique() >= 3
        assert (rows["side"] == "against").any()
        for paper in rows["paper"].unique():
            left = votes(rows[rows["paper"] != paper])
            assert weigh(left, VerdictConfig()).call == "pro", paper


def test_in_pancreas_the_depletion_papers_stand_on_the_other_side(
    called: Callable[[str], AnnotationResult],
) -> None:
    result = called("pancreas")
    depletion = {"ozdemir2014", "chen2021", "mcandrews2022"}
    assert depletion <= set(sig.load().papers)
    for row in matrix_clusters(result).to_dict("records"):
        assert row["call"] == "mixed"
        rows = result.evidence[result.evidence["cluster"] == row["cluster"]]
        assert {"ozdemir2014", "mcandrews2022"} <= set(rows.loc[rows["effect"] == "anti", "paper"])
    side_by_side = called("breast").adata.uns["cafsc"]["cancers"]
    here = side_by_side[side_by_side["cluster"].isin(matrix_clusters(called("breast"))["cluster"])]
    assert set(here.loc[here["cancer"] == "pancreas", "call"]) == {"mixed"}
    assert set(here.loc[here["cancer"] == "breast", "call"]) == {"pro"}
