"""Codes and numbers in the report's words."""

from __future__ import annotations

import math

import anndata as ad
import pytest

from cafsc import get, sig
from cafsc.get.schema import CLUSTERS, lineage_name
from cafsc.report._sections import cancer_rows
from cafsc.report._words import (
    address,
    answer,
    call_name,
    call_reason,
    evidence_level,
    evidence_rank,
    gate_reason,
    intervals,
    number,
    outcome,
    percent_range,
    share,
    subject,
    unresolved_reason,
)


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 10, "0%"), (1, 1000, "<1%"), (999, 1000, ">99%"), (10, 10, "100%"), (1, 3, "33%"), (0, 0, "0%")],
)
def test_share(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "+0.50"), (-0.5, "−0.50"), (0.0, "0.00"), (-0.001, "0.00"), (math.nan, "–")]
)
def test_number(value: float, text: str) -> None:
    assert number(value, sign=True) == text


def test_reasons_are_those_of_the_schema_with_their_detail() -> None:
    for column, words in (("reason", unresolved_reason), ("call_reason", call_reason)):
        for code, meaning in CLUSTERS[column].codes.items():
            assert words(code.partition(":")[0]) == meaning
    assert unresolved_reason("mixed:myCAF+iCAF").endswith("more than one state (myCAF and iCAF).")
    assert unresolved_reason("a_new_code") == call_reason("a_new_code") == "Reason: a new code."
    assert "No reason" in unresolved_reason("")
    assert call_reason("") == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("not_fibroblast:t_nk", "looks like T and NK cells"),
        ("doublet:fibroblast+t_nk", "looks like two cells in one droplet (fibroblasts and T and NK cells)"),
        ("unknown_lineage", "no lineage stood out"),
        ("new:smooth_muscle", "new (smooth muscle)"),
    ],
)
def test_gate_reason(code: str, words: str) -> None:
    assert gate_reason(code) == words


def test_evidence_and_its_subject_in_words() -> None:
    assert evidence_level("in_vitro+in_vivo") == "in culture, in vivo"
    assert evidence_rank("in_vitro+in_vivo") == evidence_rank("in_vivo") < evidence_rank("patients")
    assert evidence_rank("review") < evidence_rank("hearsay")
    assert outcome("prognosis", "none") == "prognosis: no association"
    assert outcome("prognosis", "") == ""
    assert subject("set:costa2018/CAF-S1") == "published set CAF-S1"
    assert subject("program:tgfb_response") == "programme tgfb response"
    assert subject("odd") == "odd"


def test_every_lineage_of_the_catalogue_has_a_name() -> None:
    for code in sig.load().lineages:
        assert lineage_name(code) != code.replace("_", " ") or code == "smooth_muscle"


def test_calls_and_shares_with_their_intervals() -> None:
    assert call_name("undetermined", "single_source") == "undetermined (single source)"
    assert call_name("pro") == "pro-tumour"
    assert percent_range(0.121, 0.309) == "12 to 31%"
    assert percent_range(0.301, 0.302) == "30%"
    found = {"share": 0.4, "low": 0.3, "high": 0.5}
    assert intervals(found) == "30 to 50% over resampled cells"
    more = {**found, "low_samples": 0.1, "high_samples": 0.9}
    assert intervals(more) == "30 to 50% over resampled cells, 10 to 90% over resampled samples"
    assert intervals({}) == ""


def test_the_given_cancer_comes_first_and_unstudied_ones_are_left_out(adata: ad.AnnData) -> None:
    rows = cancer_rows(get.cancers(adata))
    assert [row["code"] for row in rows] == ["breast", "pancreas"]
    clusters = get.clusters(adata)
    assert [cell["cluster"] for cell in rows[0]["cells"]] == clusters["cluster"].tolist()
    assert [cell["call"] for cell in rows[0]["cells"]] == clusters["call"].tolist()


@pytest.mark.parametrize(
    ("doi", "pmid", "link", "expected"),
    [
        ("10.1016/j.ccell.2018.01.011", "1", "", "https://doi.org/10.1016/j.ccell.2018.01.011"),
        ('10.1000/a"><b', "", "", "https://doi.org/10.1000/a%22%3E%3Cb"),
        ("", "29455927", "", "https://pubmed.ncbi.nlm.nih.gov/29455927/"),
        ("", "", "https://example.org/paper", "https://example.org/paper"),
        ("", "", "http://example.org/paper", ""),
        ("", "", "javascript:alert(1)", ""),
        ("", "", "data:text/html,x", ""),
        ("", "", "https://[", ""),
        ("no", "no", "", ""),
    ],
)
def test_address(doi: str, pmid: str, link: str, expected: str) -> None:
    assert address(doi, pmid, link) == expected


def test_answer_for_one_named_cluster(adata: ad.AnnData) -> None:
    summary = get.summary(adata)
    clusters = get.clusters(adata).head(1)
    summary |= {"cancer": None, "calls": {"pro": 40}}
    summary["gate"]["kept"] = 40
    text = answer(summary, clusters)
    assert text.startswith(
        "Of 160 cells, 40 (25%) are fibroblasts, in one cluster. They are myCAF (40 cells)."
    )
    assert "100% are in clusters that the literature calls pro-tumour" in text
    assert "no cancer type was given" in text


def test_answer_when_nothing_could_be_named(adata: ad.AnnData) -> None:
    clusters = get.clusters(adata).assign(subtype="unresolved")
    assert "None of them could be named with confidence." in answer(get.summary(adata), clusters)
