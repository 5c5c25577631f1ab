"""``cafsc signatures`` lists, shows, checks and exports what the API holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cafsc._errors import OptionError
from cafsc.cli.signatures import app
from cafsc.sig import load, to_gmt

runner = CliRunner()


def listed(*words: str) -> list[dict[str, object]]:
    result = runner.invoke(app, ["list", "--json", *words])
    assert result.exit_code == 0, result.output
    rows: list[dict[str, object]] = json.loads(result.stdout)
    return rows


@pytest.mark.parametrize(
    ("kind", "n_rows"),
    [
        ("sets", len(load().sets)),
        ("programs", len(load().programs)),
        ("papers", len(load().papers)),
        ("claims", len(load().claims)),
        ("states", len(load().states)),
        ("schemes", len(load().schemes)),
    ],
)
def test_list_has_a_row_for_everything(kind: str, n_rows: int) -> None:
    rows = listed("--kind", kind)
    assert len(rows) == n_rows
    assert len({row["id"] for row in rows}) == n_rows


def test_list_by_gene_finds_the_sets_that_name_it() -> None:
    wanted = {
        entry.id
        for entry in load().sets.values()
        if "acta2" in {gene.casefold() for gene in entry.definition.genes}
    }
    assert {row["id"] for row in listed("--gene", "acta2")} == wanted


def test_list_by_cancer_takes_common_names_and_keeps_pan() -> None:
    code = load().cancer("breast")
    rows = listed("--kind", "claims", "--cancer", "Breast")
    assert {row["id"] for row in rows} == {
        entry.claim.id for entry in load().claims if {code, "pan"} & {*entry.claim.cancer}
    }


def test_table_names_every_set_on_a_line_of_its_own() -> None:
    lines = runner.invoke(app, ["list"]).stdout.splitlines()
    for identifier in load().sets:
        assert sum(identifier in line.split() for line in lines) == 1


def test_list_with_no_match_says_so() -> None:
    assert "nothing matches" in runner.invoke(app, ["list", "--gene", "NOSUCHGENE"]).stdout


def test_show_prints_genes_source_and_claims() -> None:
    claim = next(entry for entry in load().claims if entry.claim.about.startswith("set:"))
    identifier = claim.claim.about.removeprefix("set:")
    entry = load().sets[identifier]
    content = json.loads(runner.invoke(app, ["show", identifier, "--json"]).stdout)
    assert content["up"] == entry.definition.up
    assert content["link"] == entry.paper.link
    assert claim.claim.id in [about["id"] for about in content["claims"]]
    text = " ".join(runner.invoke(app, ["show", identifier]).stdout.split())
    assert claim.paper.citation in text


@pytest.mark.parametrize("kind", ["programs", "papers", "claims", "states", "schemes"])
def test_show_knows_every_kind(kind: str) -> None:
    identifier = str(listed("--kind", kind)[-1]["id"])
    result = runner.invoke(app, ["show", identifier, "--json"])
    assert json.loads(result.stdout)["id"] == identifier


def test_show_of_an_unknown_id_offers_close_ones() -> None:
    identifier = next(iter(load().sets))
    error = runner.invoke(app, ["show", identifier[:-1]]).exception
    assert isinstance(error, OptionError)
    assert identifier in str(error)


def test_lint_of_the_shipped_catalogue_is_clean_and_counts() -> None:
    result = runner.invoke(app, ["lint"])
    assert result.exit_code == 0, result.output
    last = result.stdout.splitlines()[-1]
    catalogue = load()
    assert (
        f"{len(catalogue.sets)} sets, {len(catalogue.claims)} claims, {len(catalogue.papers)} papers" in last
    )


def test_lint_of_a_broken_catalogue_ends_with_2(tiny: Path) -> None:
    (tiny / "schemes.yaml").write_text("schemes: {}\nextra: 1\n")
    result = runner.invoke(app, ["lint", str(tiny)])
    assert result.exit_code == 2
    assert "schemes.yaml: schema" in result.stdout


def test_export_writes_to_a_file_and_to_standard_output(tmp_path: Path) -> None:
    path = tmp_path / "cafsc.gmt"
    assert runner.invoke(app, ["export", "--format", "gmt", "-o", str(path)]).exit_code == 0
    assert path.read_text() == to_gmt(load())
    assert runner.invoke(app, ["export", "--format", "gmt"]).stdout == path.read_text()
    assert runner.invoke(app, ["export", "--format", "gmt", "-o", str(path)]).exit_code != 0


def test_export_tsv_has_a_header_and_rows() -> None:
    lines = runner.invoke(app, ["export", "--format", "tsv"]).stdout.splitlines()
    assert lines[0] == "source\ttarget\tweight"
    assert all(line.count("\t") == 2 for line in lines)


def test_module_imports_nothing_heavy() -> None:
    code = (
        "import sys, cafsc.cli.signatures; "
        "print([m for m in ('pandas', 'numpy', 'scanpy', 'anndata', 'pydantic', 'yaml') if m in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == "[]"
