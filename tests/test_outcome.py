"""What a run brings to light."""

from __future__ import annotations

import pandas as pd
from anndata import AnnData

from cafsc import sig
from cafsc._keys import Keys
from cafsc._summary import outcome_findings, own_set_findings
from cafsc.pp.check.findings import Finding


def test_sets_that_the_data_cannot_show_are_named() -> None:
    sets = {
        "u/alien": {"ZZZ1": ("ZZZ1",), "ZZZ2": ()},
        "u/half": {"A": ("A",), "B": ("B",)},
        "u/thin": {"A": ("x", "A"), "B": ("y",), "C": ("z",)},
    }
    alien, thin = own_set_findings(sets, {"A", "other", "another"})
    assert "u/alien: none of its 2 genes" in alien.message
    assert thin.examples == ("B", "C")


def test_a_set_of_most_genes_that_were_measured_is_named() -> None:
    genes = [f"G{number}" for number in range(10)]
    (found,) = own_set_findings({"u/all": {gene: (gene,) for gene in genes[:6]}}, set(genes))
    assert (found.code, found.count) == ("set_is_large", 6)
    assert not own_set_findings({"u/few": {gene: (gene,) for gene in genes[:5]}}, set(genes))


def test_a_gene_under_two_names_is_named() -> None:
    sets = {"u/twice": {"CTGF": ("CCN2",), "CCN2": ("CCN2",), "DCN": ("DCN",)}}
    (found,) = own_set_findings(sets, {"CCN2", "DCN", "LUM", "C7", "FAP"})
    assert (found.code, found.examples) == ("set_names_twice", ("CCN2",))


def outcome(n_low: int, n_kept: int, n_foreign: int = 0) -> list[tuple[str, int]]:
    """Codes and counts for a run over 120 cells."""
    adata = AnnData(obs=pd.DataFrame(index=[f"cell{number}" for number in range(120)]))
    adata.obs["caf_low_quality"] = [number < n_low for number in range(120)]
    adata.obs["caf_gate"] = ["refused" if number < 120 - n_kept else "kept" for number in range(120)]
    if n_foreign:
        adata.obs["caf_pct_counts_foreign"] = [90.0 if number < n_foreign else 1.0 for number in range(120)]
    clusters = pd.DataFrame({"enriched_agrees": pd.Series(dtype="boolean")})
    adata.uns["cafsc"] = {"species": "human", "clusters": clusters}
    adata.var["caf_symbol"] = pd.Series(dtype=object)
    found: list[Finding] = outcome_findings(adata, sig.load(), Keys("caf"))
    return [(item.code, item.count) for item in found]


def test_few_fibroblasts_and_many_cells_with_few_genes() -> None:
    assert outcome(n_low=0, n_kept=60) == []
    assert outcome(n_low=0, n_kept=0) == []
    assert outcome(n_low=60, n_kept=3) == [("low_quality", 60), ("few_fibroblasts", 3)]


def test_cells_of_another_species_are_not_said_to_have_few_genes() -> None:
    assert outcome(n_low=60, n_kept=60, n_foreign=59) == []
