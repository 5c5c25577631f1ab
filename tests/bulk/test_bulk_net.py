"""The net verdict per sample: what moves it, and what must not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from mixtures import STATES, Cohort, auc
from scipy import stats

from cafsc import bulk, sig
from cafsc.bulk.net import residual_z

CALLS = {"pro", "anti", "mixed", "undetermined"}


def test_residual_z_is_independent_of_the_content() -> None:
    random = np.random.default_rng(0)
    content = random.normal(size=200)
    own = random.normal(size=200)
    scores = np.column_stack([3 * content + own, -content + own, 2 * content, np.full(200, 4.0)])
    found = residual_z(scores, content)
    assert np.abs(content @ found).max() < 1e-6
    assert np.corrcoef(found[:, 0], own)[0, 1] > 0.99
    np.testing.assert_allclose(found[:, :2].std(axis=0), 1.0)
    # Scores that the content explains completely, or that never vary, are 0.
    np.testing.assert_array_equal(found[:, 2:], 0.0)


def test_what_other_cells_express_counts_little(result: bulk.BulkResult) -> None:
    """In a mixture, antigen presentation belongs to immune cells; matrix does not."""
    shares = result.evidence.groupby("read_by")["attribution"].first()
    assert shares["state:myCAF"] > 0.6
    assert shares["state:iCAF"] > 0.6
    assert shares.get("state:apCAF", 0.0) < 0.3


def test_a_set_of_a_state_is_read_by_the_state(result: bulk.BulkResult) -> None:
    about = result.evidence.set_index("about")["read_by"]
    assert set(about[["set:cords2023/iCAF"]]) == {"state:iCAF"}
    assert set(about[["set:hussain2020/FAP-high"]]) == {"set:hussain2020/FAP-high"}


def test_shares_of_a_side_add_up(result: bulk.BulkResult) -> None:
    for _, side in result.evidence.groupby("effect"):
        assert side["share"].sum() == pytest.approx(1)
    assert ((result.evidence["doi"] != "") | (result.evidence["pmid"] != "")).all()


def test_the_verdict_table(cohort: Cohort, result: bulk.BulkResult) -> None:
    table = result.verdict
    assert list(table["sample"]) == list(cohort.counts.index)
    assert table["verdict_score"].between(-1, 1).all()
    assert (table["verdict_low"] <= table["verdict_score"]).all()
    assert (table["verdict_score"] <= table["verdict_high"]).all()
    np.testing.assert_allclose(table["pro"] - table["anti"], table["verdict_score"])
    assert set(table["call"]) <= CALLS
    sided = table[table["call"].isin(["pro", "anti"])]
    assert len(sided)
    assert ((sided["verdict_score"] > 0) == (sided["call"] == "pro")).all()
    assert (sided["verdict_low"] * sided["verdict_high"] > 0).all()
    assert (sided["sensitive_to"] == "").all()
    assert (table.loc[table["call"] == "mixed", "sensitive_to"] != "").all()
    changes_sign = table["verdict_low"] * table["verdict_high"] < 0
    assert changes_sign.any()
    assert (changes_sign == (table["sensitive_to"] != "")).all()
    assert (table["hangs_on"] == table["sensitive_to"]).all()


@pytest.mark.parametrize("cancer", [None, "pancreas", "breast"])
def test_the_verdict_separates_matrix_from_complement_fibroblasts(cohort: Cohort, cancer: str | None) -> None:
    """Without the paper whose calls these are: its sets and claims are left out."""
    truth = cohort.myofibroblastic > 0.5
    found = bulk.score(cohort.counts, cancer=cancer, exclude_papers=["peng2024"], ssgsea=False)
    assert auc(truth, found.verdict["verdict_score"].to_numpy()) > 0.85
    assert auc(truth, found.verdict["contrast"].to_numpy()) > 0.85


def test_the_verdict_depends_on_no_single_paper(cohort: Cohort) -> None:
    truth = cohort.myofibroblastic > 0.5
    whole = bulk.score(cohort.counts, ssgsea=False)
    for paper in sorted(set(whole.evidence.head(12)["paper"])):
        found = bulk.score(cohort.counts, exclude_papers=[paper], ssgsea=False)
        assert auc(truth, found.verdict["verdict_score"].to_numpy()) > 0.75, paper


def test_the_amount_of_fibroblasts_does_not_decide(cohort: Cohort, result: bulk.BulkResult) -> None:
    content = cohort.shares[list(STATES)].sum(axis=1)
    assert abs(stats.spearmanr(result.verdict["verdict_score"], content)[0]) < 0.3


def test_a_paper_left_out_is_left_out_of_everything(cohort: Cohort, result: bulk.BulkResult) -> None:
    catalogue = sig.load()
    found = bulk.score(cohort.counts, cancer="breast", exclude_papers=["kieffer2020"], ssgsea=False)
    assert "kieffer2020" in set(result.evidence["paper"])
    assert "kieffer2020" not in set(found.evidence["paper"])
    own = {f"set:{name}" for name, entry in catalogue.sets.items() if entry.paper.key == "kieffer2020"}
    assert own & set(result.scores)
    assert not own & set(found.scores)
    assert not own & set(found.evidence["about"])
    # The state is scored without its sets of that paper.
    assert not np.allclose(found.scores["state:myCAF"], result.scores["state:myCAF"])


def test_one_gene_does_not_count(result: bulk.BulkResult) -> None:
    sizes = result.subjects.set_index("id").loc[result.evidence["read_by"].unique(), "n_found"]
    assert (sizes >= 3).all()
    assert not any(about.startswith(("gene:", "biomarker:")) for about in result.evidence["about"])


def test_the_cancer_changes_the_weights(cohort: Cohort, result: bulk.BulkResult) -> None:
    other = bulk.score(cohort.counts, cancer="pancreas", ssgsea=False)
    assert other.summary["cancer"] == "pancreas"
    assert not np.allclose(other.verdict["verdict_score"], result.verdict["verdict_score"])
    pd.testing.assert_frame_equal(other.scores, result.scores)
