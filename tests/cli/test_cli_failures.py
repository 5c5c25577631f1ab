"""Every way a command can end, its exit code, and what is said."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from cafsc.cli.failures import guarded
from cafsc.errors import CatalogueError, InputError, OptionError


def raising(error: BaseException) -> Callable[[], None]:
    def run() -> None:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (InputError("a.h5ad: truncated", expected="a whole file", fix="copy it again"), 2, "truncated"),
        (OptionError("no such cancer"), 2, "no such cancer"),
        (CatalogueError("x.yaml: no source"), 2, "x.yaml"),
        (MemoryError("Unable to allocate 3 TiB"), 2, "memory"),
        (OSError(errno.ENOSPC, "No space left on device", "out.h5ad"), 2, "out.h5ad"),
        (OSError("Can't write data (errno = 28, No space left on device)"), 2, "No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "in.h5ad"), 2, "in.h5ad: Permission denied"),
        (KeyError("caf_subtype"), 1, "KeyError: 'caf_subtype'"),
        (ZeroDivisionError("division by zero"), 1, "--debug"),
        (RuntimeError(), 1, "RuntimeError"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_exit_code_and_message(
    error: BaseException, code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guarded(raising(error)) == code
    said = capsys.readouterr()
    assert word in said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    assert all(line.startswith("cafsc: ") for line in said.err.splitlines())


def test_arguments_of_python_are_shown_as_options(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(
        raising(InputError("X is scaled", fix="give layer= or layer='counts', force=True, cluster_key=mine"))
    )
    assert "give --layer or --layer 'counts', --force, --cluster-key mine" in capsys.readouterr().err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(raising(InputError("a.h5ad: truncated")), debug=True) == 2
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert "test_cli_failures.py" in err


def test_a_long_message_is_cut_to_eight_short_lines(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(InputError("\n".join("x" * 10_000 for _ in range(100)))))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 8
    assert max(map(len, lines)) < 2000


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(raising(InputError("sample \x1b[2J\x1b]0;t\x07 \u202e evil")))
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert "\x07" not in err
    assert "\u202e" not in err
    assert "\\x1b[2J" in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_with_its_code_and_unwinds(tmp_path: Path, number: signal.Signals, code: int) -> None:
    ready, cleared = tmp_path / "ready", tmp_path / "cleared"
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from cafsc.cli.failures import guarded\n"
        "def run():\n"
        "    try:\n"
        f"        Path({str(ready)!r}).touch()\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        f"        Path({str(cleared)!r}).touch()\n"
        "sys.exit(guarded(run))\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + 30
        while not ready.exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert cleared.exists()
    assert "Traceback" not in err
    assert "cafsc: interrupted" in err or number != signal.SIGINT


def test_an_interrupt_that_typer_caught_is_said_too(capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert guarded(lambda: app([])) == 130
    assert "cafsc: interrupted" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_quiet(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    run = subprocess.run(
        [sys.executable, "-m", "cafsc", "signatures", "list"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    os.close(write_end)
    assert run.returncode == 141
    assert run.stderr == ""


def test_an_unknown_option_is_a_usage_error() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cafsc", "annotate", "x.h5ad", "--clustr-key", "a"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert "--clustr-key" in run.stderr
    assert len(run.stderr.strip().splitlines()) <= 8
