"""Marker genes of the clusters, and the second opinion on their names."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData

from cafsc import get, tl
from cafsc.errors import InputError


def test_markers_are_higher_inside_their_cluster(labelled: AnnData) -> None:
    tl.markers(labelled)
    table = get.markers(labelled)
    assert set(table["cluster"]) == set(labelled.obs["caf_cluster"].cat.categories)
    best = table.groupby("cluster").head(5)
    assert (best["log_fold_change"] > 0).all()
    assert (best["share_in"] >= best["share_out"]).all()
    assert best["p_adjusted"].max() < 0.01


def test_shares_and_fold_changes_are_those_of_the_cells(labelled: AnnData) -> None:
    tl.markers(labelled)
    first = get.markers(labelled).iloc[0]
    kept = labelled[labelled.obs["caf_gate"] == "kept"]
    detected = (kept[:, first["gene"]].layers["counts"] > 0).toarray().ravel()
    inside = (kept.obs["caf_cluster"] == first["cluster"]).to_numpy()
    assert first["share_in"] == pytest.approx(detected[inside].mean())
    assert first["share_out"] == pytest.approx(detected[~inside].mean())


def test_gseapy_agrees_where_the_states_are_planted(labelled: AnnData) -> None:
    tl.second_opinion(labelled)
    table = labelled.uns["cafsc"]["clusters"]
    assert list(table["enriched_state"]) == list(table["subtype"])
    assert table["enriched_agrees"].all()
    assert (table["enriched_score"] > 1).all()


def test_a_wrong_name_is_doubted(labelled: AnnData) -> None:
    table = labelled.uns["cafsc"]["clusters"]
    swapped = table["subtype"].map({"iCAF": "myCAF", "myCAF": "iCAF"}).fillna(table["subtype"])
    labelled.uns["cafsc"]["clusters"] = table.assign(subtype=swapped)
    tl.second_opinion(labelled)
    found = labelled.uns["cafsc"]["clusters"]
    assert not found.loc[found["subtype"].isin(["iCAF", "myCAF"]), "enriched_agrees"].any()


def test_a_single_cluster_is_compared_with_genes_of_like_expression(labelled: AnnData) -> None:
    one = labelled[(labelled.obs["caf_gate"] != "kept") | (labelled.obs["caf_subtype"] == "iCAF")].copy()
    tl.score(one, map_cells=False)
    tl.label(one)
    if one.obs["caf_cluster"].cat.categories.size == 1:
        tl.markers(one)
        assert get.markers(one).empty
    tl.second_opinion(one)
    assert "iCAF" in set(one.uns["cafsc"]["clusters"]["enriched_state"])


def test_labels_come_first(gated: AnnData) -> None:
    for step in (tl.markers, tl.second_opinion):
        with pytest.raises(InputError, match=r"cafsc\.tl\.label"):
            step(gated)


def test_the_permutations_are_seeded(labelled: AnnData) -> None:
    scores = []
    for _ in range(2):
        tl.second_opinion(labelled, seed=3)
        scores.append(labelled.uns["cafsc"]["clusters"]["enriched_score"].to_numpy())
    np.testing.assert_array_equal(*scores)
