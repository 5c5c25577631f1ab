"""The call of each cluster, and a ledger that can be recomputed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData

from cafsc import sig, tl
from cafsc._config import VerdictConfig
from cafsc.errors import InputError, OptionError
from cafsc.sig import signatures_dir
from cafsc.tl.verdict.weigh import Vote, weigh

ASMA = "set:mcandrews2022/aSMA-pos"


@pytest.fixture(scope="module")
def called(_labelled: AnnData) -> Callable[..., AnnData]:
    """The labelled tumour with the verdict for a cancer."""
    made: dict[str, AnnData] = {}

    def call(cancer: str | None = None) -> AnnData:
        if str(cancer) not in made:
            adata = _labelled.copy()
            tl.verdict(adata, cancer=cancer)
            made[str(cancer)] = adata
        return made[str(cancer)]

    return call


def evidence(adata: AnnData) -> pd.DataFrame:
    table: pd.DataFrame = adata.uns["cafsc"]["evidence"]
    return table


def clusters(adata: AnnData) -> pd.DataFrame:
    table: pd.DataFrame = adata.uns["cafsc"]["clusters"]
    return table


def claims() -> dict[str, Any]:
    return {entry.claim.id: entry for entry in sig.load().claims}


def all_votes(rows: pd.DataFrame) -> list[Vote]:
    return [
        Vote(row.paper, row.effect, row.weight, row.evidence != "review", row.group, row.about)
        for row in rows.itertuples()
    ]


def test_every_weight_can_be_recomputed_from_the_published_numbers(called: Callable[..., AnnData]) -> None:
    weights = yaml.safe_load((signatures_dir() / "weights.yaml").read_text(encoding="utf-8"))
    organs = {code: cancer.organ for code, cancer in sig.load().cancers.items()}
    code = sig.load().cancer("breast")
    rows = evidence(called("breast"))
    assert len(rows) > 50
    for row in rows.to_dict("records"):
        level = max(weights["evidence"][name] for name in row["evidence"].split("+"))
        named = row["cancer"].split(", ")
        if code in named:
            fit = "same"
        elif organs[code] in {organs.get(name) for name in named}:
            fit = "same_organ"
        else:
            fit = "pan" if "pan" in named else "other"
        species = "same" if "human" in row["species"].split(", ") else "other"
        kind, _, name = row["about"].partition(":")
        if kind == "set" and len(sig.load().sets[name].definition.genes) < 3:
            kind = "marker"
        expected = (
            level
            * weights["cancer"][fit]
            * weights["species"][species]
            * weights.get("subject", {}).get(kind, 1.0)
            * row["presence"]
        )
        assert row["weight"] == pytest.approx(expected), row["claim"]


def test_every_row_can_be_opened_and_is_what_the_catalogue_says(called: Callable[..., AnnData]) -> None:
    known = claims()
    for row in evidence(called("breast")).to_dict("records"):
        assert row["doi"] or row["pmid"]
        assert row["link"].startswith("https://")
        entry = known[row["claim"]]
        assert (row["effect"], row["statement"]) == (entry.claim.effect, entry.claim.statement)
        assert (row["paper"], row["about"]) == (entry.paper.key, entry.claim.about)
        assert row["prognosis"] == (entry.claim.prognosis or "")
        assert 0 < row["presence"] <= 1


def test_the_call_follows_from_the_counted_rows(called: Callable[..., AnnData]) -> None:
    adata = called("breast")
    for cluster in clusters(adata).to_dict("records"):
        rows = evidence(adata)[evidence(adata)["cluster"] == cluster["cluster"]]
        votes = rows[rows["counted"]]
        assert set(votes["effect"]) <= {"pro", "anti"}
        assert not votes.duplicated(["group", "effect"]).any()
        pro = votes.loc[votes["effect"] == "pro", "weight"].sum()
        anti = votes.loc[votes["effect"] == "anti", "weight"].sum()
        assert cluster["verdict_score"] == pytest.approx((pro - anti) / (pro + anti))
        assert cluster["n_pro"] == (votes["effect"] == "pro").sum()
        assert cluster["n_anti"] == (votes["effect"] == "anti").sum()
        assert cluster["verdict_low"] <= cluster["verdict_score"] <= cluster["verdict_high"]
        again = weigh(all_votes(rows), VerdictConfig())
        assert (again.call, again.reason) == (cluster["call"], cluster["call_reason"])
        heaviest = rows.groupby(["group", "effect"])["weight"].max()
        for vote in votes.itertuples():
            assert vote.weight == heaviest[(vote.group, vote.effect)]


def test_papers_of_one_laboratory_share_their_votes(called: Callable[..., AnnData]) -> None:
    rows = evidence(called("breast"))
    groups = sig.load().groups
    for row in rows.to_dict("records"):
        named = [name for name, group in groups.items() if row["paper"] in group.papers]
        assert row["group"] == (named[0] if named else row["paper"])
    shared = rows[rows["group"].isin(groups)].groupby(["cluster", "group"])["paper"].nunique()
    assert shared.max() > 1
    assert rows[rows["counted"]].groupby(["cluster", "group", "effect"]).size().max() == 1


def test_prognosis_and_response_stand_apart_from_the_call(called: Callable[..., AnnData]) -> None:
    adata = called("breast")
    for cluster in clusters(adata).to_dict("records"):
        rows = evidence(adata)[evidence(adata)["cluster"] == cluster["cluster"]]
        for column in ("prognosis", "therapy_response"):
            told = set(rows.loc[rows["evidence"] != "review", column]) & {"worse", "better"}
            assert cluster[column] in ({"mixed", *told} if len(told) == 2 else told or {""})


def test_cancers_side_by_side_repeat_the_call_of_the_chosen(called: Callable[..., AnnData]) -> None:
    for cancer in ("breast", "pancreas"):
        adata = called(cancer)
        table = adata.uns["cafsc"]["cancers"]
        chosen = table[table["chosen"]].set_index("cluster")
        assert set(chosen["cancer"]) == {cancer}
        own = clusters(adata).set_index("cluster")
        for column, here in (("call", "call"), ("verdict_score", "score"), ("n_pro", "n_pro")):
            assert chosen[here].tolist() == own.loc[chosen.index, column].tolist()
        other = table[table["cancer"] != cancer].sort_values(["cluster", "cancer"])
        assert not other["chosen"].any()
    breast, pancreas = (
        called(c).uns["cafsc"]["cancers"].drop(columns="chosen").sort_values(["cluster", "cancer"])
        for c in ("breast", "pancreas")
    )
    pd.testing.assert_frame_equal(breast.reset_index(drop=True), pancreas.reset_index(drop=True))


def test_weights_of_ones_own_change_the_ledger(labelled: AnnData, called: Callable[..., AnnData]) -> None:
    tl.verdict(labelled, cancer="breast", weights={"evidence": {"in_vitro": 0.0}})
    gone = evidence(called("breast")).query("evidence == 'in_vitro'")["claim"]
    assert len(gone) > 0
    assert not set(gone) & set(evidence(labelled)["claim"])
    kept = evidence(called("breast")).query("evidence == 'in_vivo'").set_index(["cluster", "claim"])["weight"]
    now = evidence(labelled).set_index(["cluster", "claim"])["weight"]
    assert (now.loc[kept.index] == kept).all()


def test_sides_are_seen_from_the_call(called: Callable[..., AnnData]) -> None:
    for row in evidence(called("breast")).to_dict("records"):
        if row["effect"] == "context":
            assert row["side"] == "context"
        elif row["call"] in ("mixed", "undetermined"):
            assert row["side"] == row["effect"]
        else:
            assert row["side"] == ("for" if row["effect"] == row["call"] else "against")


def test_claims_for_and_against_are_both_shown(called: Callable[..., AnnData]) -> None:
    effects = evidence(called("breast")).groupby("cluster")["effect"].agg(set)
    assert all({"pro", "anti"} <= found for found in effects)


def test_a_claim_travels_badly_between_cancers(called: Callable[..., AnnData]) -> None:
    """alpha-SMA+ cells restrain pancreatic tumours: that weighs most where the tumour is one."""
    weights = yaml.safe_load((signatures_dir() / "weights.yaml").read_text(encoding="utf-8"))["cancer"]
    rows = {}
    for cancer in ("breast", "pancreas"):
        found = evidence(called(cancer))
        found = found[(found["about"] == ASMA) & found["cancer"].str.contains("pancreas|PDAC", regex=True)]
        rows[cancer] = found.set_index(["cluster", "claim"])["weight"]
    assert len(rows["breast"]) > 0
    assert set(rows["breast"].index) == set(rows["pancreas"].index)
    ratio = rows["pancreas"] / rows["breast"].loc[rows["pancreas"].index]
    np.testing.assert_allclose(ratio, weights["same"] / weights["other"])
    scores = [clusters(called(cancer))["verdict_score"].tolist() for cancer in ("breast", "pancreas")]
    assert scores[0] != scores[1]


def test_without_a_cancer_all_claims_fit_alike(called: Callable[..., AnnData]) -> None:
    weights = yaml.safe_load((signatures_dir() / "weights.yaml").read_text(encoding="utf-8"))["cancer"]
    breast, none = (
        evidence(called(cancer)).set_index(["cluster", "claim"])["weight"] for cancer in ("breast", None)
    )
    ratio = (none / breast.loc[none.index]).round(6)
    fits = {round(weights["unknown"] / weights[fit], 6) for fit in ("same", "same_organ", "pan", "other")}
    assert set(ratio) <= fits
    assert len(set(ratio)) > 1


def test_a_name_and_a_code_mean_the_same(_labelled: AnnData, called: Callable[..., AnnData]) -> None:
    adata = _labelled.copy()
    tl.verdict(adata, cancer="Breast")
    pd.testing.assert_frame_equal(evidence(adata), evidence(called("breast")))


def test_an_unknown_cancer_lists_the_known(labelled: AnnData) -> None:
    with pytest.raises(OptionError) as caught:
        tl.verdict(labelled, cancer="pancraes")
    assert "pancreas" in str(caught.value.expected)
    assert "breast" in str(caught.value.expected)
    assert "did you mean" in str(caught.value.fix)


def test_an_unresolved_cluster_shows_its_ledger_and_is_not_called(labelled: AnnData) -> None:
    table = clusters(labelled).copy()
    table.loc[0, ["subtype", "reason"]] = ["unresolved", "low_margin"]
    labelled.uns["cafsc"]["clusters"] = table
    tl.verdict(labelled, cancer="breast")
    first = clusters(labelled).iloc[0]
    assert (first["call"], first["call_reason"], first["sensitive_to"]) == ("undetermined", "unresolved", "")
    assert (evidence(labelled)["cluster"] == first["cluster"]).any()
    kept = labelled.obs[labelled.obs["caf_cluster"] == first["cluster"]]
    assert set(kept["caf_call"]) == {"undetermined"}


def test_cells_carry_the_call_of_their_cluster(called: Callable[..., AnnData]) -> None:
    adata = called("breast")
    calls = clusters(adata).set_index("cluster")["call"]
    kept = adata.obs["caf_gate"] == "kept"
    told = adata.obs.loc[kept, "caf_cluster"].astype(str).map(calls)
    assert (adata.obs.loc[kept, "caf_call"].astype(str) == told).all()
    assert adata.obs.loc[~kept, "caf_call"].isna().all()


def test_leading_papers_are_the_heaviest_that_voted(called: Callable[..., AnnData]) -> None:
    adata = called("breast")
    short = {paper.key: f"{paper.first_author} {paper.year}" for paper in sig.load().papers.values()}
    for cluster in clusters(adata).to_dict("records"):
        rows = evidence(adata).query("cluster == @cluster['cluster'] and counted")
        if cluster["call"] in ("pro", "anti"):
            parts = [rows[rows["effect"] == cluster["call"]]]
        else:
            parts = [rows[rows["effect"] == effect] for effect in ("pro", "anti")]
        expected = [
            ", ".join(
                short[key] for key in part.sort_values("weight", ascending=False, kind="stable")["paper"][:3]
            )
            for part in parts
        ]
        assert cluster["leading"] == " | ".join(text for text in expected if text)


def test_a_state_claim_is_present_as_far_as_the_name_is_supported(called: Callable[..., AnnData]) -> None:
    adata = called("breast")
    table = clusters(adata).set_index("cluster")
    rows = evidence(adata)
    rows = rows[rows["about"].str.startswith("state:")]
    assert len(rows) > 0
    for row in rows.to_dict("records"):
        assert row["about"] == f"state:{table.loc[row['cluster'], 'subtype']}"
        assert row["presence"] == table.loc[row["cluster"], "support"]


def test_what_no_cluster_can_show_never_speaks(called: Callable[..., AnnData]) -> None:
    kinds = set(evidence(called("breast"))["about"].str.partition(":")[0])
    assert kinds <= {"state", "set", "gene", "program"}


def test_labels_come_first(scored: AnnData) -> None:
    with pytest.raises(InputError, match=r"cafsc\.tl\.label"):
        tl.verdict(scored)


def test_the_tables_can_be_written_as_json(called: Callable[..., AnnData]) -> None:
    json.dumps(evidence(called("breast")).to_dict("records"), allow_nan=False)
