"""Rows of a matrix, from memory and from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import dask.array
import h5py
import numpy as np
import pytest
import zarr
from anndata.experimental import read_elem_lazy
from scipy import sparse

from cafsc.pp.blocks import BLOCK, CountRows, is_backed, parts, rows_of

N_ROWS = 2 * BLOCK + 100


@pytest.fixture(scope="module")
def counts() -> sparse.csr_matrix:
    return sparse.csr_matrix(np.random.default_rng(0).poisson(0.3, (N_ROWS, 7)).astype(np.float32))


def as_h5(matrix: Any, folder: Path) -> Any:
    with h5py.File(folder / "x.h5", "w") as file:
        anndata.io.write_elem(file, "x", matrix)
        return read_elem_lazy(file["x"], chunks=(BLOCK, 7))


def as_zarr(matrix: sparse.csr_matrix, folder: Path) -> Any:
    group = zarr.open_group(str(folder / "x.zarr"), mode="w")
    anndata.io.write_elem(group, "x", matrix)
    return read_elem_lazy(group["x"], chunks=(BLOCK, 7))


FORMS: dict[str, Callable[[sparse.csr_matrix, Path], Any]] = {
    "csr": lambda matrix, _: matrix,
    "csc": lambda matrix, _: matrix.tocsc(),
    "array": lambda matrix, _: matrix.toarray(),
    "h5ad": as_h5,
    "zarr": as_zarr,
    "dense h5ad": lambda matrix, folder: as_h5(matrix.toarray(), folder),
    "other borders": lambda matrix, _: dask.array.from_array(matrix.toarray(), chunks=(700, 3)),
}
forms = pytest.mark.parametrize("form", sorted(FORMS))


@forms
def test_every_form_gives_the_same_rows(counts: sparse.csr_matrix, form: str, tmp_path: Path) -> None:
    rows = CountRows(FORMS[form](counts, tmp_path))
    assert rows.shape == counts.shape
    wanted = np.array([0, 5, BLOCK - 1, BLOCK, N_ROWS - 1])
    for found, expected in ((rows.take(wanted), counts[wanted]), (rows.take(np.arange(N_ROWS)), counts)):
        assert found.dtype == np.float64
        np.testing.assert_array_equal(found.toarray(), expected.toarray())
    assert rows.take(np.zeros(0, dtype=np.int64)).shape == (0, 7)


@forms
def test_blocks_end_where_those_of_the_matrix_end(
    counts: sparse.csr_matrix, form: str, tmp_path: Path
) -> None:
    rows = CountRows(FORMS[form](counts, tmp_path))
    asked = np.arange(BLOCK - 3, N_ROWS, 2)
    found = list(rows.blocks(asked))
    assert [piece[0] // BLOCK for piece, _ in found] == [0, 1, 2]
    np.testing.assert_array_equal(np.concatenate([piece for piece, _ in found]), asked)
    for piece, block in found:
        np.testing.assert_array_equal(block.toarray(), counts[piece].toarray())


@forms
def test_sums_of_groups_are_the_same_in_every_form(
    counts: sparse.csr_matrix, form: str, tmp_path: Path
) -> None:
    fractions = counts * np.float32(0.37)
    codes = np.random.default_rng(1).integers(-1, 3, N_ROWS)
    rows = CountRows(FORMS[form](fractions, tmp_path))
    found = rows.group_sums(codes, 3)
    np.testing.assert_array_equal(found, CountRows(fractions).group_sums(codes, 3))
    expected = [fractions[codes == group].toarray().astype(float).sum(axis=0) for group in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(rows.gene_sums(), fractions.toarray().astype(float).sum(axis=0))


def test_values_are_converted_row_by_row(counts: sparse.csr_matrix) -> None:
    found = CountRows(counts, lambda block: block * 2.0).take(np.array([3, 4]))
    np.testing.assert_array_equal(found.toarray(), 2.0 * counts[[3, 4]].toarray())


def test_a_backed_matrix_comes_in_parts(counts: sparse.csr_matrix, tmp_path: Path) -> None:
    assert not is_backed(counts)
    assert [start for start, _ in parts(counts)] == [0]
    assert [start for start, _ in parts(as_h5(counts, tmp_path))] == [0, BLOCK, 2 * BLOCK]
    np.testing.assert_array_equal(rows_of(counts.toarray(), np.array([1, 2])), counts[[1, 2]].toarray())
