"""``cafsc crosstalk`` and ``cafsc targets``."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from cafsc_command import Cafsc
from test_cli_help import HEAVY, modules_after

from cafsc import AnnotationResult, io
from cafsc.tl.crosstalk.table import COLUMNS
from cafsc.tl.crosstalk.targets import COLUMNS as TARGET_COLUMNS
from cafsc.tl.crosstalk.targets import RESTRAINING


@pytest.fixture(scope="module")
def out(annotated_tumour: AnnotationResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("crosstalk") / "out.h5ad"
    io.write_h5ad(annotated_tumour.adata, path)
    return path


def test_all_rows_go_into_a_file_once(cafsc: Cafsc, out: Path, tmp_path: Path) -> None:
    path = tmp_path / "talk.tsv"
    run = cafsc("crosstalk", out, "--resource", "catalogue", "-o", path)
    assert run.code == 0
    assert "the CAF literature names" in run.out
    table = pd.read_csv(path, sep="\t", keep_default_na=False)
    assert list(table.columns) == COLUMNS
    assert {"pair", "capacity", "cargo", "recipient", "uptake", "origin", "stimulus"} <= set(table["kind"])
    first = path.read_bytes()
    again = cafsc("crosstalk", out, "--resource", "catalogue", "-o", path)
    assert again.code == 2
    assert "talk.tsv" in again.err
    assert cafsc("crosstalk", out, "--resource", "catalogue", "-o", path, "--force").code == 0
    assert path.read_bytes() == first


def test_json_holds_every_row(cafsc: Cafsc, out: Path) -> None:
    rows = json.loads(cafsc("crosstalk", out, "--resource", "catalogue", "--json").out)
    assert list(rows[0]) == COLUMNS
    assert any(row["p"] is None for row in rows)
    targets = json.loads(cafsc("targets", out, "--json").out)
    assert list(targets[0]) == TARGET_COLUMNS


def test_a_restraining_cluster_is_said_first(
    cafsc: Cafsc, annotated_tumour: AnnotationResult, tmp_path: Path
) -> None:
    adata = annotated_tumour.adata.copy()
    table = adata.uns["cafsc"]["clusters"].copy()
    table.loc[table.index[0], "call"] = "anti"
    adata.uns["cafsc"]["clusters"] = table
    path = tmp_path / "anti.h5ad"
    io.write_h5ad(adata, path)
    lines = cafsc("targets", path).out.splitlines()
    assert lines[0] == f"!! cluster {table['cluster'].iloc[0]}: {RESTRAINING}"
    assert sum(line.startswith("!! cluster") for line in lines) == 1
    assert "no answer to a drug" in "\n".join(lines)


@pytest.mark.parametrize("command", ["crosstalk", "targets"])
def test_a_file_without_a_result_is_refused(cafsc: Cafsc, source: Path, command: str) -> None:
    run = cafsc(command, source)
    assert (run.code, run.out) == (2, "")
    assert "cafsc.annotate" in run.err
    assert "tumour.h5ad" in run.err
    assert len(run.error_lines) <= 8


@pytest.mark.parametrize("command", ["crosstalk", "targets"])
def test_help_imports_nothing_heavy(command: str) -> None:
    code, modules, shown = modules_after(command, "--help")
    assert code == 0
    assert "OUT.h5ad" in shown
    assert modules.isdisjoint({*HEAVY, "liana"})
