"""The rules of the house, held by the tools that know them."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import cafsc
from cafsc import sig

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src"
PACKAGES = ("sig", "genes", "io", "pp", "data", "tl", "get", "pl", "report")
MAX_LINES = 400


def run(*words: str, timeout: int = 600) -> None:
    """Run a tool of this environment at the root of the checkout; its findings are the failure's text."""
    result = subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def source_files() -> list[Path]:
    files = [path for path in SRC.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return sorted(path for path in files if path.suffix in {".py", ".html", ".j2", ".jinja", ".css", ".js"})


def test_ruff_check() -> None:
    run("ruff", "check", "src", "tests", "tools", "benchmarks", "workflows")


def test_ruff_format() -> None:
    run("ruff", "format", "--check", "src", "tests", "tools", "benchmarks", "workflows")


@pytest.mark.slow
def test_mypy_strict() -> None:
    run("mypy", "--no-incremental")


def test_imports_run_one_way() -> None:
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def catalogue_genes() -> set[str]:
    """Every gene symbol in the catalogue's YAML files."""
    catalogue = sig.load()
    genes: set[str] = set()
    for entry in catalogue.sets.values():
        genes |= set(entry.definition.genes)
    for panel in catalogue.lineages.values():
        for value in panel.model_dump().values():
            if isinstance(value, list | tuple):
                genes |= {item for item in value if isinstance(item, str)}
    return genes


def test_no_gene_names_in_the_code(source_files: list[Path]) -> None:
    # A digit or four letters: shorter symbols (MET, KIT, Fap) are words or abbreviations too.
    genes = {gene for gene in catalogue_genes() if re.fullmatch(r"[A-Za-z][A-Za-z0-9.-]{2,}", gene)}
    genes = {gene for gene in genes if re.search(r"\d", gene) or (gene.isupper() and len(gene) >= 4)}
    assert len(genes) > 100
    found = {
        f"{path.relative_to(ROOT)}:{number}: {word}"
        for path in source_files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in re.findall(r"[A-Za-z][A-Za-z0-9.-]*[A-Za-z0-9]", line)
        if word in genes
    }
    assert not found, "\n".join(sorted(found))


def test_files_are_short(source_files: list[Path]) -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in source_files
        if path.suffix == ".py" and (count := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert not long


def test_the_public_names_are_those_of_the_design() -> None:
    assert set(cafsc.__all__) >= {"annotate", "AnnotationResult", "__version__", "data", "genes", "get", "io"}
    assert set(cafsc.__all__) >= {"pl", "pp", "report", "sig", "tl"}
    assert {"check", "qc", "normalize", "cluster"} <= set(cafsc.pp.__all__)
    assert {"gate", "score", "label", "programs", "verdict"} <= set(cafsc.tl.__all__)
    assert "load" in cafsc.sig.__all__


def test_every_public_name_is_there_and_explained() -> None:
    for name in cafsc.__all__:
        assert getattr(cafsc, name) is not None
    for package in PACKAGES:
        module = importlib.import_module(f"cafsc.{package}")
        assert module.__doc__ and "placeholder" not in module.__doc__
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing):
                assert (thing.__doc__ or "").strip(), f"cafsc.{package}.{name} has no docstring"


def test_dir_shows_the_public_names() -> None:
    assert set(cafsc.__all__) <= set(dir(cafsc))


def test_import_cafsc_is_light() -> None:
    code = "import cafsc, sys; print(*sys.modules)"
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert not {"scanpy", "anndata", "pandas", "numpy", "matplotlib"} & set(out.split())


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_locks_pin_hashes_and_name_no_index(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = re.findall(
        r"^[a-z0-9][a-z0-9._-]*(?:\[[a-z0-9,_-]+\])?==\S+ \\\n    --hash=sha256:", text, flags=re.M
    )
    assert len(pins) == len(re.findall(r"^[a-z0-9]", text, flags=re.M))
    assert "hatchling==" in text
    for word in ("://", "index-url", "find-links", "file:"):
        assert word not in text


def test_the_test_lock_has_the_same_versions() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(
            re.findall(r"^([a-z0-9._-]+)(?:\[[a-z0-9,_-]+\])?==(\S+)", (ROOT / name).read_text(), flags=re.M)
        )

    runtime, test = pins("requirements.lock"), pins("requirements-test.lock")
    assert {package: test.get(package) for package in runtime} == runtime


def test_the_wheel_carries_the_catalogue(tmp_path: Path) -> None:
    run("hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "signatures").rglob("*"):
        if path.is_file():
            assert f"cafsc/_signatures/{path.relative_to(ROOT / 'signatures').as_posix()}" in names
    assert "cafsc/py.typed" in names
    assert "cafsc/_annotate.py" in names


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            if "://" not in link and not link.startswith("mailto:"):
                assert (document.parent / link).exists(), f"{document.name}: {link}"
