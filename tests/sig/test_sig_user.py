"""A user's own signatures join the catalogue, or are refused with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cafsc.errors import CatalogueError
from cafsc.sig import load, read
from cafsc.sig import user as user_module

MAX_LINES = 8


def refused(path: Path) -> str:
    with pytest.raises(CatalogueError) as error:
        load(path)
    said = str(error.value)
    assert path.name in said
    assert len(said.splitlines()) <= MAX_LINES
    return said


def test_gmt_sets_join_under_the_name_of_the_file(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "my lab.gmt"
    path.write_text("my CAF\tsee 10.1000/ABC.1\tACTA2\tTAGLN\nother\t\tCFD\tDPT\tNO\n")
    catalogue = read(tiny, [path])
    assert [entry.id for entry in catalogue.sets_in_scheme("my-lab")] == ["my-lab/my-CAF", "my-lab/other"]
    entry = catalogue.sets["my-lab/my-CAF"]
    assert entry.label == "my CAF"
    assert entry.definition.up == ["ACTA2", "TAGLN"]
    assert entry.paper.link == "https://doi.org/10.1000/abc.1"
    assert catalogue.sets["my-lab/other"].definition.up == ["CFD", "DPT", "NO"]
    assert "one2020/iCAF" in catalogue.sets


def test_gmt_without_a_doi_says_that_there_is_no_paper(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.gmt"
    path.write_text("a\tmade at home\tACTA2\tTAGLN\n")
    paper = read(tiny, [path]).sets["mine/a"].paper
    assert paper.link == ""
    assert "mine.gmt" in paper.citation


def test_gmt_out_of_a_spreadsheet_is_read(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "excel.gmt"
    path.write_bytes(b"\xef\xbb\xbfmyCAF\tdoi\tACTA2\tTAGLN\t\t\r\n\r\niCAF\tdoi\tIL6\tCXCL12\t\r\n")
    catalogue = read(tiny, [path])
    assert catalogue.sets["excel/myCAF"].definition.up == ["ACTA2", "TAGLN"]
    assert catalogue.sets["excel/iCAF"].definition.up == ["IL6", "CXCL12"]


def test_gmt_species_follows_how_the_symbols_are_written(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "both.gmt"
    path.write_text("m\t\tCol1a1\tActa2\tC7\nh\t\tCOL1A1\tC1orf112\tACTA2\ne\t\tENSMUSG00000001506\n")
    catalogue = read(tiny, [path])
    assert [catalogue.sets[f"both/{name}"].species for name in "mhe"] == ["mouse", "human", "mouse"]


def test_gmt_oddities_are_noted_and_not_fatal(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.gmt"
    path.write_text(
        "dup\t\tDCN\tDCN\tLUM\nvoid\t\t\t\nbig\t\t" + "\t".join(f"G{i}" for i in range(1500)) + "\n"
    )
    catalogue = read(tiny, [path])
    assert catalogue.sets["odd/dup"].definition.up == ["DCN", "LUM"]
    assert "odd/void" not in catalogue.sets
    said = "\n".join(catalogue.notes)
    assert all(word in said for word in ("twice", "void", "few genes (2)", "large (1500 genes)"))


def test_yaml_in_the_form_of_a_paper_file_joins_with_its_claims(
    tiny: Path, tmp_path: Path, paper_text: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(paper_text)
    catalogue = read(tiny, [path])
    assert [entry.id for entry in catalogue.sets_in_scheme("mine")] == ["mine/myCAF", "mine/iCAF"]
    assert catalogue.claims_about("set:mine/myCAF")
    assert catalogue.schemes["mine"].method == "scores"
    assert catalogue.sha256 != read(tiny).sha256


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("empty.yaml", b"", "empty"),
        ("empty.gmt", b"", "no signatures"),
        ("void.gmt", b"a\tb\t\t\n", "no signatures"),
        ("syntax.yaml", b"{[:::", "line 1"),
        ("utf16.gmt", "a\tb\tACTA2\n".encode("utf-16"), "UTF-8"),
        ("spaces.gmt", b"a b ACTA2 TAGLN\n", "tab"),
        ("dup.gmt", b"a\t\tACTA2\na\t\tCFD\n", "line 2: duplicate set 'a'"),
        ("script.gmt", b"<script>alert(2)</script>\t\tAC TA2\n", "gene symbol"),
        ("nameless.gmt", b"../\t\tACTA2\n", "name"),
        ("genes.txt", b"ACTA2\n", ".gmt"),
        ("tag.yaml", b"a: !!python/object/apply:os.getcwd []\n", "tag"),
        ("bomb.yaml", b"a0: &a0 [x]\na1: [*a0]\n", "anchor"),
        ("form.yaml", b"version: 1\n", "paper, context, sets, claims"),
    ],
)
def test_unusable_files_are_refused(tmp_path: Path, name: str, content: bytes, word: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert word in refused(path)


def test_names_become_ids_without_path_or_markup(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.gmt"
    path.write_text("../../CANARY\t\tACTA2\n<b>bold</b>\t\tCFD\n")
    assert [entry.id for entry in read(tiny, [path]).sets_in_scheme("x")] == ["x/CANARY", "x/b-bold-b"]


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "nope.yaml")
    folder = tmp_path / "folder.gmt"
    folder.mkdir()
    assert "folder" in refused(folder)


def test_too_large_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.gmt"
    path.write_text("a\t\tACTA2\n")
    monkeypatch.setattr(user_module, "MAX_BYTES", 5)
    assert "too large" in refused(path)


def test_file_named_like_a_scheme_is_refused(tiny: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.gmt"
    path.write_text("a\t\tACTA2\n")
    with pytest.raises(CatalogueError, match="rename"):
        read(tiny, [path])


def test_claim_of_a_user_about_nothing_is_refused(tiny: Path, tmp_path: Path, paper_text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(paper_text.replace("set:mine/myCAF", "set:mine/other"))
    with pytest.raises(CatalogueError, match="set:mine/other"):
        read(tiny, [path])


def test_claim_of_a_user_about_an_unknown_cancer_is_refused(
    tiny: Path, tmp_path: Path, paper_text: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(paper_text.replace("[in_vivo], cancer: [breast]", "[in_vivo], cancer: [toe]"))
    with pytest.raises(CatalogueError, match="toe"):
        read(tiny, [path])


def test_key_of_a_known_paper_is_refused(tiny: Path, tmp_path: Path, paper_text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(paper_text.replace("mine", "one2020"))
    with pytest.raises(CatalogueError, match="one2020"):
        read(tiny, [path])


def test_what_does_not_end_is_not_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    assert "not a regular file" in refused(pipe)
    endless = tmp_path / "endless.gmt"
    endless.symlink_to("/dev/zero")
    assert "not a regular file" in refused(endless)
