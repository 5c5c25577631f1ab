"""Mutated files: refused, or read as they were; never a crash, a hang, or another X without a word."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fuzz_h5ad import fuzz

N_FILES = int(os.environ.get("CAFSC_N_FUZZ", "60"))


@pytest.mark.slow
def test_no_mutated_file_crashes_hangs_or_changes_x_in_silence(tmp_path: Path) -> None:
    found = fuzz(tmp_path, N_FILES)
    assert sum(found.outcomes.values()) == N_FILES
    bad = {
        name: found.examples[name] for name in ("silent", "signal", "hang", "bug") if name in found.examples
    }
    assert not bad
    # The mutations must bite: not all files are read as if nothing had happened.
    assert found.outcomes["refused"] > 0
    assert found.outcomes["same"] > 0
