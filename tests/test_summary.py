"""Shares of the cells of a tumour with each call."""

from __future__ import annotations

import pytest

from cafsc._summary import shares


def test_shares_of_cells_have_intervals_over_cells_and_samples() -> None:
    found = shares({"pro": 60, "anti": 40, "mixed": 0}, 1000, 0)
    assert {name: part["share"] for name, part in found.items()} == {"pro": 0.6, "anti": 0.4, "mixed": 0.0}
    # Two standard errors of a share of 0.6 among 100 cells.
    assert found["pro"]["high"] - found["pro"]["low"] == pytest.approx(4 * (0.24 / 100) ** 0.5, rel=0.15)
    assert "low_samples" not in found["pro"]
    assert shares({}, 100, 0) == shares({"pro": 0}, 100, 0) == {}
    calls = {"pro": 500, "anti": 500}
    alike = shares(calls, 1000, 0, [{"pro": 100, "anti": 100}] * 5)["pro"]
    apart = shares(calls, 1000, 0, [{"pro": 250}, {"pro": 250}, {"anti": 250}, {"anti": 250}, {}])["pro"]
    assert alike["low_samples"] == alike["high_samples"] == 0.5
    assert apart["low_samples"] < apart["low"]
