"""What a matrix holds, from its numbers alone: counts, log-normalised, scaled values; and what is odd about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.pp.blocks import parts, rows_of
from cafsc.pp.check.findings import Finding, error, note, warning

MatrixKind = Literal[
    "counts", "corrected_counts", "log1p", "log2", "log10", "log1p_twice", "normalized", "scaled", "empty", "unknown"
]  # fmt: skip
COUNT_KINDS: tuple[MatrixKind, ...] = ("counts", "corrected_counts")
KIND_WORDS: dict[MatrixKind, str] = {
    "counts": "raw counts",
    "corrected_counts": "counts with fractions",
    "log1p": "log-normalised values",
    "log2": "log2-normalised values",
    "log10": "log10-normalised values",
    "log1p_twice": "values logged twice",
    "normalized": "normalised values that are not logged",
    "scaled": "scaled values",
    "empty": "nothing but zeros",
    "unknown": "values of an unknown kind",
}
_GIVE_COUNTS = "give raw counts if you have them, in X or with layer="

FEWEST_CELLS, FEWEST_GENES = 2, 50
_FEW_CELLS = 50
_ROWS_AT_ONCE, _SAMPLED_CELLS = 256, 400
_FEWEST_VALUES = 10  # in a cell whose kind is judged
_MARKED_VALUES = 50  # in a cell that is compared with others
_SHALLOW, _DEEP = 300.0, 1e6  # counts of the median cell
_IMPUTED, _HIGH_MITO = 0.9, 0.3
_CLIPPED_AT = (127.0, 255.0, 32_767.0, 65_535.0)
_FLOAT32_WHOLE = 2.0**24
# Halves and sums of such counts still are numbers of single precision.
_HIGHEST = 1e30
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
    """What one pass over a matrix gives; entries that are stored but zero do not count."""

    n_values: int
    """Entries that are not zero, NaN and infinite ones included."""
    n_nan: int
    n_inf: int
    n_negative: int
    n_whole: int
    n_top: int
    """Entries equal to the largest one."""
    high: float
    """Largest finite entry; 0 where there is none."""
    cell_sums: Floats
    """Sum of each cell's finite entries; numbers of finite entries follow, of each cell and of each gene."""
    cell_values: NDArray[np.int64]
    gene_values: NDArray[np.int64]
    cell_marks: Floats
    """One random weighted sum of each cell's finite entries: cells that agree in it are copies."""

    @property
    def n_finite(self) -> int:
        """Finite entries that are not zero."""
        return self.n_values - self.n_nan - self.n_inf

    @property
    def is_finite(self) -> bool:
        """Whether no entry is NaN or infinite."""
        return self.n_finite == self.n_values


def _csr(rows: Any) -> sparse.csr_matrix:
    """Rows as float64 CSR of their own memory, sorted, without stored zeros."""
    out = sparse.csr_matrix(rows, dtype=np.float64, copy=True)
    out.sum_duplicates()
    out.eliminate_zeros()
    return out


def row_blocks(matrix: Any) -> Iterator[sparse.csr_matrix]:
    """A matrix in memory or in dask, a few rows at a time."""
    for _, part in parts(matrix):
        rows = sparse.csr_matrix(part) if sparse.issparse(part) else part
        for start in range(0, rows.shape[0], _ROWS_AT_ONCE):
            yield _csr(rows[start : start + _ROWS_AT_ONCE])


def matrix_stats(matrix: Any) -> MatrixStats:
    """Summarise a matrix, cells x genes, sparse or dense, in one pass over its rows."""
    n_genes = int(matrix.shape[1])
    weight = np.random.default_rng(0).random(n_genes)
    totals, high, n_top = np.zeros(5, dtype=np.int64), -np.inf, 0
    gene_values = np.zeros(n_genes, dtype=np.int64)
    cells: list[tuple[Floats, NDArray[np.int64], Floats]] = []
    for block in row_blocks(matrix):
        finite = np.isfinite(block.data)
        values, n_nan = block.data[finite], np.isnan(block.data).sum()
        whole = (values == np.rint(values)).sum()
        totals += [finite.size, n_nan, finite.size - values.size - n_nan, (values < 0).sum(), whole]
        if values.size != finite.size:
            block.data[~finite] = 0.0
            block.eliminate_zeros()
        top = values.max(initial=-np.inf)
        if top > high:
            high, n_top = top, 0
        n_top += int((values == high).sum())
        gene_values += np.bincount(block.indices, minlength=n_genes)
        with np.errstate(over="ignore", invalid="ignore"):
            cells.append((np.asarray(block.sum(axis=1)).ravel(), np.diff(block.indptr), block @ weight))
    sums, n_each, marks = (np.concatenate(column) for column in zip(*cells, strict=True))
    n_values, n_nan, n_inf, n_negative, n_whole = map(int, totals)
    return MatrixStats(
        n_values, n_nan, n_inf, n_negative, n_whole, n_top, float(high) if n_top else 0.0,
        sums, n_each.astype(np.int64), gene_values, marks
    )  # fmt: skip


def cell_shares(blocks: Iterable[Any], genes: NDArray[np.bool_]) -> Floats:
    """Share of counts that some genes have, 0 to 1, of each cell in blocks of rows; 0 for a cell without counts."""
    shares = []
    for block in blocks:
        rows = sparse.csr_matrix(block, dtype=np.float64)
        total = np.asarray(rows.sum(axis=1)).ravel()
        shares.append(rows @ genes.astype(np.float64) / np.where(total > 0, total, np.inf))
    return np.concatenate(shares)


LINEAR: dict[str, Callable[[Floats], Floats]] = {
    "corrected_counts": lambda values: values,
    "log1p": np.expm1,
    "log2": lambda values: np.exp2(values) - 1,
    "log10": lambda values: np.power(10.0, values) - 1,
    "log1p_twice": lambda values: np.expm1(np.expm1(values)),
}
"""How values of a kind become linear ones."""


def _sampled_cells(matrix: Any, stats: MatrixStats) -> list[Floats]:
    """Values, not zero, of evenly spaced cells that have enough of them."""
    usable = np.flatnonzero(stats.cell_values >= _FEWEST_VALUES)
    if not len(usable):
        return []
    picked = usable[np.unique(np.linspace(0, len(usable) - 1, _SAMPLED_CELLS).round().astype(int))]
    rows = _csr(rows_of(matrix, picked))
    cells = (rows.data[start:end] for start, end in zip(rows.indptr[:-1], rows.indptr[1:], strict=True))
    return [cell[np.isfinite(cell)] for cell in cells]


def _undone(cells: list[Floats], kind: MatrixKind) -> list[Floats]:
    """The cells on a linear scale if they were of a kind; none if a value becomes infinite."""
    with np.errstate(over="ignore"):
        linear = [LINEAR[kind](cell) for cell in cells]
    return linear if all(np.isfinite(cell).all() for cell in linear) else []


def _constant_sum(cells: list[Floats]) -> bool:
    """Whether all cells have the same total, as after normalisation."""
    sums = np.array([cell.sum() for cell in cells])
    middle = float(np.median(sums)) if len(sums) >= 3 else 0.0
    return middle > 0 and float(np.mean(np.abs(sums - middle) < 0.01 * middle)) > 0.9


def _stepped(cells: list[Floats]) -> float:
    """Share of cells whose values are whole multiples of the cell's smallest one, as counts are."""
    good = []
    for cell in cells:
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            ratio = cell / cell.min()
        ratio = ratio[(ratio > 1.05) & (ratio < 10)]
        if len(ratio) >= 3:
            good.append(np.mean(np.abs(ratio - np.rint(ratio)) < 0.05) > 0.9)
    return float(np.mean(good)) if len(good) >= max(1, len(cells) // 10) else 0.0


def _fraction_kind(cells: list[Floats], stats: MatrixStats) -> MatrixKind:
    """Kind of a matrix of positive values with fractions."""
    kinds: list[MatrixKind] = ["corrected_counts"]
    if stats.high < 2 * _HIGHEST_LOGGED:
        kinds += ["log1p", "log2", "log10", "log1p_twice"]
    linear = {kind: _undone(cells, kind) for kind in kinds}
    for kind in kinds:
        if _constant_sum(linear[kind]):
            return "normalized" if kind == "corrected_counts" else kind
    steps = {kind: _stepped(linear[kind]) for kind in kinds}
    best = max(kinds, key=lambda kind: steps[kind])
    if steps[best] > 0.6:
        least = float(np.median([cell.min() for cell in cells]))
        return "normalized" if best == "corrected_counts" and least < _LEAST_COUNT else best
    if stats.n_whole > 0.5 * stats.n_finite:
        return "corrected_counts"
    if stats.high < _HIGHEST_TWICE_LOGGED:
        return "log1p_twice"
    if stats.high < _HIGHEST_LOGGED:
        # More than a million per million is not possible: then the logarithm was to base 2.
        total = float(np.median([np.expm1(cell).sum() for cell in cells]))
        return "log1p" if total <= _MOST_PER_MILLION else "log2"
    return "normalized" if stats.high < _HIGHEST_NORMALIZED else "unknown"


def matrix_kind(matrix: Any, stats: MatrixStats) -> MatrixKind:
    """Decide what a matrix, cells x genes, holds; `stats` is its `matrix_stats`.

    Each logarithm is undone in turn. If the values came from normalised counts, all cells then have the same total,
    or a cell's values are whole multiples of its smallest one. Only where neither holds does the range decide.
    """
    if stats.n_finite == 0:
        return "empty"
    if stats.n_whole == stats.n_finite:
        return "counts"
    if stats.n_negative:
        return "scaled"
    cells = _sampled_cells(matrix, stats)
    return _fraction_kind(cells, stats) if cells else "unknown"


def size_findings(n_obs: int, n_vars: int) -> Iterator[Finding]:
    """Findings on the numbers of cells and genes."""
    for n, what, least in ((n_obs, "cells", FEWEST_CELLS), (n_vars, "genes", FEWEST_GENES)):
        if n == 0:
            yield error(f"no_{what}", f"there are no {what} (0 {what})", fix="check the filter upstream")
        elif n < least:
            text = f"there are too few {what}: {n}, and at least {least} are needed"
            yield error(f"too_few_{what}", text, n, fix=f"give a dataset with more {what}")
    if FEWEST_CELLS <= n_obs < _FEW_CELLS:
        text = f"there are only {n_obs} cells, too few for reliable clusters"
        yield warning("few_cells", text, n_obs, fix="pool samples of the same tumour")


def value_findings(stats: MatrixStats, kind: MatrixKind) -> Iterator[Finding]:
    """Findings on values that cannot be used, and on what the kind of values means for the result."""
    n_nan, n_inf, n_negative, high = stats.n_nan, stats.n_inf, stats.n_negative, stats.high
    if n_nan:
        text = f"{n_nan:,} entries are NaN (missing, not finite)"
        yield error("nan", text, n_nan, fix="find their cause; set them to 0 only if they mean zero")
    if n_inf:
        text = f"{n_inf:,} entries are infinite (inf, not finite)"
        yield error("inf", text, n_inf, fix="undo the division or logarithm that made them")
    if high > _HIGHEST or not np.isfinite(stats.cell_sums).all():
        text = f"the largest value is {high:.3g}, beyond any count"
        yield error("overflow", text, fix="the file may be damaged: write it again from its source")
    if kind == "scaled":
        text = f"{n_negative:,} entries are negative: these are scaled values (z-scores), not counts"
        fix = "give the counts, in X, in layers['counts'] or with layer="
        yield error("scaled", text, n_negative, fix=fix)
    elif n_negative:
        text = f"{n_negative:,} counts are negative"
        yield error("negative_counts", text, n_negative, fix="give the counts before background subtraction")
    if not stats.n_values:
        text = "the matrix is empty: all entries are zero, there are no counts"
        yield error("all_zero", text, fix="give the matrix that holds the counts, in X or with layer=")
    if kind not in ("counts", "scaled", "empty"):
        yield warning(kind, f"the matrix holds {KIND_WORDS[kind]}, not raw counts", fix=_GIVE_COUNTS)
    if kind != "counts" or n_negative:
        return
    if high == 1:
        text = "the counts are binary: they say whether a gene is present, not how much of it"
        yield warning("binary", text, fix=_GIVE_COUNTS)
    if high in _CLIPPED_AT and stats.n_top > 5:
        text = f"{stats.n_top:,} counts are exactly {high:.0f}: a narrow integer type clipped them"
        yield warning("clipped", text, stats.n_top, fix="convert the counts again from their source")
    if high > _FLOAT32_WHOLE:
        text = f"the largest count is {high:.3g}, too large for a cell and above 2^24"
        yield warning("huge_counts", text, fix="check that the matrix was not scaled by a factor")


def depth_findings(stats: MatrixStats, kind: MatrixKind) -> Iterator[Finding]:
    """Findings on empty cells and genes, on sequencing depth, and on cells that are copies of each other."""
    if kind == "empty":
        return
    empty_cells, empty_genes = int((stats.cell_values == 0).sum()), int((stats.gene_values == 0).sum())
    if empty_cells:
        text = f"{empty_cells:,} cells are empty (no counts) and get no name"
        yield warning("empty_cells", text, empty_cells, fix="filter empty barcodes upstream")
    if empty_genes:
        yield note("empty_genes", f"{empty_genes:,} genes are zero in every cell", empty_genes)
    sums = stats.cell_sums[stats.cell_values > 0]
    depth = float(np.median(sums)) if kind in COUNT_KINDS and len(sums) else np.nan
    if depth < _SHALLOW:
        text = f"the cells are shallow: the median cell has {depth:,.0f} counts, a low depth for telling subtypes"
        yield warning("shallow", text, fix="sequence deeper, or filter cells with few counts")
    if depth > _DEEP:
        text = f"the median cell has {depth:,.3g} counts, the depth of read counts or of bulk RNA-seq"
        yield warning("deep", text, fix="bulk samples cannot be annotated as cells")
    n_genes = len(stats.gene_values)
    filled = stats.n_values / max(1, len(stats.cell_values) * n_genes)
    if filled > _IMPUTED and kind != "scaled" and n_genes > FEWEST_GENES:
        text = f"{filled:.0%} of the entries are not zero: imputed or smoothed values, or bulk RNA-seq"
        yield warning("dense_values", text, fix="give the values before imputation")
    marks = stats.cell_marks[stats.cell_values >= _MARKED_VALUES]
    copies = len(marks) - len(np.unique(marks))
    if not stats.is_finite or copies <= 0.001 * len(marks):
        return
    if copies == len(marks) - 1:
        text = "all cells are identical: there is no variance between them"
        yield error("identical_cells", text, len(marks), fix="give the matrix with one row a cell")
    else:
        text = f"{copies:,} cells are identical to another cell: duplicates under new names"
        fix = "drop the duplicates, which make every support too high"
        yield warning("copied_cells", text, copies, fix=fix)


def mitochondrial_findings(
    matrix: Any, genes: NDArray[np.bool_], stats: MatrixStats, kind: MatrixKind
) -> Iterator[Finding]:
    """Findings on the share of mitochondrial counts; none where the values are logged."""
    if kind not in (*COUNT_KINDS, "normalized") or not genes.any() or not stats.is_finite:
        return
    share = cell_shares(row_blocks(matrix), genes)
    high = int((share > _HIGH_MITO).sum())
    if 2 * high > len(share):
        text = "of the median cell's counts are mitochondrial (MT- genes): dying cells"
        yield warning(
            "high_mito", f"{np.median(share):.0%} {text}", high, fix="filter cells of low quality upstream"
        )
