"""Counts kept, symbols mapped, depth normalised."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from cafsc import pp
from cafsc.errors import InputError
from cafsc.pp.normalize import (
    PSEUDO_DEPTH,
    count_matrix,
    linear,
    log1p_depth,
    lognorm_matrix,
    scale_depth,
    symbol_columns,
    unique_symbols,
)


@pytest.fixture
def counts() -> sparse.csr_matrix:
    dense = np.random.default_rng(0).poisson(0.8, (12, 9)).astype(np.float32)
    dense[3] = 0
    return sparse.csr_matrix(dense)


def test_every_row_is_scaled_to_the_target_and_an_empty_one_stays_empty(counts: sparse.csr_matrix) -> None:
    total = np.asarray(scale_depth(counts, 50.0).sum(axis=1)).ravel()
    np.testing.assert_allclose(np.delete(total, 3), 50.0)
    assert total[3] == 0


def test_log1p_of_scaled_counts(counts: sparse.csr_matrix) -> None:
    dense = counts.toarray().astype(np.float64)
    depth = dense.sum(axis=1, keepdims=True)
    expected = np.log1p(dense / np.where(depth > 0, depth, 1) * 1e4)
    found = log1p_depth(counts, 1e4)
    np.testing.assert_allclose(found.toarray(), expected)
    assert found.nnz == np.count_nonzero(expected)


def test_explicit_zeros_and_unsorted_entries_change_nothing(counts: sparse.csr_matrix) -> None:
    coo = counts.tocoo()
    order = np.random.default_rng(1).permutation(coo.nnz)
    rows, columns = np.append(coo.row[order], [0, 5]), np.append(coo.col[order], [0, 5])
    untidy = sparse.coo_matrix((np.append(coo.data[order], [0.0, 0.0]), (rows, columns)), shape=coo.shape)
    found, expected = log1p_depth(untidy.tocsr(), 1e4), log1p_depth(counts, 1e4)
    assert (found != expected).nnz == 0
    assert found.nnz == expected.nnz


def test_split_entries_are_one_count(counts: sparse.csr_matrix) -> None:
    coo = counts.tocoo()
    doubled = sparse.coo_matrix(
        (np.tile(coo.data / 2, 2), (np.tile(coo.row, 2), np.tile(coo.col, 2))), shape=coo.shape
    )
    np.testing.assert_array_equal(
        log1p_depth(doubled.tocsr(), 1e4).toarray(), log1p_depth(counts, 1e4).toarray()
    )


@pytest.mark.parametrize(
    ("kind", "forward"),
    [
        ("log1p", np.log1p),
        ("log2", lambda x: np.log2(x + 1)),
        ("log1p_twice", lambda x: np.log1p(np.log1p(x))),
        ("counts", lambda x: x),
        ("normalized", lambda x: x),
    ],
)
def test_logarithms_are_undone(counts: sparse.csr_matrix, kind: str, forward: object) -> None:
    logged = sparse.csr_matrix(forward(counts.toarray().astype(np.float64)))  # type: ignore[operator]
    before = logged.copy()
    np.testing.assert_allclose(linear(logged, kind).toarray(), counts.toarray(), atol=1e-12)
    assert (logged != before).nnz == 0


def test_the_layers_and_symbols_are_written_and_x_stays(small: AnnData) -> None:
    before = small.X.copy()
    pp.normalize(small)
    assert (before != small.X).nnz == 0
    assert small.layers["counts"].dtype == before.dtype
    assert (small.layers["counts"] != before).nnz == 0
    np.testing.assert_array_equal(lognorm_matrix(small).toarray(), log1p_depth(before, 1e4).toarray())
    assert list(small.var["caf_symbol"]) == list(small.var_names)
    assert small.uns["cafsc"] == {"matrix": "counts", "layer": "counts", "species": "human"}


def test_dense_counts_are_kept_sparse_and_apart_from_x(small: AnnData) -> None:
    small.X = small.X.toarray()
    pp.normalize(small)
    before = small.layers["counts"].copy()
    small.X *= 0
    assert sparse.issparse(before)
    assert before.nnz
    assert (small.layers["counts"] != before).nnz == 0


def test_logged_values_are_not_taken_for_counts(small: AnnData) -> None:
    small.X = log1p_depth(small.X, 1e4).astype(np.float32)
    pp.normalize(small)
    assert "counts" not in small.layers
    assert (small.layers["caf_input"] != small.X).nnz == 0
    assert small.uns["cafsc"]["matrix"] == "log1p"
    total = np.asarray(count_matrix(small).sum(axis=1)).ravel()
    np.testing.assert_allclose(total, PSEUDO_DEPTH, rtol=1e-5)


def test_counts_in_their_layer_win_over_logged_x(small: AnnData) -> None:
    counts = small.X.copy()
    small.layers["counts"] = counts.copy()
    small.X = log1p_depth(counts, 1e4).astype(np.float32)
    pp.normalize(small)
    assert (small.layers["counts"] != counts).nnz == 0
    assert (count_matrix(small) != counts.astype(np.float64)).nnz == 0


def test_other_values_in_the_layer_of_counts_stay_there(small: AnnData) -> None:
    theirs = small.X * 3
    small.layers["counts"] = theirs.copy()
    pp.normalize(small)
    assert (small.layers["counts"] != theirs).nnz == 0
    assert (small.layers["caf_input"] != small.X).nnz == 0
    assert (count_matrix(small) != small.X.astype(np.float64)).nnz == 0
    small.layers["counts"] = small.X.toarray()
    pp.normalize(small)
    assert small.uns["cafsc"]["layer"] == "counts"


def test_scaled_values_are_refused(small: AnnData) -> None:
    dense = small.X.toarray()
    small.X = (dense - dense.mean(axis=0)) / (dense.std(axis=0) + 1)
    with pytest.raises(InputError, match="scaled"):
        pp.normalize(small)


def test_values_in_raw_are_not_read_silently(small: AnnData) -> None:
    small.raw = small
    dense = small.X.toarray()
    small.X = (dense - dense.mean(axis=0)) / (dense.std(axis=0) + 1)
    with pytest.raises(InputError, match=r"\.raw"):
        pp.normalize(small)


def test_later_steps_ask_for_normalisation_first(small: AnnData) -> None:
    with pytest.raises(InputError, match=r"cafsc\.pp\.normalize"):
        count_matrix(small)


def test_the_column_with_more_counts_carries_the_symbol() -> None:
    names = ["ENSG00000108821", "SPARC", "ENSG00000108821.9"]
    assert unique_symbols(names, "human", lambda: np.array([1.0, 5.0, 2.0])) == [
        "ENSG00000108821",
        "SPARC",
        "COL1A1",
    ]


def test_a_symbol_stands_for_one_column_even_where_names_repeat(small: AnnData) -> None:
    names = ["COL1A1", "SPARC", "ENSG00000108821", "COL1A1"]
    symbols = unique_symbols(names, "human", lambda: np.array([1.0, 5.0, 2.0, 0.5]))
    assert len(set(symbols)) == len(symbols)
    assert symbols[2] == "COL1A1"
    assert symbols[1] == "SPARC"


def test_equal_totals_go_to_the_earlier_column() -> None:
    names = ["ENSG00000108821", "ENSG00000108821.9"]
    assert unique_symbols(names, "human", lambda: np.array([2.0, 2.0])) == ["COL1A1", "ENSG00000108821.9"]


@given(st.permutations(range(6)))
def test_symbols_follow_their_columns_in_any_order(order: list[int]) -> None:
    names = np.array(["ENSG00000108821", "SPARC", "COL1A1", "SPARC-1", "nobody", "DCN"])
    total = np.array([4.0, 1.0, 2.0, 3.0, 6.0, 5.0])
    first = unique_symbols(names.tolist(), "human", lambda: total)
    moved = unique_symbols(names[order].tolist(), "human", lambda: total[order])
    assert moved == [first[index] for index in order]


def test_columns_of_symbols(small: AnnData) -> None:
    pp.normalize(small)
    columns = symbol_columns(small)
    assert all(small.var["caf_symbol"].iloc[column] == symbol for symbol, column in columns.items())
    assert len(columns) == small.n_vars
