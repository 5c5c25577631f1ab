"""Scores of gene sets against genes of like expression, and what such a score is worth: functions on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

Array = NDArray[np.float64]
Index = NDArray[np.int64]


def expression_bins(mean: Array, n_bins: int) -> Index:
    """Bin of each gene, by rank of its mean expression; equal-sized bins, ties in order of the columns."""
    rank = np.empty(mean.size, dtype=np.int64)
    rank[np.argsort(mean, kind="stable")] = np.arange(mean.size)
    return rank * n_bins // max(mean.size, 1)


@dataclass(frozen=True)
class SetColumns:
    """Columns of one set in one dataset.

    Attributes
    ----------
    up, down
        Column indices.
    n_genes
        Genes the set names, found or not.
    """

    up: Index
    down: Index
    n_genes: int

    @property
    def n_found(self) -> int:
        """Genes of the set that the dataset has."""
        return self.up.size + self.down.size


def _signed_mean(values: Array, columns: SetColumns) -> Array:
    out = np.zeros(values.shape[0])
    if columns.up.size:
        out += values[:, columns.up].mean(axis=1)
    if columns.down.size:
        out -= values[:, columns.down].mean(axis=1)
    return out


def control_corrected(lognorm: sparse.csr_matrix, bins: Index, sets: list[SetColumns]) -> Array:
    """Mean of a set's genes minus the mean of all genes in the same expression bins.

    Parameters
    ----------
    lognorm
        Cells x genes, natural log1p of depth-normalised counts.
    bins
        Bin of each gene.
    sets
        Columns of each set.

    Returns
    -------
    Cells x sets, natural log units: mean over the up genes of (gene - its bin) minus the same over the down
    genes; 0 for a set of which no gene is there. The idea of Tirosh 2016 (doi:10.1126/science.aad0501) with the
    whole bin as control, so that nothing is drawn at random.
    """
    n_bins = int(bins.max(initial=0)) + 1
    size = np.bincount(bins, minlength=n_bins)
    in_bin = sparse.csr_matrix((1.0 / size[bins], (np.arange(bins.size), bins)), shape=(bins.size, n_bins))
    in_set = set_weights(sets, bins.size)
    # One pass over the nonzeros: each adds to its gene's bin, and to the few sets that hold the gene.
    sums = (lognorm @ sparse.hstack([in_bin, in_set], format="csr")).toarray()
    same_bins = sparse.csr_matrix((np.ones(bins.size), (bins, np.arange(bins.size))), shape=in_bin.T.shape)
    return np.asarray(sums[:, n_bins:] - sums[:, :n_bins] @ (same_bins @ in_set).toarray())


def set_weights(sets: list[SetColumns], n_genes: int) -> sparse.csr_matrix:
    """Genes x sets: 1 / number of up genes, -1 / number of down genes; a column's product is a signed mean."""
    parts = [
        (genes, np.full(genes.size, index), np.full(genes.size, sign / max(genes.size, 1)))
        for index, members in enumerate(sets)
        for sign, genes in ((1.0, members.up), (-1.0, members.down))
    ]
    if not parts:
        return sparse.csr_matrix((n_genes, 0))
    rows, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sparse.csr_matrix((values, (rows, columns)), shape=(n_genes, len(sets)))


def null_deviation(levels: Array, bins: Index, sets: list[SetColumns]) -> Array:
    """Standard deviation of a set's score over random sets of the same size and expression bins.

    Parameters
    ----------
    levels
        Groups x genes, mean lognorm of each group of cells.
    bins
        Bin of each gene.
    sets
        Columns of each set.

    Returns
    -------
    Groups x sets. Exact, not sampled: the mean of genes drawn one from each bin has the summed variance of those
    bins. The cells stay the same and the genes are the random unit, so correlation between cells does not enter.
    """
    n_bins = int(bins.max(initial=0)) + 1
    size = np.maximum(np.bincount(bins, minlength=n_bins), 1)
    variance = np.empty((levels.shape[0], n_bins))
    for group, level in enumerate(levels):
        mean = np.bincount(bins, weights=level, minlength=n_bins) / size
        variance[group] = np.bincount(bins, weights=level**2, minlength=n_bins) / size - mean**2
    variance = np.maximum(variance, 0.0)
    out = np.zeros((levels.shape[0], len(sets)))
    for index, members in enumerate(sets):
        for genes in (members.up, members.down):
            if genes.size:
                out[:, index] += variance[:, bins[genes]].sum(axis=1) / genes.size**2
    return np.sqrt(out)


def correlation_inflation(lognorm: sparse.csr_matrix, membership: Array, sets: list[SetColumns]) -> Array:
    """Factor by which correlation between a set's genes widens the variance of its mean, in each group.

    Parameters
    ----------
    lognorm
        Cells x genes, each cell by itself (pooled cells would share their noise).
    membership
        Cells x groups, 0 or 1.
    sets
        Columns of each set.

    Returns
    -------
    Groups x sets, 1 or more: 1 + (n - 1) x mean correlation between the genes within the group. Competitive tests
    that take genes for independent call co-expressed sets far too often (Wu and Smyth 2012,
    doi:10.1093/nar/gks461).
    """
    out = np.ones((membership.shape[1], len(sets)))
    columns = lognorm.tocsc()
    for index, members in enumerate(sets):
        genes = np.concatenate([members.up, members.down])
        sign = np.concatenate([np.ones(members.up.size), -np.ones(members.down.size)])
        if genes.size < 2:
            continue
        values = columns[:, genes].toarray() * sign
        for group in range(membership.shape[1]):
            inside = values[membership[:, group] > 0]
            if len(inside) < 3:
                continue
            deviation = inside.std(axis=0)
            varying = deviation > 0
            if varying.sum() < 2:
                continue
            standard = (inside[:, varying] - inside[:, varying].mean(axis=0)) / deviation[varying]
            out[group, index] = max(1.0, float(varying.sum() * standard.mean(axis=1).var()))
    return out


def rank_scores(lognorm: sparse.csr_matrix, sets: list[SetColumns], max_rank: int) -> Array:
    """UCell: the Mann-Whitney U of a set's genes within each cell's ranking.

    Parameters
    ----------
    lognorm
        Cells x genes, non-negative; only the order within a cell counts.
    sets
        Columns of each set; down genes are subtracted, and the difference is not allowed below 0.
    max_rank
        Ranks beyond it count as ``max_rank``.

    Returns
    -------
    Cells x sets, 0..1; NaN for a set of which no gene is there. Andreatta 2021
    (doi:10.1016/j.csbj.2021.06.043), as pyUCell computes it; ties take their mean rank.
    """
    ranked = sparse.csr_matrix(lognorm, dtype=np.float64, copy=True)
    ranked.eliminate_zeros()
    n_genes = ranked.shape[1]
    zero_gain = np.zeros(ranked.shape[0])
    for cell in range(ranked.shape[0]):
        part = slice(ranked.indptr[cell], ranked.indptr[cell + 1])
        values = ranked.data[part]
        zero_rank = (values.size + 1 + n_genes) / 2.0
        zero_gain[cell] = max(0.0, max_rank - zero_rank)
        ranked.data[part] = np.maximum(0.0, max_rank - _descending_ranks(values)) - zero_gain[cell]
    gains = ranked.tocsc()
    out = np.full((ranked.shape[0], len(sets)), np.nan)
    for index, members in enumerate(sets):
        if members.n_found == 0:
            continue
        score = np.zeros(ranked.shape[0])
        for sign, genes in ((1.0, members.up), (-1.0, members.down)):
            if genes.size:
                gain = np.asarray(gains[:, genes].sum(axis=1)).ravel() + genes.size * zero_gain
                # The best case: the genes hold the first ranks, so the gain falls short of n x max_rank.
                best = genes.size * max_rank - genes.size * (genes.size + 1) / 2.0
                score += sign * gain / best
        out[:, index] = np.maximum(score, 0.0)
    return out


def _descending_ranks(values: Array) -> Array:
    """Ranks from 1 for the largest, ties at their mean: scipy's rankdata of the negative, without its overhead."""
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if values.size else order
    ends = np.append(starts[1:], values.size)
    out = np.empty(values.size)
    out[order] = np.repeat((starts + ends + 1) / 2.0, ends - starts)
    return out


def false_discovery(p: Array) -> Array:
    """Benjamini-Hochberg adjusted p-values of an array of any shape (doi:10.1111/j.2517-6161.1995.tb02031.x)."""
    flat = np.asarray(stats.false_discovery_control(p.ravel(), method="bh"), dtype=np.float64)
    return flat.reshape(p.shape)
