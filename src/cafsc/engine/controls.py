"""The control genes that ``scanpy.tl.score_genes`` draws, and its score, for many sets in one pass.

After doi:10.1126/science.aad0501, as scanpy does it: genes are cut into intervals of like mean expression, and
from each interval that holds a gene of the set a number of genes is drawn, with the same seed for every set.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cafsc.engine.groups import Array, Columns, Groups, Index
from cafsc.engine.means import Combination
from cafsc.errors import OptionError

Draw = tuple[int, tuple[int, ...]]


class _Draws:
    """Genes drawn of intervals in turn; what was drawn depends on the interval and on the sizes of those before."""

    def __init__(self, intervals: list[Index], n_drawn: int, seed: int) -> None:
        self._intervals, self._n_drawn = intervals, n_drawn
        self._generator = np.random.RandomState(seed)
        self._start = self._generator.get_state()
        self._after: dict[tuple[int, ...], tuple[Any, Index]] = {}
        self.genes: dict[Draw, Index] = {}

    def of(self, used: Index) -> list[Draw]:
        """What is drawn of the intervals of a set, in their order."""
        found: list[Draw] = []
        sizes: tuple[int, ...] = ()
        for interval in used.tolist():
            genes = self._intervals[interval]
            # A small interval is taken whole, and leaves the generator as it was.
            drawn_from = (*sizes, genes.size) if genes.size > self._n_drawn else ()
            draw = (interval, drawn_from)
            if draw not in self.genes:
                self.genes[draw] = genes[self._places(drawn_from)] if drawn_from else genes
            sizes = drawn_from or sizes
            found.append(draw)
        return found

    def _places(self, sizes: tuple[int, ...]) -> Index:
        if sizes not in self._after:
            self._generator.set_state(self._after[sizes[:-1]][0] if sizes[:-1] else self._start)
            places = self._generator.permutation(sizes[-1])[: self._n_drawn]
            self._after[sizes] = (self._generator.get_state(), places)
        return self._after[sizes][1]


def expression_intervals(mean: Array, n_bins: int) -> Index:
    """Interval of each gene by the rank of its mean, ties at their lowest rank, as scanpy counts them."""
    n_items = round(mean.size / (n_bins - 1))
    if n_items == 0:
        return np.zeros(mean.size, dtype=np.int64)
    rank = 1 + np.searchsorted(np.sort(mean), mean, side="left")
    return np.asarray(rank // n_items, dtype=np.int64)


def score_genes_combination(
    mean: Array, sets: Sequence[Columns], *, ctrl_size: int = 50, n_bins: int = 25, seed: int = 0
) -> Combination:
    """Mean of a set's genes minus the mean of the control genes that scanpy draws for it.

    Parameters
    ----------
    mean
        Mean of each gene over the cells, of which the intervals are made: `cafsc.engine.means.gene_means`. scanpy 1.12
        sums it in float64 if the matrix is sparse; scanpy 1.11 in the precision of the matrix.
    sets
        Columns of each set; only those that count for it.
    ctrl_size
        Genes drawn of each interval.
    n_bins
        scanpy's number of intervals, which makes one more.
    seed
        scanpy's ``random_state``.

    Raises
    ------
    OptionError
        If a set has no genes, or every gene drawn for it is its own.
    """
    interval = expression_intervals(mean, n_bins)
    in_order = np.argsort(interval, kind="stable")
    ends = np.cumsum(np.bincount(interval))
    draws = _Draws(np.split(in_order, ends[:-1]), ctrl_size, seed)
    drawn = [draws.of(np.unique(interval[members.up])) for members in sets]
    number = {draw: index for index, draw in enumerate(draws.genes)}
    share = np.zeros((len(number), len(sets)))
    genes = list(draws.genes.values())
    of = [np.full(found.size, index) for index, found in enumerate(genes)]
    in_pool = np.zeros(mean.size, dtype=np.bool_)
    target: list[int] = []
    weight: list[float] = []
    for index, (members, of_set) in enumerate(zip(sets, drawn, strict=True)):
        pool = np.concatenate([np.empty(0, dtype=np.int64), *(draws.genes[draw] for draw in of_set)])
        in_pool[pool] = True
        own = members.up[in_pool[members.up]]
        in_pool[pool] = False
        n_controls = pool.size - own.size
        if n_controls == 0:
            raise OptionError(
                f"set number {index + 1} of {len(sets)} leaves no genes to compare with",
                expected="genes of like expression that are not in the set",
                fix="give smaller sets, or a matrix of more genes",
            )
        share[[number[draw] for draw in of_set], index] = 1.0 / n_controls
        for part, weighs in ((members.up, 1.0 / members.up.size), (own, 1.0 / n_controls)):
            genes.append(part)
            of.append(np.full(part.size, len(number) + len(target)))
            target.append(index)
            weight.append(weighs)
    return Combination(
        Groups(
            genes=np.concatenate([np.empty(0, dtype=np.int64), *genes]).astype(np.int64),
            of=np.concatenate([np.empty(0, dtype=np.int64), *of]).astype(np.int64),
            n_genes=mean.size,
            n_controls=len(number),
            n_groups=len(number) + len(target),
        ),
        share,
        np.array(target, dtype=np.int64),
        np.array(weight, dtype=np.float64),
    )
