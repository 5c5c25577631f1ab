"""Coverage counts the genes of a set that are measured."""

from __future__ import annotations

from pathlib import Path

from cafsc.sig import coverage, read


def test_found_and_missing_keep_the_order_of_the_set(tiny: Path) -> None:
    entry = read(tiny).sets["one2020/myCAF"].definition
    found = coverage(entry, ["CFD", "ACTA2", "GAPDH"])
    assert found.found == ("ACTA2", "CFD")
    assert found.missing == ("TAGLN", "POSTN")
    assert (found.n_found, found.n_genes, found.share) == (2, 4, 0.5)


def test_levels_count_as_genes(tiny: Path) -> None:
    assert coverage(read(tiny).sets["two2021/levels"].definition, {"FAP"}).share == 0.5


def test_nothing_measured_is_zero(tiny: Path) -> None:
    assert coverage(read(tiny).sets["one2020/iCAF"].definition, []).share == 0.0
