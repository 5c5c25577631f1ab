"""Neighbours in space, on a planted layout."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData

from cafsc import AnnotationResult, tl
from cafsc._config import CrosstalkConfig
from cafsc._errors import InputError
from cafsc.tl.neighbourhood import nearest_distance, neighbour_shares


@pytest.fixture
def laid_out(annotated_tumour: AnnotationResult) -> AnnData:
    """iCAF among the tumour cells at the left, all other cells at the right; vessels 5 units above each cluster."""
    adata = annotated_tumour.adata.copy()
    random = np.random.default_rng(0)
    state = adata.obs["caf_subtype"].astype(object).to_numpy()
    lineage = adata.obs["caf_lineage"].astype(object).to_numpy()
    place = np.column_stack([np.full(adata.n_obs, 1000.0), np.zeros(adata.n_obs)])
    place[(state == "iCAF") | (lineage == "epithelial")] = (0.0, 0.0)
    place[lineage == "endothelial"] = (1000.0, 5.0)
    adata.obsm["spatial"] = place + random.normal(0, 0.1, place.shape)
    return adata


def test_the_layout_is_found(laid_out: AnnData) -> None:
    table = tl.neighbourhood(laid_out).set_index("state")
    icaf = table.loc["iCAF"] if table.loc["iCAF"].ndim == 1 else table.loc["iCAF"].iloc[0]
    other = table[table.index != "iCAF"].iloc[0]
    assert icaf["to_tumour"] < 1
    assert icaf["to_endothelial"] == pytest.approx(1000, rel=0.01)
    assert icaf["near_epithelial"] > 0.1
    assert icaf["near_endothelial"] == 0
    assert other["to_tumour"] == pytest.approx(1000, rel=0.01)
    assert other["to_endothelial"] == pytest.approx(5, rel=0.2)
    assert other["near_epithelial"] == 0
    shares = table[[name for name in table.columns if name.startswith("near_")]].sum(axis=1)
    np.testing.assert_allclose(shares, 1.0)


def test_a_cell_is_not_its_own_neighbour() -> None:
    line = np.array([[0.0], [1.0], [2.5], [100.0]])
    codes = np.array([0, 1, 0, -1])
    shares = neighbour_shares(np.hstack([line, line * 0]), codes, 2, n_neighbors=1)
    np.testing.assert_array_equal(shares[:3], [[0, 1], [1, 0], [0, 1]])
    assert np.isnan(shares[3]).all()


def test_the_distance_is_to_the_nearest_cell() -> None:
    place = np.array([[0.0, 0.0], [3.0, 4.0], [30.0, 40.0]])
    np.testing.assert_allclose(nearest_distance(place, np.array([1, 2])), [5, 0, 0])
    assert np.isnan(nearest_distance(place, np.array([], dtype=int))).all()


def test_coordinates_must_be_there_and_be_numbers(laid_out: AnnData) -> None:
    with pytest.raises(InputError, match="obsm"):
        tl.neighbourhood(laid_out, spatial_key="elsewhere")
    laid_out.obsm["spatial"][3, 0] = np.nan
    with pytest.raises(InputError, match="finite"):
        tl.neighbourhood(laid_out, config=CrosstalkConfig(n_neighbors=3))
