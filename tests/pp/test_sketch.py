"""A sample of cells that stands for all."""

from __future__ import annotations

import numpy as np

from cafsc.pp.sketch import sketch_rows


def test_all_cells_stand_for_themselves_where_they_are_few() -> None:
    np.testing.assert_array_equal(sketch_rows(np.array([True, False, True]), 3, 0), [0, 1, 2])


def test_a_sketch_holds_usable_cells_once_and_the_seed_decides() -> None:
    usable = np.arange(1000) % 3 > 0
    found = sketch_rows(usable, 100, seed=1)
    assert len(set(found)) == 100
    assert usable[found].all()
    assert (np.diff(found) > 0).all()
    np.testing.assert_array_equal(found, sketch_rows(usable, 100, seed=1))
    assert set(found) != set(sketch_rows(usable, 100, seed=2))
    assert sketch_rows(np.zeros(500, dtype=bool), 100, seed=1).size == 100
