"""Two lineages in one cell."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import sparse

from cafsc.tl.gate import doublets as _doublets
from cafsc.tl.gate.doublets import PairProfiles, doublet_partners
from cafsc.tl.gate.mixture import Capping, average_shares, shrunk, weighted_sums


def partners(
    counts: sparse.csr_matrix, weights: np.ndarray, unlike: np.ndarray, min_gain: float
) -> np.ndarray:
    x = Capping.fit(counts, 1000.0).apply(counts)
    least = np.full(weights.shape[1], min_gain)
    return doublet_partners(
        x, PairProfiles(shrunk(weighted_sums(x, weights), average_shares(x), 200.0), unlike), least
    )


Planted = tuple[sparse.csr_matrix, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def planted() -> Planted:
    """150 cells of three kinds and 30 that are half the first and half the second; kinds; which are two."""
    random = np.random.default_rng(0)
    base = random.gamma(0.6, 1.0, 300)
    profiles = np.array([base * random.lognormal(0, 1.2, 300) for _ in range(3)])
    profiles /= profiles.sum(axis=1, keepdims=True)
    kind = np.concatenate([np.repeat([0, 1, 2], 50), np.zeros(30, dtype=int)])
    double = np.arange(180) >= 150
    share = np.where(double[:, None], (profiles[0] + profiles[1]) / 2, profiles[kind])
    return sparse.csr_matrix(random.poisson(share * 800).astype(float)), kind, double


def test_mixed_cells_are_found_with_their_partner(planted: Planted) -> None:
    counts, kind, double = planted
    weights = np.eye(3)[kind]
    weights[double] = [0.5, 0.5, 0.0]
    partner = partners(counts, weights, ~np.eye(3, dtype=bool), min_gain=10.0)
    assert (partner[double] >= 0).mean() > 0.9
    assert set(partner[double]) <= {-1, 0, 1}
    assert (partner[~double] == -1).all()


def test_lineages_that_may_be_one_cell_are_no_doublet(planted: Planted) -> None:
    counts, kind, _ = planted
    unlike = ~np.eye(3, dtype=bool)
    unlike[0, 1] = unlike[1, 0] = False
    partner = partners(counts, np.eye(3)[kind], unlike, min_gain=10.0)
    assert (partner >= 0).mean() < 0.05


def test_more_proof_finds_fewer(planted: Planted) -> None:
    counts, kind, _ = planted
    unlike = ~np.eye(3, dtype=bool)
    found = [
        (partners(counts, np.eye(3)[kind], unlike, min_gain=gain) >= 0).sum() for gain in (0.0, 10.0, 1e9)
    ]
    assert found[0] >= found[1] > found[2] == 0


def test_mixes_are_made_once_and_neither_sent_along_nor_kept_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    profile = random.dirichlet(np.ones(50), 4)
    unlike = ~np.eye(4, dtype=bool)
    pairs = PairProfiles(profile, unlike)
    others, mixed = pairs.of(1)
    np.testing.assert_array_equal(others, [0, 2, 3])
    np.testing.assert_allclose(mixed, np.log((profile[[0, 2, 3]] + profile[1]) / 2).T)
    assert pairs.of(1)[1] is mixed
    sent = pickle.loads(pickle.dumps(pairs))
    assert not sent._made
    np.testing.assert_array_equal(sent.of(1)[1], mixed)
    monkeypatch.setattr(_doublets, "_KEPT_VALUES", mixed.size)
    assert pairs.of(2)[1] is not pairs.of(2)[1]
    assert pairs.of(1)[1] is mixed
