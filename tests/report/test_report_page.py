from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
from annotated import CLAIMS, CLUSTERS, HOSTILE_LINK, annotated

from cafsc import report
from cafsc.errors import InputError, OutputError
from cafsc.get import schema


class Outline(HTMLParser):
    """Elements of a page with their attributes, and its text."""

    VOID = frozenset({"meta", "link", "br", "input", "img", "hr"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif self.open and self.open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> str:
    return report.build(annotated())


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return Outline(page)


def test_elements_are_closed_ids_are_unique_and_inner_links_lead_somewhere(outline: Outline) -> None:
    assert outline.open == []
    ids = [a["id"] for _, a in outline.elements if "id" in a]
    assert len(ids) == len(set(ids))
    inner = [a["href"][1:] for a in outline.all("a") if a.get("href", "").startswith("#")]
    assert inner
    assert set(inner) <= set(ids)
    used = {
        a[k][1:] for _, a in outline.elements for k in ("xlink:href", "href") if a.get(k, "").startswith("#")
    }
    assert used <= set(ids)
    for _, attributes in outline.elements:
        assert set(attributes.get("aria-labelledby", "").split()) <= set(ids)


def test_the_script_is_the_one_the_policy_allows(outline: Outline) -> None:
    policies = [m["content"] for m in outline.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert "default-src 'none'" in policies[0]
    (script,) = outline.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policies[0]
    assert len(outline.all("script")) == 1
    assert "src" not in outline.all("script")[0]


def test_nothing_is_loaded_from_outside(outline: Outline) -> None:
    for tag, attributes in outline.elements:
        for name in ("src", "srcset", "data", "action", "xlink:href", "poster"):
            assert attributes.get(name, "data:").startswith(("data:", "#")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
    for attributes in outline.all("link"):
        assert attributes["href"] == "data:,"
    assert "@import" not in "".join(a.get("style", "") for _, a in outline.elements)


def test_outward_links_are_safe(outline: Outline) -> None:
    outward = [a for a in outline.all("a") if not a["href"].startswith("#")]
    assert {a["href"] for a in outward} >= {c[8 + 2] for c in CLAIMS if c[10] != HOSTILE_LINK}
    for attributes in outward:
        assert attributes["href"].startswith(("https://doi.org/", "https://pubmed.ncbi.nlm.nih.gov/"))
        assert "noopener" in attributes["rel"]


def test_hostile_text_is_shown_as_text(page: str, outline: Outline) -> None:
    assert "javascript:" not in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page)
    for raw in ("<script>alert", "<img src=x", "<b>Hostile", "<b>found"):
        assert raw not in page
        assert raw in outline.text
    assert "tumour [31m<img src=x onerror=alert(1)>.h5ad" in outline.text


def test_the_answer_comes_first_and_in_words(outline: Outline) -> None:
    text = " ".join(outline.text.split())
    kept = sum(n for _, n, *_ in CLUSTERS)
    assert f"Of 160 cells, {kept} (58%) are fibroblasts, in five clusters." in text
    assert (
        "They are myCAF (40 cells), iCAF (25 cells) and vCAF (15 cells); 13 cells stayed without a name."
        in text
    )
    assert "43% are in clusters that the literature calls pro-tumour" in text
    assert text.index("Simulated data.") < text.index("Of 160 cells") < text.index("Leading papers")


def test_every_claim_stands_in_the_ledger(outline: Outline) -> None:
    rows = [a for a in outline.all("tr") if "claim" in a.get("class", "").split()]
    assert len(rows) == len(CLAIMS)
    assert sorted(r["data-effect"] for r in rows) == sorted(c[2] for c in CLAIMS)
    for statement in (c[12] for c in CLAIMS if "\x1b" not in c[12]):
        assert statement in outline.text


def test_unresolved_and_fragile_calls_votes_and_outcomes_are_explained(outline: Outline) -> None:
    text = " ".join(outline.text.split())
    for said in (
        "The cluster holds cells of more than one state (myCAF and iCAF).",
        "Why it is mixed: One paper alone, or those of one laboratory, decide the side. Without Wu 2020 the",
        "+0.62 of ±1; +0.32 to +0.92 in 95% of resamples of the papers",
        "prognosis: worse · response to therapy: no association",
        "in culture, patients",
    ):
        assert said in text, said
    assert text.count("not added") == 2  # Once in the words above the table, once beside the one such claim.


def test_calls_by_cancer_and_outcomes_are_shown(page: str) -> None:
    section = page[page.index('<section id="cancers"') :]
    section = section[: section.index("</section>")]
    assert "breast cancer" in section
    assert "pancreatic &lt;i&gt;cancer&lt;/i&gt;" in section
    assert "thyroid" not in section
    assert page.count("Course in patients</dt><dd>worse") == 1
    assert page.count("Response to therapy</dt><dd>better") == 1


def test_tables_and_figures_can_be_read_aloud(outline: Outline) -> None:
    assert all(a.get("scope") for a in outline.all("th"))
    figures = [a for a in outline.all("div") if a.get("role") == "img"]
    assert len(figures) == len(outline.all("figure")) == 6
    assert all(len(a["aria-label"]) > 40 for a in figures)
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in outline.elements}
    assert len(outline.all("h1")) == 1


def test_without_clusters_the_message_is_the_answer(empty: ad.AnnData) -> None:
    outline = Outline(report.build(empty))
    assert "Simulated data." not in outline.text
    assert "No fibroblast cluster: 0 of 160 cells passed the gate." in outline.text
    assert not outline.all("article")
    assert not [a for a in outline.all("section") if a["id"] == "cancers"]
    assert not [a for a in outline.all("details") if "ledger" in a.get("class", "")]
    inner = {a["href"][1:] for a in outline.all("a") if a["href"].startswith("#")}
    assert inner <= {a["id"] for _, a in outline.elements if "id" in a}


def test_a_result_without_coordinates_or_layer_still_has_a_report(adata: ad.AnnData) -> None:
    del adata.obsm["X_caf_pca"], adata.layers["counts"]
    assert len(Outline(report.build(adata)).all("figure")) == 4


def test_another_key_added_gives_the_same_page_and_leaves_the_object_as_it_was(page: str) -> None:
    adata, untouched = annotated("other"), annotated("other")
    assert report.build(adata, key_added="other") == page
    assert adata.obs.equals(untouched.obs)
    assert adata.uns["cafsc_other"]["evidence"].equals(untouched.uns["cafsc_other"]["evidence"])


def test_figures_leave_nothing_open_and_no_setting_changed(adata: ad.AnnData) -> None:
    from matplotlib import pyplot, rcParams

    before = dict(rcParams)
    report.build(adata)
    assert not pyplot.get_fignums()
    assert dict(rcParams) == before


def test_terms_and_headings_are_explained_by_the_schema(outline: Outline) -> None:
    shown = [a["title"] for tag, a in outline.elements if tag in ("dt", "th") and "title" in a]
    assert schema.CLUSTERS["support"].meaning in shown
    assert schema.EVIDENCE["weight"].meaning in shown


def test_an_unannotated_object_is_refused() -> None:
    with pytest.raises(InputError, match=r"run cafsc\.annotate first"):
        report.build(ad.AnnData(np.zeros((2, 2), dtype=np.float32)))


def test_write_stores_the_page_and_never_replaces_unasked(
    adata: ad.AnnData, page: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    report.write(adata, path)
    assert path.read_text(encoding="utf-8") == page
    path.write_text("mine")
    with pytest.raises(OutputError):
        report.write(adata, path)
    assert path.read_text() == "mine"
    report.write(adata, path, force=True)
    assert path.read_text(encoding="utf-8") == page
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
