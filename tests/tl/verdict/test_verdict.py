"""The call of each cluster, and an evidence table that can be recomputed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import yaml
from anndata import AnnData

from cafsc import sig, tl
from cafsc._config import VerdictConfig
from cafsc.errors import OptionError
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
        subject = weights.get("subject", {}).get(kind, 1.0)
        expected = level * weights["cancer"][fit] * weights["species"][species] * subject * row["presence"]
        assert row["weight"] == pytest.approx(expected), row["claim"]


def test_every_row_is_what_the_catalogue_says(called: Callable[..., AnnData]) -> None:
    known = {entry.claim.id: entry for entry in sig.load().claims}
    rows = evidence(called("breast"))
    json.dumps(rows.to_dict("records"), allow_nan=False)
    assert set(rows["about"].str.partition(":")[0]) <= {"state", "set", "gene", "program"}
    assert all({"pro", "anti"} <= found for found in rows.groupby("cluster")["effect"].agg(set))
    table = clusters(called("breast")).set_index("cluster")
    for row in rows.to_dict("records"):
        assert row["doi"] or row["pmid"]
        assert row["link"].startswith("https://")
        entry = known[row["claim"]]
        assert (row["effect"], row["statement"]) == (entry.claim.effect, entry.claim.statement)
        assert (row["paper"], row["about"]) == (entry.paper.key, entry.claim.about)
        assert row["prognosis"] == (entry.claim.prognosis or "")
        assert 0 < row["presence"] <= 1
        if row["about"].startswith("state:"):
            assert row["about"] == f"state:{table.loc[row['cluster'], 'subtype']}"
            assert row["presence"] == table.loc[row["cluster"], "support"]
        if row["effect"] == "context":
            assert row["side"] == "context"
        elif row["call"] in ("mixed", "undetermined"):
            assert row["side"] == row["effect"]
        else:
            assert row["side"] == ("for" if row["effect"] == row["call"] else "against")


def test_the_call_follows_from_the_counted_rows(called: Callable[..., AnnData]) -> None:
    adata = called("breast")
    short = {paper.key: f"{paper.first_author} {paper.year}" for paper in sig.load().papers.values()}
    for cluster in clusters(adata).to_dict("records"):
        rows = evidence(adata)[evidence(adata)["cluster"] == cluster["cluster"]]
        votes = rows[rows["counted"]]
        assert set(votes["effect"]) <= {"pro", "anti"}
        assert not votes.duplicated(["group", "effect"]).any()
        pro, anti = (votes.loc[votes["effect"] == effect, "weight"].sum() for effect in ("pro", "anti"))
        assert cluster["verdict_score"] == pytest.approx((pro - anti) / (pro + anti))
        assert cluster["n_pro"] == (votes["effect"] == "pro").sum()
        assert cluster["verdict_low"] <= cluster["verdict_score"] <= cluster["verdict_high"]
        all_votes = [
            Vote(row.paper, row.effect, row.weight, row.evidence != "review", row.group, row.about)
            for row in rows.itertuples()
        ]
        again = weigh(all_votes, VerdictConfig())
        assert (again.call, again.reason) == (cluster["call"], cluster["call_reason"])
        heaviest = rows.groupby(["group", "effect"])["weight"].max()
        for vote in votes.itertuples():
            assert vote.weight == heaviest[(vote.group, vote.effect)]
        sides = [cluster["call"]] if cluster["call"] in ("pro", "anti") else ["pro", "anti"]
        leading = [
            ", ".join(short[key] for key in votes[votes["effect"] == side]["paper"][:3]) for side in sides
        ]
        assert cluster["leading"] == " | ".join(text for text in leading if text)
        for column in ("prognosis", "therapy_response"):
            told = set(rows.loc[rows["evidence"] != "review", column]) & {"worse", "better"}
            assert cluster[column] in ({"mixed", *told} if len(told) == 2 else told or {""})
    calls = clusters(adata).set_index("cluster")["call"]
    kept = adata.obs["caf_gate"] == "kept"
    of_cells = adata.obs.loc[kept, "caf_cluster"].astype(str).map(calls)
    assert (adata.obs.loc[kept, "caf_call"].astype(str) == of_cells).all()
    assert adata.obs.loc[~kept, "caf_call"].isna().all()


def test_papers_of_one_laboratory_are_one_source(called: Callable[..., AnnData]) -> None:
    rows = evidence(called("breast"))
    groups = sig.load().groups
    for row in rows.to_dict("records"):
        named = [name for name, group in groups.items() if row["paper"] in group.papers]
        assert row["group"] == (named[0] if named else row["paper"])
    shared = rows[rows["group"].isin(groups)].groupby(["cluster", "group"])["paper"].nunique()
    assert shared.max() > 1


def test_cancers_side_by_side_repeat_the_call_of_the_chosen(called: Callable[..., AnnData]) -> None:
    tables = []
    for cancer in ("breast", "pancreas"):
        table = called(cancer).uns["cafsc"]["cancers"].sort_values(["cluster", "cancer"])
        chosen = table[table["chosen"]].set_index("cluster")
        assert set(chosen["cancer"]) == {cancer}
        own = clusters(called(cancer)).set_index("cluster").loc[chosen.index]
        for here, column in {
            "call": "call",
            "score": "verdict_score",
            "sensitive_to": "sensitive_to",
        }.items():
            assert chosen[here].tolist() == own[column].tolist()
        tables.append(table.drop(columns="chosen").reset_index(drop=True))
    pd.testing.assert_frame_equal(*tables)


def test_weights_of_ones_own_change_the_evidence(labelled: AnnData, called: Callable[..., AnnData]) -> None:
    tl.verdict(labelled, cancer="Breast", weights={"evidence": {"in_vitro": 0.0}})
    gone = evidence(called("breast")).query("evidence == 'in_vitro'")["claim"]
    assert len(gone) > 0
    assert not set(gone) & set(evidence(labelled)["claim"])
    kept = evidence(called("breast")).query("evidence == 'in_vivo'").set_index(["cluster", "claim"])["weight"]
    now = evidence(labelled).set_index(["cluster", "claim"])["weight"]
    assert (now.loc[kept.index] == kept).all()


def test_a_claim_weighs_less_in_another_cancer(called: Callable[..., AnnData]) -> None:
    """alpha-SMA+ cells restrain pancreatic tumours: that weighs most where the tumour is one."""
    weights = yaml.safe_load((signatures_dir() / "weights.yaml").read_text(encoding="utf-8"))["cancer"]
    breast, pancreas, none = (
        evidence(called(cancer)).set_index(["cluster", "claim"]) for cancer in ("breast", "pancreas", None)
    )
    about = breast.index[(breast["about"] == ASMA) & breast["cancer"].str.contains("pancreas|PDAC")]
    assert len(about) > 0
    ratio = pancreas.loc[about, "weight"] / breast.loc[about, "weight"]
    np.testing.assert_allclose(ratio, weights["same"] / weights["other"])
    fits = {round(weights["unknown"] / weights[fit], 6) for fit in ("same", "same_organ", "pan", "other")}
    found = set((none["weight"] / breast.loc[none.index, "weight"]).round(6))
    assert found <= fits
    assert len(found) > 1


def test_an_unknown_cancer_lists_the_known(labelled: AnnData) -> None:
    with pytest.raises(OptionError, match=r"(?s)breast.*did you mean 'pancreas'"):
        tl.verdict(labelled, cancer="pancraes")


def test_an_unresolved_cluster_has_evidence_and_no_call(labelled: AnnData) -> None:
    table = clusters(labelled).copy()
    table.loc[0, ["subtype", "reason"]] = ["unresolved", "low_margin"]
    labelled.uns["cafsc"]["clusters"] = table
    tl.verdict(labelled, cancer="breast")
    first = clusters(labelled).iloc[0]
    assert (first["call"], first["call_reason"], first["sensitive_to"]) == ("undetermined", "unresolved", "")
    assert (evidence(labelled)["cluster"] == first["cluster"]).any()
    kept = labelled.obs[labelled.obs["caf_cluster"] == first["cluster"]]
    assert set(kept["caf_call"]) == {"undetermined"}
