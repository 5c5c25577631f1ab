"""Where results go, and what is never written over."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cafsc.cli.outputs import Outputs, check_outputs, default_output
from cafsc.errors import OutputError


@pytest.mark.parametrize(
    ("source", "out"),
    [
        ("a/tumour.h5ad", "a/tumour.cafsc.h5ad"),
        ("a/tumour.v2.h5ad", "a/tumour.v2.cafsc.h5ad"),
        ("a/matrix.h5", "a/matrix.cafsc.h5ad"),
        ("a/tumour.zarr", "a/tumour.cafsc.h5ad"),
        ("a/filtered.v1", "a/filtered.v1.cafsc.h5ad"),
        ("a/filtered/", "a/filtered.cafsc.h5ad"),
        ("tumour.h5ad", "tumour.cafsc.h5ad"),
    ],
)
def test_default_output_is_beside_the_input(source: str, out: str) -> None:
    assert default_output(Path(source)) == Path(out)


def test_default_output_of_the_working_folder_is_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mtx"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert default_output(Path()) == tmp_path / "mtx.cafsc.h5ad"


def test_files_lie_in_a_folder_named_like_the_output() -> None:
    outputs = Outputs(Path("r/tumour.cafsc.h5ad"))
    assert {str(path) for path in outputs.all().values()} == {
        "r/tumour.cafsc.h5ad",
        "r/tumour.cafsc/report.html",
        "r/tumour.cafsc/clusters.tsv",
        "r/tumour.cafsc/cells.tsv.gz",
        "r/tumour.cafsc/evidence.tsv",
        "r/tumour.cafsc/summary.json",
    }
    assert list(outputs.all())[-1] == "h5ad"
    assert "report" not in Outputs(outputs.h5ad, with_report=False).all()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.h5ad"
    path.write_text("precious")
    return path


def test_a_free_place_is_fine(source: Path, tmp_path: Path) -> None:
    check_outputs(Outputs(tmp_path / "new" / "folder" / "out.h5ad"), source, force=False)
    assert not (tmp_path / "new").exists()


def test_an_existing_output_is_refused_but_for_force(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.h5ad"
    out.write_text("old")
    with pytest.raises(OutputError, match="exists already"):
        check_outputs(Outputs(out), source, force=False)
    check_outputs(Outputs(out), source, force=True)


def test_an_existing_table_is_refused_too(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "clusters.tsv").write_text("mine")
    with pytest.raises(OutputError, match=r"clusters\.tsv"):
        check_outputs(Outputs(tmp_path / "out.h5ad"), source, force=False)


def test_what_a_cut_run_left_is_no_obstacle(source: Path, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("name", ["out.h5", "out", ".h5ad", "out.h5ad.gz"])
def test_the_name_must_end_in_h5ad(name: str, source: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="ending in"):
        check_outputs(Outputs(tmp_path / name), source, force=False)


def test_a_folder_or_device_is_no_output(source: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.h5ad").mkdir()
    with pytest.raises(OutputError, match="is a directory"):
        check_outputs(Outputs(tmp_path / "folder.h5ad"), source, force=True)
    with pytest.raises(OutputError, match="not a regular file"):
        check_outputs(Outputs(Path("/dev/full")), source, force=True)


def test_a_file_in_the_place_of_a_folder(source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="a file where the folder"):
        check_outputs(Outputs(tmp_path / "out.h5ad"), source, force=True)
    with pytest.raises(OutputError, match="not a directory"):
        check_outputs(Outputs(tmp_path / "out" / "more.h5ad"), source, force=True)
