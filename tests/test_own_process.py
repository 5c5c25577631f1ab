"""A process of the command's own ends at once, and nothing that was to happen at its end is lost."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cafsc import _own_process

_LEAVES = """
import atexit, sys
from cafsc import _own_process
atexit.register(lambda: print("registered"))
class Freed:
    def __del__(self):
        print("freed one by one")
kept = Freed()
if sys.argv[1] == "own":
    _own_process.claim()
print("printed", end=" ")
print("said", file=sys.stderr, end="")
_own_process.leave(3)
"""


@pytest.mark.parametrize(("whose", "freed"), [("own", ""), ("session", "freed one by one\n")])
def test_what_was_printed_and_registered_comes_through(whose: str, freed: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", _LEAVES, whose], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 3
    assert run.stdout == f"printed registered\n{freed}"
    assert run.stderr == "said"


def test_somebody_elses_process_goes_on() -> None:
    assert not _own_process.claimed
    with pytest.raises(SystemExit) as caught:
        _own_process.leave(2)
    assert caught.value.code == 2
