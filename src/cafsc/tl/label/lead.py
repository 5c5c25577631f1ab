"""The lead of one state over another in a cluster, gene by gene: what carried it, and what would end it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cafsc.tl.score.controls import Array, SetColumns


@dataclass(frozen=True)
class Lead:
    """Scores of two states in one cluster, as functions of the genes that are left.

    Attributes
    ----------
    above
        Genes: level in the cluster above genes of like expression, natural log units.
    first, second
        Sets of the leading state and of the runner-up.
    offset
        What reference levels add to the lead.
    """

    above: Array
    first: tuple[SetColumns, ...]
    second: tuple[SetColumns, ...]
    offset: float

    def without(self, columns: Sequence[int]) -> float:
        """Lead, natural log units, with some genes left out of every set."""
        gone = np.array(list(columns), dtype=np.int64)
        return self._score(self.first, gone) - self._score(self.second, gone) + self.offset

    def _score(self, sets: Sequence[SetColumns], gone: np.ndarray) -> float:
        scores = []
        for members in sets:
            score = 0.0
            for sign, genes in ((1.0, members.up), (-1.0, members.down)):
                left = genes[~np.isin(genes, gone)] if gone.size else genes
                score += sign * float(self.above[left].mean()) if left.size else 0.0
            scores.append(score)
        return float(np.mean(scores)) if scores else 0.0

    def carriers(self) -> list[tuple[int, float]]:
        """Genes whose absence would cost the lead most, with that cost, largest first."""
        whole = self.without([])
        genes = np.unique(
            np.concatenate([part for s in (*self.first, *self.second) for part in (s.up, s.down)])
        )
        cost = [(int(gene), whole - self.without([int(gene)])) for gene in genes]
        return sorted((item for item in cost if item[1] > 0), key=lambda item: (-item[1], item[0]))

    def fewest_genes(self, floor: float) -> tuple[int, ...] | None:
        """Genes, costliest first, without which the lead falls below `floor`; None if none do."""
        gone: list[int] = []
        for gene, _ in self.carriers():
            gone.append(gene)
            if self.without(gone) < floor:
                return tuple(gone)
        return None


def gene_excess(level: Array, bins: np.ndarray) -> Array:
    """Level of each gene above the mean of its expression bin, natural log units."""
    n_bins = int(bins.max(initial=0)) + 1
    size = np.maximum(np.bincount(bins, minlength=n_bins), 1)
    mean = np.bincount(bins, weights=level, minlength=n_bins) / size
    return np.asarray(level - mean[bins], dtype=np.float64)
