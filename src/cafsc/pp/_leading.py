"""Leading eigenvectors of a symmetric matrix, and the matrices that principal components need them of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import blas
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

Array = NDArray[np.float64]

_DENSE = 500
"""Rows up to which a full reduction is quicker than looking for a few vectors."""
_SEED = 0


def gram(blocks: Iterable[Array], n_columns: int) -> Array:
    """Sum of ``block.T @ block``: columns x columns, the upper triangle only.

    Parameters
    ----------
    blocks
        Rows x columns, float64, C order; one after the other, so that the whole need not be in memory.
    """
    out: Array = np.zeros((n_columns, n_columns), order="F")
    for block in blocks:
        out = blas.dsyrk(1.0, block.T, beta=1.0, c=out, trans=0, lower=0, overwrite_c=1)
    return out


def leading_vectors(upper: Array, n_vectors: int) -> tuple[Array, Array]:
    """Largest eigenvalues and their vectors, by rows of growing value as `scipy.linalg.eigh` gives them.

    Parameters
    ----------
    upper
        Symmetric matrix; only its upper triangle is read.
    n_vectors
        Eigenvalues wanted.

    Returns
    -------
    Eigenvalues, and rows x vectors, to the last digits whichever way they are found: as `settled_vectors` does where
    the matrix is large, by a full reduction where it is small or where that does not settle.
    """
    size = upper.shape[0]
    if size > max(_DENSE, 2 * _n_kept(n_vectors)):
        # One triangle is half of the memory that a product has to read.
        found = settled_vectors(lambda x: blas.dsymv(1.0, upper, x, lower=0), size, n_vectors)
        if found is not None:
            return found
    values, vectors = linalg.eigh(upper, lower=False, subset_by_index=(size - n_vectors, size - 1))
    return values, vectors


def settled_vectors(
    product: Callable[[Array], Array], size: int, n_vectors: int
) -> tuple[Array, Array] | None:
    """The same of a matrix of which only the product with a vector is known; None if they do not settle.

    Lanczos with implicit restarts (doi:10.1137/0613025), from a fixed start.
    """
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    start = np.random.default_rng(_SEED).standard_normal(size)
    n_kept = min(_n_kept(n_vectors), size)
    try:
        values, vectors = eigsh(operator, n_vectors, which="LA", v0=start, ncv=n_kept, tol=0)
    except ArpackError:
        return None
    order = np.argsort(values, kind="stable")
    return values[order], vectors[:, order]


def _n_kept(n_vectors: int) -> int:
    return 2 * n_vectors + 1
