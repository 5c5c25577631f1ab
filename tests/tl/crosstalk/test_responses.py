"""Footprints against cells of the same lineage elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from cafsc import sig
from cafsc.sig.reference import reference_levels
from cafsc.tl.crosstalk.groups import Group, Groups, split_kinds
from cafsc.tl.crosstalk.responses import against_elsewhere, footprint_of
from cafsc.tl.score.controls import SetColumns, expression_bins

N_GENES = 2000


@pytest.fixture
def profile() -> np.ndarray:
    """Levels of a lineage elsewhere: a few genes are its own, and strong."""
    random = np.random.default_rng(0)
    level = random.lognormal(0, 1.0, N_GENES)
    level[:20] *= 30
    return level / level.sum() * 1e4


def sample(level: np.ndarray, n_cells: int = 80) -> Groups:
    random = np.random.default_rng(1)
    counts = random.poisson(np.outer(np.full(n_cells, 0.6), level)).astype(float)
    counts /= counts.sum(axis=1, keepdims=True) / 1e4
    genes = sorted(reference_levels().profiles["t_nk"])[:N_GENES]
    return Groups(
        groups=(Group("t_cell", "t_nk"), Group("erythrocyte", "erythrocyte")),
        codes=np.array([0] * (n_cells - 5) + [1] * 5),
        lognorm=sparse.csr_matrix(np.log1p(counts)),
        columns={gene: number for number, gene in enumerate(genes)},
        species="human",
    )


def effect(groups: Groups, profile: np.ndarray, members: slice, lineage: str = "t_nk") -> np.ndarray:
    genes = list(groups.columns)
    levels = replace(reference_levels(), profiles={lineage: dict(zip(genes, profile, strict=True))})
    sets = {"set": SetColumns(np.arange(N_GENES)[members], np.array([], dtype=np.int64), 20)}
    return against_elsewhere(groups, sets, expression_bins(profile, 20), levels).effect[:, 0]


def test_what_a_lineage_always_holds_is_no_answer(profile: np.ndarray) -> None:
    assert abs(effect(sample(profile), profile, slice(0, 20))[0]) < 2


@pytest.mark.parametrize(("factor", "sign"), [(4.0, 1), (0.2, -1)])
def test_what_it_holds_beyond_is(profile: np.ndarray, factor: float, sign: int) -> None:
    changed = profile.copy()
    changed[100:120] *= factor
    assert sign * effect(sample(changed), profile, slice(100, 120))[0] > 4
    assert abs(effect(sample(changed), profile, slice(200, 220))[0]) < 3


def test_without_a_profile_nothing_is_told(profile: np.ndarray) -> None:
    found = effect(sample(profile), profile, slice(0, 20))
    assert np.isnan(found[1])
    assert np.isnan(effect(sample(profile), profile, slice(0, 20), lineage="myeloid")).all()


def test_only_receivers_that_can_answer_are_asked() -> None:
    recipients = sig.load().recipients
    known = {"response:m2": 1, "program:tgfb-response": 1, "response:emt": 1}
    assert footprint_of(["macrophage"], "macrophage", "myeloid", recipients, known) == "response:m2"
    assert footprint_of(["macrophage"], "t_cell", "t_nk", recipients, known) == ""
    assert footprint_of(["emt", "tgfb"], "epithelial", "epithelial", recipients, known) == "response:emt"
    assert (
        footprint_of(["emt", "tgfb"], "endothelial", "endothelial", recipients, known)
        == "program:tgfb-response"
    )


def test_kinds_of_one_lineage_are_told_by_what_they_show() -> None:
    cells = sparse.csr_matrix(np.array([[2, 1, 0, 0], [0, 0, 3, 1], [0, 0, 0, 0], [1, 0, 1, 1]], dtype=float))
    none = np.array([], dtype=np.int64)
    panels = [SetColumns(np.array([0, 1]), none, 2), SetColumns(np.array([2, 3]), np.array([0, 1]), 4)]
    np.testing.assert_array_equal(split_kinds(cells, panels), [0, 1, 0, 0])
