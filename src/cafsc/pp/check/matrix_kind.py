"""Tell what a matrix holds from its numbers alone: counts, log-normalised, scaled values ..."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.pp.blocks import parts, rows_of

MatrixKind = Literal[
    "counts",
    "corrected_counts",
    "log1p",
    "log2",
    "log10",
    "log1p_twice",
    "normalized",
    "scaled",
    "empty",
    "unknown",
]
COUNT_KINDS: tuple[MatrixKind, ...] = ("counts", "corrected_counts")

_BLOCK = 2**22
_MARKED_ROWS = 512
_MOST_APART = 64
"""Parts joined at once: each holds a number a gene, and joining them one by one would copy all each time."""
_SAMPLED_CELLS = 400
_FEWEST_VALUES = 10
_CONSTANT = 0.01
_WHOLE = 0.05
_MOST_PER_MILLION = 1.05e6
# What one molecule is worth at the least after a correction of counts; less is a share of a total.
_LEAST_COUNT = 0.01
# The logarithm of a million is 13.8 (natural) or 19.9 (base 2); that of 13.8 + 1 is 2.7.
_HIGHEST_LOGGED = 25.0
_HIGHEST_TWICE_LOGGED = 2.7
_HIGHEST_NORMALIZED = 1e7

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MatrixStats:
    """What one pass over a matrix gives."""

    n_values: int
    """Entries that are not zero, NaN and infinite ones included."""
    n_nan: int
    n_inf: int
    n_negative: int
    n_whole: int
    """Finite entries that are whole numbers and not zero."""
    n_top: int
    """Entries equal to the largest one."""
    low: float
    high: float
    cell_sums: Floats
    """Cells; sums of finite entries, float64."""
    cell_values: NDArray[np.int64]
    """Cells; entries that are not zero."""
    gene_values: NDArray[np.int64]
    """Genes; entries that are not zero."""
    cell_marks: Floats
    """Cells; one random weighted sum of a cell's values: cells that agree in it are copies."""

    @property
    def n_finite(self) -> int:
        """Finite entries that are not zero."""
        return self.n_values - self.n_nan - self.n_inf


def _values(matrix: Any) -> Any:
    return matrix.data if sparse.issparse(matrix) else np.asarray(matrix).reshape(-1)


def _blocks(values: Any) -> Iterator[Floats]:
    for start in range(0, len(values), _BLOCK):
        block = np.asarray(values[start : start + _BLOCK], dtype=np.float64)
        yield block[block != 0]


def matrix_stats(matrix: Any) -> MatrixStats:
    """Summarise a matrix, cells x genes, sparse (CSR, CSC) or dense; explicit zeros count as zeros.

    A matrix in a file is read once, in blocks of rows.
    """
    found: list[MatrixStats] = []
    for _, part in parts(matrix):
        found.append(_part_stats(part))
        if len(found) == _MOST_APART:
            found = [_joined(found)]
    return _joined(found or [_part_stats(np.zeros(matrix.shape))])


def _joined(found: Sequence[MatrixStats]) -> MatrixStats:
    """Of the rows of all parts together."""
    if len(found) == 1:
        return found[0]
    bounds = [stats for stats in found if stats.n_finite] or found[:1]
    high = max(stats.high for stats in bounds)
    return MatrixStats(
        sum(stats.n_values for stats in found),
        sum(stats.n_nan for stats in found),
        sum(stats.n_inf for stats in found),
        sum(stats.n_negative for stats in found),
        sum(stats.n_whole for stats in found),
        sum(stats.n_top for stats in bounds if stats.high == high),
        low=min(stats.low for stats in bounds),
        high=high,
        cell_sums=np.concatenate([stats.cell_sums for stats in found]),
        cell_values=np.concatenate([stats.cell_values for stats in found]),
        gene_values=np.sum([stats.gene_values for stats in found], axis=0),
        cell_marks=np.concatenate([stats.cell_marks for stats in found]),
    )


def _part_stats(matrix: Any) -> MatrixStats:
    n_values = n_nan = n_inf = n_negative = n_whole = n_top = 0
    low, high = np.inf, -np.inf
    for block in _blocks(_values(matrix)):
        finite = block[np.isfinite(block)]
        n_bad = len(block) - len(finite)
        n_values += len(block)
        if n_bad:
            n_nan += int(np.isnan(block).sum())
            n_inf += int(np.isinf(block).sum())
        if not len(finite):
            continue
        least, top = float(finite.min()), float(finite.max())
        if least < 0:
            n_negative += int((finite < 0).sum())
        n_whole += int((finite == np.rint(finite)).sum())
        low = min(low, least)
        if top > high:
            high, n_top = top, 0
        n_top += int((finite == high).sum())
    clean = _finite(matrix, n_nan + n_inf)
    with np.errstate(over="ignore", invalid="ignore"):
        cell_sums = np.asarray(clean.sum(axis=1, dtype=np.float64)).ravel()
        marks = _marks(clean)
    return MatrixStats(
        n_values, n_nan, n_inf, n_negative, n_whole, n_top,
        low=low if n_values > n_nan + n_inf else 0.0,
        high=high if n_values > n_nan + n_inf else 0.0,
        cell_sums=cell_sums,
        cell_values=_n_nonzero(clean, axis=1),
        gene_values=_n_nonzero(clean, axis=0),
        cell_marks=marks,
    )  # fmt: skip


def _marks(matrix: Any) -> Floats:
    """A weighted sum of each cell: always in the order of its genes, so that copies agree to the last digit."""
    weight = np.random.default_rng(0).random(matrix.shape[1])
    if sparse.issparse(matrix):
        return np.asarray(matrix @ weight, dtype=np.float64).ravel()
    starts = range(0, matrix.shape[0], _MARKED_ROWS)
    blocks = (sparse.csr_matrix(matrix[start : start + _MARKED_ROWS], dtype=np.float64) for start in starts)
    return np.concatenate([np.empty(0), *(block @ weight for block in blocks)])


def _n_nonzero(matrix: Any, axis: int) -> NDArray[np.int64]:
    """Entries that are not zero of each cell (axis 1) or gene (axis 0)."""
    if sparse.issparse(matrix) and matrix.format in ("csr", "csc") and (matrix.data != 0).all():
        if (matrix.format == "csr") == (axis == 1):
            return np.asarray(np.diff(matrix.indptr), dtype=np.int64)
        return np.asarray(np.bincount(matrix.indices, minlength=matrix.shape[1 - axis]), dtype=np.int64)
    return np.asarray((matrix != 0).sum(axis=axis)).ravel().astype(np.int64)


def _finite(matrix: Any, n_bad: int) -> Any:
    if not n_bad:
        return matrix if sparse.issparse(matrix) else np.asarray(matrix)
    if sparse.issparse(matrix):
        clean = matrix.copy()
        clean.data = np.nan_to_num(clean.data, nan=0.0, posinf=0.0, neginf=0.0)
        return clean
    return np.nan_to_num(np.asarray(matrix), nan=0.0, posinf=0.0, neginf=0.0)


def _sampled_rows(matrix: Any, stats: MatrixStats) -> list[Floats]:
    """Nonzero values of evenly spaced cells that have enough of them."""
    usable = np.flatnonzero(stats.cell_values >= _FEWEST_VALUES)
    if not len(usable):
        return []
    picked = usable[np.unique(np.linspace(0, len(usable) - 1, _SAMPLED_CELLS).round().astype(int))]
    rows = _finite(rows_of(matrix, picked), stats.n_nan + stats.n_inf)
    if sparse.issparse(rows):
        found = [rows.data[start:end] for start, end in zip(rows.indptr[:-1], rows.indptr[1:], strict=True)]
    else:
        found = list(rows)
    return [np.asarray(row[row != 0], dtype=np.float64) for row in found]


_UNDO: dict[MatrixKind, Callable[[Floats], Floats]] = {
    "log1p": np.expm1,
    "log2": lambda values: np.exp2(values) - 1,
    "log10": lambda values: np.power(10.0, values) - 1,
    "log1p_twice": lambda values: np.expm1(np.expm1(values)),
    "corrected_counts": lambda values: values,
}


def _undone(values: Floats, kind: MatrixKind) -> Floats | None:
    with np.errstate(over="ignore"):
        linear = _UNDO[kind](values)
    return linear if np.isfinite(linear).all() else None


def _constant_sum(rows: list[Floats], kind: MatrixKind) -> bool:
    """Whether all cells have the same total once the transformation is undone, as after normalisation."""
    sums = []
    for row in rows:
        linear = _undone(row, kind)
        if linear is None:
            return False
        sums.append(linear.sum())
    middle = float(np.median(sums))
    return middle > 0 and float(np.mean(np.abs(np.array(sums) - middle) < _CONSTANT * middle)) > 0.9


def _stepped(rows: list[Floats], kind: MatrixKind) -> float:
    """Share of cells whose values, once undone, are whole multiples of the cell's smallest, as counts are."""
    good = judged = 0
    for row in rows:
        linear = _undone(row, kind)
        if linear is None:
            return 0.0
        least = linear.min()
        if not least > 0:
            continue
        with np.errstate(over="ignore"):
            ratio = linear / least
        ratio = ratio[(ratio > 1 + _WHOLE) & (ratio < 10)]
        if len(ratio) < 3:
            continue
        judged += 1
        good += bool(np.mean(np.abs(ratio - np.rint(ratio)) < _WHOLE) > 0.9)
    return good / judged if judged >= max(1, len(rows) // 10) else 0.0


def _by_constant_sum(rows: list[Floats], kinds: tuple[MatrixKind, ...]) -> MatrixKind | None:
    if len(rows) < 3:
        return None
    return next((kind for kind in kinds if _constant_sum(rows, kind)), None)


def _by_steps(rows: list[Floats], kinds: tuple[MatrixKind, ...]) -> MatrixKind | None:
    shares = {kind: _stepped(rows, kind) for kind in kinds}
    best = max(kinds, key=lambda kind: shares[kind])
    return best if shares[best] > 0.6 else None


def _by_range(rows: list[Floats], high: float) -> MatrixKind:
    if high < _HIGHEST_TWICE_LOGGED:
        return "log1p_twice"
    if high < _HIGHEST_LOGGED:
        totals = [linear.sum() for row in rows if (linear := _undone(row, "log1p")) is not None]
        # More than a million per million is not possible: then the logarithm was to base 2.
        return "log1p" if float(np.median(totals)) <= _MOST_PER_MILLION else "log2"
    return "normalized" if high < _HIGHEST_NORMALIZED else "unknown"


def _positive_kind(matrix: Any, stats: MatrixStats) -> MatrixKind:
    rows = _sampled_rows(matrix, stats)
    if not rows:
        return "unknown"
    kinds: tuple[MatrixKind, ...] = ("corrected_counts",)
    if stats.high < 2 * _HIGHEST_LOGGED:
        kinds = ("corrected_counts", "log1p", "log2", "log10", "log1p_twice")
    constant = _by_constant_sum(rows, kinds)
    if constant is not None:
        return "normalized" if constant == "corrected_counts" else constant
    stepped = _by_steps(rows, kinds)
    if stepped == "corrected_counts" and float(np.median([row.min() for row in rows])) < _LEAST_COUNT:
        return "normalized"
    if stepped is not None:
        return stepped
    if stats.n_whole > 0.5 * stats.n_finite:
        return "corrected_counts"
    return _by_range(rows, stats.high)


def matrix_kind(matrix: Any, stats: MatrixStats) -> MatrixKind:
    """Decide what a matrix holds.

    Parameters
    ----------
    matrix
        Cells x genes, numeric, sparse or dense, in memory or in a file.
    stats
        Its `matrix_stats`.

    Returns
    -------
    ``counts`` (whole numbers), ``corrected_counts`` (fractions, as ambient removal or expected counts
    give), ``log1p`` (natural logarithm), ``log2``, ``log10``, ``log1p_twice``, ``normalized`` (not logged), ``scaled``
    (some values are negative), ``empty``, or ``unknown``.

    Notes
    -----
    Logarithms are told apart by undoing each: a cell normalised from counts then has the same total as the
    others, and its values are whole multiples of its smallest one. Only where neither holds does the range
    decide.
    """
    if stats.n_finite == 0:
        return "empty"
    if stats.n_negative:
        return "counts" if stats.n_whole == stats.n_finite else "scaled"
    if stats.n_whole == stats.n_finite:
        return "counts"
    return _positive_kind(matrix, stats)
