from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from annotated import CLAIMS, CLUSTERS, HOSTILE_CLUSTER, SETS, annotated

from cafsc import get
from cafsc._keys import Keys
from cafsc.errors import InputError

Read = Callable[..., pd.DataFrame]
TABLES: tuple[Read, ...] = (get.clusters, get.evidence, get.scores, get.cancers)


def test_clusters_come_in_natural_order_with_their_values(adata: ad.AnnData) -> None:
    table = get.clusters(adata)
    assert list(table["cluster"]) == ["0", "1", "2", "10", HOSTILE_CLUSTER]
    assert list(table["n_cells"]) == [n for _, n, *_ in CLUSTERS]
    assert list(table["call_reason"]) == ["", "sensitive_to_one_source", "", "unresolved", "unresolved"]
    row = table.set_index("cluster").loc["10"]
    assert np.isnan(row["support"])
    assert row["reason"] == "mixed:myCAF+iCAF"
    assert table["scheme_kieffer"][0] == "ecm-myCAF"


def test_evidence_runs_for_against_context_and_by_falling_weight(adata: ad.AnnData) -> None:
    table = get.evidence(adata)
    assert len(table) == len(CLAIMS)
    first = table[table["cluster"] == "0"]
    assert list(first["side"]) == ["for", "for", "for", "for", "against", "context"]
    assert list(first["claim"])[:3] == ["feig2013-fap", "kieffer2020-ecm", "costa2018-s1-treg"]
    assert list(table[table["cluster"] == "1"]["side"]) == ["pro", "anti"]
    assert set(table.loc[~table["counted"], "claim"]) == {"kieffer2020-wound", "mechanics"}


def test_scores_hold_every_cluster_and_set_once(adata: ad.AnnData) -> None:
    table = get.scores(adata)
    assert len(table) == len(CLUSTERS) * len(SETS)
    assert not table.duplicated(["cluster", "set"]).any()
    assert list(table["kind"][: len(SETS)]) == ["subtype"] * 5 + ["program"] * 2


def test_scores_show_what_calibrate_wrote_and_are_missing_without_it(adata: ad.AnnData) -> None:
    columns = ["depth_rho", "stress_rho", "mean_adjusted"]
    assert get.scores(adata)[columns].isna().all(axis=None)
    stored = adata.uns["cafsc"]["scores"]
    adata.uns["cafsc"]["scores"] = stored.assign(depth_rho=0.5, stress_rho=-0.1, mean_adjusted=2.0)
    table = get.scores(adata)
    assert table[columns].drop_duplicates().to_numpy().tolist() == [[0.5, -0.1, 2.0]]


def test_cancers_come_with_the_most_studied_first(adata: ad.AnnData) -> None:
    table = get.cancers(adata)
    assert list(table["cluster"].unique()) == list(get.clusters(adata)["cluster"])
    for _, group in table.groupby("cluster"):
        assert group["n_own"].is_monotonic_decreasing
        assert group["chosen"].sum() == 1


def test_markers_come_by_falling_score_or_say_what_to_run(adata: ad.AnnData) -> None:
    with pytest.raises(InputError, match=r"no 'markers'") as caught:
        get.markers(adata)
    assert caught.value.fix == "run cafsc.tl.markers first"
    given = {"log_fold_change": 2.0, "share_in": 0.9, "share_out": 0.1, "p_adjusted": 0.01}
    found = (("10", "A", 3.0), ("2", "B", 1.0), ("2", "C", 5.0))
    rows = [{"cluster": cluster, "gene": gene, "score": score, **given} for cluster, gene, score in found]
    adata.uns["cafsc"]["markers"] = pd.DataFrame(rows)
    assert list(get.markers(adata)["gene"]) == ["C", "B", "A"]


def test_cells_follow_obs(adata: ad.AnnData) -> None:
    table = get.cells(adata)
    assert list(table["cell"]) == list(adata.obs_names)
    kept = table["gate"] == "kept"
    for column in ("cluster", "subtype", "cell_subtype", "call"):
        assert table.loc[kept, column].notna().all()
        assert table.loc[~kept, column].isna().all()
    assert table["cluster"].value_counts().to_dict() == {name: n for name, n, *_ in CLUSTERS}
    for name in (Keys().lineage, Keys().gate, Keys().subtype):
        adata.obs[name] = adata.obs[name].astype(object)
    pd.testing.assert_frame_equal(get.cells(adata), table)


def test_tables_survive_a_file_and_are_copies(adata: ad.AnnData, tmp_path: Path) -> None:
    adata.write_h5ad(tmp_path / "a.h5ad")
    back = ad.read_h5ad(tmp_path / "a.h5ad")
    for read in (*TABLES, get.cells):
        pd.testing.assert_frame_equal(read(back), read(adata))
        read(adata)["cluster"] = "changed"
        assert "changed" not in set(read(adata)["cluster"])
    assert get.summary(back) == get.summary(adata)


def test_a_former_column_name_is_read_and_stays_as_a_copy(adata: ad.AnnData) -> None:
    new = get.clusters(adata)
    adata.uns["cafsc"]["clusters"] = adata.uns["cafsc"]["clusters"].rename(
        columns={"sensitive_to": "hangs_on"}
    )
    pd.testing.assert_frame_equal(get.clusters(adata), new)
    assert list(new["sensitive_to"]) == list(new["hangs_on"]) == ["", "Wu 2020", "", "", ""]


def test_another_key_added_reads_its_own_slots() -> None:
    adata = annotated("other")
    assert len(get.clusters(adata, "other")) == len(CLUSTERS)
    with pytest.raises(InputError, match=r"run cafsc\.annotate first"):
        get.clusters(adata)


def test_without_clusters_tables_are_empty_but_whole(adata: ad.AnnData, empty: ad.AnnData) -> None:
    for read in TABLES:
        assert read(empty).empty
        assert read(empty).dtypes.equals(read(adata).dtypes)
    cells = get.cells(empty)
    assert len(cells) == empty.n_obs
    assert cells[["cluster", "subtype", "confidence", "call"]].isna().all(axis=None)


@pytest.mark.parametrize("read", [*TABLES, get.cells, get.markers, get.summary, get.provenance])
def test_an_unannotated_object_is_refused_with_the_way_out(read: Read) -> None:
    with pytest.raises(InputError) as caught:
        read(ad.AnnData(np.zeros((2, 2), dtype=np.float32)))
    assert caught.value.fix == "run cafsc.annotate first"


@pytest.mark.parametrize("name", ["clusters", "evidence", "scores", "summary", "provenance"])
def test_a_missing_part_is_named(adata: ad.AnnData, name: str) -> None:
    del adata.uns["cafsc"][name]
    with pytest.raises(InputError, match=name):
        getattr(get, name)(adata)


def test_an_edited_table_is_refused(adata: ad.AnnData) -> None:
    stored = adata.uns["cafsc"]
    stored["clusters"] = stored["clusters"].drop(columns="support")
    with pytest.raises(InputError, match="no column support"):
        get.clusters(adata)
    stored["evidence"] = stored["evidence"].assign(weight="heavy")
    with pytest.raises(InputError, match="wrong type"):
        get.evidence(adata)


@pytest.mark.parametrize(
    ("text", "why"), [("{", "not JSON"), ("[]", "holds a list"), ("{}", "has no version")]
)
def test_a_broken_summary_is_refused(adata: ad.AnnData, text: str, why: str) -> None:
    adata.uns["cafsc"]["summary"] = text
    with pytest.raises(InputError, match=why):
        get.summary(adata)
