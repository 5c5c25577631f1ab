"""Sizes that the tests of the engine share, and sets of genes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cafsc.engine import Members

N_CELLS, N_GENES, N_BINS = 70, 400, 10
# Numbers of stored values with which the loops run in NumPy, and compiled.
SMALL, LARGE = 0, 10**12


def members(genes: Sequence[int], n_genes: int | None = None) -> Members:
    columns = np.array(genes, dtype=np.int64)
    return Members(columns, columns.size if n_genes is None else n_genes)
