"""Escaping, plain progress, and tables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cafsc.cli.terminal import _lines, cut, printable, progress, table


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


def test_table_sets_numbers_flush_right() -> None:
    lines = table(("name", "n"), [("a", "5"), ("bcdef", "1,200")], right=(False, True))
    assert lines == ["name       n", "a          5", "bcdef  1,200"]


def test_table_escapes_what_it_prints() -> None:
    lines = table(("name",), [("\x1b[31m\n",)], right=(False,))
    assert lines[1] == "\\x1b[31m\\n"


def test_cut_keeps_to_the_width() -> None:
    assert cut("short", 5) == "short"
    assert cut("a long word", 6) == "a lon…"
