"""Escaping, plain progress, and tables."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cafsc.cli.terminal import clean_streams, cut, printable, progress, table


@given(st.text())
def test_printable_text_has_no_control_characters(text: str) -> None:
    shown = printable(text)
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in shown)
    assert "\u202e" not in shown
    shown.encode("utf-8")


@given(st.text(alphabet=st.characters(whitelist_categories=("L", "N"))))
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert printable(text) == text


def test_each_step_is_a_line_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(quiet=False) as report:
        report("read tumour.h5ad", 0, 0)
        report("gate", 1, 2)
        report("score", 2, 2)
    assert capsys.readouterr().err.splitlines() == ["read tumour.h5ad", "[1/2] gate", "[2/2] score"]


def test_on_a_terminal_the_steps_share_one_line_that_goes_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress(quiet=False) as report:
        report("gate \x1b[2J", 1, 2)
    said = capsys.readouterr().err
    assert "[1/2] gate \\x1b[2J" in said
    assert "\n" not in said
    assert said.endswith("\r\x1b[K")


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(quiet=True) as report:
        report("gate", 1, 2)
    said = capsys.readouterr()
    assert said.err == said.out == ""


def test_table_sets_numbers_flush_right() -> None:
    lines = table(("name", "n"), [("a", "5"), ("bcdef", "1,200")], right=("n",))
    assert lines == ["name       n", "a          5", "bcdef  1,200"]


def test_table_escapes_what_it_prints() -> None:
    lines = table(("name",), [("\x1b[31m\n",)], right=())
    assert lines[1] == "\\x1b[31m\\n"


def test_cut_keeps_to_the_width() -> None:
    assert cut("short", 5) == "short"
    assert cut("a long word", 6) == "a lon…"


@pytest.mark.parametrize("debug", [False, True])
def test_logs_of_libraries_stay_off_the_terminal(debug: bool, caplog: pytest.LogCaptureFixture) -> None:
    with clean_streams(debug=debug):
        logging.getLogger("a_library").error("converged after 3 iterations")
    assert bool(caplog.records) is debug
    logging.getLogger("a_library").error("said outside")
    assert caplog.records[-1].message == "said outside"
