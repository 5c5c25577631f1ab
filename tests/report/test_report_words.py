from __future__ import annotations

import math

import anndata as ad
import pytest

from cafsc import get, sig
from cafsc.pl._names import lineage_name
from cafsc.report._build import flatten
from cafsc.report._ledger import address
from cafsc.report._words import (
    answer,
    call_reason,
    evidence_level,
    evidence_rank,
    gate_reason,
    number,
    outcome,
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


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("mixed:myCAF+iCAF", "myCAF and iCAF"),
        ("low_margin", "not clearly ahead"),
        ("low_support", "resampled"),
        ("low_coverage", "were measured"),
        ("no_evidence", "random gene sets"),
        ("too_few_cells", "too few cells"),
        ("a_new_code", "a new code"),
        ("", "No reason"),
    ],
)
def test_unresolved_reason(code: str, words: str) -> None:
    assert words in unresolved_reason(code)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("not_fibroblast:t_nk", "looks like T and NK cells"),
        ("doublet:fibroblast+t_nk", "looks like two cells in one droplet (fibroblasts and T and NK cells)"),
        ("unknown_lineage", "no lineage stood out"),
        ("low_quality", "too few genes were detected"),
        ("new:smooth_muscle", "new (smooth muscle)"),
    ],
)
def test_gate_reason(code: str, words: str) -> None:
    assert gate_reason(code) == words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("no_claim", "No claim"),
        ("single_source", "more than one"),
        ("both_sides", "both sides"),
        ("no_clear_side", "balanced"),
        ("sensitive_to_one_source", "One paper alone"),
        ("unresolved", "has no name"),
        ("another_code", "Reason: another code."),
    ],
)
def test_call_reason(code: str, words: str) -> None:
    assert words in call_reason(code)


def test_a_call_that_takes_a_side_needs_no_reason() -> None:
    assert call_reason("") == ""


def test_kinds_of_evidence_are_named_and_ranked_by_the_strongest() -> None:
    assert evidence_level("in_vitro+in_vivo") == "in culture, in vivo"
    assert evidence_rank("in_vitro+in_vivo") == evidence_rank("in_vivo") < evidence_rank("patients")
    assert evidence_rank("review") < evidence_rank("hearsay")


def test_outcome() -> None:
    assert outcome("prognosis", "worse") == "prognosis: worse"
    assert outcome("prognosis", "none") == "prognosis: no association"
    assert outcome("prognosis", "") == ""


def test_every_lineage_of_the_catalogue_has_a_name() -> None:
    for code in sig.load().lineages:
        assert lineage_name(code) != code.replace("_", " ") or code == "smooth_muscle"


def test_subject() -> None:
    assert subject("set:costa2018/CAF-S1") == "published set CAF-S1"
    assert subject("program:tgfb_response") == "programme tgfb response"
    assert subject("odd") == "odd"


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


def test_flatten() -> None:
    record = {"b": {"y": 1, "x": None}, "a": [1, 2], "c": {}}
    assert flatten(record) == [("a", "1, 2"), ("b.x", "none"), ("b.y", "1"), ("c", "none")]


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
