"""The shipped gene tables are sound and agree with each other."""

from __future__ import annotations

import gzip
import re

import pytest

from cafsc.errors import OptionError
from cafsc.genes import aliases, approved, symbols, translate
from cafsc.genes.tables import table
from cafsc.sig import signatures_dir

MAX_BYTES = 1_500_000


@pytest.mark.parametrize(
    ("species", "pattern", "n_least"), [("human", r"ENSG\d{11}", 40_000), ("mouse", r"ENSMUSG\d{11}", 50_000)]
)
def test_ids_and_aliases_lead_to_approved_symbols(species: str, pattern: str, n_least: int) -> None:
    genes = table(species)
    assert len(genes.symbol_of) > n_least
    assert all(re.fullmatch(pattern, str(gene_id)) for gene_id in genes.symbol_of)
    assert set(genes.symbol_of.values()) <= genes.approved
    assert set(genes.aliases.values()) <= genes.approved
    assert not genes.approved & set(genes.aliases)


def test_tables_are_small_sorted_documented_and_carry_no_time_stamp() -> None:
    files = sorted((signatures_dir() / "genes").glob("*.tsv.gz"))
    readme = (signatures_dir() / "genes" / "README.md").read_text()
    assert len(files) == 5
    assert sum(path.stat().st_size for path in files) < MAX_BYTES
    for path in files:
        packed = path.read_bytes()
        assert packed[4:8] == b"\0\0\0\0"
        rows = [line.split("\t") for line in gzip.decompress(packed).decode().splitlines()[1:]]
        assert rows == sorted(rows)
        assert path.name in readme


def test_marker_genes_have_the_ids_that_ensembl_gives_them() -> None:
    human, mouse = table("human").symbol_of, table("mouse").symbol_of
    assert human["ENSG00000108821"] == "COL1A1"
    assert human["ENSG00000118523"] == "CCN2"
    assert mouse["ENSMUSG00000001506"] == "Col1a1"


def test_old_symbols_of_published_lists_lead_to_the_approved_ones() -> None:
    pairs = dict(
        pair.split("=")
        for pair in (
            "WISP2=CCN5 WISP1=CCN4 CTGF=CCN2 CYR61=CCN1 FIGF=VEGFD SEPP1=SELENOP IL8=CXCL8 KIAA1462=JCAD "
            "KIAA1199=CEMIP SDPR=CAVIN2 GPR116=ADGRF5 C10orf10=DEPP1 GUCY1A3=GUCY1A1 SEPT4=SEPTIN4 WARS=WARS1 "
            "H2AFZ=H2AZ1 ATP5E=ATP5F1E H3F3A=H3-3A C21orf7=MAP3K7CL FAM129A=NIBAN1 RARRES3=PLAAT4"
        ).split()
    )
    assert symbols(pairs, "human")["symbol"].tolist() == list(pairs.values())
    assert aliases("mouse")["Ctgf"] == "Ccn2"


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


@pytest.mark.parametrize(
    ("human", "mouse"), [("COL1A1", "Col1a1"), ("TP53", "Trp53"), ("C3", "C3"), ("H3-3A", "H3f3a")]
)
def test_orthologs_hold_in_both_directions(human: str, mouse: str) -> None:
    assert translate([human], "human", "mouse")[human][0] == mouse
    assert translate([mouse], "mouse", "human")[mouse][0] == human


def test_orthologs_are_approved_all_kept_and_best_first() -> None:
    there = translate(approved("human"), "human", "mouse")
    mouse = {name for names in there.values() for name in names}
    back = translate(mouse, "mouse", "human")
    assert sum(map(bool, there.values())) > 15_000
    assert mouse <= approved("mouse")
    assert all(human in back[name] for human, names in there.items() for name in names)
    assert there["SAA1"][0] == "Saa1"
    assert set(there["SAA1"]) >= {"Saa1", "Saa2"}


def test_genes_without_ortholog_former_symbols_and_the_same_species() -> None:
    assert translate(["CXCL8", "NOSUCHGENE"], "human", "mouse") == {"CXCL8": (), "NOSUCHGENE": ()}
    assert translate(["CTGF"], "human", "mouse") == {"CTGF": ("Ccn2",)}
    assert translate(["COL1A1", "CTGF"], "human", "human") == {"COL1A1": ("COL1A1",), "CTGF": ("CCN2",)}


def test_unknown_species_is_refused_with_the_known() -> None:
    for call in (
        lambda: table("rat"),
        lambda: symbols(["COL1A1"], "rat"),
        lambda: translate(["COL1A1"], "human", "rat"),
        lambda: translate(["COL1A1"], "rat", "human"),
    ):
        with pytest.raises(OptionError, match="human or mouse"):
            call()
