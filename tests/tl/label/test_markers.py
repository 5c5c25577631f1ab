"""Single genes in clusters: present, absent, or not to be read."""

from __future__ import annotations

import numpy as np
import pytest

from cafsc._config import MarkerConfig
from cafsc.tl.label.markers import LEVELS, MarkerLevels, level_distances, marker_levels
from cafsc.tl.score.controls import SetColumns

CONFIG = MarkerConfig()


def columns(up: list[int], down: list[int], n_genes: int | None = None) -> SetColumns:
    size = len(up) + len(down) if n_genes is None else n_genes
    return SetColumns(np.array(up, dtype=np.int64), np.array(down, dtype=np.int64), size)


@pytest.fixture
def found() -> MarkerLevels:
    """Two clusters of two cells; per cell 1,000 counts over four genes and a filler."""
    cells = np.array([[40, 0, 2, 0, 958], [40, 0, 2, 0, 958], [20, 0, 2, 1, 977], [20, 0, 2, 0, 978]], float)
    tissue = np.array([400.0, 900.0, 400.0, 4.0, 0.0])
    return marker_levels(np.array([cells[:2].sum(axis=0), cells[2:].sum(axis=0)]), tissue, CONFIG)


def test_levels_are_relative_to_the_strongest_cluster_or_to_the_tissue(found: MarkerLevels) -> None:
    np.testing.assert_allclose(found.relative[:, 0], [1.0, 0.5])
    np.testing.assert_allclose(found.relative[:, 1], [0.0, 0.0])
    # 20 in ten thousand is less than a tenth of what the tissue's strongest component shows.
    np.testing.assert_allclose(found.relative[:, 2], [0.5, 0.5])


def test_absence_is_read_only_where_presence_would_have_shown(found: MarkerLevels) -> None:
    # Gene 1: 90 per ten thousand expected at least, half of it 9 counts in 2,000. Gene 3: half a count.
    assert found.readable[:, 1].all()
    assert not found.readable[:, 3].any()


@pytest.mark.parametrize(
    ("up", "down", "cluster", "expected"),
    [
        ([0], [], 0, 1.0),
        ([0], [], 1, 0.5),
        ([0], [1], 0, 1.0),
        ([0, 2], [1], 0, (1 + 0.5 + 1) / 3),
        ([1], [], 0, 0.0),
        ([], [1], 0, 1.0),
        ([0], [2], 0, 0.0),
        ([0], [3], 0, 0.0),
    ],
    ids=["full", "half", "one absent", "mean", "missing", "only absent", "not absent", "dropout"],
)
def test_a_marker_set_is_met(
    found: MarkerLevels, up: list[int], down: list[int], cluster: int, expected: float
) -> None:
    assert found.presence(cluster, columns(up, down), CONFIG) == pytest.approx(expected)


def test_a_gene_that_was_not_measured_meets_nothing(found: MarkerLevels) -> None:
    assert found.presence(0, columns([0], [], n_genes=2), CONFIG) == 0.0


def test_without_clusters_there_is_nothing_to_read() -> None:
    empty = marker_levels(np.zeros((0, 3)), np.ones(3), CONFIG)
    assert empty.relative.shape == (0, 3)


def test_words_rise_from_absent_to_full() -> None:
    values = list(LEVELS.values())
    assert values == sorted(values)
    assert (values[0], values[-1]) == (0.0, 1.0)


def test_distance_from_a_profile_is_the_root_of_the_mean_square() -> None:
    relative = np.array([1.0, 0.0, 0.5])
    profiles = [{0: "high", 1: "negative"}, {0: "medium", 2: "medium"}, {}]
    np.testing.assert_allclose(
        level_distances(relative, profiles),  # type: ignore[arg-type]
        [0.0, np.sqrt(0.125), np.inf],
    )
