"""Scores against the known shares of simulated mixtures."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from mixtures import SCALES, STATES, Cohort, mixture
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


def test_they_do_so_in_other_mixtures(_tumour: AnnData) -> None:
    found = []
    for seed in (1, 2, 3):
        cohort = mixture(_tumour, seed=seed)
        scores = bulk.score(cohort.counts, ssgsea=False).scores
        found.append([rank_correlation(scores[f"state:{state}"], cohort.shares[state]) for state in STATES])
    # Chance alone moves one mixture of a few dozen samples by some hundredths.
    assert (np.mean(found, axis=0) >= 0.9).all()
    assert np.min(found) >= 0.88


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


def test_ssgsea_is_what_gseapy_gives(cohort: Cohort, result: bulk.BulkResult) -> None:
    gseapy = pytest.importorskip("gseapy")
    from cafsc.bulk.levels import levels

    ready = levels(cohort.counts, "auto", "x")
    genes = [g for g in sig.load().sets["elyada2019/iCAF"].definition.up if g in ready.symbols]
    frame = pd.DataFrame(ready.values.T, index=ready.symbols, columns=ready.samples)
    own = (
        gseapy.ssgsea(
            data=frame, gene_sets={"x": genes}, outdir=None, min_size=1, max_size=5000, no_plot=True
        )
        .res2d.set_index("Name")["ES"]
        .astype(float)
    )
    assert result.ssgsea is not None
    np.testing.assert_allclose(
        result.ssgsea["set:elyada2019/iCAF"], own[list(ready.samples)].to_numpy(), rtol=1e-6
    )


def test_a_state_is_the_mean_of_its_sets(result: bulk.BulkResult) -> None:
    members = [f"set:{name}" for name in sig.load().states["apCAF"].members]
    own = [name for name in members if name in result.scores and _is_covered(result, name)]
    np.testing.assert_allclose(result.scores["state:apCAF"], result.scores[own].mean(axis=1))


def _is_covered(result: bulk.BulkResult, name: str) -> bool:
    row = result.subjects.set_index("id").loc[name]
    return bool(row["n_found"] >= 0.5 * row["n_genes"])


def test_the_prognosis_markers_of_the_reviews_have_a_score(result: bulk.BulkResult) -> None:
    kinds = set(result.subjects["kind"])
    assert kinds == {"state", "set", "program", "lineage", "gene", "biomarker"}
    assert not result.scores.isna().any().any()


def test_orientation_changes_nothing(cohort: Cohort, result: bulk.BulkResult) -> None:
    turned = bulk.score(cohort.counts.T, cancer="breast", ssgsea=False)
    pd.testing.assert_frame_equal(turned.scores, result.scores)
    assert any("genes in rows" in note for note in turned.summary["input"]["notes"])


def test_same_input_same_result(cohort: Cohort, result: bulk.BulkResult) -> None:
    again = bulk.score(cohort.counts, cancer="breast")
    pd.testing.assert_frame_equal(again.scores, result.scores, check_exact=True)
    assert again.ssgsea is not None and result.ssgsea is not None
    pd.testing.assert_frame_equal(again.ssgsea, result.ssgsea, check_exact=True)
    pd.testing.assert_frame_equal(again.verdict, result.verdict, check_exact=True)


def test_without_gseapy_the_message_says_how_to_get_it(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gseapy", None)
    with pytest.raises(OptionError, match=r"cafsc\[bulk\].*--no-ssgsea"):
        bulk.score(cohort.counts)
    assert bulk.score(cohort.counts, ssgsea=False).ssgsea is None


def test_own_signatures_are_scored(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("own") / "mine.gmt"
    genes = list(cohort.counts.columns[:12])
    path.write_text("mine\tdescription\t" + "\t".join(genes) + "\n")
    found = bulk.score(cohort.counts, signatures=[path], ssgsea=False)
    assert [name for name in found.scores if name.endswith("/mine")]


def test_unknown_cancer_and_paper_are_refused(cohort: Cohort) -> None:
    with pytest.raises(OptionError, match="not known"):
        bulk.score(cohort.counts, cancer="toenail", ssgsea=False)
    with pytest.raises(OptionError, match="nobody1999"):
        bulk.score(cohort.counts, exclude_papers=["nobody1999"], ssgsea=False)
