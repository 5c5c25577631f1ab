"""Everything that the reviews say on pairs, exosomes, agents and biomarkers is reachable on a real tumour."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from anndata import AnnData

import cafsc
from cafsc import sig, tl
from cafsc.tl.crosstalk.table import NAMED, Status

pytestmark = pytest.mark.slow
REVIEW_KINDS = (
    "ligand_receptor",
    "exosome_miRNA_lncRNA_circRNA",
    "exosome_cargo_mRNA_or_protein",
    "exosome_biogenesis_or_uptake",
    "drug/natural_compound",
    "nanotherapy",
    "biomarker/prognosis",
)


@pytest.fixture(scope="module")
def tables(dataset: Callable[[str], AnnData]) -> dict[str, pd.DataFrame]:
    adata = dataset("breast_tnbc_wu2021_CID4465")
    cafsc.annotate(adata, cancer="breast")
    return {
        "pairs": tl.crosstalk(adata, resource="catalogue"),
        "exosomes": tl.exosome(adata),
        "origin": tl.origin(adata),
        "targets": tl.targets(adata),
    }


def reached(tables: dict[str, pd.DataFrame]) -> set[str]:
    return {
        claim for table in tables.values() for text in table["review_claims"] for claim in text.split("; ")
    }


def test_every_record_of_the_catalogue_has_a_row(tables: dict[str, pd.DataFrame]) -> None:
    catalogue = sig.load()
    assert len(catalogue.pairs) >= 86
    assert set(catalogue.pairs) <= set(tables["pairs"]["id"])
    assert {*catalogue.exosome_axes, *catalogue.unmeasured} <= set(tables["exosomes"]["id"])
    assert {*catalogue.agents, *catalogue.biomarkers} <= set(tables["targets"]["id"])


def test_every_claim_of_the_reviews_on_them_is_reachable(tables: dict[str, pd.DataFrame]) -> None:
    claims = sig.load().review_claims.values()
    wanted = {claim.id for claim in claims if claim.kind in REVIEW_KINDS}
    assert {claim.kind for claim in claims if claim.id in wanted} == set(REVIEW_KINDS)
    assert len(wanted) > 140
    assert wanted - reached(tables) == set()


def test_every_row_has_its_source(tables: dict[str, pd.DataFrame]) -> None:
    for table in tables.values():
        assert (table["papers"] != "").all()
        assert (table["doi"] != "").all()


def test_what_is_known_of_this_tumour_is_there(tables: dict[str, pd.DataFrame]) -> None:
    pairs = tables["pairs"]
    cxcl12 = pairs[
        (pairs["id"] == "lr-CXCL12-CXCR4") & (pairs["named"] == NAMED) & (pairs["target"] == "t_cell")
    ]
    assert cxcl12.iloc[0]["status"] == Status.PAIR
    assert cxcl12.iloc[0]["source_state"] == "iCAF"
    fap = tables["targets"][tables["targets"]["id"] == "fap-exosome-vaccine"]
    assert fap.iloc[0]["state"] == "myCAF"
    assert fap.iloc[0]["status"] == Status.EXPRESSED
