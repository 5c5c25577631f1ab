"""The clusters of all cells that the gate starts from."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from cafsc import data, pp
from cafsc._config import ClusterConfig
from cafsc.errors import OptionError
from cafsc.pp.embed import nearest


@pytest.fixture(scope="module")
def _normalised() -> AnnData:
    adata = data.simulated_tumour(400, seed=5)
    pp.normalize(adata)
    return adata


@pytest.fixture
def normalised(_normalised: AnnData) -> AnnData:
    return _normalised.copy()


def test_types_do_not_share_clusters(normalised: AnnData) -> None:
    pp.cluster(normalised)
    clusters = normalised.obs["caf_tissue_cluster"]
    size = clusters.value_counts()
    assert list(clusters.cat.categories) == [str(number) for number in range(len(size))]
    assert (np.diff(size.loc[clusters.cat.categories]) <= 0).all()
    truth = normalised.obs["simulated_type"].astype(str)
    purity = truth.groupby(clusters, observed=True).agg(lambda t: t.value_counts().iloc[0]).sum() / len(truth)
    assert purity > 0.95
    components = normalised.obsm["X_caf_tissue_pca"]
    assert components.dtype == np.float64
    assert components.shape == (400, ClusterConfig().n_pcs)


def test_threads_change_nothing(normalised: AnnData) -> None:
    other = normalised.copy()
    with threadpool_limits(1):
        pp.cluster(normalised)
    with threadpool_limits(2):
        pp.cluster(other)
    assert list(normalised.obs["caf_tissue_cluster"]) == list(other.obs["caf_tissue_cluster"])
    np.testing.assert_array_equal(normalised.obsm["X_caf_tissue_pca"], other.obsm["X_caf_tissue_pca"])


def test_the_order_of_the_cells_hardly_matters(normalised: AnnData) -> None:
    moved = normalised[np.random.default_rng(0).permutation(400)].copy()
    pp.cluster(normalised, config=ClusterConfig())
    pp.cluster(moved, config=ClusterConfig())
    found = moved.obs["caf_tissue_cluster"].loc[normalised.obs_names]
    assert adjusted_rand_score(normalised.obs["caf_tissue_cluster"], found) > 0.95


def test_a_shift_between_batches_is_taken_out(normalised: AnnData) -> None:
    random = np.random.default_rng(0)
    normalised.obs["batch"] = random.choice(["one", "two"], 400)
    factor = random.lognormal(0.0, 0.5, normalised.n_vars)
    dense = normalised.layers["counts"].toarray()
    second = (normalised.obs["batch"] == "two").to_numpy()
    dense[second] = np.rint(dense[second] * factor)
    normalised.layers["counts"] = dense
    same_batch, same_type = [], []
    for batch_key in (None, "batch"):
        pp.cluster(normalised, batch_key=batch_key, map_cells=False)
        scores = normalised.obsm["X_caf_tissue_pca"]
        near = nearest(scores, scores, 11)[:, 1:]
        for column, shares in (("batch", same_batch), ("simulated_type", same_type)):
            labels = normalised.obs[column].to_numpy()
            shares.append((labels[near] == labels[:, None]).mean())
    assert same_batch[0] > 0.75
    assert same_batch[1] < 0.65
    assert same_type[1] > same_type[0] - 0.02


def test_an_unknown_batch_column_lists_the_columns(normalised: AnnData) -> None:
    with pytest.raises(OptionError, match="simulated_type"):
        pp.cluster(normalised, batch_key="nothing")
