"""The methods page says what the code does: same defaults, same codes, same sources."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from cafsc import Config, data
from cafsc.get import schema

ROOT = Path(__file__).parents[1]
DOI = re.compile(r"doi:(10\.\d{4,9}/[^\s)`\"'\],;]+)")


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = ROOT / "tools" / "update_methods.py"
    spec = importlib.util.spec_from_file_location("update_methods", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_defaults_are_those_of_the_configuration(tool: ModuleType) -> None:
    assert tool.shown() == tool.written(), "run tools/update_methods.py and look at the change"


def test_every_option_that_is_named_exists(page: str) -> None:
    steps = "|".join(Config.model_fields)
    for name in re.findall(rf"`((?:{steps})\.[a-z_.]+)`", page):
        value: object = Config()
        for part in name.split("."):
            assert hasattr(value, part), name
            value = getattr(value, part)


def test_every_source_of_the_computing_code_is_named(page: str) -> None:
    named = set(DOI.findall(page))
    code = [*(ROOT / "src/cafsc/pp").rglob("*.py"), *(ROOT / "src/cafsc/tl").rglob("*.py")]
    assert len(code) > 20
    for path in code:
        used = {doi.rstrip(".") for doi in DOI.findall(path.read_text(encoding="utf-8"))}
        assert used <= named, path.name


def test_every_reason_is_explained(page: str) -> None:
    for code in (*schema.CLUSTERS["reason"].codes, *schema.CLUSTERS["call_reason"].codes):
        assert re.search(rf"^\| `{code.partition(':')[0]}(:[^`]+)?` \|", page, re.MULTILINE), code
    for code in schema.CELLS["gate"].codes:
        assert f"`{code.partition(':')[0]}" in page, code


def test_the_datasets_behind_the_levels_are_registered(page: str) -> None:
    tool = (ROOT / "tools" / "fit_reference_levels.py").read_text(encoding="utf-8")
    listed = re.search(r"DATASETS = \((.*?)\)", tool, re.DOTALL)
    assert listed
    used = re.findall(r'"([a-zA-Z0-9_]+)"', listed.group(1))
    assert len(used) == 5
    assert set(used) <= set(data.datasets()["name"])
    assert all(f"`{name}`" in page for name in used)


def test_formulas_are_closed(page: str) -> None:
    assert page.count("$$") % 2 == 0
    assert page.replace("$$", "").count("$") % 2 == 0


def test_the_architecture_page_names_what_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package, home = ROOT / "src" / "cafsc", (ROOT, ROOT / "src" / "cafsc")
    paths = set(re.findall(r"`([\w/]+(?:\.py|/))`", text))
    assert len(paths) > 20
    assert [path for path in sorted(paths) if not any((folder / path).exists() for folder in home)] == []
    rooms = {path.stem for path in package.iterdir() if path.is_dir() or path.suffix == ".py"}
    hidden = {"__init__", "__main__", "__pycache__", "py"}
    assert [room for room in sorted(rooms - hidden) if not re.search(rf"\b{room}\b", text)] == []
