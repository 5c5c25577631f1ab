"""Principal components of scaled genes, and where cells that took no part lie among them.

Deterministic: float64, full or settled decompositions, signs by the largest entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._threads import reproducible
from cafsc.pp._neighbors import ROUNDING, column_sums

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Names = NDArray[np.object_]

_CLIP = 10.0
_ROWS = 512
"""Cells that are made dense at a time; their number changes the last bits."""
_SMALL = 500
"""Cells or genes up to which a dense matrix is quicker in any case."""
# Products until Lanczos settles, about, and nanoseconds: a stored value in a product there and back, an entry of the
# Gram matrix for each row that it is made of, and in a product. Measured on one core; only their ratios matter.
_PRODUCTS, _STORED_VALUE, _MADE, _MULTIPLIED = 200, 3.0, 0.022, 0.29


@dataclass(frozen=True)
class Components:
    """Principal components of some cells.

    Attributes
    ----------
    scores
        Cells x components, float64, the largest component first; the entry of largest size in each is positive.
    genes
        Columns used.
    mean
        Genes: by batch, what is subtracted; under None for cells of no known batch.
    deviation
        Genes: what each is divided by.
    loadings
        Genes x components.
    """

    scores: Array
    genes: Index
    mean: dict[object, Array]
    deviation: Array
    loadings: Array

    def place(self, lognorm: sparse.csr_matrix, batch: Names | None = None) -> Array:
        """Where other cells lie: cells x components, from their log-expression.

        A cell of a batch that is not known, such as None, lies where it would without batches.
        """
        out = np.empty((lognorm.shape[0], self.loadings.shape[1]))
        columns = lognorm[:, self.genes]
        with reproducible():
            for start in range(0, lognorm.shape[0], _ROWS):
                here = slice(start, start + _ROWS)
                mean = self.mean[None] if batch is None else self._means(batch[here])
                out[here] = _scaled(columns[here], mean, self.deviation) @ self.loadings
        return out

    def _means(self, batch: Names) -> Array:
        """Means to take off: cells x genes, or one row for all where they are of one batch."""
        names = list(dict.fromkeys(batch.tolist()))
        means = np.stack([self.mean.get(name, self.mean[None]) for name in names])
        if len(names) == 1:
            return means
        out = np.empty((batch.size, self.genes.size))
        for name, mean in zip(names, means, strict=True):
            out[batch == name] = mean
        return out


def principal_components(
    lognorm: sparse.csr_matrix, genes: Index, n_pcs: int, batch: Names | None = None
) -> Components:
    """Principal components of scaled genes.

    Parameters
    ----------
    lognorm
        Cells x genes, log1p of depth-normalised counts.
    genes
        Columns to use; those that do not vary are left out.
    n_pcs
        Components to find, fewer where the data have a smaller rank, but one column of zeros at least.
    batch
        Batch of each cell: genes are centred within each, so that a shift common to a batch is no component.
    """
    columns = lognorm[:, genes]
    names, groups = _groups(batch, columns.shape[0])
    means, deviation = _moments(columns, groups, len(names))
    varies = np.flatnonzero(deviation > ROUNDING)
    size = np.bincount(groups, minlength=len(names))
    overall = size @ means / max(columns.shape[0], 1)
    mean = {None: overall[varies], **dict(zip(names, means[:, varies], strict=True))}
    deviation = deviation[varies]
    rank = min(n_pcs, min(columns.shape[0], varies.size) - 1)
    if rank < 1:
        return Components(
            np.zeros((lognorm.shape[0], 1)), genes[varies], mean, deviation, np.zeros((varies.size, 1))
        )
    genes_of_all = _Scaled(columns[:, varies], means[:, varies], deviation, groups)
    scores, loadings = _leading_components(genes_of_all, rank)
    return Components(scores, genes[varies], mean, deviation, loadings)


def _groups(batch: Names | None, n_cells: int) -> tuple[list[object], Index]:
    """Names of the batches, and the number of each cell's."""
    if batch is None:
        return [None], np.zeros(n_cells, dtype=np.int64)
    names, groups = np.unique(batch.astype(str), return_inverse=True)
    return list(names), np.asarray(groups, dtype=np.int64)


def _moments(columns: sparse.csr_matrix, groups: Index, n_groups: int) -> tuple[Array, Array]:
    """Mean of each gene in each group (groups x genes), and its deviation around them (genes)."""
    n_genes = columns.shape[1]
    means, squares = np.zeros((n_groups, n_genes)), np.zeros(n_genes)
    for group, mean in enumerate(means):
        rows = columns[groups == group] if n_groups > 1 else columns
        mean[:] = column_sums(rows, rows.data) / max(rows.shape[0], 1)
        # What is stored and what is not: the zeros lie as far from the mean as the mean from zero.
        n_zeros = rows.shape[0] - np.bincount(rows.indices, minlength=n_genes)
        squares += column_sums(rows, (rows.data - mean[rows.indices]) ** 2)
        squares += n_zeros * mean**2
    return means, np.sqrt(squares / max(columns.shape[0], 1))


def _scaled(columns: sparse.csr_matrix, mean: Array, deviation: Array) -> Array:
    """Dense cells x genes: centred, divided by the deviation, clipped."""
    block: Array = columns.toarray()
    block -= mean
    block /= deviation
    return np.clip(block, -_CLIP, _CLIP, out=block)


@dataclass(frozen=True)
class _Scaled:
    """Genes centred within each group of cells, made dense as they are needed."""

    columns: sparse.csr_matrix
    means: Array
    deviation: Array
    groups: Index

    def rows(self, start: int, stop: int) -> Array:
        """Dense rows: cells x genes."""
        means = self.means[self.groups[start:stop]] if len(self.means) > 1 else self.means
        return _scaled(self.columns[start:stop], means, self.deviation)

    def blocks(self) -> Iterator[Array]:
        """All cells, block by block."""
        n_cells = self.columns.shape[0]
        return (self.rows(start, min(start + _ROWS, n_cells)) for start in range(0, n_cells, _ROWS))

    @property
    def is_sparse(self) -> bool:
        """Whether Lanczos is quicker through `parts` than through a Gram matrix, which has to be made first."""
        small, large = sorted(self.columns.shape)
        by_parts = _PRODUCTS * self.columns.nnz * _STORED_VALUE
        return bool(small > _SMALL and by_parts < small**2 * (large * _MADE + _PRODUCTS * _MULTIPLIED))

    def parts(self) -> tuple[sparse.csr_matrix, Array]:
        """Cells x genes that are zero where nothing is stored, and groups x genes to be added to each cell of a group.

        The sum of both is what `rows` gives, to rounding.
        """
        zero = np.clip(-self.means / self.deviation, -_CLIP, _CLIP)
        group = np.repeat(self.groups, np.diff(self.columns.indptr))
        gene = self.columns.indices
        stored = (self.columns.data - self.means[group, gene]) / self.deviation[gene]
        stored = np.clip(stored, -_CLIP, _CLIP) - zero[group, gene]
        return sparse.csr_matrix((stored, gene, self.columns.indptr), shape=self.columns.shape), zero


def _leading_components(scaled: _Scaled, rank: int) -> tuple[Array, Array]:
    """Scores on the leading components and their loadings."""
    # Not at the top of the file: who scores gene sets imports this file too, and loads no linear algebra for it. But
    # before threads are limited: that holds for the libraries that are loaded by then.
    from cafsc.pp import _leading  # noqa: F401

    with reproducible():
        found = _by_parts(scaled, rank) if scaled.is_sparse else None
        scores, loadings = found or _by_gram(scaled, rank)
    extreme = scores[np.abs(scores).argmax(axis=0), np.arange(rank)]
    sign = np.where(extreme < 0, -1.0, 1.0)
    return np.ascontiguousarray((scores * sign)[:, ::-1]), np.ascontiguousarray((loadings * sign)[:, ::-1])


def _by_gram(scaled: _Scaled, rank: int) -> tuple[Array, Array]:
    """By the smaller of the two Gram matrices."""
    from cafsc.pp._leading import gram, leading_vectors

    n_cells, n_genes = scaled.columns.shape
    if n_cells <= n_genes:
        whole = scaled.rows(0, n_cells)
        values, vectors = leading_vectors(gram([np.ascontiguousarray(whole.T)], n_cells), rank)
        length = np.sqrt(np.maximum(values, 0.0))
        return vectors * length, whole.T @ vectors / np.where(length > 0, length, 1.0)
    _, loadings = leading_vectors(gram(scaled.blocks(), n_genes), rank)
    return np.concatenate([block @ loadings for block in scaled.blocks()]), loadings


def _by_parts(scaled: _Scaled, rank: int) -> tuple[Array, Array] | None:
    """Without making the genes dense: by products with what is stored and with what stands for zero."""
    from cafsc.pp._leading import settled_vectors

    stored, zero = scaled.parts()
    n_cells, n_genes = stored.shape
    cells = np.arange(n_cells)
    member = sparse.csr_matrix((np.ones(n_cells), (scaled.groups, cells)), shape=(len(zero), n_cells))
    turned = stored.T

    def of_cells(x: Array) -> Array:
        """Genes to cells."""
        return np.asarray(stored @ x + (zero @ x)[scaled.groups])

    def of_genes(x: Array) -> Array:
        """Cells to genes."""
        return np.asarray(turned @ x + zero.T @ (member @ x))

    if n_cells <= n_genes:
        found = settled_vectors(lambda x: of_cells(of_genes(x)), n_cells, rank)
        if found is None:
            return None
        length = np.sqrt(np.maximum(found[0], 0.0))
        return found[1] * length, of_genes(found[1]) / np.where(length > 0, length, 1.0)
    found = settled_vectors(lambda x: of_genes(of_cells(x)), n_genes, rank)
    return None if found is None else (of_cells(found[1]), found[1])
