"""The corpus of bad and odd inputs through the real command line, with every check that its manifest asks for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anndata

ROOT = Path(__file__).resolve().parents[2]
FOLDER_VARIABLE = "CAFSC_BAD_INPUTS"
REFERENCE = "B01_base_csr_float32"
LABELS = ("caf_lineage", "caf_gate", "caf_subtype", "caf_call")
Case = Mapping[str, Any]


def corpus_folder() -> Path | None:
    """Folder with make_bad.py and run_bad.py, where it can be had."""
    given = os.environ.get(FOLDER_VARIABLE)
    folder = Path(given) if given else ROOT.parent / "shared" / "bad_inputs"
    return folder if (folder / "make_bad.py").is_file() else None


def can_run() -> str | None:
    """Why the corpus cannot be run here, or None."""
    if corpus_folder() is None:
        return f"no corpus of bad inputs: {FOLDER_VARIABLE} is not set, and it is not beside the checkout"
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "the corpus needs root in a throw-away machine, for its mounts and its unreadable files"
    return None


def make(folder: Path) -> list[Case]:
    """Build the corpus in an empty folder, and give its cases."""
    scripts = corpus_folder()
    assert scripts is not None
    subprocess.run(
        [sys.executable, str(scripts / "make_bad.py"), str(folder)],
        check=True,
        capture_output=True,
        timeout=600,
    )
    cases: list[Case] = json.loads((folder / "manifest.json").read_text())["cases"]
    return cases


def third(cases: Iterable[Case]) -> list[str]:
    """A third of the cases by a fixed rule: every third one of each group, in the order of the manifest.

    Cases that need more than two runs stay out.
    """
    seen: dict[str, int] = {}
    chosen = []
    for case in cases:
        if case.get("fault") in ("sigterm", "sigint", "sigkill_x20", "hashseed", "chunks"):
            continue
        number = seen.setdefault(case["group"], 0)
        seen[case["group"]] += 1
        if number % 3 == 0:
            chosen.append(case["id"])
    return chosen


def cafsc_words() -> list[str]:
    """How to call the command line: that of this environment, or the one that ``CAFSC_COMMAND`` names."""
    return [os.environ.get("CAFSC_COMMAND") or str(Path(sys.executable).with_name("cafsc")), "annotate"]


def run_corpus(
    folder: Path, names: Iterable[str], *, options: str = "", jobs: int = 2
) -> list[dict[str, Any]]:
    """Judge cases by the corpus's own runner; one row a case: ``id``, ``passed``, ``outcome``, ``why``, ``tail``.

    `options` are put behind the arguments of every case.
    """
    scripts = corpus_folder()
    assert scripts is not None
    report = folder / "report.json"
    words = [sys.executable, str(scripts / "run_bad.py"), str(folder), "--jobs", str(jobs)]
    words += ["--only", f"^({'|'.join(map(re.escape, names))})$", "--report", str(report)]
    words += ["--cmd", f"{' '.join(cafsc_words())} {{input}} -o {{out}} {{args}} {options}"]
    with tempfile.TemporaryDirectory(prefix="bad_inputs_") as scratch:
        # One case runs as another user, who must be able to get to his folder.
        Path(scratch).chmod(0o755)
        environment = {**os.environ, "TMPDIR": scratch, "MPLBACKEND": "Agg"}
        subprocess.run(words, env=environment, check=False, stdout=subprocess.DEVNULL, timeout=7200)
    rows: list[dict[str, Any]] = json.loads(report.read_text())
    for row in rows:
        if row["id"].startswith("G06") and row["outcome"] == "ok" and row["why"][1:] == ["whole"]:
            # The runner gives no pass to two writers whatever they do: its notes on them count as complaints.
            row["passed"] = set(json.loads(row["why"][0])) <= {0, 2}
    return rows


@dataclass
class Result:
    """What a case's output holds, as far as the manifest asks about it."""

    code: int
    labels: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    said: str = ""


def annotate(folder: Path, case: Case) -> Result:
    """Run one case, and read its labels back."""
    wanted = case.get("forbid", {}).get("obs_changed", ())
    with tempfile.TemporaryDirectory(prefix="bad_inputs_") as scratch:
        out = Path(scratch) / "result.h5ad"
        arguments = [word.replace("{dir}", str(folder)) for word in case["args"]]
        words = [
            *cafsc_words(),
            str(folder / case["file"]),
            "-o",
            str(out),
            "--no-report",
            "--no-umap",
            *arguments,
        ]
        environment = {**os.environ, "MPLBACKEND": "Agg", **case.get("env", {})}
        done = subprocess.run(
            words, env=environment, capture_output=True, text=True, errors="replace", check=False, timeout=300
        )
        result = Result(done.returncode, said=done.stderr[-500:])
        if done.returncode == 0:
            obs = anndata.read_h5ad(out).obs
            result.labels = {name: obs[name].astype(str).tolist() for name in LABELS}
            result.columns = {name: obs[name].astype(str).tolist() for name in wanted}
    return result


def _complaints(folder: Path, case: Case, result: Result, reference: Result) -> list[str]:
    """What is wrong with the labels and columns of an output, as its manifest asks."""
    if result.code not in (0, 2):
        return [f"exit code {result.code}: {result.said}"]
    said, forbidden = [], case.get("forbid", {})
    is_refused = result.code == 2 and "clear_error" in case.get("also_accept", ())
    if case.get("same_as") == REFERENCE and not is_refused and result.labels != reference.labels:
        said.append("the labels are not those of the reference")
    named = {name for name in result.labels.get("caf_subtype", ()) if name != "nan"}
    if "caf_labels" in forbidden and named:
        said.append(f"cells without fibroblasts were named {', '.join(sorted(named))}")
    if "obs_changed" in forbidden:
        obs = anndata.read_h5ad(folder / case["file"]).obs
        for name in forbidden["obs_changed"]:
            if result.columns.get(name) != obs[name].astype(str).tolist():
                said.append(f"column changed: {name}")
    return said


def check_outputs(folder: Path, cases: Iterable[Case], *, jobs: int = 2) -> dict[str, list[str]]:
    """What the runner does not look at: complaints on labels and columns, by case; cases that ask for none stay out."""
    asked = [
        case
        for case in cases
        if case.get("fault") in (None, "env")
        and (case.get("same_as") == REFERENCE or {"caf_labels", "obs_changed"} & set(case.get("forbid", {})))
    ]
    reference = annotate(folder, {"file": f"inputs/{REFERENCE}.h5ad", "args": []})
    with ThreadPoolExecutor(jobs) as pool:
        results = pool.map(lambda case: annotate(folder, case), asked)
        return {
            case["id"]: _complaints(folder, case, result, reference)
            for case, result in zip(asked, results, strict=True)
        }
