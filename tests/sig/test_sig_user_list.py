"""The short YAML of users: what is good is read, what is bad is refused with its name, what is odd is noted."""

from __future__ import annotations

from pathlib import Path

import pytest

from cafsc.errors import CatalogueError
from cafsc.sig import read

GOOD = """\
version: 1
signatures:
  - {id: myCAF, call: pro, doi: 10.1084/jem.20162024, genes: [ACTA2, TAGLN, POSTN, MMP11, CTHRC1]}
  - {id: iCAF, call: pro, doi: 10.1084/jem.20162024, genes: [IL6, CXCL12, CFD, DPT, C7]}
"""
MAX_LINES = 8


def added(signature: str) -> bytes:
    return f"{GOOD}  - {{{signature}}}\n".encode()


REFUSED = {
    "python_object_tag": (b"a: !!python/object/apply:os.system ['touch canary']\n" + GOOD.encode(), "tag"),
    "billion_laughs": (b"a0: &a0 [x]\na1: &a1 [*a0, *a0]\n" + GOOD.encode(), "anchor"),
    "empty_signature": (added("id: void, call: pro, doi: 10.1/x, genes: []"), "'void' has no genes"),
    "same_id_twice": (added("id: iCAF, call: anti, doi: 10.1/x, genes: [DCN, LUM]"), "duplicate id iCAF"),
    "empty_file": (b"", "empty"),
    "not_yaml": (b"{[:::", "line 1, column"),
    "yaml_typed_genes": (
        b"signatures:\n  - {id: x, doi: 10.1/x, genes: [NO, ON, 1e5, 2020-03-01, 7, null, DCN]}\n",
        "quote",
    ),
    "html_in_id": (added("id: '<script>', call: pro, doi: 10.1/x, genes: [DCN]"), "is not an id"),
    "script_in_doi": (added("id: x, call: pro, doi: 'javascript:alert(3)', genes: [DCN]"), "is not a DOI"),
    "gene_up_and_down": (
        added("id: both, call: pro, doi: 10.1/x, genes: [DCN, LUM], genes_down: [DCN]"),
        "'both' has DCN in genes and in genes_down",
    ),
    "bad_polarity": (GOOD.replace("call: pro", "call: maybe", 1).encode(), "maybe"),
    "nan_weight": (added("id: w, call: pro, doi: 10.1/x, genes: {DCN: .nan, LUM: .inf}"), "weights"),
    "no_citation": (
        added("id: hearsay, call: anti, genes: [DCN, LUM, C7]"),
        "'hearsay' has a call, but no source",
    ),
    "id_with_path": (added("id: '../../CANARY', call: pro, doi: 10.1/x, genes: [DCN]"), "is not an id"),
    "utf16": (GOOD.encode("utf-16"), "UTF-8"),
    "duplicate_yaml_keys": (
        b"signatures:\n  - {id: x, call: pro, call: anti, doi: 10.1/x, genes: [DCN]}\n",
        "duplicate key 'call'",
    ),
    "deep_nesting": (b"[" * 5000 + b"]" * 5000, "deep"),
    "other_version": (GOOD.replace("version: 1", "version: 2").encode(), "version"),
    "no_signatures": (b"version: 1\nsignatures: []\n", "signatures"),
    "unknown_key": (added("id: x, gene: [DCN], genes: [DCN]"), "gene"),
    "unknown_cancer": (added("id: x, call: pro, doi: 10.1/x, cancer: [toe], genes: [DCN]"), "toe"),
}


def written(tmp_path: Path, content: bytes, name: str = "mine.yaml") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_good_file_gives_sets_claims_and_a_scheme_and_no_notes(tiny: Path, tmp_path: Path) -> None:
    catalogue = read(tiny, [written(tmp_path, GOOD.encode())])
    assert [entry.id for entry in catalogue.sets_in_scheme("mine")] == ["mine/myCAF", "mine/iCAF"]
    (claim,) = catalogue.claims_about("set:mine/myCAF")
    assert (claim.claim.effect, claim.claim.evidence, claim.claim.cancer) == ("pro", ["review"], ["pan"])
    assert (
        claim.paper.link == catalogue.sets["mine/iCAF"].paper.link == "https://doi.org/10.1084/jem.20162024"
    )
    assert catalogue.notes == ()
    assert catalogue.own_schemes == ("mine",)


@pytest.mark.parametrize("name", REFUSED)
def test_bad_file_is_refused_with_the_reason(tiny: Path, tmp_path: Path, name: str) -> None:
    content, word = REFUSED[name]
    path = written(tmp_path, content, f"{name}.yaml")
    with pytest.raises(CatalogueError) as error:
        read(tiny, [path])
    said = str(error.value)
    assert word in said
    assert path.name in said
    assert len(said.splitlines()) <= MAX_LINES


@pytest.mark.parametrize(
    ("signature", "words"),
    [
        ("id: dup, call: anti, doi: 10.1000/x, genes: [DCN, DCN, DCN, LUM, C3, C7, C1S]", ["dup", "twice"]),
        ("id: solo, call: pro, doi: 10.1000/x, genes: [FAP]", ["solo", "few genes (1)"]),
        ("id: odd, call: pro, doi: 10.1/x, genes: [DCN, LUM, C3, C7, C1S]", ["odd", "10.1/x", "registered"]),
        (
            "id: all, doi: 10.1000/x, genes: [" + ", ".join(f"G{i}" for i in range(1500)) + "]",
            ["all", "large"],
        ),
        ("id: low, doi: 10.1000/x, genes: [acta2, dcn, lum, c7, c3]", ["low", "case", "ACTA2"]),
    ],
)
def test_odd_file_is_read_and_noted(tiny: Path, tmp_path: Path, signature: str, words: list[str]) -> None:
    catalogue = read(tiny, [written(tmp_path, added(signature))])
    (note,) = catalogue.notes
    assert all(word in note for word in words)


def test_genes_in_small_letters_are_read_in_capitals(tiny: Path, tmp_path: Path) -> None:
    catalogue = read(tiny, [written(tmp_path, GOOD.lower().encode())])
    assert catalogue.sets["mine/mycaf"].definition.up == ["ACTA2", "TAGLN", "POSTN", "MMP11", "CTHRC1"]
    assert len(catalogue.notes) == 2


def test_repeated_gene_counts_once(tiny: Path, tmp_path: Path) -> None:
    path = written(tmp_path, added("id: dup, genes: [DCN, DCN, LUM], genes_down: [C3, C3]"))
    entry = read(tiny, [path]).sets["mine/dup"].definition
    assert (entry.up, entry.down) == (["DCN", "LUM"], ["C3"])


def test_sets_of_different_papers_are_different_votes(tiny: Path, tmp_path: Path) -> None:
    content = added("id: a, call: pro, doi: 10.1000/a, genes: [DCN]") + (
        b"  - {id: b, call: pro, pmid: '77', genes: [LUM]}\n  - {id: c, genes: [FAP]}\n"
    )
    catalogue = read(tiny, [written(tmp_path, content)])
    keys = [catalogue.sets[f"mine/{name}"].paper.key for name in ("myCAF", "iCAF", "a", "b", "c")]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    assert {*keys} <= {*catalogue.papers}
    assert catalogue.sets["mine/b"].paper.link == "https://pubmed.ncbi.nlm.nih.gov/77/"
    assert catalogue.sets["mine/c"].paper.link == ""


def test_paper_of_the_catalogue_keeps_its_one_vote(tiny: Path, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("10.1084/jem.20162024", "10.1000/ONE").encode())
    catalogue = read(tiny, [path])
    (claim,) = catalogue.claims_about("set:mine/myCAF")
    assert claim.paper is catalogue.papers["one2020"]
    assert {*catalogue.papers} == {"one2020", "two2021"}


def test_gmt_keeps_the_source_of_each_set(tiny: Path, tmp_path: Path) -> None:
    path = written(tmp_path, b"a\tsee 10.1000/a\tDCN\nb\tsee 10.1000/one\tLUM\nc\thome\tFAP\n", "mine.gmt")
    sets = read(tiny, [path]).sets
    assert [sets[f"mine/{name}"].paper.link for name in "abc"] == [
        "https://doi.org/10.1000/a",
        "https://doi.org/10.1000/one",
        "",
    ]
    assert sets["mine/b"].paper.key == "one2020"
