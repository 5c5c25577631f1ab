"""Scores do not depend on the form of the matrix, on how its rows are cut up, on threads, or on which loops run."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from anndata.io import sparse_dataset, write_elem
from engine_cases import LARGE, N_CELLS, N_GENES, SMALL, members
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from cafsc.engine import (
    BLOCK_ROWS,
    METHODS,
    Members,
    Scorer,
    bin_mean_combination,
    compiled,
    gene_means,
    row_blocks,
)
from cafsc.engine.compiled import kernels
from cafsc.engine.groups import FIELD_BITS
from cafsc.errors import InputError, OptionError


def scorer(sets: list[Members], bins: np.ndarray, n_values: int = LARGE, **options: Any) -> Scorer:
    return Scorer(
        N_GENES, sets, options.pop("methods", METHODS), n_values=n_values, bins=bins, max_rank=150, **options
    )


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for method, values in one.items():
        np.testing.assert_array_equal(values, other[method], err_msg=method)


def test_a_large_matrix_has_compiled_loops_and_a_small_one_has_not() -> None:
    assert kernels(SMALL).__name__ == "cafsc.engine.reference"
    assert kernels(LARGE).__name__ == kernels(LARGE, ranks=True).__name__ == "cafsc.engine.loops"


def test_a_small_matrix_has_compiled_loops_where_they_are_loaded_anyway(monkeypatch: Any) -> None:
    monkeypatch.setattr(compiled, "sys", SimpleNamespace(modules={"numba": None}))
    assert kernels(SMALL).__name__ == "cafsc.engine.reference"
    for loaded in ("cafsc.engine.loops", "cafsc.engine.cell_loops"):
        monkeypatch.setattr(compiled, "sys", SimpleNamespace(modules={loaded: None}))
        assert kernels(SMALL).__name__ == "cafsc.engine.loops"


@pytest.mark.parametrize("target_sum", [None, 1e4])
@pytest.mark.parametrize("methods", [METHODS, ("bin_mean",), ("ucell",), ("ulm",), ("aucell", "ulm")])
def test_compiled_loops_give_the_bits_of_numpy(
    counts: sparse.csr_matrix,
    lognorm: sparse.csr_matrix,
    sets: list[Members],
    bins: np.ndarray,
    target_sum: float | None,
    methods: tuple[str, ...],
) -> None:
    matrix = counts if target_sum else lognorm
    found = [
        scorer(sets, bins, n, target_sum=target_sum, methods=methods).score(matrix) for n in (SMALL, LARGE)
    ]
    assert set(found[0]) == set(methods)
    same(*found)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_cell_of_many_different_values_is_ranked_as_in_numpy(
    sets: list[Members], bins: np.ndarray, dtype: type
) -> None:
    random = np.random.default_rng(5)
    wide = random.lognormal(0, 20, (6, N_GENES))
    # One step of the last digit apart: in one stretch of the sorting.
    close = 1.0 + np.finfo(dtype).eps * random.permutation(N_GENES)
    matrix = sparse.csr_matrix(np.vstack([wide, close, np.round(wide[:1], 1) + 1]).astype(dtype))
    same(*(scorer(sets, bins, n).score(matrix) for n in (SMALL, LARGE)))


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
@pytest.mark.parametrize(
    "form", ["csc", "coo", "csr_array", "dense", "fortran", "h5 dense", "h5 csr", "read-only"]
)
def test_scores_do_not_depend_on_the_form_of_the_matrix(
    lognorm: sparse.csr_matrix, sets: list[Members], bins: np.ndarray, tmp_path: Any, n_values: int, form: str
) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        matrix: Any
        if form == "dense":
            matrix = lognorm.toarray()
        elif form == "fortran":
            matrix = np.asfortranarray(lognorm.toarray())
        elif form == "csr_array":
            matrix = sparse.csr_array(lognorm)
        elif form == "h5 dense":
            matrix = file.create_dataset("x", data=lognorm.toarray())
        elif form == "h5 csr":
            write_elem(file, "x", lognorm)
            matrix = sparse_dataset(file["x"])
        elif form == "read-only":
            matrix = lognorm.copy()
            for part in (matrix.data, matrix.indices, matrix.indptr):
                part.flags.writeable = False
        else:
            matrix = lognorm.asformat(form)
        scoring = scorer(sets, bins, n_values)
        same(scoring.score(lognorm), scoring.score(matrix))
        np.testing.assert_array_equal(
            gene_means(lognorm, n_values=n_values), gene_means(matrix, n_values=n_values)
        )


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
@pytest.mark.parametrize("dtype", ["float32", "int8", "uint16", "int64", "uint64", "float16", ">f8", "bool"])
def test_scores_of_counts_do_not_depend_on_their_type(
    counts: sparse.csr_matrix, sets: list[Members], bins: np.ndarray, n_values: int, dtype: str
) -> None:
    # Not divided, every one of these types holds them.
    few = sparse.csr_matrix(counts > 0, dtype=np.float64) if dtype == "bool" else counts.minimum(120)
    for target_sum in (None, 1e4):
        scoring = scorer(sets, bins, n_values, target_sum=target_sum)
        same(scoring.score(few), scoring.score(few.toarray().astype(dtype)))


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_stored_zeros_change_no_score(
    lognorm: sparse.csr_matrix, sets: list[Members], bins: np.ndarray, n_values: int
) -> None:
    rows, columns = np.nonzero(np.ones(lognorm.shape))
    values = lognorm.toarray().ravel()
    values[values == 0] = np.tile([0.0, -0.0], values.size)[: (values == 0).sum()]
    padded = sparse.csr_matrix((values, (rows, columns)), shape=lognorm.shape)
    assert padded.nnz > lognorm.nnz
    scoring = scorer(sets, bins, n_values)
    same(scoring.score(lognorm), scoring.score(padded))


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_the_order_of_a_row_in_memory_changes_scores_by_no_more_than_rounding(
    lognorm: sparse.csr_matrix, sets: list[Members], bins: np.ndarray, n_values: int
) -> None:
    random = np.random.default_rng(3)
    order = np.concatenate([
        start + random.permutation(stop - start)
        for start, stop in pairwise(lognorm.indptr)
    ])  # fmt: skip
    mixed = sparse.csr_matrix((lognorm.data[order], lognorm.indices[order], lognorm.indptr), lognorm.shape)
    assert not mixed.has_sorted_indices
    scoring = scorer(sets, bins, n_values)
    found, expected = scoring.score(mixed), scoring.score(lognorm)
    for method in METHODS:
        np.testing.assert_allclose(found[method], expected[method], rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
@settings(deadline=None, max_examples=15)
@given(cuts=st.lists(st.integers(0, N_CELLS), max_size=5), threads=st.integers(1, 4))
def test_cuts_and_threads_change_no_bit(
    counts: sparse.csr_matrix,
    sets: list[Members],
    bins: np.ndarray,
    n_values: int,
    cuts: list[int],
    threads: int,
) -> None:
    scoring = scorer(sets, bins, n_values, target_sum=1e4)
    whole = scoring.score(counts)
    edges = sorted({0, *cuts, N_CELLS})
    parts = [scoring.score(counts[a:b], threads=threads) for a, b in pairwise(edges)]
    same(whole, {method: np.vstack([part[method] for part in parts]) for method in METHODS})


def test_many_parts_on_two_threads_have_the_bits_of_one(
    lognorm: sparse.csr_matrix, sets: list[Members], bins: np.ndarray
) -> None:
    long = sparse.vstack([lognorm] * 40, format="csr")
    scoring = scorer(sets, bins)
    found = [scoring.score(long, threads=threads) for threads in (1, 2)]
    same(*found)
    same(found[0], {method: np.tile(v, (40, 1)) for method, v in scoring.score(lognorm).items()})
    size = [rows.n_rows for _, rows in row_blocks(long, 1000)]
    assert size == [1000, 1000, 800]


def test_more_groups_than_the_tables_can_name(lognorm: sparse.csr_matrix, bins: np.ndarray) -> None:
    many = [members([n % N_GENES, (7 * n + 1) % N_GENES]) for n in range(1 << FIELD_BITS)]
    few = lognorm[:3]
    found = scorer(many, bins).score(few)
    expected = scorer(many[-20:], bins).score(few)
    same({method: values[:, -20:] for method, values in found.items()}, expected)
    sums = bin_mean_combination(bins, many).scores(next(row_blocks(few))[1], LARGE)
    np.testing.assert_array_equal(sums[:, -20:], expected["bin_mean"])


def test_rows_are_scored_in_parts_that_bound_the_memory(lognorm: sparse.csr_matrix) -> None:
    long = sparse.vstack([lognorm] * 150, format="csr")
    assert [rows.n_rows for _, rows in row_blocks(long)] == [4096, 4096, 2308]
    assert next(row_blocks(long.toarray()))[1].n_rows == BLOCK_ROWS < 4096
    rows = next(row_blocks(long))[1]
    for n_sums, threads, size in (
        (100, 1, 4096),
        (100, 4, 1024),
        (100, 99, 256),
        (2048, 1, 512),
        (10**6, 1, 256),
    ):
        parts = list(rows.parts(n_sums, threads))
        assert [part.n_rows for _, part in parts] == [size] * (4096 // size)
        np.testing.assert_array_equal(np.concatenate([part.data for _, part in parts]), rows.data)
        assert [place.start for place, _ in parts] == list(range(0, 4096, size))


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_empty_cells_sets_and_matrices(lognorm: sparse.csr_matrix, bins: np.ndarray, n_values: int) -> None:
    assert lognorm[7].nnz == 0
    found = scorer([members([]), members([1, 2])], bins, n_values).score(lognorm)
    assert (found["bin_mean"][:, 0] == 0).all()
    for method in ("ucell", "aucell", "ulm"):
        assert np.isnan(found[method][:, 0]).all()
    # All genes of an empty cell share one rank: what a random order would give on average.
    assert found["bin_mean"][7, 1] == 0
    assert found["aucell"][7, 1] == pytest.approx(sum(20 - r for r in range(1, 20)) / N_GENES * 2 / (19 + 18))
    assert np.isnan(found["ulm"][7, 1])
    none = scorer([], bins, n_values).score(lognorm)
    assert all(values.shape == (N_CELLS, 0) for values in none.values())
    assert all(len(v) == 0 for v in scorer([members([1])], bins, n_values).score(lognorm[:0]).values())


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_that_cannot_be_scored_are_refused(
    lognorm: sparse.csr_matrix,
    sets: list[Members],
    bins: np.ndarray,
    n_values: int,
    value: float,
    dtype: type,
) -> None:
    broken = lognorm.astype(dtype)
    broken.data[100] = value
    with pytest.raises(InputError, match="negative, infinite or not a number"):
        scorer(sets, bins, n_values).score(broken)
    linear = scorer(sets, bins, n_values, methods=("bin_mean", "ulm"))
    if value == -1.0:
        assert all(np.isfinite(values[6]).all() for values in linear.score(broken).values())
    else:
        with pytest.raises(InputError, match="infinite or not a number"):
            linear.score(broken)
        with pytest.raises(InputError, match="infinite or not a number"):
            gene_means(broken, n_values=n_values)


def test_what_is_no_matrix_of_numbers_is_refused(sets: list[Members], bins: np.ndarray) -> None:
    with pytest.raises(InputError, match="complex"):
        scorer(sets, bins).score(np.zeros((3, N_GENES), dtype=complex))
    with pytest.raises(InputError, match="1 dimensions"):
        list(row_blocks(np.zeros(3)))
    with pytest.raises(InputError, match="no cells"):
        gene_means(np.zeros((0, 3)), n_values=0)
    with pytest.raises(OptionError, match="nonsense"):
        Scorer(N_GENES, sets, ("nonsense",), n_values=0)
    with pytest.raises(OptionError, match="without bins"):
        Scorer(N_GENES, sets, ("bin_mean",), n_values=0)


def test_a_gene_of_many_sets_counts_in_each(lognorm: sparse.csr_matrix) -> None:
    bins = np.zeros(N_GENES, dtype=np.int64)
    many = [members([5, n]) for n in range(20, 40)]
    found = [bin_mean_combination(bins, many).scores(next(row_blocks(lognorm))[1], n) for n in (SMALL, LARGE)]
    dense = lognorm.toarray()
    for index, of in enumerate(many):
        expected = dense[:, of.up].mean(axis=1) - dense.mean(axis=1)
        np.testing.assert_allclose(found[0][:, index], expected, atol=1e-12)
    np.testing.assert_array_equal(*found)
