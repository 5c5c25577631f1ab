"""Records are loaded, found, searched and compared."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cafsc.errors import CatalogueError, OptionError
from cafsc.sig import conflicts, diff, find, read, search, to_json


def test_records_are_looked_up_by_id(tiny: Path) -> None:
    catalogue = read(tiny)
    assert catalogue.pairs["lr-one"].label == "CXCL12-CXCR4"
    assert catalogue.exosome_axes["exo-one"].label == "hsa-miR-21-5p > APAF1"
    assert catalogue.agents["drug"].genes == ("IL6R",)
    assert catalogue.biomarkers["mark"].genes == ["CAV1"]
    assert catalogue.unmeasured["stiff"].genes == ()
    assert catalogue.no_fixed_sign["gene:ACTA2"]
    assert catalogue.answers == {"S002-001": ("axis:lr-one",), "S002-002": ("exosome:exo-one",)}


def test_genes_of_a_subject(tiny: Path) -> None:
    subjects = ("set:one2020/myCAF", "state:iCAF", "axis:lr-one", "exosome:exo-one", "gene:FAP")
    catalogue = read(tiny)
    assert [" ".join(catalogue.genes_of(subject)) for subject in subjects] == [
        "ACTA2 TAGLN POSTN CFD", "CXCL12 CFD DPT", "CXCL12 CXCR4", "APAF1", "FAP",
    ]  # fmt: skip
    assert catalogue.genes_of("program:contract") == ("ACTA2", "MYL9", "CNN1")
    assert catalogue.up_genes("set:one2020/myCAF") == ("ACTA2", "TAGLN", "POSTN")
    assert all(catalogue.genes_of(subject) == () for subject in ("caf", "state:gone", "review:S002-001"))


def test_entry_holds_sources_claims_and_answers(tiny: Path) -> None:
    catalogue = read(tiny)
    entry = find(catalogue, "drug")
    assert (entry["kind"], entry["agent_kind"]) == ("agent", "antibody")
    link = "https://doi.org/10.1000/one"
    assert entry["sources"] == [{"key": "one2020", "citation": "One 2020 J", "link": link}]
    assert find(catalogue, "S002-001")["answers"] == ["axis:lr-one"]
    assert [claim["id"] for claim in find(catalogue, "one2020/myCAF")["claims"]] == ["one2020-pro"]
    assert [claim["id"] for claim in find(catalogue, "one2020")["claims"]] == ["one2020-pro"]


def test_entry_lists_the_conflicts_of_its_genes(tiny: Path) -> None:
    path = tiny / "papers" / "one2020.yaml"
    path.write_text(path.read_text().replace("up: [CXCL12, CFD, DPT]", "up: [CXCL12, POSTN, DPT]"))
    catalogue = read(tiny)
    assert [conflict.gene for conflict in conflicts(catalogue)] == ["POSTN"]
    for identifier in ("set:one2020/myCAF", "state:iCAF", "gene:POSTN"):
        assert [conflict["gene"] for conflict in find(catalogue, identifier)["conflicts"]] == ["POSTN"]
    assert "conflicts" not in find(catalogue, "gene:ACTA2")


def test_id_of_two_kinds_asks_for_the_kind(tiny: Path) -> None:
    path = tiny / "biomarkers.yaml"
    path.write_text(path.read_text().replace("id: mark", "id: drug"))
    catalogue = read(tiny)
    with pytest.raises(OptionError, match="agent:drug or biomarker:drug"):
        find(catalogue, "drug")
    assert find(catalogue, "biomarker:drug")["kind"] == "biomarker"


@pytest.mark.parametrize("identifier", ["gone", "agent:gone", "gene:NOSUCH", "gene:", ""])
def test_unknown_id_is_refused(tiny: Path, identifier: str) -> None:
    with pytest.raises(OptionError):
        find(read(tiny), identifier)
    with pytest.raises(OptionError, match="one2020/iCAF"):  # offers similar ids
        find(read(tiny), "one2020/iCA")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mir-21", {("exosome", "exo-one"), ("review", "S002-002")}),
        ("10.1000/ONE", {("papers", "one2020")}),
        ("blocks il-6", {("agents", "drug")}),
        ("DPT", {("sets", "one2020/iCAF")}),
        ("hold back", {("claims", "two2021-anti")}),
        ("stiffness nowhere", set()),
        ("  ", set()),
    ],
)
def test_search_finds_all_words_anywhere(tiny: Path, text: str, found: set[tuple[str, str]]) -> None:
    hits = {(hit.kind, hit.id) for hit in search(read(tiny), text)}
    assert found <= hits
    assert found or not hits
    assert search(read(tiny), "one2020/icaf")[0].id == "one2020/iCAF"  # the exact id first


def test_diff_of_a_folder_with_its_own_export_is_empty(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "release.json"
    text = to_json(read(tiny))
    path.write_text(text)
    assert diff(path, tiny) == diff(tiny, path) == ()
    assert '"not_for": {},' in text
    path.write_text(text.replace('"not_for": {},', ""))  # an older release without the field
    assert diff(path, tiny) == ()


def test_diff_sees_added_removed_and_changed(tiny: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    shutil.copytree(tiny, new)
    (new / "biomarkers.yaml").unlink()
    path = new / "agents.yaml"
    path.write_text(path.read_text().replace("kind: antibody", "kind: other"))
    path = new / "papers" / "two2021.yaml"
    text = path.read_text().replace("CAV1: low", "CAV1: high")
    path.write_text(text.replace("id: two2021-anti", "id: two2021-x"))
    found = {(change.section, change.id, change.what): change.details for change in diff(tiny, new)}
    assert found == {
        ("agents", "drug", "changed"): ("kind: antibody -> other",),
        ("biomarkers", "mark", "removed"): (),
        ("claims", "two2021-anti", "removed"): (),
        ("claims", "two2021-x", "added"): (),
        ("sets", "two2021/levels", "changed"): ("levels: +CAV1=high",),
    }


@pytest.mark.parametrize(
    "text", ["", "[]", '{"claims": 1}', '{"claims": [], "sets": {"a": 1}}', "[" * 100_000]
)
def test_diff_refuses_what_is_no_catalogue(tiny: Path, tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(CatalogueError, match=r"other\.json"):
        diff(path, tiny)
