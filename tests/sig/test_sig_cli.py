"""``cafsc signatures`` lists, shows, checks and exports what the API holds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cafsc.cli.signatures import app
from cafsc.sig import load, to_gmt
from cafsc.sig.listing import KINDS, SECTIONS

runner = CliRunner()

LISTED = dict(zip(KINDS, SECTIONS, strict=True))
"""What ``list --kind`` and ``show`` call each kind of entry."""


def listed(*words: str) -> list[dict[str, object]]:
    result = runner.invoke(app, ["list", "--json", *words])
    assert result.exit_code == 0, result.output
    rows: list[dict[str, object]] = json.loads(result.stdout)
    return rows


@pytest.mark.parametrize("kind", LISTED)
def test_list_has_a_row_for_everything_and_show_knows_it(kind: str) -> None:
    rows = listed("--kind", kind)
    attribute = {"exosome": "exosome_axes", "review": "review_claims"}.get(kind, kind)
    assert len({str(row["id"]) for row in rows}) == len(rows) == len(getattr(load(), attribute))
    identifier = f"{LISTED[kind]}:{rows[-1]['id']}"
    content = json.loads(runner.invoke(app, ["show", identifier, "--json"]).stdout)
    assert f"{content['kind']}:{content['id']}" == identifier
    assert runner.invoke(app, ["show", identifier]).exit_code == 0


def test_list_by_cancer_takes_common_names_and_keeps_pan() -> None:
    code = load().cancer("breast")
    rows = listed("--kind", "claims", "--cancer", "Breast")
    claims = [entry.claim for entry in load().claims]
    assert {row["id"] for row in rows} == {claim.id for claim in claims if {code, "pan"} & {*claim.cancer}}


def test_show_prints_what_was_dropped_and_why() -> None:
    entry = next(entry for entry in load().sets.values() if entry.definition.dropped)
    text = " ".join(runner.invoke(app, ["show", entry.id]).stdout.split())
    for gene, why in entry.definition.dropped.items():
        assert f"- {gene}: {' '.join(why.split())}" in text


def test_show_of_a_gene_gathers_the_sets_that_name_it() -> None:
    gene = next(iter(load().sets.values())).definition.genes[0]
    content = json.loads(runner.invoke(app, ["show", f"gene:{gene.lower()}", "--json"]).stdout)
    assert content["id"] == gene
    assert content["sets"] == [row["id"] for row in listed("--gene", gene)]
    names = {entry.id: {name.casefold() for name in entry.definition.genes} for entry in load().sets.values()}
    assert content["sets"] == [name for name, genes in names.items() if gene.casefold() in genes]


def test_search_finds_words_in_any_case_and_nothing_says_so() -> None:
    paper = next(iter(load().papers.values()))
    title = " ".join(paper.title.upper().split()[:3])
    result = runner.invoke(app, ["search", title, "--json"])
    assert ("papers", paper.key) in [(hit["kind"], hit["id"]) for hit in json.loads(result.stdout)]
    for words in (["search", "nosuchword"], ["list", "--gene", "NOSUCHGENE"]):
        assert "nothing matches" in runner.invoke(app, words).stdout


def test_diff_names_what_came_went_and_changed(tiny: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(tiny, new)
    path = new / "papers" / "one2020.yaml"
    path.write_text(path.read_text().replace("up: [ACTA2, TAGLN, POSTN]", "up: [ACTA2, TAGLN, FAP]"))
    said = runner.invoke(app, ["diff", str(tiny), str(new)]).stdout
    assert said == "sets: 1 changed\n  ~ one2020/myCAF\n      up: +FAP -POSTN\n"
    assert runner.invoke(app, ["diff", str(tiny), str(tiny)]).stdout == "no difference\n"
    (change,) = json.loads(runner.invoke(app, ["diff", str(tiny), str(new), "--json"]).stdout)
    assert (change["section"], change["id"], change["what"]) == ("sets", "one2020/myCAF", "changed")


def test_lint_prints_coverage_and_counts_open_review_claims(tiny: Path) -> None:
    result = runner.invoke(app, ["lint", str(tiny), "--coverage"])
    assert result.exit_code == 0, result.output
    assert "two2021/Col" in result.stdout
    assert "review claims covered 2/2" in result.stdout
    path = tiny / "axes" / "exosome.yaml"
    path.write_text(path.read_text().replace("[S002-002]", "[]"))
    assert runner.invoke(app, ["lint", str(tiny)]).exit_code == 2
    result = runner.invoke(app, ["lint", str(tiny), "--allow-uncovered"])
    assert result.exit_code == 0
    assert "review claims covered 1/2" in result.stdout


def test_lint_of_the_shipped_catalogue_is_clean_and_counts() -> None:
    result = runner.invoke(app, ["lint"])
    assert result.exit_code == 0, result.output
    counted = f"{len(load().sets)} sets, {len(load().claims)} claims, {len(load().papers)} papers"
    assert result.stdout.splitlines()[-1].startswith(counted)
    assert "review claims covered 302/302" in result.stdout


def test_export_writes_to_a_file_and_to_standard_output(tmp_path: Path) -> None:
    path = tmp_path / "cafsc.gmt"
    assert runner.invoke(app, ["export", "--format", "gmt", "-o", str(path)]).exit_code == 0
    assert path.read_text() == to_gmt(load())
    assert runner.invoke(app, ["export", "--format", "gmt"]).stdout == path.read_text()
    assert runner.invoke(app, ["export", "--format", "gmt", "-o", str(path)]).exit_code != 0


def test_export_tsv_is_the_network() -> None:
    texts = [runner.invoke(app, ["export", "--format", form]).stdout for form in ("decoupler", "tsv")]
    assert texts[0] == texts[1]
    assert texts[0].splitlines()[0] == "source\ttarget\tweight"
