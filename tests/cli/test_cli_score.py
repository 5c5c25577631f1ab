"""``cafsc score`` from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from cafsc_command import Cafsc
from test_cli_help import HEAVY, modules_after

FILES = {"scores.tsv", "verdict.tsv", "subjects.tsv", "evidence.tsv", "summary.json"}


@pytest.fixture(scope="module")
def pseudobulk(_tumour: AnnData) -> pd.DataFrame:
    """Genes x 24 samples: sums of 60 cells drawn at random."""
    random = np.random.default_rng(0)
    counts = np.asarray(_tumour.X.todense())
    rows = [counts[random.choice(len(counts), 60)].sum(axis=0) for _ in range(24)]
    return pd.DataFrame(np.array(rows).T, index=list(_tumour.var_names), columns=[f"S{n}" for n in range(24)])


@pytest.fixture
def matrix(pseudobulk: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "cohort.tsv"
    pseudobulk.to_csv(path, sep="\t", index_label="gene")
    return path


@pytest.fixture
def clinic(pseudobulk: pd.DataFrame, tmp_path: Path) -> Path:
    random = np.random.default_rng(1)
    n = pseudobulk.shape[1]
    path = tmp_path / "clinic.csv"
    columns = {"id": pseudobulk.columns, "days": random.exponential(100, n), "dead": random.integers(0, 2, n)}
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_help_is_light(cafsc: Cafsc) -> None:
    code, modules, out = modules_after("score", "--help")
    assert code == 0
    assert modules.isdisjoint(HEAVY)
    for option in ("--cancer", "--species", "--signatures", "--no-ssgsea", "--clinical", "--time", "--event"):
        assert option in out
    assert "score" in cafsc("--help").out


def test_a_run_writes_its_tables_beside_the_input(cafsc: Cafsc, matrix: Path) -> None:
    before = matrix.read_bytes()
    run = cafsc("score", matrix, "--cancer", "breast", "--no-ssgsea")
    assert run.code == 0, run.err
    folder = matrix.with_name("cohort.scores")
    assert names(folder) == FILES
    assert matrix.read_bytes() == before
    scores = pd.read_csv(folder / "scores.tsv", sep="\t", index_col="sample")
    assert scores.shape[0] == 24 and "state:myCAF" in scores
    assert "genes in rows" in run.err and "raw counts" in run.err and "24 samples" in run.err
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["provenance"]["input"]["file"] == "cohort.tsv"
    assert str(matrix.parent) not in (folder / "summary.json").read_text()


@pytest.mark.slow
def test_survival_and_json(cafsc: Cafsc, matrix: Path, clinic: Path, tmp_path: Path) -> None:
    words = (
        "--clinical",
        clinic,
        "--time",
        "days",
        "--event",
        "dead",
        "-o",
        tmp_path / "out",
        "--json",
        "-q",
    )
    run = cafsc("score", matrix, *words)
    assert run.code == 0, run.err
    assert run.err == ""
    document = json.loads(run.out)
    assert len(document["verdict"]) == 24
    assert document["survival"]["n_samples"] == 24
    assert {row["id"] for row in document["survival_table"]} >= {"state:iCAF", "verdict", "gene:TGFBR2"}
    assert names(tmp_path / "out") == FILES | {"ssgsea.tsv", "survival.tsv", "kaplan_meier"}
    assert names(tmp_path / "out" / "kaplan_meier") == set(document["survival"]["plots"])


def test_nothing_is_written_over(cafsc: Cafsc, matrix: Path, tmp_path: Path) -> None:
    words = ("score", matrix, "--no-ssgsea", "-q", "-o", tmp_path / "out")
    assert cafsc(*words).code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    run = cafsc(*words)
    assert run.code == 2 and "--force" in run.err
    assert cafsc(*words, "--force").code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--time", "days"), "--clinical"),
        (("--clinical", "CLINIC"), "--time and --event"),
        (("--clinical", "CLINIC", "--time", "x", "--event", "dead", "--no-ssgsea"), "no column 'x'"),
        (("--cancer", "toenail", "--no-ssgsea"), "toenail"),
        (("--exclude-paper", "nobody1999", "--no-ssgsea"), "nobody1999"),
        (("-o", "MATRIX"), "is a file"),
    ],
)
def test_wrong_options(
    cafsc: Cafsc, matrix: Path, clinic: Path, words: tuple[str, ...], message: str
) -> None:
    places = {"CLINIC": clinic, "MATRIX": matrix}
    run = cafsc("score", matrix, *(places.get(word, word) for word in words))
    assert run.code == 2
    assert message in run.err
    assert len(run.error_lines) <= 8 + 3
    assert "Traceback" not in run.err
    assert not matrix.with_name("cohort.scores").exists()


def test_a_wrong_table_is_named(cafsc: Cafsc, tmp_path: Path) -> None:
    path = tmp_path / "letter.tsv"
    path.write_text("dear friend\nhow are you\n")
    run = cafsc("score", path)
    assert run.code == 2
    assert "letter.tsv" in run.err


def test_weights_of_the_users_own_change_the_evidence(cafsc: Cafsc, matrix: Path, tmp_path: Path) -> None:
    weights = tmp_path / "weights.yaml"
    weights.write_text("evidence:\n  in_vitro: 0.0\n", encoding="utf-8")
    found = {}
    for name, options in {"ours": (), "own": ("--weights", weights)}.items():
        run = cafsc("score", matrix, "-o", tmp_path / name, "--no-ssgsea", *options)
        assert run.code == 0, run.err
        used = json.loads((tmp_path / name / "summary.json").read_text())["provenance"]["parameters"]
        assert used["species"] == "human"
        assert (used["weights"]["evidence"]["in_vitro"] == 0.0) == (name == "own")
        found[name] = pd.read_csv(tmp_path / name / "evidence.tsv", sep="\t").set_index("claim")
    vitro = found["ours"].index[found["ours"]["evidence"] == "in_vitro"]
    assert (found["ours"].loc[vitro, "weight"] > 0).any()
    assert (found["own"].reindex(vitro)["weight"].fillna(0.0) == 0).all()
    run = cafsc("score", matrix, "-o", tmp_path / "bad", "--weights", tmp_path / "none.yaml")
    assert run.code == 2
    assert "none.yaml" in run.err
