"""What is odd about the values of a matrix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cafsc.pp.blocks import parts
from cafsc.pp.check.findings import Finding, error, note, warning
from cafsc.pp.check.matrix_kind import COUNT_KINDS, MatrixKind, MatrixStats

FEWEST_CELLS = 2
FEWEST_GENES = 50
_FEW_CELLS = 50
_SHALLOW = 300.0
_DEEP = 1e6
_CLIPPED_AT = (127.0, 255.0, 32_767.0, 65_535.0)
_FLOAT32_WHOLE = 2.0**24
# Halves and sums of such counts still are numbers of single precision.
_HIGHEST = 1e30
_IMPUTED = 0.9
_JUDGED_VALUES = 50
_HIGH_MITO = 30.0
MITOCHONDRIAL = ("mt-", "grch38_mt-", "mm10___mt-")
"""Prefixes of mitochondrial gene names, in lower case."""
_GIVE_COUNTS = "give raw counts if you have them (--layer)"

_NOT_COUNTS: dict[MatrixKind, str] = {
    "corrected_counts": "the counts are not integers: fractions, as SoupX or RSEM leave them",
    "log1p": "the matrix is log-normalised (natural logarithm), not raw counts",
    "log2": "the matrix is log2-normalised, not raw counts",
    "log10": "the matrix is log10-normalised, not raw counts",
    "log1p_twice": "the matrix was log-normalised twice, and is not raw counts",
    "normalized": (
        "the values are not integers, and not logged: normalised (CPM, TPM) or expected counts (RSEM), not raw counts"
    ),
    "unknown": "the values are neither counts nor a known normalisation",
}


def size_findings(n_obs: int, n_vars: int) -> list[Finding]:
    """Findings on the numbers of cells and genes."""
    found = []
    for n, what, least in ((n_obs, "cells", FEWEST_CELLS), (n_vars, "genes", FEWEST_GENES)):
        if n == 0:
            found.append(error(f"no_{what}", f"has no {what} (0 {what})", fix="check the filter upstream"))
        elif n < least:
            text = f"has only {n} {what if n > 1 else what[:-1]}, and at least {least} are needed"
            found.append(error(f"too_few_{what}", text, n, fix=f"give a dataset with more {what}"))
    if FEWEST_CELLS <= n_obs < _FEW_CELLS:
        text = f"has only {n_obs} cells: too few cells for clusters to be trusted"
        found.append(warning("few_cells", text, n_obs, fix="pool samples of the same tumour"))
    return found


def value_errors(stats: MatrixStats, kind: MatrixKind) -> list[Finding]:
    """Values that nothing can be computed from."""
    found = []
    n_nan, n_inf, n_negative = stats.n_nan, stats.n_inf, stats.n_negative
    if n_nan:
        text = f"{n_nan:,} entries are NaN (missing), which is not a finite value"
        found.append(error("nan", text, n_nan, fix="find their cause; set them to 0 only if they mean zero"))
    if n_inf:
        text = f"{n_inf:,} entries are infinite (inf), not finite"
        found.append(error("inf", text, n_inf, fix="undo the division or logarithm that made them"))
    if stats.high > _HIGHEST or not np.isfinite(stats.cell_sums).all():
        text = f"the largest value is {stats.high:.3g}, beyond any count and what can be computed with"
        found.append(error("overflow", text, fix="the file may be damaged: write it again from its source"))
    if kind == "scaled":
        text = f"{n_negative:,} entries are negative: these are scaled values (z-scores), not counts"
        fix = "give the counts, in X, in layers['counts'] or with --layer"
        found.append(error("scaled", text, n_negative, fix=fix))
    elif n_negative:
        text = f"{n_negative:,} counts are negative"
        found.append(
            error("negative_counts", text, n_negative, fix="give the counts before background subtraction")
        )
    if kind == "empty" and not found:
        text = "the matrix is empty: there are no counts, all entries are zero"
        found.append(error("all_zero", text, fix="give the matrix that holds the counts (--layer)"))
    return found


def kind_findings(stats: MatrixStats, kind: MatrixKind) -> list[Finding]:
    """What the kind of values means for the result."""
    if kind in _NOT_COUNTS:
        return [warning(kind, _NOT_COUNTS[kind], fix=_GIVE_COUNTS)]
    if kind != "counts" or stats.n_negative:
        return []
    found = []
    if stats.high == 1:
        text = "the counts are binary: presence or absence of genes, not counts"
        found.append(warning("binary", text, fix=_GIVE_COUNTS))
    if stats.high in _CLIPPED_AT and stats.n_top > 5:
        text = f"{stats.n_top:,} counts stand at {stats.high:.0f}: a narrow integer type clipped them there"
        found.append(warning("clipped", text, stats.n_top, fix="convert the counts again from their source"))
    if stats.high > _FLOAT32_WHOLE:
        text = f"the largest count is {stats.high:.3g}: too large for a cell, and above 2^24"
        found.append(warning("huge_counts", text, fix="check that the matrix was not scaled by a factor"))
    return found


def depth_findings(stats: MatrixStats, kind: MatrixKind) -> list[Finding]:
    """Findings on empty cells and genes, and on how much was measured a cell."""
    if kind == "empty":
        return []
    found = []
    empty_cells, empty_genes = int((stats.cell_values == 0).sum()), int((stats.gene_values == 0).sum())
    if empty_cells:
        text = f"{empty_cells:,} cells are empty (no counts); they get no name"
        found.append(warning("empty_cells", text, empty_cells, fix="filter empty barcodes upstream"))
    if empty_genes:
        found.append(note("empty_genes", f"{empty_genes:,} genes are zero in every cell", empty_genes))
    sums = stats.cell_sums[stats.cell_values > 0]
    depth = float(np.median(sums)) if kind in COUNT_KINDS and len(sums) else None
    if depth is not None and depth < _SHALLOW:
        text = (
            f"the cells are shallow: {depth:,.0f} counts in the median cell, a low depth for telling subtypes"
        )
        found.append(warning("shallow", text, fix="sequence deeper, or filter cells with few counts"))
    if depth is not None and depth > _DEEP:
        text = (
            f"{depth:,.3g} counts in the median cell, a depth of read counts or of bulk RNA-seq, not of cells"
        )
        found.append(warning("deep", text, fix="bulk samples cannot be annotated as cells"))
    n_genes = len(stats.gene_values)
    filled = stats.n_values / max(1, len(stats.cell_values) * n_genes)
    if filled > _IMPUTED and kind != "scaled" and n_genes > FEWEST_GENES:
        text = f"{filled:.0%} of the entries are not zero: imputed or smoothed values, or bulk RNA-seq"
        found.append(warning("dense_values", text, fix="give the values before imputation"))
    return found


def is_mitochondrial(names: Iterable[object]) -> NDArray[np.bool_]:
    """Which gene names are those of mitochondrial genes."""
    return np.array([str(name).lower().startswith(MITOCHONDRIAL) for name in names], dtype=bool)


def mitochondrial_findings(
    matrix: Any, names: Iterable[object], stats: MatrixStats, kind: MatrixKind
) -> list[Finding]:
    """Findings on how much of each cell is mitochondrial; nothing where the values are logged."""
    mito = is_mitochondrial(names)
    if kind not in (*COUNT_KINDS, "normalized") or not mito.any() or stats.n_nan + stats.n_inf:
        return []
    columns = np.flatnonzero(mito)
    values = np.concatenate(
        [np.asarray(part[:, columns].sum(axis=1), dtype=np.float64).ravel() for _, part in parts(matrix)]
    )
    share = 100 * values / np.where(stats.cell_sums > 0, stats.cell_sums, 1.0)
    high = int((share > _HIGH_MITO).sum())
    if 2 * high <= len(share):
        return []
    text = f"{np.median(share):.0f}% of the median cell is mitochondrial (MT- genes): dying cells"
    return [warning("high_mito", text, high, fix="filter cells of low quality upstream")]


def copy_findings(stats: MatrixStats) -> list[Finding]:
    """Cells whose values equal those of another cell, told by one random weighted sum a cell."""
    if stats.n_nan + stats.n_inf:
        return []
    marks = stats.cell_marks[stats.cell_values >= _JUDGED_VALUES]
    if len(marks) < 2:
        return []
    n_distinct = len(np.unique(marks))
    if n_distinct == 1:
        text = "all cells are identical: there is no variance between them"
        return [error("identical_cells", text, len(marks), fix="give the matrix with one row a cell")]
    copies = len(marks) - n_distinct
    if copies <= 0.001 * len(marks):
        return []
    text = f"{copies:,} cells are identical to another cell: duplicates under new names"
    return [
        warning("copied_cells", text, copies, fix="drop the duplicates: they make every support too high")
    ]
