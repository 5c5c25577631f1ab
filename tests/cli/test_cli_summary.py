"""The lines that a run ends with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cafsc.cli.outputs import Outputs
from cafsc.cli.summary import cluster_lines, finding_lines, gate_line, result_lines


def cluster(name: str, **values: object) -> dict[str, object]:
    return {
        "cluster": name,
        "n_cells": 1234,
        "subtype": "myCAF",
        "support": 0.968,
        "reason": "",
        "call": "pro",
        "n_pro": 6,
        "n_anti": 2,
        "leading": "Kieffer 2020, Costa 2018",
        **values,
    }


@pytest.fixture
def summary() -> dict[str, Any]:
    return {
        "input": {
            "file": "tumour.h5ad",
            "n_cells": 1564,
            "n_genes": 29733,
            "matrix": "counts",
            "species": "human",
            "findings": [],
        },
        "gate": {"kept": 371, "refused": {"not_fibroblast:smooth_muscle": 317, "doublet": 21}},
        "message": "",
        "simulated": False,
    }


def test_the_form_of_the_table() -> None:
    clusters = pd.DataFrame(
        [
            cluster("0"),
            cluster("1", n_cells=42, subtype="unresolved", reason="mixed:myCAF+iCAF", call="undetermined"),
        ]
    )
    clusters.loc[1, ["n_pro", "n_anti"]] = 0
    assert cluster_lines(clusters) == [
        "cluster  cells  state       support  call          pro/anti  leading evidence",
        "0        1,234  myCAF          0.97  pro              6 / 2  Kieffer 2020, Costa 2018",
        "1           42  unresolved        -  undetermined         -  mixed: myCAF + iCAF",
    ]


def test_a_run_says_what_came_in_and_where_it_went(summary: dict[str, Any]) -> None:
    lines = result_lines(summary, pd.DataFrame([cluster("0")]), Outputs(Path("tumour.cafsc.h5ad")))
    assert lines[0] == "tumour.h5ad  1,564 cells x 29,733 genes, raw counts, human  ok"
    assert "kept 371 fibroblasts; refused 317 smooth muscle, 21 doublet" in lines
    assert lines[-1] == "-> tumour.cafsc.h5ad   tumour.cafsc/report.html"


def test_no_fibroblasts_and_simulated_data_and_warnings_are_said(summary: dict[str, Any]) -> None:
    summary["message"] = "no cluster of fibroblasts: only 3 cells passed"
    summary["gate"] = {"kept": 0, "refused": {"b_plasma": 40}}
    summary["simulated"] = True
    summary["input"]["findings"] = [{"severity": "warning", "message": "X is scaled"}]
    lines = result_lines(summary, pd.DataFrame(), Outputs(Path("o.h5ad")))
    assert lines.count(summary["message"]) == 1
    assert not any("leading evidence" in line for line in lines)
    assert any("simulated" in line for line in lines)
    assert not lines[0].endswith("ok")
    assert "warning: X is scaled" in lines


def test_every_finding_is_a_line_and_warnings_come_first() -> None:
    findings = [{"severity": "note", "message": str(number)} for number in range(9)]
    findings.append({"severity": "warning", "message": "grave", "examples": ["a", "b"]})
    findings.append({"severity": "warning", "message": "x" * 999, "examples": ["y" * 99]})
    lines = finding_lines(findings)
    assert lines[0] == "warning: grave (such as a, b)"
    assert lines[2:] == [f"note: {number}" for number in range(9)]
    assert len(lines[1]) < 340


def test_many_clusters_and_reasons_are_cut() -> None:
    clusters = pd.DataFrame([cluster(str(number)) for number in range(30)])
    lines = cluster_lines(clusters)
    assert len(lines) == 12
    assert lines[-1] == "... and 20 more in clusters.tsv"
    refused = {f"reason{number}": 10 - number for number in range(8)}
    assert gate_line({"kept": 1, "refused": refused}).endswith("12 others")


def test_leading_papers_of_both_sides_are_shown() -> None:
    line = cluster_lines(
        pd.DataFrame([cluster("0", leading="A 2001, B 2002, C 2003 | D 2004, E 2005, F 2006")])
    )[1]
    assert line.endswith("A 2001, B 2002 | D 2004, E 2005")


def test_names_of_clusters_cannot_steer_the_terminal() -> None:
    lines = cluster_lines(pd.DataFrame([cluster("\x1b[31mred\n", leading="x" * 500)]))
    assert len(lines) == 2
    assert "\x1b" not in lines[1]
    assert len(lines[1]) < 160
