"""A user's own signatures join the catalogue, or are refused with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from cafsc.errors import CatalogueError
from cafsc.sig import files as files_module
from cafsc.sig import load, read
from cafsc.sig.user import listed, plain_form

MAX_LINES = 8


def refused(source: object) -> str:
    with pytest.raises(CatalogueError) as error:
        load(source)  # type: ignore[arg-type]
    said = str(error.value)
    assert len(said.splitlines()) <= MAX_LINES
    return said


def written(tmp_path: Path, name: str, text: str | bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_gmt_sets_join_under_the_name_of_the_file(tiny: Path, tmp_path: Path) -> None:
    path = written(tmp_path, "my lab.gmt", "my CAF\tsee 10.1000/ABC.1\tACTA2\tTAGLN\nother\t\tCFD\tDPT\tNO\n")
    catalogue = read(tiny, [path])
    assert [entry.id for entry in catalogue.sets_in_scheme("my-lab")] == ["my-lab/my-CAF", "my-lab/other"]
    entry = catalogue.sets["my-lab/my-CAF"]
    assert (entry.label, entry.definition.up) == ("my CAF", ["ACTA2", "TAGLN"])
    assert catalogue.sets["my-lab/other"].definition.up == ["CFD", "DPT", "NO"]
    assert "one2020/iCAF" in catalogue.sets
    assert catalogue.own_schemes == ("my-lab",)
    path.write_text("../../CANARY\t\tACTA2\n<b>bold</b>\t\tCFD\n")
    ids = [entry.id for entry in read(tiny, [path]).sets_in_scheme("my-lab")]
    assert ids == ["my-lab/CANARY", "my-lab/b-bold-b"]


def test_gmt_keeps_the_source_of_each_set(tiny: Path, tmp_path: Path) -> None:
    path = written(tmp_path, "mine.gmt", "a\tsee 10.1000/A\tDCN\nb\tsee 10.1000/one\tLUM\nc\thome\tFAP\n")
    catalogue = read(tiny, [path])
    papers = [catalogue.sets[f"mine/{name}"].paper for name in "abc"]
    assert [paper.link for paper in papers] == [
        "https://doi.org/10.1000/a",
        "https://doi.org/10.1000/one",
        "",
    ]
    # A paper of the catalogue stays one independent source.
    assert papers[1] is catalogue.papers["one2020"]
    assert len({paper.key for paper in papers}) == 3
    assert "mine.gmt" in papers[2].citation


def test_gmt_out_of_a_spreadsheet_is_read(tiny: Path, tmp_path: Path) -> None:
    text = b"\xef\xbb\xbfmyCAF\tdoi\tACTA2\tTAGLN\t\t\r\n\r\niCAF\tdoi\tIL6\tCXCL12\t\r\n"
    catalogue = read(tiny, [written(tmp_path, "excel.gmt", text)])
    assert catalogue.sets["excel/myCAF"].definition.up == ["ACTA2", "TAGLN"]
    assert catalogue.sets["excel/iCAF"].definition.up == ["IL6", "CXCL12"]


def test_species_follows_the_spelling_of_the_symbols(tiny: Path, tmp_path: Path) -> None:
    text = "m\t\tCol1a1\tActa2\tC7\nh\t\tCOL1A1\tC1orf112\tACTA2\ne\t\tENSMUSG00000001506\n"
    catalogue = read(tiny, [written(tmp_path, "both.gmt", text)])
    assert [catalogue.sets[f"both/{name}"].species for name in "mhe"] == ["mouse", "human", "mouse"]


def test_unusual_sets_are_noted_and_read(tiny: Path, tmp_path: Path) -> None:
    big = "\t".join(f"G{i}" for i in range(1500))
    text = f"dup\t\tDCN\tDCN\tLUM\nvoid\t\t\t\nlow\t\tacta2\tdcn\nbig\t\t{big}\n"
    catalogue = read(tiny, [written(tmp_path, "odd.gmt", text)])
    assert catalogue.sets["odd/dup"].definition.up == ["DCN", "LUM"]
    assert catalogue.sets["odd/low"].definition.up == ["ACTA2", "DCN"]
    assert "odd/void" not in catalogue.sets
    said = "\n".join(catalogue.notes)
    for words in ("twice", "void holds no genes", "read as ACTA2", "few genes (2)", "large (1500 genes)"):
        assert words in said


def test_dict_holds_lists_or_up_and_down(tiny: Path) -> None:
    genes = ["ACTA2", "TAGLN", "POSTN", "MMP11", "CTHRC1"]
    own = {"my CAF": np.array(genes), "iCAF": {"up": ["IL6", "CXCL12", "CFD"], "down": ("ACTA2", "TAGLN")}}
    catalogue = read(tiny, [own])  # type: ignore[list-item]
    assert [entry.id for entry in catalogue.sets_in_scheme("own")] == ["own/my-CAF", "own/iCAF"]
    assert catalogue.sets["own/my-CAF"].definition.up == genes
    assert catalogue.sets["own/my-CAF"].label == "my CAF"
    assert catalogue.sets["own/iCAF"].definition.down == ["ACTA2", "TAGLN"]
    assert catalogue.notes == ()
    again = read(
        tiny, [{"my CAF": genes, "iCAF": {"up": ["IL6", "CXCL12", "CFD"], "down": ["ACTA2", "TAGLN"]}}]
    )
    assert again.sha256 == catalogue.sha256 != read(tiny).sha256


@pytest.mark.parametrize(
    ("own", "word"),
    [
        ({}, "no signatures"),
        ({"a": "ACTA2"}, "'ACTA2' is not a list"),
        ({"a": ["ACTA2", 7]}, "7 is not a list of gene symbols"),
        ({"a": 5}, "5 is not a list"),
        ({"a": []}, "no signatures"),
        ({"a": ["AC TA2"]}, "gene symbol"),
        ({"a": {"up": ["DCN"], "low": ["LUM"]}}, "low"),
        ({"a": {"up": ["DCN"], "down": ["DCN"]}}, "up and down"),
        ({"..": ["DCN"]}, "no usable name"),
        ({"a b": ["DCN"], "a-b": ["LUM"]}, "duplicate set"),
    ],
)
def test_unusable_dict_is_refused(own: object, word: str) -> None:
    assert word in refused(own)


def test_one_path_or_dict_counts_as_a_list_of_one() -> None:
    own = {"a": ["ACTA2"]}
    assert listed(own) == (own,)
    assert listed("mine.gmt") == ("mine.gmt",)
    assert listed(["mine.gmt", own]) == ("mine.gmt", own)


def test_provenance_holds_the_sets_of_a_dict_and_the_path_of_a_file() -> None:
    assert plain_form({"b": np.array(["CFD"])}) == {"b": {"up": ["CFD"]}}  # type: ignore[dict-item]
    assert plain_form("mine.gmt") == Path("mine.gmt")


def test_yaml_in_the_form_of_a_paper_file_joins_with_its_claims(
    tiny: Path, tmp_path: Path, paper_text: str
) -> None:
    catalogue = read(tiny, [written(tmp_path, "mine.yaml", paper_text)])
    assert [entry.id for entry in catalogue.sets_in_scheme("mine")] == ["mine/myCAF", "mine/iCAF"]
    assert catalogue.claims_about("set:mine/myCAF")
    assert catalogue.schemes["mine"].method == "scores"
    assert catalogue.sha256 != read(tiny).sha256


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("set:mine/myCAF", "set:mine/other", "set:mine/other"),
        ("[in_vivo], cancer: [breast]", "[in_vivo], cancer: [toe]", "toe"),
        ("mine", "one2020", "one2020"),
    ],
)
def test_yaml_that_contradicts_the_catalogue_is_refused(
    tiny: Path, tmp_path: Path, paper_text: str, old: str, new: str, word: str
) -> None:
    path = written(tmp_path, "mine.yaml", paper_text.replace(old, new))
    with pytest.raises(CatalogueError, match=word):
        read(tiny, [path])


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("empty.yaml", "", "empty"),
        ("empty.gmt", "", "no signatures"),
        ("void.gmt", "a\tb\t\t\n", "no signatures"),
        ("syntax.yaml", "{[:::", "line 1"),
        ("utf16.gmt", "a\tb\tACTA2\n".encode("utf-16"), "UTF-8"),
        ("spaces.gmt", "a b ACTA2 TAGLN\n", "tab"),
        ("dup.gmt", "a\t\tACTA2\na\t\tCFD\n", "line 2: duplicate set 'a'"),
        ("script.gmt", "<script>alert(2)</script>\t\tAC TA2\n", "gene symbol"),
        ("nameless.gmt", "../\t\tACTA2\n", "name"),
        ("genes.txt", "ACTA2\n", ".gmt"),
        ("tag.yaml", "a: !!python/object/apply:os.getcwd []\n", "tag"),
        ("bomb.yaml", "a0: &a0 [x]\na1: [*a0]\n", "anchor"),
        ("form.yaml", "version: 1\n", "paper, context, sets, claims"),
        ("empty.yaml", "signatures:\n  - {id: a, genes: []}\n", "no genes"),
        ("both.yaml", "signatures:\n  - {id: a, genes: [DCN], genes_down: [DCN]}\n", "genes_down"),
    ],
)
def test_unusable_file_is_refused_by_name(tmp_path: Path, name: str, content: str | bytes, word: str) -> None:
    said = refused(written(tmp_path, name, content))
    assert word in said
    assert name in said


def test_special_and_large_files_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no such file" in refused(tmp_path / "nope.yaml")
    (tmp_path / "folder.gmt").mkdir()
    assert "folder" in refused(tmp_path / "folder.gmt")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "not a regular file" in refused(tmp_path / "pipe.yaml")
    (tmp_path / "endless.gmt").symlink_to("/dev/zero")
    assert "not a regular file" in refused(tmp_path / "endless.gmt")
    path = written(tmp_path, "large.gmt", "a\t\tACTA2\n" * 100)
    load()
    monkeypatch.setattr(files_module, "MAX_BYTES", 500)
    with pytest.raises(CatalogueError, match="too large"):
        files_module.read_text(path)


def test_file_named_like_a_scheme_is_refused(tiny: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="rename"):
        read(tiny, [written(tmp_path, "one.gmt", "a\t\tACTA2\n")])


def test_a_list_gives_sets_and_claims(tmp_path: Path) -> None:
    text = (
        'signatures:\n  - {id: mine, call: anti, pmid: "28232471", genes: [DCN, LUM], genes_down: [ACTA2]}\n'
    )
    catalogue = load(written(tmp_path, "list.yaml", text))
    entry = catalogue.sets["list/mine"]
    assert (entry.definition.up, entry.definition.down) == (["DCN", "LUM"], ["ACTA2"])
    claim = next(found.claim for found in catalogue.claims if found.claim.about == "set:list/mine")
    assert (claim.effect, claim.evidence) == ("anti", ["review"])
