"""Every way of writing a gene leads to its approved symbol, and says how."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from anndata import AnnData

from cafsc.genes import symbols


@pytest.mark.parametrize(
    ("name", "species", "symbol", "how"),
    [
        ("COL1A1", "human", "COL1A1", "same"),
        ("CTGF", "human", "CCN2", "alias"),
        ("ENSG00000108821", "human", "COL1A1", "ensembl"),
        ("mm10___ENSMUSG00000001506.3|Col1a1", "mouse", "Col1a1", "ensembl"),
        ("ENSG00000108821.14", "human", "COL1A1", "version"),
        ("ENSMUSG00000001506.11", "mouse", "Col1a1", "version"),
        ("ENSG00000182162.11_PAR_Y", "human", "P2RY8", "version"),
        ("ENSG00000108821|COL1A1", "human", "COL1A1", "ensembl"),
        ("COL1A1_ENSG00000108821", "human", "COL1A1", "ensembl"),
        ("CTGF_ENSG00000118523", "human", "CCN2", "ensembl"),
        ("COL1A1|ENSG00000999999", "human", "COL1A1", "ensembl"),
        ("GRCh38_COL1A1", "human", "COL1A1", "prefix"),
        ("GRCh38_CTGF", "human", "CCN2", "alias"),
        ("GRCh38_ENSG00000108821", "human", "COL1A1", "ensembl"),
        ("COL1A1.1", "human", "COL1A1", "suffix"),
        ("col1a1", "human", "COL1A1", "case"),
        ("Col1a1", "human", "COL1A1", "case"),
        ("COL1A1", "mouse", "Col1a1", "case"),
        ("C1ORF112", "human", "FIRRM", "alias"),
        ("HLA.DRA", "human", "HLA-DRA", "case"),
        ("MT.CO1", "human", "MT-CO1", "case"),
        # Names that only look as if they carried a suffix.
        ("HLA-A", "human", "HLA-A", "same"),
        ("NKX2-1", "human", "NKX2-1", "same"),
        ("MIR1302-2", "human", "MIR1302-2", "same"),
        # Nothing to be had.
        ("NOSUCHGENE", "human", "NOSUCHGENE", "unknown"),
        ("RP11-34P13.7", "human", "RP11-34P13.7", "unknown"),
        ("ENSG00000999999", "human", "ENSG00000999999", "unknown"),
        ("ENSMUSG00000001506", "human", "ENSMUSG00000001506", "unknown"),
        ("mm10___Col1a1", "human", "mm10___Col1a1", "unknown"),
        ("1-Mar", "human", "1-Mar", "unknown"),
        ("", "human", "", "unknown"),
        ("7157", "human", "7157", "unknown"),
    ],
)
def test_name_leads_to_its_symbol(name: str, species: str, symbol: str, how: str) -> None:
    (row,) = symbols([name], species).to_dict("records")
    wanted = {"name": name, "symbol": symbol if how != "unknown" else name, "how": how}
    assert row == wanted


def test_rows_keep_the_order_and_number_of_names() -> None:
    names = ["TAGLN", "NOSUCHGENE", "IL8", "TAGLN"]
    frame = symbols(iter(names), "human")
    assert frame["name"].tolist() == names
    assert frame["symbol"].tolist() == ["TAGLN", "NOSUCHGENE", "CXCL8", "TAGLN"]
    assert frame.index.tolist() == [0, 1, 2, 3]


def test_alias_is_left_alone_where_its_symbol_is_measured_too() -> None:
    frame = symbols(["CTGF", "CCN2"], "human")
    assert frame["symbol"].tolist() == ["CTGF", "CCN2"]
    assert frame["how"].tolist() == ["unknown", "same"]
    assert symbols(["hg38-CTGF", "hg38-CCN2"], "human")["how"].tolist() == ["unknown", "prefix"]


def test_no_names_give_an_empty_frame() -> None:
    assert list(symbols([], "human").columns) == ["name", "symbol", "how"]


def test_genes_of_two_species_keep_their_own_names() -> None:
    human, mouse = ["COL1A1", "ACTA2", "FAP"], ["Col1a1", "Acta2", "Cxcl12"]
    frame = symbols([*human, *mouse], "human")
    assert frame["symbol"].tolist() == [*human, *mouse]
    assert frame["how"].tolist() == ["same"] * 3 + ["unknown"] * 3


def test_ids_of_real_cell_lines_are_mapped(dataset: Callable[[str], AnnData]) -> None:
    names = dataset("cell_lines_tian2019_celseq2").var_names
    how = symbols(names, "human")["how"].value_counts(normalize=True)
    # The rest are IDs without an approved symbol: novel transcripts and retired genes.
    assert how["ensembl"] > 0.8
    assert set(how.index) == {"ensembl", "unknown"}


@pytest.mark.parametrize(
    ("name", "species", "n_least"),
    [
        ("breast_tnbc_wu2021_CID4465", "human", 20_500),
        ("pdac_lin2020_P01", "human", 24_000),
        ("hnscc_puram2017_180", "human", 7_800),
        ("mouse_gut_mca2018_219", "mouse", 14_400),
    ],
)
def test_symbols_of_real_data_are_recognised(
    dataset: Callable[[str], AnnData], name: str, species: str, n_least: int
) -> None:
    frame = symbols(dataset(name).var_names, species)
    known = frame[frame["how"] != "unknown"]
    assert known["symbol"].nunique() >= n_least
    assert known["symbol"].duplicated().sum() < 50
