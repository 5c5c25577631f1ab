"""Calls by cancer, single sources and shares with intervals, as the report words them."""

from __future__ import annotations

import anndata as ad

from cafsc import get, report
from cafsc.report._build import _intervals
from cafsc.report._cancers import cancer_rows
from cafsc.report._words import call_name, percent_range


def test_the_given_cancer_comes_first_and_unstudied_ones_are_left_out(adata: ad.AnnData) -> None:
    rows = cancer_rows(get.cancers(adata))
    assert [row["code"] for row in rows] == ["breast", "pancreas"]
    clusters = get.clusters(adata)
    assert [cell["cluster"] for cell in rows[0]["cells"]] == clusters["cluster"].tolist()
    assert [cell["call"] for cell in rows[0]["cells"]] == clusters["call"].tolist()


def test_the_page_shows_the_cancers_escaped(adata: ad.AnnData, empty: ad.AnnData) -> None:
    page = report.build(adata)
    section = page[page.index('<section id="cancers"') :]
    section = section[: section.index("</section>")]
    assert "breast cancer" in section
    assert "pancreatic &lt;i&gt;cancer&lt;/i&gt;" in section
    assert "thyroid" not in section
    assert 'id="cancers"' not in report.build(empty)


def test_a_single_source_is_said_with_the_call(adata: ad.AnnData) -> None:
    assert call_name("undetermined", "single_source") == "undetermined (single source)"
    assert call_name("undetermined", "no_claim") == "undetermined"
    assert "undetermined (single source)" not in report.build(adata)
    clusters = adata.uns["cafsc"]["clusters"]
    clusters.loc[clusters["cluster"] == "2", ["call", "call_reason"]] = ["undetermined", "single_source"]
    assert report.build(adata).count("undetermined (single source)") >= 2


def test_course_and_response_stand_on_the_card(adata: ad.AnnData) -> None:
    page = report.build(adata)
    assert "<dt>Course in patients</dt><dd>worse" in page
    assert "<dt>Response to therapy</dt><dd>better" in page
    assert page.count("<dt>Course in patients</dt>") == 1


def test_shares_with_their_intervals() -> None:
    assert percent_range(0.121, 0.309) == "12 to 31%"
    assert percent_range(0.301, 0.302) == "30%"
    found = {"share": 0.4, "low": 0.3, "high": 0.5}
    assert _intervals(found) == "30 to 50% over resampled cells"
    more = {**found, "low_samples": 0.1, "high_samples": 0.9}
    assert _intervals(more) == "30 to 50% over resampled cells, 10 to 90% over resampled samples"
    assert _intervals({}) == ""
