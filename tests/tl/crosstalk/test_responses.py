"""Footprints against cells of the same lineage elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc.sig.reference import reference_levels
from cafsc.tl.crosstalk.groups import Group, Groups, split_kinds
from cafsc.tl.crosstalk.responses import Footprints, against_elsewhere
from cafsc.tl.score.controls import SetColumns, expression_bins

N_GENES = 2000
NONE = np.array([], dtype=np.int64)


@pytest.fixture
def profile() -> np.ndarray:
    """Levels of a lineage elsewhere: a few genes are its own, and strong."""
    random = np.random.default_rng(0)
    level = random.lognormal(0, 1.0, N_GENES)
    level[:20] *= 30
    return level / level.sum() * 1e4


def effect(level: np.ndarray, profile: np.ndarray, members: slice, lineage: str = "t_nk") -> np.ndarray:
    """Effect of some genes in T cells and erythrocytes at a level, against T cells of the profile."""
    counts = np.random.default_rng(1).poisson(np.outer(np.full(80, 0.6), level)).astype(float)
    counts /= counts.sum(axis=1, keepdims=True) / 1e4
    genes = sorted(reference_levels().profiles["t_nk"])[:N_GENES]
    groups = Groups(
        groups=(Group("t_cell", "t_nk"), Group("erythrocyte", "erythrocyte")),
        codes=np.array([0] * 75 + [1] * 5),
        lognorm=sparse.csr_matrix(np.log1p(counts)),
        columns={gene: number for number, gene in enumerate(genes)},
        species="human",
        bins=expression_bins(profile, 20),
        catalogue=sig.load(),
        config=CrosstalkConfig(),
    )
    levels = replace(reference_levels(), profiles={lineage: dict(zip(genes, profile, strict=True))})
    sets = {"set": SetColumns(np.arange(N_GENES)[members], NONE, 20)}
    return np.array([row["response_effect"] for row in against_elsewhere(groups, sets, levels)["set"]])


def test_only_what_a_lineage_holds_beyond_others_of_its_kind_is_a_response(profile: np.ndarray) -> None:
    assert abs(effect(profile, profile, slice(0, 20))[0]) < 2
    for factor, sign in ((4.0, 1), (0.2, -1)):
        changed = profile.copy()
        changed[100:120] *= factor
        assert sign * effect(changed, profile, slice(100, 120))[0] > 4
        assert abs(effect(changed, profile, slice(200, 220))[0]) < 3


def test_without_a_profile_the_response_is_unknown(profile: np.ndarray) -> None:
    assert np.isnan(effect(profile, profile, slice(0, 20))[1])
    assert np.isnan(effect(profile, profile, slice(0, 20), lineage="myeloid")).all()


def test_only_receivers_that_can_respond_are_asked() -> None:
    catalogue = sig.load()
    known = {gene for program in catalogue.programs.values() for gene in program.up}
    genes = sorted(known | {gene for one in catalogue.recipients.responses.values() for gene in one.up})
    kinds = (("macrophage", "myeloid"), ("t_cell", "t_nk"), ("epithelial",) * 2, ("endothelial",) * 2)
    groups = Groups(
        groups=tuple(Group(*kind) for kind in kinds),
        codes=np.arange(4),
        lognorm=sparse.csr_matrix(np.ones((4, len(genes)))),
        columns={gene: number for number, gene in enumerate(genes)},
        species="human",
        bins=np.zeros(len(genes), dtype=np.int64),
        catalogue=catalogue,
        config=CrosstalkConfig(),
    )
    footprints = Footprints(groups, reference_levels())
    assert footprints.row(["macrophage"], 0)["response"] == "response:m2"
    assert footprints.row(["macrophage"], 1) == {}
    assert footprints.row(["emt", "tgfb"], 2)["response"] == "response:emt"
    assert footprints.row(["emt", "tgfb"], 3)["response"] == "program:tgfb-response"


def test_kinds_of_one_lineage_are_separated_by_their_markers() -> None:
    cells = sparse.csr_matrix(np.array([[2, 1, 0, 0], [0, 0, 3, 1], [0, 0, 0, 0], [1, 0, 1, 1]], dtype=float))
    panels = [SetColumns(np.array([0, 1]), NONE, 2), SetColumns(np.array([2, 3]), np.array([0, 1]), 4)]
    np.testing.assert_array_equal(split_kinds(cells, panels), [0, 1, 0, 0])
