"""Scores of many gene sets at once: pure functions of a cells x genes matrix.

`cafsc.engine.means` has the control-corrected mean, `cafsc.engine.ucell` has UCell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse


class GeneSet(Protocol):
    """The genes of one set, as columns of a matrix."""

    @property
    def up(self) -> NDArray[np.int64]:
        """Columns of the genes that count for the set."""

    @property
    def down(self) -> NDArray[np.int64]:
        """Columns of the genes that count against it."""

    @property
    def n_genes(self) -> int:
        """Genes that the set names, in the matrix or not."""


def membership(sets: Sequence[GeneSet], side: str, n_genes: int) -> sparse.csr_matrix:
    """Genes x sets, 1.0 where the gene is in the ``up`` or ``down`` side of the set."""
    columns: list[NDArray[Any]] = [getattr(members, side) for members in sets]
    genes = np.concatenate([np.empty(0, dtype=np.int64), *columns])
    of = np.repeat(np.arange(len(sets)), [genes.size for genes in columns])
    return sparse.csr_matrix((np.ones(genes.size), (genes, of)), shape=(n_genes, len(sets)))
