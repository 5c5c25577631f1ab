"""``cafsc check``: every finding, and an exit code that a script can use."""

from __future__ import annotations

import json
from pathlib import Path

import anndata
import h5py
import numpy as np
import pytest
from cafsc_command import Cafsc


def test_a_sound_file(source: Path, cafsc: Cafsc) -> None:
    before = source.read_bytes()
    run = cafsc("check", source)
    assert run.code == 0, run.err
    assert run.out.startswith("tumour.h5ad  1,500 cells x ")
    assert run.err == ""
    assert source.read_bytes() == before
    assert [path.name for path in source.parent.iterdir()] == [source.name]


def test_every_finding_has_code_count_examples_and_fix(source: Path, cafsc: Cafsc) -> None:
    adata = anndata.read_h5ad(source)
    adata.obs_names = ["twice", "twice", *adata.obs_names[2:]]
    adata.X[:200] = 0
    adata.write_h5ad(source)
    run = cafsc("check", source)
    assert run.code == 0
    assert "warning: duplicated_cell_names [1]: " in run.out
    assert "(such as twice)" in run.out
    assert "warning: empty_cells [200]: " in run.out
    assert "  fix: " in run.out


def test_an_unusable_file_is_exit_code_2(scaled: anndata.AnnData, tmp_path: Path, cafsc: Cafsc) -> None:
    path = tmp_path / "scaled.h5ad"
    scaled.write_h5ad(path)
    run = cafsc("check", path, "--json")
    assert run.code == 2
    document = json.loads(run.out)
    assert document["usable"] is False
    assert document["findings"][0]["severity"] == "error"
    assert set(document["findings"][0]) == {"code", "severity", "message", "count", "examples", "fix"}
    assert "cannot be used (1 error)" in run.err


def test_a_file_that_cannot_be_read_is_a_document_too(tmp_path: Path, cafsc: Cafsc) -> None:
    path = tmp_path / "broken.h5ad"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    run = cafsc("check", path, "--json")
    assert run.code == 2
    (finding,) = json.loads(run.out)["findings"]
    assert finding["code"] == "unusable"
    assert "broken.h5ad" in run.err
    assert len(run.error_lines) <= 8


def test_what_reading_left_out_is_a_finding(source: Path, cafsc: Cafsc) -> None:
    with h5py.File(source, "r+") as file:
        odd = file.require_group("uns").create_dataset("odd", data=np.arange(3))
        odd.attrs["encoding-type"] = "from-the-future"
        odd.attrs["encoding-version"] = "9.0"
    run = cafsc("check", source)
    assert run.code == 0
    assert "warning: skipped_part: skipped /uns/odd" in run.out
    run = cafsc("annotate", source, "--dry-run")
    assert "warning: skipped /uns/odd" in run.err


@pytest.mark.parametrize("words", [("--layer", "gone"), ("--species", "fish")])
def test_options_that_name_nothing(words: tuple[str, str], source: Path, cafsc: Cafsc) -> None:
    run = cafsc("check", source, *words)
    assert run.code == 2
    assert words[1] in run.err


def test_names_cannot_steer_the_terminal(source: Path, cafsc: Cafsc) -> None:
    adata = anndata.read_h5ad(source)
    adata.obs_names = ["\x1b[31mred", *adata.obs_names[1:]]
    adata.write_h5ad(source)
    run = cafsc("check", source)
    assert "\x1b" not in run.out
    assert "odd_cell_names" in run.out
