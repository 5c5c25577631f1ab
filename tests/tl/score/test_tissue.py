"""The level of genes in a tumour of every lineage, whoever is in the sample."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData

import cafsc
from cafsc import data
from cafsc.tl.score.tissue_level import balanced_level, profiles_in

SUMS = np.array([[240.0, 60.0], [3.0, 27.0]])
"""Of 30 cells of one lineage with 8 and 2 counts of two genes, and 3 of another with 1 and 9."""
SIZES = np.array([30, 3])
FIBROBLASTS = ("iCAF", "myCAF")


def test_each_lineage_has_one_vote_however_many_cells_it_has() -> None:
    nothing = np.full(2, np.nan)
    level = balanced_level(SUMS, SIZES, ["a", "b"], {"a": nothing, "b": nothing}, min_cells=3)
    expected = np.mean([np.log1p([8e3, 2e3]), np.log1p([1e3, 9e3])], axis=0)
    np.testing.assert_allclose(level, expected)


def test_a_lineage_with_too_few_cells_votes_by_its_profile_from_elsewhere() -> None:
    profiles = {"a": np.array([1.0, 1.0]), "b": np.array([30.0, 10.0])}
    level = balanced_level(SUMS, SIZES, ["a", "b"], profiles, min_cells=5)
    np.testing.assert_allclose(level, np.mean([np.log1p([8e3, 2e3]), np.log1p([7.5e3, 2.5e3])], axis=0))


def test_a_gene_that_no_profile_knows_takes_the_level_of_its_rank() -> None:
    sums, profile = np.array([[1.0, 5.0, 100.0]]), np.array([1.0, 3.0, np.nan])
    level = balanced_level(sums, np.array([1]), ["x"], {"b": profile}, 1)
    assert level[2] > level[0]


def test_profiles_reach_mouse_genes_through_orthologs() -> None:
    found = profiles_in({"fibroblast": {"DCN": 4.0}}, {"Dcn": 2, "Nobody1": 0}, 3, "mouse")
    np.testing.assert_array_equal(found["fibroblast"], [np.nan, np.nan, 4.0])


@pytest.mark.slow
@pytest.mark.parametrize("states", [FIBROBLASTS, FIBROBLASTS[:1], FIBROBLASTS[1:]])
def test_sorted_fibroblasts_get_the_names_they_get_in_their_tumour(states: tuple[str, ...]) -> None:
    adata: AnnData = data.simulated_tumour(900, seed=11)
    adata = adata[adata.obs["simulated_type"].isin(states)].copy()
    cafsc.annotate(adata)
    right = adata.obs["caf_subtype"].astype(str) == adata.obs["simulated_type"].astype(str)
    assert right.mean() >= 0.9
