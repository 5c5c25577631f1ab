"""The catalogue joins its files, answers look-ups, and names what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from cafsc.errors import CatalogueError, OptionError
from cafsc.sig import load, read
from cafsc.sig.reference import reference_levels

MAX_LINES = 8


def test_sets_and_claims_know_their_paper(tiny: Path) -> None:
    catalogue = read(tiny)
    entry = catalogue.sets["one2020/iCAF"]
    assert entry.paper.citation == "One 2020 J"
    assert entry.paper.link == "https://doi.org/10.1000/one"
    assert (entry.schemes, entry.states) == (("one",), ("iCAF",))
    assert entry.definition.up == ["CXCL12", "CFD", "DPT"]
    assert entry.cancer == ("breast",)
    assert catalogue.sets["two2021/levels"].schemes == ()
    assert [each.id for each in catalogue.sets_in_scheme("one")] == ["one2020/myCAF", "one2020/iCAF"]
    (claim,) = catalogue.claims_about("state:iCAF")
    assert (claim.claim.id, claim.paper.key) == ("two2021-anti", "two2021")
    assert catalogue.claims_about("state:myCAF") == ()


@pytest.mark.parametrize("name", ["breast", "BREAST", "Breast cancer", "brca", " mammary ", "breast-cancer"])
def test_cancer_is_found_by_any_name(tiny: Path, name: str) -> None:
    assert read(tiny).cancer(name) == "breast"


def test_unknown_cancer_lists_the_known_with_the_closest_first(tiny: Path) -> None:
    with pytest.raises(OptionError, match="'pancraes'") as refused:
        read(tiny).cancer("pancraes")
    assert str(refused.value.expected).startswith("pdac")
    assert "breast" in str(refused.value.expected)
    with pytest.raises(OptionError, match="one"):
        read(tiny).sets_in_scheme("two")


def test_catalogue_cannot_be_changed(tiny: Path) -> None:
    catalogue = read(tiny)
    with pytest.raises(TypeError):
        catalogue.sets["x"] = catalogue.sets["one2020/iCAF"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        catalogue.sha256 = ""  # type: ignore[misc]


def test_sha256_follows_every_byte_and_file_name(tiny: Path) -> None:
    before = read(tiny).sha256
    assert read(tiny).sha256 == before
    scheme = tiny / "schemes.yaml"
    scheme.write_text(scheme.read_text() + "# a remark\n")
    changed = read(tiny).sha256
    assert changed != before
    (tiny / "papers" / "one2020.yaml").rename(tiny / "papers" / "renamed.yaml")
    assert read(tiny).sha256 not in (before, changed)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("POSTN", "7", ["sets.myCAF.up.2", "line 4", "string", "quote"]),
        ("POSTN", "ACTA2", ["sets.myCAF", "twice"]),
        ("POSTN", "'a b'", ["'a b'", "gene symbol"]),
        ("down: [CFD]", "down: [ACTA2]", ["up and down", "ACTA2"]),
        ("down: [CFD]", "downs: [CFD]", ["sets.myCAF.downs", "not permitted"]),
        ("effect: pro", "effect: maybe", ["claims.0.effect", "maybe"]),
        ("doi: 10.1000/one", "doi: 'javascript:alert(3)'", ["paper.doi", "not a DOI"]),
        ("doi: 10.1000/one, ", "", ["paper", "doi or a pmid"]),
        ("key: one2020", "key: ../one", ["paper.key", "not an id"]),
        ("year: 2020", "year: '2020'", ["paper.year", "integer"]),
    ],
)
def test_broken_paper_is_named_with_place_and_fix(tiny: Path, old: str, new: str, words: list[str]) -> None:
    path = tiny / "papers" / "one2020.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(CatalogueError) as refused:
        read(tiny)
    said = str(refused.value)
    assert all(word in said for word in [str(path), "fix:", *words]), said
    assert len(said.splitlines()) <= MAX_LINES


def test_many_mistakes_still_fit_in_eight_lines(tiny: Path) -> None:
    path = tiny / "papers" / "one2020.yaml"
    path.write_text("paper: 1\n" + "".join(f"key{i}: 1\n" for i in range(50)))
    with pytest.raises(CatalogueError, match="more") as refused:
        read(tiny)
    assert len(str(refused.value).splitlines()) <= MAX_LINES


def test_missing_file_and_second_file_of_a_paper_are_named(tiny: Path) -> None:
    (tiny / "papers" / "again.yaml").write_text((tiny / "papers" / "one2020.yaml").read_text())
    with pytest.raises(CatalogueError, match="one2020"):
        read(tiny)
    (tiny / "weights.yaml").unlink()
    with pytest.raises(CatalogueError, match=r"weights\.yaml: no such file"):
        read(tiny)


def test_shipped_catalogue_is_loaded_once() -> None:
    assert load() is load()
    assert load().sets
    assert load().claims


def test_reference_levels_are_positive_numbers_of_known_subjects() -> None:
    levels, catalogue = reference_levels(), load()
    assert {lineage for lineage, _ in levels.markers} <= {*catalogue.lineages, "activation"}
    programs = {f"program/{name}" for name in catalogue.programs}
    assert {*levels.sets} == {*levels.errors} <= {*catalogue.sets} | programs
    assert {*levels.profiles} <= {*catalogue.lineages}
    assert all(level >= 0 for profile in levels.profiles.values() for level in profile.values())
