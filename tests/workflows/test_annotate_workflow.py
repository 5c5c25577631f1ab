"""The Snakemake workflow, really run: lint, dry run, bad sheets, and two simulated samples end to end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cafsc._options import RunOptions

WORKFLOW = Path(__file__).parents[2] / "workflows" / "annotate"


def snakemake(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    bin_folder = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([bin_folder, os.environ.get("PATH", "")]),
        "XDG_CACHE_HOME": str(folder / ".cache"),
        "MPLBACKEND": "Agg",
    }
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--nocolor", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def write_sheet(folder: Path, *rows: tuple[str, ...]) -> None:
    (folder / "config" / "samples.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the workflow as a user would make it."""
    folder = tmp_path / "project"
    shutil.copytree(WORKFLOW, folder, ignore=shutil.ignore_patterns(".snakemake", "results"))
    return folder


def test_lint_is_clean(project: Path) -> None:
    run = snakemake(project, "--lint")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Lints for" not in run.stdout + run.stderr


def test_format_is_clean(project: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "snakefmt", "--check", str(project / "workflow")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_options_reach_the_command(project: Path) -> None:
    for name in ("a", "b"):
        (project / f"{name} tumour.h5ad").touch()
    write_sheet(
        project,
        ("sample", "input", "cancer", "cluster_key"),
        ("a", "a tumour.h5ad", "breast", ""),
        ("b", "b tumour.h5ad", "", "my clusters"),
    )
    config = project / "config" / "config.yaml"
    config.write_text(config.read_text().replace("  seed: 0", "  umap: false\n  seed: 0"))
    run = snakemake(project, "--dry-run", "--printshellcmds", "--cores", "1")
    assert run.returncode == 0, run.stdout + run.stderr
    commands = [line for line in (run.stdout + run.stderr).splitlines() if "cafsc annotate" in line]
    assert len(commands) == 2
    for_a = next(line for line in commands if "'a tumour.h5ad'" in line)
    for_b = next(line for line in commands if "'b tumour.h5ad'" in line)
    assert "--cancer breast" in for_a
    assert "--no-umap" in for_a
    assert "--cluster-key" not in for_a
    assert "--cluster-key 'my clusters'" in for_b
    assert "--cancer" not in for_b


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("sample",), ("a",)], ["input"]),
        ([("sample", "input"), ("../a", "a.h5ad")], ["../a"]),
        ([("sample", "input"), ("a", "a.h5ad"), ("a", "b.h5ad")], ["one row only", "a"]),
        ([("sample", "input")], ["no samples"]),
        ([("sample", "input", "caner"), ("a", "a.h5ad", "breast")], ["caner"]),
        ([("sample", "input"), ("a", "gone.h5ad")], ["gone.h5ad"]),
    ],
)
def test_a_bad_sheet_is_refused_with_the_cause(
    project: Path, rows: list[tuple[str, ...]], words: list[str]
) -> None:
    write_sheet(project, *rows)
    run = snakemake(project, "--dry-run", "--cores", "1")
    said = run.stdout + run.stderr
    assert run.returncode != 0
    for word in words:
        assert word in said
    assert "Traceback" not in said


def test_the_schema_knows_every_option_of_the_command() -> None:
    schema = yaml.safe_load((WORKFLOW / "workflow" / "schemas" / "config.schema.yaml").read_text())
    known = {
        option.metadata.get("flag", option.name).removeprefix("--")
        for option in fields(RunOptions)
        if option.metadata["shell"] is not None
    }
    assert set(schema["properties"]["options"]["properties"]) == known


def test_an_unknown_option_is_refused(project: Path) -> None:
    config = project / "config" / "config.yaml"
    config.write_text(config.read_text().replace("seed: 0", "sead: 0"))
    run = snakemake(project, "--dry-run", "--cores", "1")
    assert run.returncode != 0
    assert "sead" in run.stdout + run.stderr


@pytest.mark.slow
def test_two_samples_from_end_to_end(project: Path) -> None:
    from cafsc import data

    tumour = data.simulated_tumour()
    for number, name in enumerate(("one", "two")):
        tumour[number::2].copy().write_h5ad(project / f"{name}.h5ad")
    write_sheet(
        project, ("sample", "input", "cancer"), ("one", "one.h5ad", "breast"), ("two", "two.h5ad", "breast")
    )
    run = snakemake(project, "--cores", "2")
    assert run.returncode == 0, run.stdout + run.stderr

    merged = pd.read_csv(project / "results" / "clusters.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert merged.columns[0] == "sample"
    for name in ("one", "two"):
        folder = project / "results" / name / f"{name}.cafsc"
        own = pd.read_csv(folder / "clusters.tsv", sep="\t", dtype=str, keep_default_na=False)
        part = merged.loc[merged["sample"] == name, own.columns].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, own)
        assert len(own) > 0
        summary = json.loads((folder / "summary.json").read_text())
        assert summary["input"]["file"] == f"{name}.h5ad"
        assert (folder / "report.html").stat().st_size > 0

    again = snakemake(project, "--cores", "2")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr
