"""The kind and species of gene names are told from the names alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from anndata import AnnData

from cafsc.genes import Identifiers, foreign_genes, identify, is_mitochondrial, strip_genome_prefix, symbols
from cafsc.genes.tables import table

HUMAN = ["COL1A1", "ACTA2", "FAP", "PDGFRA", "CXCL12", "TAGLN"]
MOUSE = ["Col1a1", "Acta2", "Fap", "Pdgfra", "Cxcl12", "Tagln"]
HUMAN_IDS = sorted(table("human").symbol_of)[:6]
MOUSE_IDS = sorted(table("mouse").symbol_of)[:6]


@pytest.mark.parametrize(
    ("names", "kind", "species"),
    [
        (HUMAN, "symbol", "human"),
        (MOUSE, "symbol", "mouse"),
        (MOUSE_IDS, "ensembl", "mouse"),
        ([f"{name}.12" for name in HUMAN_IDS], "ensembl", "human"),
        ([f"{one}|{two}" for one, two in zip(HUMAN_IDS, HUMAN, strict=True)], "ensembl", "human"),
        ([*HUMAN, *HUMAN_IDS], "mixed", "human"),
        ([f"GRCh38-{name}" for name in HUMAN], "symbol", "human"),
        ([f"mm10___{name}" for name in MOUSE], "symbol", "mouse"),
        ([name.lower() for name in HUMAN], "symbol", None),
        ([*HUMAN, *MOUSE], "symbol", None),
        (["7157", "1277", "59"], "unknown", None),
        (["chr1:100-200", "chr2:5-10"], "unknown", None),
        ([], "unknown", None),
    ],
)
def test_kind_and_species(names: list[str], kind: str, species: str | None) -> None:
    found = identify(names)
    assert (found.kind, found.species) == (kind, species)


def test_share_counts_the_known_names() -> None:
    assert identify([*HUMAN, "x1", "x2"]) == Identifiers("symbol", "human", 0.75)
    assert identify(["x1", "x2"]).share == 0.0
    assert identify([name.lower() for name in HUMAN]).share == 1.0


@pytest.mark.parametrize(
    ("name", "kind", "species", "least"),
    [
        ("breast_tnbc_wu2021_CID4465", "symbol", "human", 0.6),
        ("cell_lines_tian2019_celseq2", "ensembl", "human", 0.99),
        ("mouse_gut_mca2018_219", "symbol", "mouse", 0.95),
    ],
)
def test_real_data(
    dataset: Callable[[str], AnnData], name: str, kind: str, species: str, least: float
) -> None:
    names = dataset(name).var_names
    found = identify(names)
    assert (found.kind, found.species) == (kind, species)
    assert found.share >= least
    assert not foreign_genes(names, species).any()


HUMAN_PREFIXES = (
    "GRCh38_",
    "GRCh38-",
    "GRCh38___",
    "GRCh38.",
    "GRCh37_",
    "hg19_",
    "hg38-",
    "hg38:",
    "HUMAN_",
)
MOUSE_PREFIXES = ("mm10___", "mm10-", "mm39_", "GRCm38_", "GRCm39---", "MOUSE_", "mm10_premrna___")


@pytest.mark.parametrize("prefix", HUMAN_PREFIXES)
def test_every_human_genome_prefix_is_removed_everywhere(prefix: str) -> None:
    assert strip_genome_prefix(f"{prefix}CD74") == ("CD74", "human")
    assert strip_genome_prefix(f"{prefix.lower()}HLA-A") == ("HLA-A", "human")
    assert symbols([f"{prefix}CTGF"], "human")["symbol"].tolist() == ["CCN2"]
    assert is_mitochondrial([f"{prefix}MT-CO1", f"{prefix}MTOR"]).tolist() == [True, False]


@pytest.mark.parametrize("prefix", MOUSE_PREFIXES)
def test_every_mouse_genome_prefix_is_removed_everywhere(prefix: str) -> None:
    assert strip_genome_prefix(f"{prefix}mt-Nd1") == ("mt-Nd1", "mouse")
    assert symbols([f"{prefix}Col1a1"], "mouse")["symbol"].tolist() == ["Col1a1"]
    assert is_mitochondrial([f"{prefix}mt-Nd1"]).all()


@pytest.mark.parametrize(
    "name", ["HGF", "MMP10", "Mmp9", "HLA-A", "GRCh38_", "MOUSE", "hg38", "mm10", "GRCC10"]
)
def test_a_name_without_a_prefix_is_left_alone(name: str) -> None:
    assert strip_genome_prefix(name) == (name, None)


@pytest.mark.parametrize(
    ("human", "mouse"),
    [
        (HUMAN, MOUSE),
        (HUMAN_IDS, MOUSE_IDS),
        ([f"hg19-{name}" for name in HUMAN], [f"mm10-{name}" for name in MOUSE]),
    ],
)
def test_genes_of_two_species_are_told_apart(human: list[str], mouse: list[str]) -> None:
    assert foreign_genes([*human, *mouse], "human").tolist() == [False] * 6 + [True] * 6
    assert foreign_genes([*human, *mouse], "mouse").tolist() == [True] * 6 + [False] * 6


def test_names_in_the_wrong_case_are_not_of_another_species() -> None:
    assert not foreign_genes(MOUSE, "human").any()
    assert not foreign_genes([*HUMAN * 3, MOUSE[0]], "human").any()
