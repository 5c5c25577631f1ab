"""SIGKILL in the middle of writing: what stood under the final name is whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from kill_writer import kill_writers

N_KILLS = int(os.environ.get("CAFSC_N_KILLS", "30"))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_kill_damages_the_file_that_was_there(tmp_path: Path) -> None:
    found = kill_writers(tmp_path, N_KILLS)
    assert found.n_damaged == 0
    assert found.n_old + found.n_new == N_KILLS
    assert found.n_left == 0
    # The test is about kills that hit: most of them must.
    assert found.n_in_window > 0.5 * N_KILLS
