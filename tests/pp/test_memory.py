"""What a run reads once and keeps."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from cafsc.pp.memory import keeping, kept
from cafsc.pp.rows import Rows


def test_nothing_is_kept_outside_a_run() -> None:
    owner, made = object(), []
    for _ in range(2):
        kept(owner, "a", lambda: made.append(1))
    assert len(made) == 2


def test_within_a_run_each_owner_and_key_is_made_once() -> None:
    one, two = [1.0], [1.0]
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name

    with keeping():
        for owner, key in ((one, "a"), (one, "a"), (one, "b"), (two, "a"), (one, "b")):
            assert kept(owner, key, lambda key=key: make(key)) == key
        assert made == ["a", "b", "a"]
        with keeping():
            kept(one, "a", lambda: make("inner"))
    assert made[-1] == "inner"
    kept(one, "a", lambda: make("after"))
    assert made[-1] == "after"


def test_rows_and_sums_are_those_asked_for() -> None:
    matrix = sparse.csr_matrix(np.arange(12.0).reshape(4, 3))
    with keeping():
        for wanted in ([0, 2], [1, 2], [0, 2]):
            np.testing.assert_array_equal(
                Rows(matrix).take(np.array(wanted)).toarray(), matrix[wanted].toarray()
            )
        for codes in ([0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 1, 1]):
            expected = [matrix.toarray()[np.array(codes) == code].sum(axis=0) for code in (0, 1)]
            np.testing.assert_array_equal(Rows(matrix).group_sums(np.array(codes), 2), expected)
        np.testing.assert_array_equal(
            Rows(matrix * 2).take(np.array([0, 2])).toarray(), 2 * matrix[[0, 2]].toarray()
        )
