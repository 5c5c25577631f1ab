"""``cafsc explain``, and weights from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cafsc_command import Cafsc

from cafsc import AnnotationResult, io


@pytest.fixture(scope="module")
def out(annotated_tumour: AnnotationResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain") / "out.h5ad"
    io.write_h5ad(annotated_tumour.adata, path)
    return path


def test_one_cluster_as_text_and_as_json(cafsc: Cafsc, out: Path, annotated_tumour: AnnotationResult) -> None:
    row = annotated_tumour.clusters.iloc[0]
    run = cafsc("explain", out, "--cluster", row["cluster"])
    assert run.code == 0
    assert run.out.startswith(
        f"Cluster {row['cluster']}: {row['n_cells']:,} cells, {row['subtype']}, {row['call']}"
    )
    assert "What would change it" in run.out
    document = json.loads(cafsc("explain", out, "--cluster", row["cluster"], "--json").out)
    assert (document["call"], document["runner_up"]) == (row["call"], row["runner_up"])
    assert document["changes"]


def test_every_cluster_by_default(cafsc: Cafsc, out: Path, annotated_tumour: AnnotationResult) -> None:
    documents = json.loads(cafsc("explain", out, "--json").out)
    assert [document["cluster"] for document in documents] == annotated_tumour.clusters["cluster"].tolist()


def test_an_unknown_cluster_and_a_file_without_a_result(cafsc: Cafsc, out: Path, source: Path) -> None:
    run = cafsc("explain", out, "--cluster", "99")
    assert (run.code, run.out) == (2, "")
    assert "out.h5ad" in run.err
    assert "99" in run.err
    run = cafsc("explain", source)
    assert run.code == 2
    assert "cafsc.annotate" in run.err
    assert len(run.error_lines) <= 8


@pytest.mark.parametrize("mapping", [True, False])
def test_weights_from_the_configuration(cafsc: Cafsc, source: Path, tmp_path: Path, mapping: bool) -> None:
    config = tmp_path / "run.yaml"
    if mapping:
        config.write_text("cancer: breast\nweights:\n  evidence: {in_vitro: 0.25}\n")
    else:
        own = tmp_path / "own.yaml"
        own.write_text("evidence: {in_vitro: 0.25}\n")
        config.write_text(f"cancer: breast\nweights: {own}\n")
    assert cafsc("annotate", source, "--config", config, "--no-report", "-q").code == 0
    summary = json.loads((tmp_path / "tumour.cafsc" / "summary.json").read_text())
    used = summary["provenance"]["parameters"]["weights"]
    assert used["evidence"]["in_vitro"] == 0.25
    assert used["evidence"]["in_vivo"] == 1.0
    assert sum(part["share"] for part in summary["tumour"].values()) == pytest.approx(1.0)


def test_wrong_weights_stop_before_the_run(cafsc: Cafsc, source: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("weights:\n  evidence: {in_silico: 1}\n")
    run = cafsc("annotate", source, "--config", config)
    assert run.code == 2
    assert "in_silico" in run.err
    assert not (tmp_path / "tumour.cafsc").exists()
