"""The kind and species of gene names are told from the names alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cafsc.genes import Identifiers, identify
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
        (HUMAN_IDS, "ensembl", "human"),
        (MOUSE_IDS, "ensembl", "mouse"),
        ([f"{name}.12" for name in HUMAN_IDS], "ensembl", "human"),
        ([f"{one}|{two}" for one, two in zip(HUMAN_IDS, HUMAN, strict=True)], "ensembl", "human"),
        ([*HUMAN, *HUMAN_IDS], "mixed", "human"),
        ([f"GRCh38_{name}" for name in HUMAN], "symbol", "human"),
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
    ("dataset", "kind", "species", "least"),
    [
        ("breast_tnbc_gao2021_302", "symbol", "human", 0.6),
        ("breast_tnbc_wu2021_CID4465", "symbol", "human", 0.6),
        ("cell_lines_tian2019_celseq2", "ensembl", "human", 0.99),
        ("colon_mesenchyme_kinchen2018_250", "symbol", "human", 0.95),
        ("hnscc_puram2017_180", "symbol", "human", 0.95),
        ("mouse_gut_mca2018_219", "symbol", "mouse", 0.95),
        ("pdac_lin2020_P01", "symbol", "human", 0.6),
    ],
)
def test_real_data(
    gene_names: Callable[[str], list[str]], dataset: str, kind: str, species: str, least: float
) -> None:
    found = identify(gene_names(dataset))
    assert (found.kind, found.species) == (kind, species)
    assert found.share >= least
