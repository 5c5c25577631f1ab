"""Ligand-receptor pairs against shuffled labels: functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.tl.score.controls import Array, Index


@dataclass(frozen=True)
class Complexes:
    """Ligands and receptors, each one gene or more.

    Attributes
    ----------
    members
        Columns of the subunits of all complexes, one complex after the other.
    start
        Where each complex begins in `members`.
    """

    members: Index
    start: Index

    @classmethod
    def of(cls, columns: Sequence[Sequence[int]]) -> Complexes:
        """From the columns of each complex; none may be empty."""
        sizes = np.array([len(one) for one in columns], dtype=np.int64)
        flat = np.array([column for one in columns for column in one], dtype=np.int64)
        return cls(flat, np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64))

    def level(self, values: Array) -> Array:
        """Groups x complexes from groups x genes: the level of the scarcest subunit."""
        if not self.members.size:
            return np.zeros((values.shape[0], 0))
        return np.asarray(np.minimum.reduceat(values[:, self.members], self.start, axis=1))


@dataclass(frozen=True)
class Trials:
    """What is tested: complexes and groups, by index; arrays of one length."""

    ligand: Index
    receptor: Index
    source: Index
    target: Index
    ligand_alone: NDArray[np.bool_]
    receptor_alone: NDArray[np.bool_]
    """Where a partner is seen in so few cells that it must stand out by itself too."""

    def score(self, level: Array) -> Array:
        """Product of the ligand's level in the sender and the receptor's in the receiver."""
        return np.asarray(level[self.source, self.ligand] * level[self.target, self.receptor])


def thinned(codes: Index, max_cells: int, seed: int) -> Index:
    """Rows of the cells that take part: at most so many of each group, drawn by the seed, in order."""
    random = np.random.default_rng(seed)
    rows = [np.flatnonzero(codes == group) for group in range(int(codes.max(initial=-1)) + 1)]
    drawn = [random.choice(one, max_cells, replace=False) if one.size > max_cells else one for one in rows]
    return np.sort(np.concatenate(drawn)) if drawn else np.zeros(0, dtype=np.int64)


def permutation_p(
    lognorm: sparse.csr_matrix,
    codes: Index,
    n_groups: int,
    complexes: Complexes,
    tests: Trials,
    n_perms: int,
    seed: int,
) -> tuple[Array, Array]:
    """Score of each pair, and how often shuffled labels reach it.

    Parameters
    ----------
    lognorm
        Cells x genes, natural log1p; the cells of all groups together.
    codes
        Group of each cell, none negative.
    tests
        Pairs and directions.
    n_perms
        Shuffles of the labels over all cells; every group keeps its size.

    Returns
    -------
    Score (product of two mean log-expressions; of a complex its scarcest subunit) and p = (1 + shuffles that reach
    it) / (1 + shuffles), one value a test. The shuffle is that of CellPhoneDB (doi:10.1038/s41596-020-0292-x); the
    product instead of the mean lets a missing partner count. A partner that is hardly detected must be above shuffled
    labels by itself too, or a strong ligand would lend its p to a receptor of stray counts: the largest p stands.
    """
    size = np.maximum(np.bincount(codes, minlength=n_groups), 1).astype(np.float64)
    used, members = np.unique(complexes.members, return_inverse=True)
    values = sparse.csr_matrix(lognorm[:, used])
    narrow = Complexes(members.astype(np.int64), complexes.start)
    cells = np.arange(codes.size)

    def level(labels: Index) -> Array:
        group = sparse.csr_matrix((1.0 / size[labels], (labels, cells)), shape=(n_groups, codes.size))
        return narrow.level(np.asarray((group @ values).todense(), dtype=np.float64))

    observed = level(codes)
    score = tests.score(observed)
    random = np.random.default_rng(seed)
    reached = np.zeros(score.size)
    alone = np.zeros(observed.shape)
    # Sums in another order differ in the last bits; a tie must stay a tie.
    tie = 1 - 1e-9
    for _ in range(n_perms):
        shuffled = level(random.permutation(codes))
        reached += tests.score(shuffled) >= score * tie
        alone += shuffled >= observed * tie
    reached = np.maximum(reached, np.where(tests.ligand_alone, alone[tests.source, tests.ligand], 0))
    reached = np.maximum(reached, np.where(tests.receptor_alone, alone[tests.target, tests.receptor], 0))
    return score, (1 + reached) / (1 + n_perms)


def stratified_contrast(
    values: Array, positive: Array, depth: Array, n_perms: int, seed: int, n_strata: int = 5
) -> tuple[float, float]:
    """Whether cells with a receptor answer more than cells of the same depth without it.

    Parameters
    ----------
    values
        Score of each cell.
    positive
        Whether each cell has the receptor, boolean.
    depth
        Genes detected in each cell: a deep cell shows every receptor more often.

    Returns
    -------
    Mean difference within strata of depth, weighted by the cells in them, and its two-sided p over labels shuffled
    within the strata; NaN where no stratum holds both kinds.
    """
    rank = np.argsort(np.argsort(depth, kind="stable"), kind="stable")
    stratum = rank * n_strata // max(values.size, 1)
    positive = np.asarray(positive, dtype=bool)
    n_in = np.bincount(stratum, minlength=n_strata)
    n_positive = np.bincount(stratum, weights=positive, minlength=n_strata)
    usable = (n_positive > 0) & (n_positive < n_in)
    if not usable.any():
        return float("nan"), float("nan")
    # The contrast is linear in the labels, so every shuffle is one row of a product.
    total = n_in[usable].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(usable, n_in / total / n_positive, 0.0)[stratum]
        down = np.where(usable, n_in / total / (n_in - n_positive), 0.0)[stratum]

    def contrast(labels: Array) -> Array:
        return np.asarray(np.where(labels, values * up, -values * down).sum(axis=-1))

    observed = float(contrast(positive))
    order = np.argsort(stratum, kind="stable")
    random = np.random.default_rng(seed)
    keys = stratum[order] + random.random((n_perms, values.size))
    shuffled = np.empty((n_perms, values.size), dtype=bool)
    shuffled[:, order] = positive[order][np.argsort(keys, axis=1)]
    reached = np.abs(contrast(shuffled)) >= abs(observed) * (1 - 1e-9)
    return observed, float((1 + reached.sum()) / (1 + n_perms))
