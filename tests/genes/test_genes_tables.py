"""The shipped gene tables are sound and agree with each other."""

from __future__ import annotations

import gzip
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cafsc.errors import OptionError
from cafsc.genes import aliases, approved, symbols
from cafsc.genes.tables import casefolded, ortholog_pairs, table, table_files
from cafsc.sig import signatures_dir

MAX_BYTES = 1_500_000


@pytest.mark.parametrize(
    ("species", "pattern", "n_least"), [("human", r"ENSG\d{11}", 40_000), ("mouse", r"ENSMUSG\d{11}", 50_000)]
)
def test_ensembl_ids_lead_to_approved_symbols(species: str, pattern: str, n_least: int) -> None:
    genes = table(species)
    assert len(genes.symbol_of) > n_least
    assert all(re.fullmatch(pattern, gene_id) for gene_id in genes.symbol_of)
    assert set(genes.symbol_of.values()) <= genes.approved


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_no_alias_is_an_approved_symbol_and_all_lead_to_one(species: str) -> None:
    genes = table(species)
    assert not genes.approved & set(genes.aliases)
    assert set(genes.aliases.values()) <= genes.approved


def test_orthologs_are_approved_symbols_and_pairs_stand_once() -> None:
    pairs = list(zip(*ortholog_pairs(), strict=True))
    assert {human for human, _, _ in pairs} <= approved("human")
    assert {mouse for _, mouse, _ in pairs} <= approved("mouse")
    assert len({(human, mouse) for human, mouse, _ in pairs}) == len(pairs)
    assert len({human for human, _, _ in pairs}) > 15_000


def test_tables_are_small_sorted_and_carry_no_time_stamp() -> None:
    files = table_files()
    assert len(files) == 5
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    for path in files:
        packed = path.read_bytes()
        assert packed[4:8] == b"\0\0\0\0"
        lines = gzip.decompress(packed).decode().splitlines()[1:]
        rows = [line.split("\t") for line in lines]
        assert rows == sorted(rows)


def test_readme_names_every_table() -> None:
    text = (signatures_dir() / "genes" / "README.md").read_text()
    assert all(path.name in text for path in table_files())


def test_marker_genes_have_the_ids_that_ensembl_gives_them() -> None:
    human, mouse = table("human").symbol_of, table("mouse").symbol_of
    assert human["ENSG00000108821"] == "COL1A1"
    assert human["ENSG00000118523"] == "CCN2"
    assert mouse["ENSMUSG00000001506"] == "Col1a1"
    assert mouse["ENSMUSG00000029380"] == "Cxcl1"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("WISP2", "CCN5"),
        ("WISP1", "CCN4"),
        ("CTGF", "CCN2"),
        ("CYR61", "CCN1"),
        ("FIGF", "VEGFD"),
        ("SEPP1", "SELENOP"),
        ("IL8", "CXCL8"),
        ("KIAA1462", "JCAD"),
        ("GALNTL2", "GALNT15"),
        ("KIAA1199", "CEMIP"),
        ("SDPR", "CAVIN2"),
        ("PRKCDBP", "CAVIN3"),
        ("GPR116", "ADGRF5"),
        ("C10orf10", "DEPP1"),
        ("GUCY1A3", "GUCY1A1"),
        ("GUCY1B3", "GUCY1B1"),
        ("SEPT11", "SEPTIN11"),
        ("SEPT4", "SEPTIN4"),
        ("WARS", "WARS1"),
        ("DARS", "DARS1"),
        ("C2orf40", "ECRG4"),
        ("H2AFZ", "H2AZ1"),
        ("H2AFV", "H2AZ2"),
        ("ATP5E", "ATP5F1E"),
        ("H3F3A", "H3-3A"),
        ("C4orf32", "FAM241A"),
        ("KIAA1274", "PALD1"),
        ("C21orf7", "MAP3K7CL"),
        ("OSTBETA", "SLC51B"),
        ("FAM129A", "NIBAN1"),
        ("FAM213A", "PRXL2A"),
        ("RARRES3", "PLAAT4"),
    ],
)
def test_old_symbols_of_published_lists_lead_to_the_approved_ones(old: str, new: str) -> None:
    assert symbols([old], "human")["symbol"].tolist() == [new]


def test_mouse_aliases_are_there() -> None:
    assert aliases("mouse")["Ctgf"] == "Ccn2"


def test_unknown_species_is_refused_with_the_known() -> None:
    with pytest.raises(OptionError, match="human or mouse"):
        table("rat")


@given(st.lists(st.text(max_size=5), max_size=6))
def test_names_folded_together_are_those_folded_one_by_one(names: list[str]) -> None:
    assert casefolded(names) == [name.casefold() for name in names]


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_a_folded_name_leads_to_the_one_symbol_that_it_can_mean(species: str) -> None:
    genes = table(species)
    for folded, pairs in (
        (genes.folded, [(symbol, symbol) for symbol in genes.approved]),
        (genes.folded_aliases, list(genes.aliases.items())),
    ):
        meant: dict[str, set[str]] = {}
        for name, symbol in pairs:
            meant.setdefault(name.casefold(), set()).add(symbol)
        assert dict(folded) == {key: next(iter(found)) for key, found in meant.items() if len(found) == 1}
