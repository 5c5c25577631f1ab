"""What a score owes to depth and stress."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData
from scipy import stats

from cafsc import tl
from cafsc.errors import InputError
from cafsc.tl.score.calibrate import without


@pytest.fixture
def calibrated(labelled: AnnData) -> AnnData:
    tl.programs(labelled)
    tl.calibrate(labelled)
    return labelled


def test_the_correlation_is_that_of_ranks_with_the_depth_of_the_pooled_cell(calibrated: AnnData) -> None:
    kept = np.flatnonzero(calibrated.obs["caf_gate"] == "kept")
    graph = calibrated.obsp["caf_neighbors"][kept][:, kept]
    depth = np.asarray((graph @ calibrated.layers["counts"][kept]).sum(axis=1)).ravel()
    table = calibrated.uns["cafsc"]["scores"].set_index("set")
    for name in ("elyada2019/myCAF", "elyada2019/iCAF"):
        values = calibrated.obsm["caf_scores"][name.replace("/", ":")].to_numpy()[kept]
        expected = stats.spearmanr(values, depth).statistic
        np.testing.assert_allclose(table.loc[[name], "depth_rho"], expected, atol=1e-9)


def test_every_row_is_filled_and_every_correlation_is_one(calibrated: AnnData) -> None:
    table = calibrated.uns["cafsc"]["scores"]
    table = table[table["kind"].isin(["subtype", "program"])]
    assert len(table) > 100
    assert table[["depth_rho", "stress_rho", "mean_adjusted"]].notna().all().all()
    assert table[["depth_rho", "stress_rho"]].abs().max().max() <= 1 + 1e-9
    assert table.set_index("set").loc[["dissociation-stress"], "stress_rho"].to_numpy() == pytest.approx(1.0)


def test_what_is_taken_out_is_the_linear_part() -> None:
    rng = np.random.default_rng(0)
    nuisance = rng.normal(size=(200, 2))
    noise = rng.normal(size=(200, 3))
    values = noise + nuisance @ np.array([[2.0, 0.0, 1.0], [0.0, -3.0, 1.0]]) + 5.0
    left = without(values, nuisance)
    np.testing.assert_allclose(left.mean(axis=0), values.mean(axis=0))
    assert np.abs(nuisance.T @ (left - left.mean(axis=0)) / 200).max() < 0.3
    slope = np.linalg.lstsq(nuisance - nuisance.mean(axis=0), left - left.mean(axis=0), rcond=None)[0]
    np.testing.assert_allclose(slope, 0.0, atol=1e-9)


def test_programmes_come_first(labelled: AnnData) -> None:
    del labelled.obsm["caf_programs"]
    with pytest.raises(InputError, match=r"cafsc\.tl\.programs"):
        tl.calibrate(labelled)
