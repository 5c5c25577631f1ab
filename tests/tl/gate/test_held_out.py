"""A component is asked about cells that it was not made of."""

from __future__ import annotations

import anndata
import numpy as np
import pytest
from scipy import sparse

import cafsc
from cafsc import data
from cafsc._config import ClusterConfig, Config, GateConfig
from cafsc.tl.gate.held_out import HeldOut, LeftOut, doublet_components, held_out_profiles, left_out
from cafsc.tl.gate.mixture import average_shares, shrunk, weighted_sums

N_GENES, DEPTH, SHRINKAGE = 3000, 600, 200.0
N_COMMON, N_RARE = 6, 6
LARGE, OTHER, RARE = 0, 1, N_COMMON
SIZES = [*range(90, 90 + N_COMMON), N_RARE]

Fitted = tuple[sparse.csr_matrix, np.ndarray]


def kinds() -> np.ndarray:
    """Kinds x genes: common kinds, each with genes of its own, and a rare one that is not far from the first."""
    random = np.random.default_rng(0)
    base = random.gamma(0.3, 1.0, N_GENES) + 0.02
    found = np.array([base * random.lognormal(0, 0.8, N_GENES) for _ in range(N_COMMON)])
    found = np.vstack([found, found[LARGE] * random.lognormal(0, 0.5, N_GENES)])
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def drawn(shares: np.ndarray, seed: int) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.random.default_rng(seed).poisson(shares * DEPTH).astype(float))


def planted(sizes: list[int], shares: np.ndarray, seed: int = 1) -> Fitted:
    """Cells of some kinds, each a component."""
    kind = np.repeat(np.arange(len(sizes)), sizes)
    return drawn(shares[kind], seed), np.eye(len(sizes))[kind]


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """Cells of the common kinds and a few of the rare one."""
    return planted(SIZES, kinds())


def profiles(x: sparse.csr_matrix, weights: np.ndarray, shrinkage: float) -> np.ndarray:
    return shrunk(weighted_sums(x, weights), average_shares(x), shrinkage)


def each_left_out(x: sparse.csr_matrix, weights: np.ndarray, shrinkage: float = SHRINKAGE) -> list[LeftOut]:
    return left_out(x, weights, weighted_sums(x, weights), shrinkage)


def asked(x: sparse.csr_matrix, weights: np.ndarray, unlike: np.ndarray | None = None) -> HeldOut:
    without = each_left_out(x, weights)
    unlike = ~np.eye(weights.shape[1], dtype=bool) if unlike is None else unlike
    return held_out_profiles(weighted_sums(x, weights), profiles(x, weights, SHRINKAGE), without, unlike)


def test_another_cell_of_a_rare_kind_fits_its_component(fitted: Fitted) -> None:
    others = drawn(np.repeat(kinds()[[RARE]], 40, axis=0), 2)
    plain = others @ np.log(profiles(*fitted, SHRINKAGE)).T
    assert (plain.argmax(axis=1) == RARE).mean() < 0.5, (
        "made of few cells, the profile does not know the others"
    )
    found = others @ np.log(asked(*fitted).profile).T
    assert (found.argmax(axis=1) == RARE).mean() > 0.9


def test_a_well_known_component_stays_what_it_is(fitted: Fitted) -> None:
    found = asked(*fitted)
    np.testing.assert_allclose(found.profile.sum(axis=1), 1.0)
    plain = profiles(*fitted, SHRINKAGE)
    change = np.abs(found.profile - plain).sum(axis=1)
    assert change[LARGE] < 0.15 < change[RARE]
    assert 3 * found.gain[LARGE] < found.gain[RARE], (
        "a second component helps where the first is little known"
    )


def test_each_cell_is_left_out_of_what_it_is_asked_of(fitted: Fitted) -> None:
    x, weights = fitted
    rare = each_left_out(x, weights)[RARE]
    assert (rare.n_held, rare.n_cells) == (N_RARE, N_RARE)
    cells = x[weights[:, RARE] == 1].toarray()
    average = x.toarray().sum(axis=0) / x.sum()
    expected = 0.0
    for one in range(N_RARE):
        rest = np.delete(cells, one, axis=0).sum(axis=0) + rare.added * average
        shown = np.flatnonzero(cells[one])
        expected += cells[one][shown] @ np.log(rest[shown] / rest.sum())
    assert rare.log_likelihood(rare.added) == pytest.approx(expected)


@pytest.mark.parametrize("n_cells", [0, 1])
def test_a_component_with_nothing_left_becomes_the_average_cell(n_cells: int) -> None:
    x, weights = planted([*SIZES[:-1], n_cells], kinds())
    found = asked(x, weights)
    assert np.isfinite(found.profile).all()
    assert np.isfinite(found.gain).all()
    average = x.toarray().sum(axis=0) / x.sum()
    assert np.abs(found.profile[RARE] - average).sum() < 0.05
    assert not doublet_components(found.profile, each_left_out(x, weights), ~np.eye(len(SIZES), dtype=bool))


def of_doublets(n_cells: int) -> tuple[np.ndarray, list[LeftOut], np.ndarray]:
    """As `fitted`, with a component of cells that are half one common kind and half another; what is asked of it."""
    shares = kinds()
    x, weights = planted([*SIZES, n_cells], np.vstack([shares, (shares[LARGE] + shares[OTHER]) / 2]))
    unlike = ~np.eye(len(SIZES) + 1, dtype=bool)
    return profiles(x, weights, SHRINKAGE), each_left_out(x, weights), unlike


@pytest.mark.parametrize("n_cells", [4, 25])
def test_a_component_of_doublets_is_found_and_a_rare_kind_is_none(n_cells: int) -> None:
    (found,) = doublet_components(*of_doublets(n_cells))
    assert found[0] == len(SIZES)
    assert set(found[1:]) == {LARGE, OTHER}


def test_kinds_that_may_be_one_cell_make_no_doublets() -> None:
    profile, without, unlike = of_doublets(25)
    unlike[LARGE, OTHER] = unlike[OTHER, LARGE] = False
    assert not doublet_components(profile, without, unlike)


def test_a_component_of_one_cell_is_not_judged() -> None:
    assert not doublet_components(*of_doublets(1))


def test_nothing_need_be_added_by_the_mixture(fitted: Fitted) -> None:
    without = each_left_out(*fitted, shrinkage=0.0)
    assert all(np.isfinite(left.log_likelihood(left.added)) for left in without)


def test_what_is_common_is_no_doublets() -> None:
    assert not doublet_components(*of_doublets(85))


def test_rare_cells_outside_the_sample_are_found() -> None:
    tumour = data.simulated_tumour(1500, seed=4)
    kind = tumour.obs["simulated_type"].astype(str).to_numpy()
    of_kind = np.isin(kind, ("macrophage", "monocyte"))
    stays = ~of_kind
    stays[np.random.default_rng(0).choice(np.flatnonzero(of_kind), 24, replace=False)] = True
    part = tumour[stays].copy()
    components = ClusterConfig(resolution=GateConfig().components.resolution, max_cells=part.n_obs // 2)
    cafsc.annotate(part, config=Config(gate=GateConfig(components=components)))
    lineage = part.obs["caf_lineage"].astype(str).to_numpy()
    assert (lineage[of_kind[stays]] == "myeloid").all()


def test_clusters_of_doublets_are_not_kept() -> None:
    tumour = data.simulated_tumour(1500, seed=6)
    kind = tumour.obs["simulated_type"].astype(str).to_numpy()
    random = np.random.default_rng(1)
    one, other = (
        random.choice(np.flatnonzero(np.isin(kind, names)), 40) for names in (("myCAF",), ("macrophage",))
    )
    counts = sparse.csr_matrix(tumour.X)
    mixed = tumour[one].copy()
    mixed.X = sparse.csr_matrix(counts[one] + counts[other])
    mixed.obs_names = [f"double{number}" for number in range(one.size)]
    both = anndata.concat([tumour, mixed])
    cafsc.annotate(both)
    gate = both.obs["caf_gate"].astype(str).to_numpy()
    assert (gate[1500:] == "doublet:fibroblast+myeloid").mean() > 0.9
    assert np.isin(kind[gate[:1500] == "kept"], ("iCAF", "myCAF")).all()
    assert (gate[:1500][np.isin(kind, ("iCAF", "myCAF"))] == "kept").mean() > 0.95
