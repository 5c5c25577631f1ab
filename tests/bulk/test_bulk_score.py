"""Scores against the known shares of simulated mixtures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mixtures import SCALES, STATES, Cohort
from scipy import stats

from cafsc import bulk, sig
from cafsc.errors import OptionError


def rank_correlation(one: pd.Series, other: pd.Series) -> float:
    return float(stats.spearmanr(one.to_numpy(), other.to_numpy())[0])


@pytest.mark.parametrize("scale", SCALES)
def test_state_scores_follow_the_known_shares(cohort: Cohort, scale: str) -> None:
    found = bulk.score(SCALES[scale](cohort), ssgsea=False)
    assert found.summary["input"]["scale"] == scale
    for state in STATES:
        assert rank_correlation(found.scores[f"state:{state}"], cohort.shares[state]) >= 0.9


def test_fibroblast_content_follows_the_share_of_fibroblasts(cohort: Cohort, result: bulk.BulkResult) -> None:
    content = cohort.shares[list(STATES)].sum(axis=1)
    assert rank_correlation(result.scores["lineage:fibroblast"], content) >= 0.9


def test_ssgsea_agrees_in_direction(cohort: Cohort, result: bulk.BulkResult) -> None:
    assert result.ssgsea is not None
    assert list(result.ssgsea.columns) == list(result.scores.columns)
    for state in STATES:
        assert rank_correlation(result.ssgsea[f"state:{state}"], cohort.shares[state]) >= 0.8
    agreement = result.subjects.set_index("id")["agreement"]
    assert agreement["state:myCAF"] > 0.9
    assert agreement[result.subjects.set_index("id")["kind"] == "set"].median() > 0.8


def test_a_state_is_the_mean_of_its_covered_sets(result: bulk.BulkResult) -> None:
    table = result.subjects.set_index("id")
    covered = table.index[table["n_found"] >= 0.5 * table["n_genes"]]
    own = [name for member in sig.load().states["apCAF"].members if (name := f"set:{member}") in covered]
    np.testing.assert_allclose(result.scores["state:apCAF"], result.scores[own].mean(axis=1))


def test_the_prognosis_markers_of_the_reviews_have_a_score(result: bulk.BulkResult) -> None:
    kinds = set(result.subjects["kind"])
    assert kinds == {"state", "set", "program", "lineage", "gene", "biomarker"}
    assert not result.scores.isna().any().any()


def test_same_input_same_result(cohort: Cohort, result: bulk.BulkResult) -> None:
    again = bulk.score(cohort.counts, cancer="breast")
    pd.testing.assert_frame_equal(again.scores, result.scores, check_exact=True)
    assert again.ssgsea is not None and result.ssgsea is not None
    pd.testing.assert_frame_equal(again.ssgsea, result.ssgsea, check_exact=True)
    pd.testing.assert_frame_equal(again.verdict, result.verdict, check_exact=True)


def test_own_signatures_are_scored(cohort: Cohort, tmp_path: Path) -> None:
    path = tmp_path / "mine.gmt"
    genes = list(cohort.counts.columns[:12])
    path.write_text("mine\tdescription\t" + "\t".join(genes) + "\n")
    found = bulk.score(cohort.counts, signatures=[path, {"other": genes[3:]}], ssgsea=False)
    assert {"mine", "other"} <= {name.rpartition("/")[2] for name in found.scores}


def test_the_summary_records_species_and_weights(cohort: Cohort) -> None:
    weights = {"evidence": {"in_vitro": 0.1}}
    summary = json.loads(json.dumps(bulk.score(cohort.counts, weights=weights, ssgsea=False).summary))
    assert summary["input"]["species"] == "human"
    assert summary["weights"]["evidence"]["in_vitro"] == 0.1


def test_unknown_cancer_and_paper_are_refused(cohort: Cohort) -> None:
    with pytest.raises(OptionError, match="not known"):
        bulk.score(cohort.counts, cancer="toenail", ssgsea=False)
    with pytest.raises(OptionError, match="nobody1999"):
        bulk.score(cohort.counts, exclude_papers=["nobody1999"], ssgsea=False)
