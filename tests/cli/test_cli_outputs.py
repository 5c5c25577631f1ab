"""Where results go, what is never written over, and that a failed run leaves everything as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cafsc.cli.outputs import Outputs, check_outputs, default_output, staging
from cafsc.errors import OutputError


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("a/tumour.h5ad", "a/tumour.cafsc.h5ad"),
        ("a/tumour.v2.h5ad", "a/tumour.v2.cafsc.h5ad"),
        ("a/matrix.h5", "a/matrix.cafsc.h5ad"),
        ("a/tumour.zarr", "a/tumour.cafsc.h5ad"),
        ("a/filtered.v1/", "a/filtered.v1.cafsc.h5ad"),
    ],
)
def test_default_output_is_beside_the_input(source: str, out: str) -> None:
    assert default_output(Path(source)) == Path(out)


def test_default_output_of_the_working_folder_is_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mtx").mkdir()
    monkeypatch.chdir(tmp_path / "mtx")
    assert default_output(Path()) == tmp_path / "mtx.cafsc.h5ad"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.h5ad"
    path.write_text("precious")
    return path


def test_a_free_place_is_fine(source: Path, tmp_path: Path) -> None:
    check_outputs(Outputs(tmp_path / "new" / "folder" / "out.h5ad"), source, force=False)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("taken", ["out.h5ad", "out/clusters.tsv"])
def test_an_existing_file_is_refused_but_for_force(taken: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / taken).write_text("old")
    with pytest.raises(OutputError, match=taken):
        check_outputs(Outputs(tmp_path / "out.h5ad"), source, force=False)
    check_outputs(Outputs(tmp_path / "out.h5ad"), source, force=True)


def test_what_a_killed_run_left_is_no_obstacle(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "clusters.tsv").write_text("half a run")
    (tmp_path / "out" / "summary.json").write_text('{"provenance": {}, "catalogue_sha256": "c"}')
    check_outputs(Outputs(tmp_path / "out.h5ad"), source, force=False)
    (tmp_path / "out.h5ad").write_text("old")
    with pytest.raises(OutputError, match="exists already"):
        check_outputs(Outputs(tmp_path / "out.h5ad"), source, force=False)


@pytest.mark.parametrize("summary", ["{}", "[1]", "not JSON"])
def test_a_folder_of_somebody_else_is_left_alone(summary: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.json").write_text(summary)
    with pytest.raises(OutputError, match=r"summary\.json"):
        check_outputs(Outputs(tmp_path / "out.h5ad"), source, force=False)


@pytest.mark.parametrize("how", ["same", "symlink", "hardlink", "dotted"])
def test_the_input_is_refused_even_with_force(how: str, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "link.h5ad"
    if how == "same":
        out = source
    elif how == "symlink":
        out.symlink_to(source)
    elif how == "hardlink":
        os.link(source, out)
    else:
        (tmp_path / "sub").mkdir()
        out = tmp_path / "sub" / ".." / source.name
    with pytest.raises(OutputError, match="same file as the input"):
        check_outputs(Outputs(out), source, force=True)


@pytest.mark.parametrize("out", ["mtx/out.h5ad", "mtx.h5ad"])
def test_nothing_is_written_into_an_input_folder(out: str, tmp_path: Path) -> None:
    folder = tmp_path / "mtx"
    folder.mkdir()
    with pytest.raises(OutputError, match="input folder"):
        check_outputs(Outputs(tmp_path / out), folder, force=True)


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("out.h5", "ending in"),
        (".h5ad", "ending in"),
        ("out.h5ad.gz", "ending in"),
        ("folder.h5ad", "is a directory"),
        ("/dev/full", "not a regular file"),
        ("file.h5ad", "a file where the folder"),
        ("file/more.h5ad", "not a directory"),
    ],
)
def test_a_place_that_cannot_be_written(name: str, cause: str, source: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.h5ad").mkdir()
    (tmp_path / "file").write_text("a file")
    with pytest.raises(OutputError, match=cause):
        check_outputs(Outputs(tmp_path / name), source, force=True)


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_all_files_get_their_names_at_the_end(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "folder" / "new"
    old.write_text("first")
    with staging(old, force=True) as at:
        at(new).write_text("second")
        at(old).write_text("second")
        assert old.read_text() == "first"
        assert not new.exists()
    assert files(tmp_path) == {"old": "second", "folder/new": "second"}


@pytest.mark.parametrize("ended_by", [OSError, KeyboardInterrupt])
def test_a_failure_while_writing_changes_nothing(tmp_path: Path, ended_by: type[BaseException]) -> None:
    old = tmp_path / "old"
    old.write_text("first")
    with pytest.raises(ended_by), staging(old, force=True) as at:
        at(old).write_text("second")
        at(tmp_path / "new").write_text("second")
        raise ended_by
    assert files(tmp_path) == {"old": "first"}
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_failure_while_naming_puts_everything_back(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "folder" / "new"
    old.write_text("first")
    with pytest.raises(FileNotFoundError), staging(old, force=True) as at:
        at(old).write_text("second")
        at(new).write_text("second")
        at(tmp_path / "never written")
    assert files(tmp_path) == {"old": "first"}
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_file_that_came_meanwhile_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(OutputError, match="exists already"), staging(out, force=False) as at:
        at(tmp_path / "first").write_text("ours")
        at(out).write_text("ours")
        out.write_text("theirs")
    assert files(tmp_path) == {"out": "theirs"}


def test_a_link_is_replaced_and_its_target_kept(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("precious")
    link.symlink_to(target)
    with staging(link, force=True) as at:
        at(link).write_text("ours")
    assert target.read_text() == "precious"
    assert not link.is_symlink()


def test_what_a_killed_run_left_is_swept_but_not_that_of_a_living_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / ".out.abc123.part").mkdir()
    (tmp_path / ".out.abc123.part" / "out").write_text("half")
    with staging(out, force=False) as at:
        assert not (tmp_path / ".out.abc123.part").exists()
        at(out).write_text("slow")
        with staging(out, force=True) as quick:
            quick(out).write_text("quick")
        assert at(out).read_text() == "slow"
        out.unlink()
    assert files(tmp_path) == {"out": "slow"}
