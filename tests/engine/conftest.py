"""Matrices and sets that scores are compared on."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from engine_cases import N_BINS, N_CELLS, N_GENES, members
from scipy import sparse

from cafsc.engine import Members, compiled


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_loaded() -> Iterator[None]:
    """The number of values alone chooses the loops, whatever is loaded by then: both are compared here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "sys", SimpleNamespace(modules={}))
        yield


@pytest.fixture(scope="session")
def counts() -> sparse.csr_matrix:
    """Counts of cells x genes, of which one cell and one gene have none."""
    random = np.random.default_rng(0)
    dense = random.poisson(random.gamma(0.4, 2.0, N_GENES), (N_CELLS, N_GENES))
    dense[7] = 0
    dense[:, 11] = 0
    return sparse.csr_matrix(dense.astype(np.float64))


@pytest.fixture(scope="session")
def lognorm(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    depth = np.maximum(np.asarray(counts.sum(axis=1)).ravel(), 1)
    return sparse.csr_matrix(sparse.diags(1e4 / depth) @ counts).log1p()


@pytest.fixture(scope="session")
def untied() -> sparse.csr_matrix:
    """Values that are all different from each other, and no zeros."""
    return sparse.csr_matrix(np.random.default_rng(1).gamma(1.0, 1.0, (N_CELLS, N_GENES)))


@pytest.fixture(scope="session")
def sets() -> list[Members]:
    """Sets that overlap: some genes are in one, some in many."""
    random = np.random.default_rng(2)
    drawn = [np.sort(random.choice(N_GENES // (1 + n % 3), 5 + 4 * n, replace=False)) for n in range(12)]
    return [*(members(genes.tolist()) for genes in drawn), members([3])]


@pytest.fixture(scope="session")
def bins(lognorm: sparse.csr_matrix) -> np.ndarray:
    return np.argsort(np.argsort(np.asarray(lognorm.mean(axis=0)).ravel())) * N_BINS // N_GENES
