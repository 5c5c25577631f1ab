"""A matrix and sets that scores are compared on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from cafsc.tl.score.controls import SetColumns

N_CELLS, N_GENES = 70, 400
NONE = np.empty(0, dtype=np.int64)


@pytest.fixture(scope="session")
def lognorm() -> sparse.csr_matrix:
    """Log-normalised counts. One cell and one gene have none."""
    random = np.random.default_rng(0)
    dense = random.poisson(random.gamma(0.4, 2.0, N_GENES), (N_CELLS, N_GENES)).astype(float)
    dense[7] = 0
    dense[:, 11] = 0
    return sparse.csr_matrix(np.log1p(dense * 1e4 / np.maximum(dense.sum(axis=1, keepdims=True), 1)))


@pytest.fixture(scope="session")
def sets() -> list[SetColumns]:
    """Sets that overlap, with genes up, down or both; the last has no gene in the matrix."""
    random = np.random.default_rng(1)
    genes = random.permutation(N_GENES)
    drawn = [
        np.sort(random.choice(N_GENES // (1 + n % 3), 5 + 4 * n, replace=False)).astype(np.int64)
        for n in range(8)
    ]
    return [
        *(SetColumns(up, NONE, up.size) for up in drawn),
        SetColumns(genes[20:25], genes[25:29], 9),
        SetColumns(NONE, genes[30:36], 6),
        SetColumns(genes[:1], NONE, 3),
        SetColumns(NONE, NONE, 7),
    ]
