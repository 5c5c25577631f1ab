from __future__ import annotations

import re
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from annotated import CLAIMS, CLUSTERS, HOSTILE_CLUSTER, SETS, annotated, without_clusters

from cafsc import get
from cafsc._keys import Keys
from cafsc.errors import InputError

TABLES = (get.clusters, get.evidence, get.scores)


def test_clusters_come_in_natural_order_whatever_the_stored_order(adata: ad.AnnData) -> None:
    assert list(get.clusters(adata)["cluster"]) == ["0", "1", "2", "10", HOSTILE_CLUSTER]


def test_clusters_keep_their_values_and_types(adata: ad.AnnData) -> None:
    table = get.clusters(adata).set_index("cluster")
    assert list(table["n_cells"]) == [n for _, n, *_ in CLUSTERS]
    assert table["n_cells"].dtype == np.int64
    assert table["support"].dtype == np.float64
    assert np.isnan(table.loc["10", "support"])
    assert table.loc["10", "reason"] == "mixed:myCAF+iCAF"
    assert table.loc["0", "scheme_kieffer"] == "ecm-myCAF"
    assert all(isinstance(v, str) for v in table["sensitive_to"])


def test_evidence_runs_for_against_context_and_by_falling_weight(adata: ad.AnnData) -> None:
    table = get.evidence(adata)
    assert len(table) == len(CLAIMS)
    first = table[table["cluster"] == "0"]
    assert list(first["side"]) == ["for", "for", "for", "for", "against", "context"]
    assert list(first["claim"])[:3] == ["feig2013-fap", "kieffer2020-ecm", "costa2018-s1-treg"]
    assert list(table[table["cluster"] == "1"]["side"]) == ["pro", "anti"]


def test_evidence_says_which_claim_votes_and_what_became_of_patients(adata: ad.AnnData) -> None:
    table = get.evidence(adata).set_index("claim")
    assert table["counted"].dtype == bool
    assert set(table.index[~table["counted"]]) == {"kieffer2020-wound", "mechanics"}
    assert table.loc["kieffer2020-ecm", ["prognosis", "therapy_response"]].tolist() == ["worse", "none"]
    assert table.loc["feig2013-fap", "prognosis"] == ""


def test_clusters_hold_the_interval_of_the_score_and_why_there_is_no_side(adata: ad.AnnData) -> None:
    table = get.clusters(adata)
    assert (table["verdict_low"] <= table["verdict_score"]).all()
    assert (table["verdict_score"] <= table["verdict_high"]).all()
    assert list(table["call_reason"]) == ["", "sensitive_to_one_source", "", "unresolved", "unresolved"]


def test_scores_hold_every_cluster_and_set_once(adata: ad.AnnData) -> None:
    table = get.scores(adata)
    assert len(table) == len(CLUSTERS) * len(SETS)
    assert not table.duplicated(["cluster", "set"]).any()
    assert list(table["kind"][: len(SETS)]) == ["subtype"] * 5 + ["program"] * 2


def test_cells_follow_obs(adata: ad.AnnData) -> None:
    table = get.cells(adata)
    assert list(table["cell"]) == list(adata.obs_names)
    kept = table["gate"] == "kept"
    assert kept.sum() == sum(n for _, n, *_ in CLUSTERS)
    for column in ("cluster", "subtype", "cell_subtype", "call"):
        assert table.loc[kept, column].notna().all()
        assert table.loc[~kept, column].isna().all()
    sizes = table["cluster"].value_counts()
    assert {name: int(sizes[name]) for name, *_ in CLUSTERS} == {name: n for name, n, *_ in CLUSTERS}


def test_cells_accept_text_columns(adata: ad.AnnData) -> None:
    expected = get.cells(adata)
    for name in (Keys().lineage, Keys().gate, Keys().subtype):
        adata.obs[name] = adata.obs[name].astype(object)
    pd.testing.assert_frame_equal(get.cells(adata), expected)


def test_tables_survive_a_file(adata: ad.AnnData, tmp_path: Path) -> None:
    before = [read(adata) for read in TABLES]
    adata.write_h5ad(tmp_path / "a.h5ad")
    back = ad.read_h5ad(tmp_path / "a.h5ad")
    for read, table in zip(TABLES, before, strict=True):
        pd.testing.assert_frame_equal(read(back), table)
    pd.testing.assert_frame_equal(get.cells(back), get.cells(adata))
    assert get.summary(back) == get.summary(adata)


def test_tables_are_copies(adata: ad.AnnData) -> None:
    for read in TABLES:
        table = read(adata)
        table["cluster"] = "changed"
        assert "changed" not in set(read(adata)["cluster"])


def test_another_key_added_reads_its_own_slots() -> None:
    adata = annotated("other")
    assert len(get.clusters(adata, "other")) == len(CLUSTERS)
    with pytest.raises(InputError, match=r"run cafsc\.annotate first"):
        get.clusters(adata)


def test_without_clusters_tables_are_empty_but_whole(adata: ad.AnnData, empty: ad.AnnData) -> None:
    for read in TABLES:
        table = read(empty)
        assert len(table) == 0
        assert list(table.columns) == list(read(adata).columns)
        assert list(table.dtypes) == list(read(adata).dtypes)
    cells = get.cells(empty)
    assert len(cells) == empty.n_obs
    assert cells[["cluster", "subtype", "confidence", "call"]].isna().all(axis=None)


@pytest.mark.parametrize("read", [*TABLES, get.cells, get.summary, get.provenance])
def test_an_unannotated_object_is_refused_with_the_way_out(read: object) -> None:
    bare = ad.AnnData(np.zeros((2, 2), dtype=np.float32))
    with pytest.raises(InputError) as caught:
        read(bare)  # type: ignore[operator]
    assert caught.value.fix == "run cafsc.annotate first"


@pytest.mark.parametrize("name", ["clusters", "evidence", "scores", "summary", "provenance"])
def test_a_missing_part_is_named(adata: ad.AnnData, name: str) -> None:
    del adata.uns["cafsc"][name]
    with pytest.raises(InputError, match=name):
        getattr(get, name)(adata)


def test_an_edited_table_is_refused_by_column(adata: ad.AnnData) -> None:
    adata.uns["cafsc"]["clusters"] = adata.uns["cafsc"]["clusters"].drop(columns="support")
    with pytest.raises(InputError, match="no column support"):
        get.clusters(adata)


def test_a_value_of_the_wrong_type_is_refused(adata: ad.AnnData) -> None:
    adata.uns["cafsc"]["evidence"] = adata.uns["cafsc"]["evidence"].assign(weight="heavy")
    with pytest.raises(InputError, match="wrong type"):
        get.evidence(adata)


@pytest.mark.parametrize(
    ("text", "why"), [("{", "not JSON"), ("[]", "holds a list"), ("{}", "has no version")]
)
def test_a_broken_summary_is_refused(adata: ad.AnnData, text: str, why: str) -> None:
    adata.uns["cafsc"]["summary"] = text
    with pytest.raises(InputError, match=why):
        get.summary(adata)


@pytest.mark.parametrize("read", [*TABLES, get.cells])
def test_the_docstring_names_every_column(adata: ad.AnnData, read: object) -> None:
    documented = set(re.findall(r"``([a-z_]+)``", read.__doc__ or ""))
    columns = {c for c in read(adata).columns if not c.startswith("scheme_")}  # type: ignore[operator]
    assert columns <= documented


def test_cancers_come_with_the_most_studied_first() -> None:
    table = get.cancers(annotated())
    assert table["cluster"].drop_duplicates().tolist() == get.clusters(annotated())["cluster"].tolist()
    for _, group in table.groupby("cluster"):
        assert group["n_own"].is_monotonic_decreasing
        assert group["chosen"].sum() == 1
    assert get.cancers(without_clusters()).empty
