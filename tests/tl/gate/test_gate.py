"""Which cells are fibroblasts, on tumours whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc import data, pp, sig, tl
from cafsc.errors import InputError
from cafsc.pp.normalize import symbol_columns
from cafsc.sig.reference import ReferenceLevels
from cafsc.tl.gate.panels import (
    PRESENT_LEVEL,
    confident_levels,
    coverage_weights,
    lineage_panels,
    marker_floor,
    panel_scores,
    relative_levels,
)

FIBROBLASTS = ("iCAF", "myCAF")
MURAL = ("PVL immature", "PVL differentiated")


def gate(adata: AnnData) -> pd.DataFrame:
    """Truth, lineage and reason of each cell."""
    pp.normalize(adata)
    pp.qc(adata)
    tl.gate(adata)
    names = {"truth": "simulated_type", "lineage": "caf_lineage", "gate": "caf_gate"}
    return pd.DataFrame({name: adata.obs[column].astype(str) for name, column in names.items()})


def kept(found: pd.DataFrame, *types: str) -> float:
    """Share of the cells of these types that was kept."""
    return float((found.loc[found["truth"].isin(types), "gate"] == "kept").mean())


def test_levels_are_relative_to_the_component_that_expresses_most() -> None:
    bulk = np.array([[8.0, 0.2, 1.0], [2.0, 0.1, 4.0], [90.0, 9.0, 9.0]])
    levels, reference = relative_levels(bulk, np.array([50.0, 40.0, 1.0]), np.ones(3), min_cells=3)
    # The third component is too small to set a reference; nothing exceeds 1.
    np.testing.assert_allclose(reference, [8.0, 1.0, 4.0])
    np.testing.assert_allclose(levels, [[1.0, 0.2, 0.25], [0.25, 0.1, 1.0], [1.0, 1.0, 1.0]])


def test_a_panel_scores_its_mean_level_if_enough_of_it_is_measured() -> None:
    levels = np.array([[1.0, 0.5, 0.0, 1.0], [0.0, 0.0, 0.3, 1.0]])
    scores = panel_scores(levels, {"full": [0, 1, 2], "thin": [3]})
    np.testing.assert_allclose(scores["full"], [0.5, 0.1])
    assert (scores["thin"] == 0).all()


def test_chance_in_a_small_component_sets_no_reference() -> None:
    bulk = np.array([[10.0], [40.0]])
    sure = confident_levels(bulk, np.array([1e5, 1e3]), n_errors=2.0, target_sum=1e4)
    # 100 and 4 counts: 10 +- 1 and 40 +- 20.
    np.testing.assert_allclose(sure, [[8.0], [0.0]], atol=1e-9)
    levels, reference = relative_levels(bulk, np.array([50.0, 5.0]), np.ones(1), 3, sure)
    assert reference[0] == pytest.approx(8.0)
    assert levels.max() == 1.0


def test_a_panel_of_which_little_is_measured_weighs_less() -> None:
    weights = coverage_weights({"whole": [0, 1, 2], "half": [3, 4], "none": []}, {"whole": 3, "half": 4}, 0.5)
    np.testing.assert_allclose(weights[["whole", "half", "none"]], [1.0, 2 / 3, 0.0])
    assert (coverage_weights({"half": [3, 4]}, None, 0.5) == 1.0).all()


def test_a_marker_has_to_reach_a_share_of_its_usual_level() -> None:
    levels = ReferenceLevels({("fibroblast", "DCN"): 100.0, ("fibroblast", "LUM"): 2.0}, {})
    floor = marker_floor({"fibroblast": {"DCN": 0, "LUM": 1}}, levels, 3)
    np.testing.assert_allclose(floor, [65.0, 1.3, 1.0])


def test_panels_are_in_the_species_of_the_data() -> None:
    panels = lineage_panels(sig.load(), {"Dcn": 3, "Col1a1": 1, "DCN": 7}, "mouse")
    assert panels["fibroblast"] == {"COL1A1": 1, "DCN": 3}


def test_fibroblasts_are_kept_and_nobody_else(gated: AnnData) -> None:
    found = pd.DataFrame({"truth": gated.obs["simulated_type"].astype(str), "gate": gated.obs["caf_gate"]})
    assert kept(found, *FIBROBLASTS) >= 0.95
    others = found.loc[~found["truth"].isin(FIBROBLASTS), "truth"].unique()
    assert kept(found, *others) <= 0.02


def test_lineages_are_those_of_the_truth(gated: AnnData) -> None:
    expected = {
        "iCAF": "fibroblast",
        "myCAF": "fibroblast",
        "endothelial": "endothelial",
        "cancer basal": "epithelial",
        "cancer cycling": "epithelial",
        "macrophage": "myeloid",
        "monocyte": "myeloid",
        "T CD4": "t_nk",
        "T CD8": "t_nk",
        "B": "b_plasma",
        "plasmablast": "b_plasma",
    }
    truth = gated.obs["simulated_type"].astype(str)
    told = truth.isin(expected)
    right = gated.obs["caf_lineage"].astype(str)[told] == truth[told].map(expected)
    assert right.mean() >= 0.95


def test_every_cell_has_a_reason_that_fits_its_lineage(gated: AnnData) -> None:
    for lineage, reason in zip(gated.obs["caf_lineage"], gated.obs["caf_gate"], strict=True):
        kind, _, detail = reason.partition(":")
        assert (
            (lineage == "fibroblast" and reason == "kept")
            or (kind == "not_fibroblast" and detail == lineage and lineage != "fibroblast")
            or (kind == "doublet" and lineage == "doublet" and len(detail.split("+")) == 2)
            or (lineage == "unknown" and reason in ("unknown_lineage", "low_quality"))
        ), (lineage, reason)


def test_what_is_written(gated: AnnData) -> None:
    scores = gated.obsm["caf_lineage_scores"]
    assert list(scores.columns) == list(sig.load().lineages)
    assert scores.index.equals(gated.obs_names)
    assert scores.to_numpy().min() >= 0
    assert scores.to_numpy().max() <= 1 + 1e-9
    kept_cells = (gated.obs["caf_gate"] == "kept").to_numpy()
    assert (scores.idxmax(axis=1)[kept_cells] == "fibroblast").mean() > 0.95
    assert gated.var["caf_reference_level"].min() >= PRESENT_LEVEL


def test_a_soup_of_collagen_makes_no_fibroblasts_of_immune_cells() -> None:
    found = gate(data.simulated_tumour(600, seed=2, ambient=0.2))
    assert kept(found, *FIBROBLASTS) >= 0.9
    assert kept(found, "T CD4", "T CD8", "B", "plasmablast", "macrophage", "monocyte", "endothelial") <= 0.02
    assert kept(found, *MURAL) <= 0.1


@pytest.mark.parametrize("depth", [600.0, 15_000.0])
def test_shallow_and_deep_cells(depth: float) -> None:
    found = gate(data.simulated_tumour(600, seed=3, depth=depth))
    assert kept(found, *FIBROBLASTS) >= 0.9
    others = found.loc[~found["truth"].isin(FIBROBLASTS), "truth"].unique()
    assert kept(found, *others) <= 0.03


def test_two_cells_in_one_droplet_are_mostly_not_kept() -> None:
    found = gate(data.simulated_tumour(800, seed=4, doublets=0.1))
    assert kept(found, *FIBROBLASTS) >= 0.9
    assert kept(found, "doublet") <= 0.25


def test_cells_with_too_few_genes_are_refused_as_such() -> None:
    adata = data.simulated_tumour(300, seed=5)
    dense = adata.X.toarray()
    dense[:10] = 0
    dense[:10, :20] = 1
    adata.X = sparse.csr_matrix(dense)
    found = gate(adata)
    assert (found["gate"].iloc[:10] == "low_quality").all()
    assert (found["lineage"].iloc[:10] == "unknown").all()
    assert (found["gate"].iloc[10:] != "low_quality").all()


def test_a_sample_of_empty_droplets_has_no_fibroblast() -> None:
    found = gate(data.simulated_tumour(200, seed=6, depth=10))
    assert set(found["gate"]) == {"low_quality"}


def test_a_sample_without_fibroblasts_has_none() -> None:
    adata = data.simulated_tumour(900, seed=7)
    adata = adata[~adata.obs["simulated_type"].isin([*FIBROBLASTS, *MURAL])].copy()
    assert (gate(adata)["gate"] == "kept").sum() == 0


def test_mural_cells_alone_are_no_fibroblasts() -> None:
    adata = data.simulated_tumour(900, seed=8)
    adata = adata[~adata.obs["simulated_type"].isin(FIBROBLASTS)].copy()
    assert kept(gate(adata), *MURAL) <= 0.05


@pytest.mark.parametrize("states", [FIBROBLASTS, FIBROBLASTS[:1], FIBROBLASTS[1:]])
def test_fibroblasts_alone_are_still_fibroblasts(states: tuple[str, ...]) -> None:
    adata = data.simulated_tumour(900, seed=9)
    adata = adata[adata.obs["simulated_type"].isin(states)].copy()
    assert kept(gate(adata), *states) >= 0.95


def test_without_the_markers_nobody_is_a_fibroblast() -> None:
    adata = data.simulated_tumour(300, seed=10)
    adata = adata[:, ~adata.var_names.isin(sig.load().lineages["fibroblast"].core)].copy()
    assert (gate(adata)["gate"] == "kept").sum() == 0


def test_the_gate_clusters_where_nobody_has(small: AnnData) -> None:
    pp.normalize(small)
    tl.gate(small)
    assert "caf_tissue_cluster" in small.obs
    assert symbol_columns(small)


def test_normalisation_comes_first(small: AnnData) -> None:
    with pytest.raises(InputError, match=r"cafsc\.pp\.normalize"):
        tl.gate(small)
