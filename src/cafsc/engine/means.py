"""Mean of a set's genes against the mean of control genes, as weighted sums over groups of genes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cafsc.engine.compiled import kernels
from cafsc.engine.groups import Array, Columns, Groups, Index, Sides
from cafsc.engine.rows import Rows, row_blocks
from cafsc.errors import InputError


@dataclass(frozen=True, eq=False)
class Combination:
    """Groups of genes, and what the sum over each weighs in the score of each set.

    Attributes
    ----------
    groups
        Controls, which any set may share, then groups of one set.
    share
        Controls x sets: what is taken off a set's score for a control's sum.
    target, weight
        Of each group that is no control: its set, and what its sum counts there.
    """

    groups: Groups
    share: Array
    target: Index
    weight: Array

    def scores(self, rows: Rows, n_values: int) -> Array:
        """Scores of the sets in some rows, rows x sets, float64.

        Parameters
        ----------
        rows
            Cells x genes.
        n_values
            Stored values of the whole matrix.
        """
        scores = np.empty((rows.n_rows, self.share.shape[1]))
        for place, part in rows.parts(self.groups.n_groups):
            sums = np.empty((part.n_rows, self.groups.n_groups))
            kernels(n_values).group_sums(part, self.groups, sums)
            self.combine(sums, n_values, scores[place])
        return scores

    def combine(self, sums: Array, n_values: int, scores: Array) -> None:
        """The same from sums over the groups, rows x groups."""
        kernels(n_values).combine(sums, self.share, self.target, self.weight, scores)


def bin_mean_combination(bins: Index, sets: Sequence[Columns]) -> Combination:
    """Mean of a set's genes minus the mean of all genes in the same bins; the same for what counts against, taken off.

    Parameters
    ----------
    bins
        Bin of each gene, from 0.
    sets
        Columns of each set; one without any scores 0.
    """
    sides = Sides.build(sets)
    n_bins = int(bins.max(initial=-1)) + 1
    size = np.bincount(bins, minlength=n_bins)
    share = np.zeros((n_bins, len(sets)))
    in_bin = bins[sides.genes]
    np.add.at(
        share, (in_bin, sides.set[sides.of]), sides.sign[sides.of] / sides.size[sides.of] / size[in_bin]
    )
    groups = Groups(
        genes=np.concatenate([np.arange(bins.size), sides.genes]),
        of=np.concatenate([bins, n_bins + sides.of]).astype(np.int64),
        n_genes=bins.size,
        n_controls=n_bins,
        n_groups=n_bins + sides.size.size,
    )
    return Combination(groups, share, sides.set, sides.sign / sides.size)


def gene_means(source: Any, *, n_values: int, single: bool = False) -> Array:
    """Mean of each column over all rows, the sum taken row by row.

    Parameters
    ----------
    source
        Cells x genes, as `cafsc.engine.rows.row_blocks` takes it.
    n_values
        Stored values.
    single
        Sum in float32 rather than float64.

    Returns
    -------
    (n_genes,), float64.

    Raises
    ------
    InputError
        If one is infinite or not a number, or the matrix has no rows.
    """
    n_rows, n_genes = map(int, source.shape)
    if n_rows == 0:
        raise InputError("the matrix has no cells", expected="at least one", fix="give the cells to score")
    sums: NDArray[Any] = np.zeros(n_genes, dtype=np.float32 if single else np.float64)
    for _, rows in row_blocks(source):
        kernels(n_values).column_sums(rows, sums)
    refuse_infinite(sums)
    return sums.astype(np.float64) / n_rows


def detected_genes(source: Any) -> NDArray[np.bool_]:
    """Which columns have a value that is not 0, (n_genes,), of a matrix as `row_blocks` takes it."""
    found = np.zeros(int(source.shape[1]), dtype=np.bool_)
    for _, rows in row_blocks(source):
        found[rows.indices[rows.data != 0]] = True
    return found


def refuse_infinite(sums: NDArray[Any]) -> None:
    """Raise if a sum tells of a value that is no number."""
    if not np.isfinite(sums).all():
        raise InputError(
            "the matrix has values that are infinite or not a number",
            expected="finite values",
            fix="take such cells or genes out, or set the values to 0",
        )
