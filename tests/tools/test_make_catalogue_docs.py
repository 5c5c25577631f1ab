"""The pages of the catalogue say what the catalogue says, and the ones that are committed are up to date."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cafsc.sig import conflicts, load

ROOT = Path(__file__).resolve().parents[2]
MAX_BYTES = 1_500_000


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_catalogue_docs", ROOT / "tools" / "make_catalogue_docs.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(tool: ModuleType) -> dict[str, str]:
    made: dict[str, str] = tool.pages(load())
    return made


def test_committed_pages_are_up_to_date(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["make_catalogue_docs.py", "--check"])
    assert tool.main() == 0, "run 'make docs'"


def test_pages_are_the_same_every_time_and_small(tool: ModuleType, pages: dict[str, str]) -> None:
    assert tool.pages(load()) == pages
    assert sum(len(text.encode()) for text in pages.values()) < MAX_BYTES


def test_every_set_has_a_page_that_the_index_links(tool: ModuleType, pages: dict[str, str]) -> None:
    for entry in load().sets.values():
        page = pages[tool.page_of(entry.id)]
        assert f'href="{tool.page_of(entry.id)}"' in pages["index.html"]
        assert all(gene in page for gene in entry.definition.genes)
        assert entry.paper.link in page


def test_index_lists_every_conflict(pages: dict[str, str]) -> None:
    rows = pages["index.html"].split('<h2 id="conflicts">')[1].split("</table>")[0]
    assert rows.count("<tr>") == 1 + len(conflicts(load()))


def test_overlap_is_the_jaccard_index(tool: ModuleType) -> None:
    found = tool.jaccard({"a": frozenset("xyz"), "b": frozenset("yzw"), "c": frozenset("q")})
    assert found["a", "b"] == 2 / 4
    assert found["a", "c"] == 0
    assert found["a", "a"] == 1


def test_text_of_the_catalogue_is_escaped(tool: ModuleType) -> None:
    assert "&lt;script" in str(tool.heat_map(["<script>"], {("<script>", "<script>"): 1.0}))
