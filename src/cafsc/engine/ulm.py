"""The t statistic of a line through a cell's expression against membership in a set.

decoupler's univariate linear model (doi:10.1093/bioadv/vbac016): over genes, expression on 1 for a gene that counts
for the set, -1 for one that counts against it, and 0 for the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cafsc.engine.groups import Array, Sides

# decoupler's guard against a correlation of 1, which it adds to 1 - r and to 1 + r.
_TINY = 2.2e-16


@dataclass(frozen=True, eq=False)
class Lines:
    """What the lines through a cell's expression share: the memberships of each set.

    Attributes
    ----------
    weight
        Genes that count for each set less those that count against it.
    spread
        Square root of the sum of squares of each set's memberships around their mean; NaN where they are all alike.
    n_genes
        Number of genes, zeros and all.
    """

    weight: Array
    spread: Array
    n_genes: int

    @classmethod
    def build(cls, sides: Sides, n_sets: int, n_genes: int) -> Lines:
        """The lines of sets."""
        weight: Array = np.bincount(sides.set, sides.sign * sides.size, n_sets).astype(np.float64)
        n_members = np.bincount(sides.set, sides.size, n_sets)
        squares = n_members - weight**2 / n_genes
        return cls(weight, np.sqrt(np.where(squares > 0, squares, np.nan)), n_genes)

    def scores(self, sums: Array, moments: Array, sides: Sides, out: Array) -> None:
        """T statistics, with n_genes - 2 degrees of freedom.

        Parameters
        ----------
        sums
            Sum over the genes of each side, rows x sides.
        moments
            Sum and sum of squares over all genes, rows x 2.
        sides
            Whose genes they are.
        out
            Rows x sets; NaN for a set without genes or with all of them, and in a cell in which all genes are alike.
        """
        mean = moments[:, :1] / self.n_genes
        squares = moments[:, 1:] - moments[:, :1] * mean
        sides.by_set(sums, out)
        with np.errstate(divide="ignore", invalid="ignore"):
            # n - 1 times covariance and variances: their quotient is the correlation.
            room = self.weight * mean
            out -= room
            out /= np.multiply(self.spread, np.sqrt(np.where(squares > 0, squares, np.nan)), out=room)
            np.multiply(out, out, out=room)
            np.subtract(1.0 + 2 * _TINY, room, out=room)
            np.divide(self.n_genes - 2, room, out=room)
            out *= np.sqrt(room, out=room)
