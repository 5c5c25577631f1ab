"""Every cluster can be explained: a runner-up, a margin, and what would change the result."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from anndata import AnnData

import cafsc
from cafsc import AnnotationResult, data, tl
from cafsc._config import VerdictConfig
from cafsc.errors import OptionError
from cafsc.tl.label.lead import Lead, gene_excess
from cafsc.tl.score.controls import SetColumns
from cafsc.tl.verdict.weigh import Vote, weigh


def columns(*genes: int) -> SetColumns:
    return SetColumns(np.array(genes, dtype=np.int64), np.zeros(0, dtype=np.int64), len(genes))


def test_a_lead_falls_with_the_genes_that_carry_it() -> None:
    lead = Lead(np.array([4.0, 1.0, 1.0, 1.5]), (columns(0, 1, 2),), (columns(3),), 0.0)
    assert gene_excess(np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1])).tolist() == [-1.0, 1.0, 0.0]
    assert lead.without([]) == pytest.approx(0.5)
    assert lead.without([0]) == pytest.approx(-0.5)
    assert lead.carriers() == [(0, pytest.approx(1.0))]
    assert lead.fewest_genes(0.0) == (0,)
    assert lead.fewest_genes(-10.0) is None
    assert Lead(lead.above, lead.first, lead.second, 1.0).without([0]) == pytest.approx(0.5)


def test_the_explanation_says_what_the_tables_say(annotated_tumour: AnnotationResult) -> None:
    for row in annotated_tumour.clusters.to_dict("records"):
        found = tl.explain(annotated_tumour.adata, row["cluster"])
        for name in ("cluster", "n_cells", "subtype", "reason", "call", "n_pro", "n_anti", "prognosis"):
            assert getattr(found, name) == row[name]
        assert found.cancer == "breast"
        assert next(iter(found.lineages)) == "fibroblast"
        by_name = {state.state: state for state in found.states}
        assert found.lead == pytest.approx(by_name[found.leading].score - by_name[found.runner_up].score)
        doi = {claim["doi"] for claim in (*found.claims_for, *found.claims_against)}
        assert doi
        assert doi <= set(annotated_tumour.evidence["doi"])


def test_genes_that_carried_a_name_are_those_of_its_sets(annotated_tumour: AnnotationResult) -> None:
    catalogue = cafsc.sig.load()
    named = annotated_tumour.clusters.query("subtype != 'unresolved'")
    assert len(named) > 0
    for cluster in named["cluster"]:
        found = tl.explain(annotated_tumour.adata, cluster)
        allowed = set(catalogue.genes_of(f"state:{found.leading}"))
        allowed |= set(catalogue.genes_of(f"state:{found.runner_up}"))
        assert found.genes
        assert {name for name, _ in found.genes} <= allowed
        costs = [cost for _, cost in found.genes]
        assert costs == sorted(costs, reverse=True)


def test_the_papers_that_would_change_the_call_do(annotated_tumour: AnnotationResult) -> None:
    catalogue = cafsc.sig.load()
    short = {paper.key: paper.short for paper in catalogue.papers.values()}
    for row in annotated_tumour.clusters.query("call == 'pro' or call == 'anti'").to_dict("records"):
        found = tl.explain(annotated_tumour.adata, row["cluster"])
        change = next(c for c in found.changes if c.of == "call" and c.kind == "papers")
        evidence = annotated_tumour.evidence
        left = evidence[
            (evidence["cluster"] == row["cluster"]) & ~evidence["paper"].map(short).isin(change.names)
        ]
        votes = [
            Vote(v.paper, v.effect, v.weight, v.evidence != "review", v.group, v.about)
            for v in left.itertuples()
        ]
        assert weigh(votes, VerdictConfig()).call == change.becomes != row["call"]


def test_text_and_json_hold_the_same(annotated_tumour: AnnotationResult) -> None:
    found = tl.explain(annotated_tumour.adata, annotated_tumour.clusters["cluster"].iloc[0])
    text, document = str(found), found.to_dict()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["runner_up"] in text
    for claim in document["claims_for"]:
        assert claim["doi"] in text or claim["pmid"] in text
    flat = " ".join(text.split())
    for change in document["changes"]:
        assert " ".join(change["text"].split()) in flat
    assert max(map(len, text.splitlines())) <= 100


def test_an_unknown_cluster_lists_the_known(annotated_tumour: AnnotationResult) -> None:
    with pytest.raises(OptionError) as caught:
        tl.explain(annotated_tumour.adata, "99")
    for cluster in annotated_tumour.clusters["cluster"]:
        assert cluster in str(caught.value.expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(data.datasets()["name"].head(7)))
def test_every_cluster_of_every_dataset_is_explained(dataset: Callable[[str], AnnData], name: str) -> None:
    result = cafsc.annotate(dataset(name))
    if result.clusters.empty:
        assert result.summary["message"]
        with pytest.raises(OptionError, match="no cluster"):
            tl.explain(result.adata, "0")
    for cluster in result.clusters["cluster"]:
        found = tl.explain(result.adata, cluster)
        assert found.runner_up
        assert found.runner_up != found.leading
        assert np.isfinite(found.margin)
        assert f"Runner-up {found.runner_up}" in str(found)
        assert any(change.of == "name" and change.kind == "margin" for change in found.changes)
        assert any(change.of == "call" for change in found.changes)
