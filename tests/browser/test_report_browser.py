"""The report in a real browser: it loads by itself, complains of nothing, and its table tools work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from annotated import CLAIMS, CLUSTERS, annotated, without_clusters

from cafsc import report

pytest.importorskip("websocket", reason="websocket-client is not installed")
from chromium import Browser, Page, binary

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(binary() is None, reason="chromium is not installed"),
]

SHOWN = "[...document.querySelectorAll('tr.claim')].filter(r => r.checkVisibility()).length"
CHOOSE = """(() => {{ const field = document.getElementById({id!r}); field.value = {value!r};
    field.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = binary()
    assert program is not None
    with Browser(program, tmp_path_factory.mktemp("chromium") / "profile") as running:
        yield running


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report.build(annotated()), encoding="utf-8")
    return path


@pytest.fixture
def page(browser: Browser, file: Path) -> Iterator[Page]:
    with browser.page() as tab:
        tab.look(1280)
        tab.open(file)
        yield tab


FAINT = """(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const tags = "h1,h2,h3,p,td,th,dt,dd,a,li,span,summary,figcaption,caption,code,figure text";
  for (const e of document.querySelectorAll(tags)) {
    const drawn = e.tagName === "text";
    if (!e.textContent.trim() || !e.checkVisibility()) continue;
    const style = getComputedStyle(e);
    // Names inside the bars stand on the bars' own colours.
    if (drawn && /rgb\\((17, 17, 17|255, 255, 255)\\)/.test(style.fill)) continue;
    const [a, b] = [light(parse(drawn ? style.fill : style.color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${e.tagName} ${e.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return faint;
})()"""


def choose(page: Page, field: str, value: str) -> None:
    page.ask(CHOOSE.format(id=field, value=value))


def test_it_loads_quietly_and_alone(page: Page) -> None:
    page.ask("new Promise(done => setTimeout(done, 300))")
    assert page.complaints == []
    assert page.requests == []
    assert page.ask("document.title").startswith("Fibroblasts in tumour")
    assert page.ask("document.querySelectorAll('article.card').length") == len(CLUSTERS)
    assert page.ask("document.querySelectorAll('table.claims').length") == len({c[0] for c in CLAIMS})
    assert page.ask("document.querySelectorAll('figure svg').length") == 6
    assert page.ask(
        "[...document.querySelectorAll('figure svg')].every(s => s.getBoundingClientRect().width > 200)"
    )


def test_the_policy_stops_what_was_not_meant(page: Page) -> None:
    picture = '<img src="https://example.org/x.png" onerror="window.hit=1">'
    page.ask(f"document.body.insertAdjacentHTML('beforeend', {picture!r})")
    page.ask("new Promise(done => setTimeout(done, 300))")
    assert page.ask("window.hit") is None
    assert any("Content Security Policy" in text for text in page.complaints)


def test_the_filter_shows_what_fits_and_gives_all_back(page: Page) -> None:
    assert page.ask(SHOWN) == len(CLAIMS)
    choose(page, "find", "checkpoint feig")
    assert page.ask(SHOWN) == 1
    assert page.ask("document.getElementById('found').textContent") == f"1 of {len(CLAIMS)} claims shown"
    choose(page, "find", "")
    choose(page, "says", "anti")
    assert page.ask(SHOWN) == sum(c[2] == "anti" for c in CLAIMS)
    choose(page, "level", "in vivo")
    assert page.ask(SHOWN) == sum(c[2] == "anti" and c[5] == "in_vivo" for c in CLAIMS)
    page.ask("document.getElementById('reset').click()")
    assert page.ask(SHOWN) == len(CLAIMS)
    assert page.complaints == []


def test_sorting_stays_within_the_sides(page: Page) -> None:
    column = (
        "[...document.querySelectorAll('#evidence-1 tbody:first-of-type tr.claim')]"
        ".map(r => Number(r.cells[5].dataset.value))"
    )
    weights = [c[4] for c in CLAIMS if c[0] == "0" and c[3] == "for"]
    head = "document.querySelector('#evidence-1 th:last-child button')"
    page.ask(f"{head}.click()")
    assert page.ask(column) == sorted(weights)
    assert page.ask(f"{head}.parentElement.getAttribute('aria-sort')") == "ascending"
    page.ask(f"{head}.click()")
    assert page.ask(column) == sorted(weights, reverse=True)
    assert page.ask("document.querySelector('#evidence-1 tbody tr').className") == "side"


def test_it_fits_a_telephone(page: Page) -> None:
    page.look(390, 844)
    assert page.ask("document.documentElement.scrollWidth") == 390
    assert page.ask(SHOWN) == len(CLAIMS)
    choose(page, "says", "pro")
    assert page.ask(SHOWN) == sum(c[2] == "pro" for c in CLAIMS)


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_ground(browser: Browser, file: Path, dark: bool) -> None:
    with browser.page() as page:
        page.look(1280, dark=dark)
        page.open(file)
        assert page.ask(FAINT) == []


def test_without_script_everything_is_still_there(browser: Browser, file: Path) -> None:
    with browser.page() as page:
        page.look(1280, scripts=False)
        page.open(file)
        page.look(1280)  # scripts again, for the questions; those of the page had their chance
        assert page.ask("document.getElementById('ledger-tools').hidden") is True
        assert page.ask("document.querySelectorAll('.sort').length") == 0
        assert page.ask(SHOWN) == len(CLAIMS)


def test_without_clusters_it_opens_too(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    path.write_text(report.build(without_clusters()), encoding="utf-8")
    with browser.page() as page:
        page.look(1280)
        page.open(path)
        assert page.complaints == []
        assert page.requests == []
        assert "No fibroblast cluster" in page.ask("document.body.innerText")
