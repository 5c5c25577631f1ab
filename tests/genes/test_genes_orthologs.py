"""Orthologs are found in both directions, best first."""

from __future__ import annotations

import pytest

from cafsc.errors import OptionError
from cafsc.genes import approved, translate


@pytest.mark.parametrize(
    ("human", "mouse"),
    [
        ("COL1A1", "Col1a1"),
        ("ACTA2", "Acta2"),
        ("FAP", "Fap"),
        ("CXCL12", "Cxcl12"),
        ("CCN2", "Ccn2"),
        ("CD74", "Cd74"),
        ("TP53", "Trp53"),
        ("C3", "C3"),
        ("H3-3A", "H3f3a"),
    ],
)
def test_pairs_hold_in_both_directions(human: str, mouse: str) -> None:
    assert translate([human], "human", "mouse")[human][0] == mouse
    assert translate([mouse], "mouse", "human")[mouse][0] == human


def test_several_orthologs_are_kept_best_first() -> None:
    saa = translate(["SAA1", "CCL2"], "human", "mouse")
    assert saa["SAA1"][0] == "Saa1"
    assert set(saa["SAA1"]) >= {"Saa1", "Saa2"}
    assert saa["CCL2"][0] == "Ccl2"


def test_gene_without_ortholog_gives_nothing() -> None:
    assert translate(["CXCL8", "NOSUCHGENE"], "human", "mouse") == {"CXCL8": (), "NOSUCHGENE": ()}


def test_former_symbols_are_understood_and_keep_their_name_as_key() -> None:
    assert translate(["CTGF"], "human", "mouse") == {"CTGF": ("Ccn2",)}


def test_same_species_gives_the_gene_itself() -> None:
    assert translate(["COL1A1", "CTGF"], "human", "human") == {"COL1A1": ("COL1A1",), "CTGF": ("CCN2",)}


def test_every_ortholog_leads_back() -> None:
    there = translate(sorted(approved("human")), "human", "mouse")
    mouse = {name for names in there.values() for name in names}
    back = translate(sorted(mouse), "mouse", "human")
    assert all(human in back[name] for human, names in there.items() for name in names)


def test_unknown_species_is_refused() -> None:
    with pytest.raises(OptionError):
        translate(["COL1A1"], "human", "rat")
    with pytest.raises(OptionError):
        translate(["COL1A1"], "rat", "human")
