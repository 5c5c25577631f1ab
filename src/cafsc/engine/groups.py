"""Which groups each gene counts towards, as tables for the loops over stored values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# A gene's record holds its first three groups, in one number: few genes have more. Compiled, a field is got by taking
# it for a number of 16 bits, without a mask. The compiled loops that are kept on disk have these two numbers in them,
# and are only made anew when their own files change.
FIELD_BITS = 16
# A gene without a group counts towards one of these, which nobody reads: several, so that one addition need not wait
# for the one before.
N_IDLE = 16


class Ranking(NamedTuple):
    """How the values of a cell are ranked, and what of."""

    n_genes: int
    """Genes of the matrix."""
    n_detected: int
    """Genes that AUCell ranks."""
    max_rank: int
    """Rank from which on UCell gives nothing."""
    n_up: int
    """Rank from which on AUCell gives nothing."""
    zeros_tied: bool
    """Whether zeros have their mean rank in UCell, or the last."""
    target_sum: float
    """Depth to which counts are scaled before log1p; 0 leaves values as they are."""


class Columns(Protocol):
    """The columns of one set: what its genes are in a matrix."""

    @property
    def up(self) -> Index:
        """Columns that count for the set."""

    @property
    def down(self) -> Index:
        """Columns that count against it."""

    @property
    def n_genes(self) -> int:
        """Genes the set names, in the matrix or not."""


@dataclass(frozen=True)
class Members:
    """Columns that count for a set, and none that count against it."""

    up: Index
    n_genes: int

    @property
    def down(self) -> Index:
        """None."""
        return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Sides:
    """The genes that count for a set, and those that count against it, as groups; none is empty.

    Attributes
    ----------
    genes, of
        Column and side of every membership, int64.
    set, sign, size
        Of each side: index of its set, 1.0 or -1.0, number of its columns.
    """

    genes: Index
    of: Index
    set: Index
    sign: Array
    size: Index

    @classmethod
    def build(cls, sets: Sequence[Columns]) -> Sides:
        """The sides of the sets, in their order, up before down."""
        found = [
            (index, sign, np.asarray(genes, dtype=np.int64))
            for index, members in enumerate(sets)
            for sign, genes in ((1.0, members.up), (-1.0, members.down))
            if genes.size
        ]
        size = np.array([genes.size for _, _, genes in found], dtype=np.int64)
        return cls(
            genes=np.concatenate([np.empty(0, dtype=np.int64), *(genes for _, _, genes in found)]),
            of=np.repeat(np.arange(size.size), size),
            set=np.array([index for index, _, _ in found], dtype=np.int64),
            sign=np.array([sign for _, sign, _ in found], dtype=np.float64),
            size=size,
        )

    def by_set(self, values: Array, out: Array) -> None:
        """What each set has for it less what it has against it, rows x sets; NaN for a set without genes."""
        up = self.sign > 0
        if up.all() and np.array_equal(self.set, np.arange(out.shape[1])):
            out[:] = values
            return
        out[:] = np.nan
        out[:, self.set] = 0.0
        out[:, self.set[up]] = values[:, up]
        out[:, self.set[~up]] -= values[:, ~up]


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of genes that sums are taken over: controls first, then the others.

    Attributes
    ----------
    genes, of
        Column and group of every membership, int64.
    n_genes, n_controls, n_groups
        How many there are; the last with the controls.
    """

    genes: Index
    of: Index
    n_genes: int
    n_controls: int
    n_groups: int

    @cached_property
    def _places(self) -> tuple[Index, Index, Index]:
        """Memberships in order of genes and groups, and the place of each in its gene's record.

        The first place is for a gene's control, as less is summed of those; it stays idle for a gene that has none.
        """
        in_order = np.lexsort((self.of, self.genes))
        genes, of = self.genes[in_order], self.of[in_order]
        begin = np.searchsorted(genes, np.arange(self.n_genes))
        has_control = np.zeros(self.n_genes, dtype=bool)
        has_control[genes[of < self.n_controls]] = True
        return genes, of, np.arange(genes.size) - begin[genes] + ~has_control[genes]

    @cached_property
    def memberships(self) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """Genes x groups, 1 where the gene is in the group, float64: the first two places, and the others."""
        genes, of, place = self._places
        near, far = (
            sparse.csr_matrix(
                (np.ones(kept.sum()), (genes[kept], of[kept])), shape=(self.n_genes, self.n_groups)
            )
            for kept in (place < 2, place >= 2)
        )
        return near, far

    @property
    def fit(self) -> bool:
        """Whether there are so few groups that the tables can name them."""
        return self.n_groups + N_IDLE <= 1 << FIELD_BITS

    @cached_property
    def tables(self) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint32]]:
        """Record of each gene, and the list of the groups that are not in it, with where each gene's begin.

        A record has a group, or an idle one, in each of its three fields; then a bit says if there is a second, one if
        there is a third, and one if there are more.
        """
        genes, of, place = self._places
        fields = np.repeat(self.n_groups + np.arange(self.n_genes) % N_IDLE, 3).reshape(-1, 3)
        kept = place < 3
        fields[genes[kept], place[kept]] = of[kept]
        start = np.concatenate([[0], np.cumsum(np.bincount(genes[~kept], minlength=self.n_genes))])
        parts = [*fields.T, *(fields[:, 1:] < self.n_groups).T, np.diff(start) > 0]
        shifts = [0, FIELD_BITS, 2 * FIELD_BITS, *range(3 * FIELD_BITS, 3 * FIELD_BITS + 3)]
        record = np.zeros(self.n_genes, dtype=np.uint64)
        for part, shift in zip(parts, shifts, strict=True):
            record |= part.astype(np.uint64) << np.uint64(shift)
        return record, start.astype(np.int64), of[~kept].astype(np.uint32)
