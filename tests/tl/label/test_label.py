"""Names of cells and clusters, in the data's own words and in published schemes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from cafsc import sig, tl
from cafsc._config import LabelConfig
from cafsc.errors import InputError, OptionError


def clusters(adata: AnnData) -> pd.DataFrame:
    table: pd.DataFrame = adata.uns["cafsc"]["clusters"]
    return table


def test_cells_take_the_state_they_were_drawn_from(labelled: AnnData) -> None:
    kept = labelled.obs[labelled.obs["caf_gate"] == "kept"]
    fibroblasts = kept[kept["simulated_type"].isin(["iCAF", "myCAF"])]
    right = fibroblasts["caf_cell_subtype"].astype(str) == fibroblasts["simulated_type"].astype(str)
    assert right.mean() > 0.95


def test_cluster_columns_belong_to_the_kept(labelled: AnnData) -> None:
    kept = labelled.obs["caf_gate"] == "kept"
    schemes = [f"caf_{scheme}" for scheme in sig.load().schemes]
    for column in ("caf_cluster", "caf_subtype", "caf_cell_subtype", "caf_confidence", *schemes):
        assert labelled.obs.loc[kept, column].notna().all()
        assert labelled.obs.loc[~kept, column].isna().all()
    assert labelled.obs["caf_confidence"].dropna().between(0, 1).all()


def test_the_table_says_what_the_cells_say(labelled: AnnData) -> None:
    table = clusters(labelled).set_index("cluster")
    kept = labelled.obs[labelled.obs["caf_gate"] == "kept"]
    size = kept["caf_cluster"].astype(str).value_counts()
    assert {name: int(n) for name, n in table["n_cells"].items()} == size.to_dict()
    assert table["fraction"].sum() == pytest.approx(1)
    for column, told in (("caf_subtype", "subtype"), ("caf_elyada", "scheme_elyada")):
        by_cluster = kept.groupby("caf_cluster", observed=True)[column].agg(lambda x: set(x.astype(str)))
        for cluster, values in by_cluster.items():
            assert values == {table.loc[str(cluster), told]}
    assert (table["reason"] == "").equals(table["subtype"] != "unresolved")


def test_the_genes_that_carried_a_name_are_the_states_own(labelled: AnnData) -> None:
    catalogue = sig.load()
    for row in clusters(labelled).to_dict("records"):
        genes = [gene for gene in row["top_genes"].split(", ") if gene]
        assert 1 <= len(genes) <= 8
        members = catalogue.states[row["subtype"]].members
        assert set(genes) <= {gene for name in members for gene in catalogue.sets[name].definition.up}


def test_every_set_has_a_row_with_its_coverage(labelled: AnnData) -> None:
    scores = labelled.uns["cafsc"]["scores"]
    subtypes = scores[scores["kind"] == "subtype"]
    assert len(subtypes) == len(clusters(labelled)) * labelled.obsm["caf_scores"].shape[1]
    for name, row in subtypes.set_index("set").iterrows():
        definition = sig.load().sets[str(name)].definition
        assert row["n_genes"] == len(definition.up) + len(definition.down)
        assert 0 <= row["n_found"] <= row["n_genes"]
    assert subtypes["fdr"].ge(subtypes["p"] - 1e-12).all()
    assert subtypes["error"].ge(0).all()


def test_own_clusters_keep_their_names_and_may_be_mixed(scored: AnnData) -> None:
    kept = scored.obs["caf_gate"] == "kept"
    scored.obs["mine"] = np.where(scored.obs["simulated_type"] == "iCAF", "A", "B")
    half = scored.obs_names[kept & (np.arange(scored.n_obs) % 2 == 0)]
    scored.obs.loc[half, "mine"] = "both"
    tl.label(scored, cluster_key="mine")
    table = clusters(scored).set_index("cluster")
    assert sorted(table.index) == ["A", "B", "both"]
    assert table.loc["A", "subtype"] == "iCAF"
    assert table.loc["B", "subtype"] == "myCAF"
    assert table.loc["both", "subtype"] == "unresolved"
    assert table.loc["both", "reason"] in ("mixed:myCAF+iCAF", "mixed:iCAF+myCAF")
    assert (scored.obs.loc[kept, "caf_cluster"].astype(str) == scored.obs.loc[kept, "mine"]).all()


def test_a_cluster_of_too_few_cells_has_no_name(scored: AnnData) -> None:
    scored.obs["mine"] = "rest"
    few = scored.obs_names[(scored.obs["caf_gate"] == "kept") & (scored.obs["simulated_type"] == "iCAF")][:3]
    scored.obs.loc[few, "mine"] = "few"
    tl.label(scored, cluster_key="mine")
    row = clusters(scored).set_index("cluster").loc["few"]
    assert (row["n_cells"], row["subtype"], row["reason"]) == (3, "unresolved", "too_few_cells")


def test_a_demand_that_cannot_be_met_leaves_all_without_a_name(scored: AnnData) -> None:
    tl.label(scored, config=LabelConfig(min_effect=1e6))
    assert set(clusters(scored)["subtype"]) == {"unresolved"}
    assert set(clusters(scored)["reason"]) == {"no_evidence"}


def test_without_coverage_no_state_competes(scored: AnnData) -> None:
    tl.label(scored, config=LabelConfig(min_genes=10_000))
    assert set(clusters(scored)["reason"]) == {"low_coverage"}
    assert set(scored.obs["caf_cell_subtype"].dropna()) == {"unresolved"}


def test_only_the_schemes_that_were_asked_for(scored: AnnData) -> None:
    tl.label(scored, schemes=["costa"])
    assert [name for name in clusters(scored).columns if str(name).startswith("scheme_")] == ["scheme_costa"]
    assert "caf_costa" in scored.obs
    assert "caf_elyada" not in scored.obs


def test_a_higher_resolution_makes_more_clusters_and_the_same_states(scored: AnnData) -> None:
    coarse, fine = scored.copy(), scored
    tl.label(coarse, config=LabelConfig(resolution=0.2))
    tl.label(fine, config=LabelConfig(resolution=3.0))
    assert len(clusters(fine)) > len(clusters(coarse))
    assert list(fine.obs["caf_cell_subtype"].astype(str)) == list(coarse.obs["caf_cell_subtype"].astype(str))


def test_no_fibroblast_gives_empty_tables(gated: AnnData) -> None:
    gated.obs["caf_gate"] = "unknown_lineage"
    tl.score(gated)
    tl.label(gated)
    tl.programs(gated)
    assert len(clusters(gated)) == 0
    assert len(gated.uns["cafsc"]["scores"]) == 0
    assert gated.obs["caf_subtype"].isna().all()


def test_a_single_fibroblast_is_not_named(gated: AnnData) -> None:
    reason = np.full(gated.n_obs, "unknown_lineage", dtype=object)
    reason[np.flatnonzero(gated.obs["simulated_type"] == "iCAF")[0]] = "kept"
    gated.obs["caf_gate"] = pd.Categorical(reason)
    tl.score(gated)
    tl.label(gated)
    tl.programs(gated)
    tl.verdict(gated)
    assert list(clusters(gated)["subtype"]) == ["unresolved"]
    assert list(clusters(gated)["call"]) == ["undetermined"]


def test_scores_come_first(gated: AnnData) -> None:
    with pytest.raises(InputError, match=r"cafsc\.tl\.score"):
        tl.label(gated)


@pytest.mark.parametrize("options", [{"cluster_key": "nothing"}, {"schemes": ["nothing"]}])
def test_unknown_names_list_the_known(scored: AnnData, options: dict[str, object]) -> None:
    with pytest.raises(OptionError) as caught:
        tl.label(scored, **options)  # type: ignore[arg-type]
    assert "nothing" in caught.value.found
    assert caught.value.expected
