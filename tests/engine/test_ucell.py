"""UCell of sets with genes that speak for and against, beside a plain computation."""

from __future__ import annotations

import numpy as np
import pytest
from engine_cases import LARGE, N_GENES, SMALL
from scipy import sparse, stats

from cafsc.engine import Scorer
from cafsc.tl.score.controls import SetColumns

GENES = np.random.default_rng(1).permutation(N_GENES)
NO_GENE = GENES[:0]
SIGNED = [
    SetColumns(GENES[:12], NO_GENE, 12),
    SetColumns(GENES[20:25], GENES[25:29], 9),
    SetColumns(NO_GENE, GENES[30:36], 6),
    SetColumns(GENES[:1], NO_GENE, 3),
    SetColumns(NO_GENE, NO_GENE, 7),
]


def ucell(matrix: sparse.csr_matrix, max_rank: int, n_values: int) -> np.ndarray:
    return Scorer(matrix.shape[1], SIGNED, ("ucell",), n_values=n_values, max_rank=max_rank).score(matrix)[
        "ucell"
    ]


def plain_ucell(dense: np.ndarray, members: SetColumns, max_rank: int) -> np.ndarray:
    out = np.zeros(len(dense))
    for cell, values in enumerate(dense):
        ranks = np.minimum(stats.rankdata(-values, method="average"), max_rank)
        for sign, genes in ((1, members.up), (-1, members.down)):
            if genes.size:
                least = genes.size * (genes.size + 1) / 2
                u = ranks[genes].sum() - least
                out[cell] += sign * (1 - u / (genes.size * max_rank - least))
    return np.maximum(out, 0)


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
@pytest.mark.parametrize("max_rank", [25, 100, 150, N_GENES])
def test_ucell_is_the_mann_whitney_u_with_ties(
    lognorm: sparse.csr_matrix, max_rank: int, n_values: int
) -> None:
    found = ucell(lognorm, max_rank, n_values)
    for index, members in enumerate(SIGNED[:4]):
        np.testing.assert_allclose(found[:, index], plain_ucell(lognorm.toarray(), members, max_rank))
    assert np.isnan(found[:, 4]).all()


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_explicit_zeros_change_no_rank(lognorm: sparse.csr_matrix, n_values: int) -> None:
    dense = lognorm.toarray()
    cells, genes = np.nonzero(np.ones_like(dense))
    padded = sparse.csr_matrix((dense.ravel(), (cells, genes)), shape=dense.shape)
    assert padded.nnz > lognorm.nnz
    np.testing.assert_array_equal(ucell(padded, 100, n_values), ucell(lognorm, 100, n_values))
