"""``cafsc annotate`` from end to end on the simulated tumour, and what it refuses."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from cafsc_command import Cafsc, Run


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree(folder: Path) -> dict[str, str]:
    """Every file below a folder, with its hash."""
    return {
        str(path.relative_to(folder)): digest(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }


@dataclass(frozen=True)
class Finished:
    """One run of the simulated tumour that the tests of this file share."""

    source: Path
    before: str
    run: Run
    folder: Path

    @property
    def document(self) -> Mapping[str, object]:
        return json.loads(self.run.out)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def finished(simulated_source: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """``cafsc annotate tumour.h5ad --cancer breast --json``, in a process of its own."""
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("finished")
    source = folder / "tumour.h5ad"
    source.write_bytes(simulated_source.read_bytes())
    before = digest(source)
    process = subprocess.run(
        [sys.executable, "-m", "cafsc", "annotate", "tumour.h5ad", "--cancer", "breast", "--json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )
    return Finished(source, before, Run(process.returncode, process.stdout, process.stderr), folder)


class TestAFinishedRun:
    """What is there after one run."""

    def test_it_ends_well_and_names_clusters(self, finished: Finished) -> None:
        assert finished.run.code == 0, finished.run.err
        clusters = pd.DataFrame(finished.document["clusters"])
        assert {"myCAF", "iCAF"} <= {name.split(" ")[0] for name in clusters["subtype"]}

    def test_json_is_on_stdout_and_the_table_on_stderr(self, finished: Finished) -> None:
        assert set(finished.document) == {"summary", "clusters", "outputs"}
        for word in ("leading evidence", "-> tumour.cafsc.h5ad", "simulated", "[3/11]"):
            assert word in finished.run.err
        assert "\x1b" not in finished.run.err

    def test_the_files_are_beside_the_input(self, finished: Finished) -> None:
        assert set(tree(finished.folder)) == {
            "tumour.h5ad",
            "tumour.cafsc.h5ad",
            "tumour.cafsc/report.html",
            "tumour.cafsc/clusters.tsv",
            "tumour.cafsc/cells.tsv.gz",
            "tumour.cafsc/evidence.tsv",
            "tumour.cafsc/markers.tsv",
            "tumour.cafsc/summary.json",
        }

    def test_the_input_is_as_it_was(self, finished: Finished) -> None:
        assert digest(finished.source) == finished.before

    def test_the_output_reads_back_with_counts_and_provenance(self, finished: Finished) -> None:
        given = anndata.read_h5ad(finished.source)
        adata = anndata.read_h5ad(finished.folder / "tumour.cafsc.h5ad")
        assert np.array_equal(adata.layers["counts"].toarray(), given.X.toarray())
        provenance = json.loads(adata.uns["cafsc"]["provenance"])
        assert provenance["input"] == {"file": "tumour.h5ad", "sha256": finished.before}
        assert len(provenance["catalogue"]["sha256"]) == 64
        assert provenance["parameters"]["cancer"] is not None
        assert provenance["seed"] == 0
        assert json.loads(adata.uns["cafsc"]["summary"])["input"]["file"] == "tumour.h5ad"

    def test_summary_json_is_the_summary_and_the_provenance(self, finished: Finished) -> None:
        written = json.loads((finished.folder / "tumour.cafsc" / "summary.json").read_text())
        provenance = written.pop("provenance")
        assert written == finished.document["summary"]
        assert provenance["input"]["sha256"] == finished.before

    def test_the_tables_hold_every_cell_and_claim(self, finished: Finished) -> None:
        folder = finished.folder / "tumour.cafsc"
        cells = pd.read_csv(folder / "cells.tsv.gz", sep="\t")
        assert len(cells) == anndata.read_h5ad(finished.source, backed="r").n_obs
        evidence = pd.read_csv(folder / "evidence.tsv", sep="\t")
        assert {"for", "against"} <= set(evidence["side"])
        assert evidence["link"].str.startswith("https://").all()

    def test_nothing_names_the_machine(self, finished: Finished) -> None:
        for path in (finished.folder / "tumour.cafsc").iterdir():
            content = path.read_bytes()
            text = gzip.decompress(content) if path.suffix == ".gz" else content
            assert str(finished.folder).encode() not in text
        assert str(finished.folder).encode() not in (finished.folder / "tumour.cafsc.h5ad").read_bytes()

    def test_a_second_run_is_refused_and_changes_nothing(self, finished: Finished, cafsc: Cafsc) -> None:
        before = tree(finished.folder)
        run = cafsc("annotate", finished.source)
        assert run.code == 2
        assert "exists already" in run.err
        assert "--force" in run.err
        assert tree(finished.folder) == before

    def test_the_very_same_run_has_nothing_to_do(self, finished: Finished, cafsc: Cafsc) -> None:
        before = tree(finished.folder)
        run = cafsc("annotate", finished.source, "--cancer", "breast", "--json")
        assert run.code == 0
        assert "nothing to do" in run.err
        assert "[1/" not in run.err
        paths = ("summary", "clusters")
        document = json.loads(run.out)
        assert {name: document[name] for name in paths} == {name: finished.document[name] for name in paths}
        assert tree(finished.folder) == before

    def test_it_is_refused_where_out_is_of_another_run(
        self, finished: Finished, cafsc: Cafsc, tmp_path: Path
    ) -> None:
        """As after a kill between the tables and OUT."""
        shutil.copytree(finished.folder, tmp_path / "copy")
        source, out = tmp_path / "copy" / "tumour.h5ad", tmp_path / "copy" / "tumour.cafsc.h5ad"
        out.write_bytes(source.read_bytes())
        run = cafsc("annotate", source, "--cancer", "breast")
        assert run.code == 2
        assert "exists already" in run.err
        assert out.read_bytes() == source.read_bytes()

    def test_force_writes_again(self, finished: Finished, cafsc: Cafsc) -> None:
        before = pd.read_csv(finished.folder / "tumour.cafsc" / "clusters.tsv", sep="\t")
        run = cafsc("annotate", finished.source, "--cancer", "breast", "--force", "--quiet")
        assert (run.code, run.out, run.err) == (0, "", "")
        after = pd.read_csv(finished.folder / "tumour.cafsc" / "clusters.tsv", sep="\t")
        pd.testing.assert_frame_equal(before, after)

    def test_the_report_can_be_written_again(self, finished: Finished, cafsc: Cafsc, tmp_path: Path) -> None:
        again = tmp_path / "again.html"
        run = cafsc("report", finished.folder / "tumour.cafsc.h5ad", "-o", again)
        assert run.code == 0, run.err
        assert "<html" in again.read_text()


def test_no_report_writes_none(source: Path, cafsc: Cafsc) -> None:
    run = cafsc("annotate", source, "--no-report", "--quiet")
    assert run.code == 0, run.err
    assert not (source.parent / "tumour.cafsc" / "report.html").exists()
    assert (source.parent / "tumour.cafsc" / "clusters.tsv").exists()
    # That of an earlier run would stand beside tables of this one.
    (source.parent / "tumour.cafsc" / "report.html").write_text("of another run")
    run = cafsc("annotate", source, "--no-report", "--quiet", "--force")
    assert run.code == 0, run.err
    assert not (source.parent / "tumour.cafsc" / "report.html").exists()


def test_dry_run_checks_and_writes_nothing(source: Path, cafsc: Cafsc) -> None:
    before = tree(source.parent)
    run = cafsc("annotate", source, "--dry-run", "--cancer", "breast", "--json")
    assert run.code == 0, run.err
    document = json.loads(run.out)
    assert document["dry_run"] is True
    assert document["input"]["n_cells"] == anndata.read_h5ad(source, backed="r").n_obs
    assert len(document["would_write"]) == 7
    assert str(source.with_name("tumour.cafsc.h5ad")) in run.err
    assert tree(source.parent) == before


def test_dry_run_finds_what_a_run_would_refuse(source: Path, cafsc: Cafsc) -> None:
    run = cafsc("annotate", source, "--dry-run", "--cluster-key", "leiden")
    assert run.code == 2
    assert "leiden" in run.err


def refused(run: Run, source: Path, *words: str) -> None:
    """Exit 2, the file, the cause and the fix in at most eight lines, and nothing written."""
    assert run.code == 2, run.err
    assert run.out == ""
    said = [line for line in run.error_lines if line.startswith("cafsc: error: ")]
    assert 0 < len(said) <= 8
    text = "\n".join(said)
    for word in (source.name, *words):
        assert word in text
    assert "Traceback" not in run.err
    assert "fix: " in text
    assert {path.name for path in source.parent.iterdir()} <= {source.name}


@pytest.mark.parametrize(
    "content", [None, b"", b"gene,cell1,cell2\nFAP,1,0\n", b"\x89HDF\r\n\x1a\n" + bytes(100)]
)
def test_a_file_that_is_missing_empty_text_or_cut(
    content: bytes | None, tmp_path: Path, cafsc: Cafsc
) -> None:
    source = tmp_path / "counts.h5ad"
    if content is not None:
        source.write_bytes(content)
    refused(cafsc("annotate", source), source)


def test_a_scaled_matrix(scaled: anndata.AnnData, tmp_path: Path, cafsc: Cafsc) -> None:
    source = tmp_path / "scaled.h5ad"
    scaled.write_h5ad(source)
    refused(cafsc("annotate", source), source, "scaled")


@pytest.mark.parametrize("option", ["--cluster-key", "--sample-key", "--batch-key", "--layer"])
def test_a_name_that_is_not_in_the_data(option: str, source: Path, cafsc: Cafsc) -> None:
    refused(cafsc("annotate", source, option, "my_name"), source, "my_name")


def test_an_unknown_cancer_lists_the_known(source: Path, cafsc: Cafsc) -> None:
    from cafsc import sig

    run = cafsc("annotate", source, "--cancer", "brest")
    assert run.code == 2
    assert "brest" in run.err
    for code in sig.load().cancers:
        assert code in run.err
    assert "breast" in run.err.splitlines()[-1]
    assert len(run.error_lines) <= 8


@pytest.mark.parametrize(
    ("option", "value", "word"),
    [("--scheme", "keiffer", "kieffer"), ("--signatures", "nope.yaml", "nope.yaml")],
)
def test_a_wrong_name_is_answered(option: str, value: str, word: str, source: Path, cafsc: Cafsc) -> None:
    run = cafsc("annotate", source, option, value)
    assert run.code == 2
    assert word in run.err


@pytest.mark.parametrize("words", [("--resolution", "0"), ("--resolution", "nan"), ("--seed", "-1")])
def test_a_number_out_of_range(words: tuple[str, str], source: Path, cafsc: Cafsc) -> None:
    run = cafsc("annotate", source, *words)
    assert run.code == 2
    assert words[0] in run.err
    assert len(run.error_lines) <= 8


def test_the_input_is_refused_as_output(source: Path, cafsc: Cafsc) -> None:
    before = digest(source)
    refused(cafsc("annotate", source, "-o", source, "--force"), source, "same file")
    assert digest(source) == before


def test_an_existing_output_is_refused_before_anything_is_read(tmp_path: Path, cafsc: Cafsc) -> None:
    out = tmp_path / "out.h5ad"
    out.write_text("precious")
    run = cafsc("annotate", tmp_path / "not_there.h5ad", "-o", out)
    assert run.code == 2
    assert "out.h5ad: exists already" in run.err
    assert out.read_text() == "precious"


def test_a_failure_while_writing_leaves_nothing(
    source: Path, cafsc: Cafsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cafsc import io

    def full(*words: object, **more: object) -> None:
        raise OSError(28, "No space left on device", "tumour.cafsc.h5ad")

    monkeypatch.setattr(io, "write_h5ad", full)
    run = cafsc("annotate", source)
    assert run.code == 2
    assert "No space left on device" in run.err
    assert [path.name for path in source.parent.iterdir()] == [source.name]
