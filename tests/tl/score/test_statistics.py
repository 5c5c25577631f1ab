"""Our three statistics are those of scipy, to the last bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from cafsc.tl.score.statistics import column_ranks, false_discovery_rates, upper_tail


@given(arrays.arrays(np.float64, st.integers(0, 30), elements=st.floats(-50, 50)))
def test_upper_tail(z: np.ndarray) -> None:
    np.testing.assert_array_equal(upper_tail(z), stats.norm.sf(z))


def test_upper_tail_of_what_is_no_number() -> None:
    np.testing.assert_array_equal(upper_tail(np.array([np.nan, np.inf, -np.inf])), [np.nan, 0.0, 1.0])


@given(arrays.arrays(np.float64, st.integers(0, 60), elements=st.floats(0, 1) | st.sampled_from([0.01, 0.5])))
def test_false_discovery_rates(p: np.ndarray) -> None:
    before = p.copy()
    np.testing.assert_array_equal(false_discovery_rates(p), stats.false_discovery_control(p, method="bh"))
    np.testing.assert_array_equal(p, before)


@given(
    arrays.arrays(
        np.float64,
        st.tuples(st.integers(1, 20), st.integers(0, 4)),
        elements=st.floats(-3, 3) | st.sampled_from([0.0, -0.0, 1.0]),
    )
)
def test_column_ranks(values: np.ndarray) -> None:
    np.testing.assert_array_equal(column_ranks(values), stats.rankdata(values, axis=0))
