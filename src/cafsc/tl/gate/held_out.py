"""What the components of a mixture are worth beyond the cells that they were made of.

A component of a few cells fits them well because its profile is made of them. Another cell of their kind shows other
genes besides, which the profile holds nearly impossible: it would go to whatever is common and well known. And droplets
of two cells can make a component of their own, which fits them better than any mix until they are left out of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._threads import one_thread
from cafsc.tl.gate.mixture import Array, average_shares, shrunk

# Cells of a component that are asked, of those that it holds by more than half; to one of many more than these it makes
# no difference to a single cell whether it had a part in it.
_HELD, _ASKED, _MANY = 0.5, 20, 200
# The average cell's counts that are added to a profile: from the mixture's own number of them to 4,096 times as many.
_TIMES_ADDED, _LEAST_ADDED = 4.0 ** np.arange(7), 1.0
# More than this share of the cells are no droplets of two; of the components that fit best alone, so many are paired.
_MOST_DOUBLETS, _PAIRED = 0.1, 3


@dataclass(frozen=True)
class LeftOut:
    """Some cells of one component, and for each what the component holds without it; one entry a stored value."""

    counts: Array
    genes: NDArray[np.int64]
    cell: NDArray[np.int64]
    rest: Array
    """Counts of the gene in the component's other cells."""
    rest_depth: Array
    """Cells: counts of all genes in the component's other cells."""
    average: Array
    """Genes: share of each in all counts."""
    added: float
    """Counts of the average cell with which the component makes its cells likeliest, each left out of it."""
    n_held: int
    """Cells that the component holds."""

    @property
    def n_cells(self) -> int:
        """Cells that were asked."""
        return self.rest_depth.size

    def shares(self, added: float) -> Array:
        """Entries: share of the gene in the profile that the cell had no part in."""
        return np.asarray(
            (self.rest + added * self.average[self.genes]) / (self.rest_depth + added)[self.cell]
        )

    def log_likelihood(self, added: float) -> float:
        """Of all the cells, each by the profile that it had no part in."""
        return float(self.counts @ np.log(self.shares(added)))

    def gains(self, shares: Array, others: Array) -> Array:
        """Cells: log-likelihood that the best even mix with another profile has over these shares alone."""
        mixed = np.log((shares + others[:, self.genes]) / 2.0) - np.log(shares)
        by_cell = [np.bincount(self.cell, weights=self.counts * one, minlength=self.n_cells) for one in mixed]
        return np.asarray(np.max(by_cell, axis=0))


@one_thread()
def left_out(x: sparse.csr_matrix, weights: Array, sums: Array, shrinkage: float) -> list[LeftOut]:
    """For some cells of each component, what the component holds without them.

    `x` (cells x genes) and `weights` (cells x components) are those of the fitted mixture, `sums` (components x
    genes) the counts of all cells, `shrinkage` the counts of the average cell that are added to each profile at
    least.
    """
    average = average_shares(x)
    holder = np.where(weights.max(axis=1) > _HELD, weights.argmax(axis=1), -1)
    out = []
    for component, own in enumerate(sums):
        held = np.flatnonzero(holder == component)
        asked = held[:: max(1, -(-held.size // _ASKED))]
        rows, share = x[asked], weights[asked, component]
        cell = np.repeat(np.arange(asked.size), np.diff(rows.indptr))
        depth = np.bincount(cell, weights=rows.data, minlength=asked.size)
        # A component of one cell has nothing left, but for rounding.
        rest = np.maximum(own[rows.indices] - share[cell] * rows.data, 0.0)
        rest_depth = np.maximum(own.sum() - share * depth, 0.0)
        found = LeftOut(rows.data, rows.indices, cell, rest, rest_depth, average, 0.0, held.size)
        # The most first: it is taken where nothing is left that could tell.
        ways = max(shrinkage, _LEAST_ADDED) * _TIMES_ADDED[::-1]
        fit = [found.log_likelihood(added) if rest.any() else 0.0 for added in ways]
        out.append(replace(found, added=float(ways[np.argmax(fit)])))
    return out


@dataclass(frozen=True)
class HeldOut:
    """Components as other cells than their own should meet them.

    Attributes
    ----------
    profile
        Components x genes that take part: share of each.
    gain
        Components: log-likelihood that a cell gains from a second component for no other reason than that it had no
        part in the first.
    """

    profile: Array
    gain: Array


@one_thread()
def held_out_profiles(
    sums: Array, fitted: Array, without: Sequence[LeftOut], unlike: NDArray[np.bool_]
) -> HeldOut:
    """Profiles with as much of the average cell added as makes the component's own cells likeliest, each left out.

    `sums` (components x genes) are the counts of all cells, `fitted` the profiles made of them, `unlike` says which
    two components cannot be one cell.
    """
    profile = shrunk(sums, without[0].average, np.array([[left.added] for left in without]))
    gain = np.zeros(len(sums))
    for component, left in enumerate(without):
        others = profile[unlike[component]]
        if others.size and 0 < left.n_held <= _MANY:
            alone = left.gains(fitted[component, left.genes], others)
            more = left.gains(left.shares(left.added), others) - alone
            gain[component] = max(0.0, float(np.median(more)))
    return HeldOut(profile, gain)


@one_thread()
def doublet_components(
    profile: Array, without: Sequence[LeftOut], unlike: NDArray[np.bool_]
) -> list[tuple[int, int, int]]:
    """Components that are an even mix of two larger, unlike others: (component, first, second).

    Their cells are likelier by such a mix than by their own component, which each is left out of, and than by any
    other alone. A kind of its own, however rare, expresses genes that no mix of others does.
    """
    size = np.array([left.n_held for left in without])
    found = []
    for component, left in enumerate(without):
        # Of one cell nothing is left that could speak for it.
        if not 2 <= left.n_held <= _MOST_DOUBLETS * size.sum():
            continue
        larger = np.flatnonzero((size >= left.n_held) & (np.arange(size.size) != component))
        pair = _better_pair(left, profile[larger], unlike[np.ix_(larger, larger)])
        if pair is not None:
            found.append((component, int(larger[pair[0]]), int(larger[pair[1]])))
    return found


def _better_pair(left: LeftOut, profile: Array, unlike: NDArray[np.bool_]) -> tuple[int, int] | None:
    """The even mix of two profiles that explains the cells better than their own component and than any one alone."""
    genes, place = np.unique(left.genes, return_inverse=True)
    counts, shares = np.bincount(place, weights=left.counts), profile[:, genes]
    alone = np.log(shares) @ counts
    best, pair = max(left.log_likelihood(left.added), alone.max(initial=-np.inf)), None
    for first in np.argsort(-alone, kind="stable")[:_PAIRED]:
        partners = np.flatnonzero(unlike[first])
        mixed = np.log((shares[first] + shares[partners]) / 2.0) @ counts
        if mixed.max(initial=-np.inf) > best:
            best, pair = mixed.max(), (int(first), int(partners[mixed.argmax()]))
    return pair
