"""Escaping, plain progress, and tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cafsc import _progress
from cafsc._progress import Pace, tracked
from cafsc.cli import terminal
from cafsc.cli.terminal import _lines, _pace_lines, cut, printable, progress, table


@given(st.text())
def test_printable_text_has_no_control_characters(text: str) -> None:
    shown = printable(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert "\u202e" not in shown
    shown.encode("utf-8")


@given(st.text(alphabet=st.characters(whitelist_categories=("L", "N"))))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert printable(text) == text


def test_progress_says_the_first_step_at_once_where_nobody_watches(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress(quiet=False) as report:
        for step, number in (("gate", 1), ("gate", 1), ("score", 2)):
            report(step, number, 2)
    assert capsys.readouterr().err.splitlines() == ["[1/2] gate"]


def test_progress_is_said_ever_more_rarely_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    time = 0.0
    report = _lines(lambda: time)
    for number in range(1, 61):
        report(f"step {number}", number, 60)
        time += 1.0
    assert capsys.readouterr().err.splitlines() == [f"[{n}/60] step {n}" for n in (1, 4, 10, 22, 46)]


def test_uncounted_steps_have_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    _lines()("write", 0, 0)
    assert capsys.readouterr().err == "write\n"


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(quiet=True) as report:
        report("gate", 1, 2)
    said = capsys.readouterr()
    assert said.err == said.out == ""


def paces(*seconds: float) -> list[Pace]:
    """A loop of as many blocks, each done at that second, and its end."""
    loop = [Pace("score", n, 100, "cells", at) for n, at in enumerate(seconds, start=1)]
    return [*loop, Pace("score", len(seconds), 100, "cells", seconds[-1], ended=True)]


def test_a_long_loop_says_its_pace_ever_more_rarely(capsys: pytest.CaptureFixture[str]) -> None:
    hear = _pace_lines()
    for pace in paces(*range(1, 31)):
        hear(pace)
    said = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in said] == [f"score: {n} of 100 cells" for n in (5, 10, 20)]
    assert said[0].endswith("1 cells/s, 95 s left")


def test_a_short_loop_says_nothing_and_the_next_long_one_speaks_as_early(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hear = _pace_lines()
    for pace in paces(1, 2, 4):
        hear(pace)
    assert capsys.readouterr().err == ""
    for loop in range(2):
        for pace in paces(1, 6, 7):
            hear(pace)
        assert len(capsys.readouterr().err.splitlines()) == 1, loop


@pytest.mark.parametrize("watched", [False, True])
def test_progress_shows_the_pace_of_a_long_loop(
    watched: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "is_terminal", lambda: watched)
    monkeypatch.setenv("FORCE_COLOR" if watched else "NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "160")
    seconds = iter([0.0, 10.0, 20.0, 30.0])
    with progress(quiet=False) as report:
        report("score", 2, 10)
        monkeypatch.setattr(_progress, "monotonic", lambda: next(seconds))
        blocks = tracked(["a", "b"], "score the cells", 200, n_in=lambda block: 100)
        assert next(blocks) == "a"
        assert next(blocks) == "b"
    assert "score the cells: 100 of 200 cells, 10 cells/s, 10 s left" in capsys.readouterr().err


def test_quiet_progress_listens_to_no_loop() -> None:
    blocks = iter(["a"])
    with progress(quiet=True):
        assert tracked(blocks, "score", 1) is blocks


def test_table_sets_numbers_flush_right() -> None:
    lines = table(("name", "n"), [("a", "5"), ("bcdef", "1,200")], right=(False, True))
    assert lines == ["name       n", "a          5", "bcdef  1,200"]


def test_table_escapes_what_it_prints() -> None:
    lines = table(("name",), [("\x1b[31m\n",)], right=(False,))
    assert lines[1] == "\\x1b[31m\\n"


def test_cut_keeps_to_the_width() -> None:
    assert cut("short", 5) == "short"
    assert cut("a long word", 6) == "a lon…"
