"""Every method of scoring in one pass over the values of a matrix, of counts or of log-normalised expression."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import numpy as np

from cafsc._errors import InputError, OptionError
from cafsc.engine.compiled import kernels
from cafsc.engine.groups import Array, Columns, Groups, Index, Ranking, Sides
from cafsc.engine.means import bin_mean_combination, refuse_infinite
from cafsc.engine.ranks import aucell_scores, default_n_up, ucell_scores
from cafsc.engine.rows import Rows, row_blocks
from cafsc.engine.ulm import ulm_scores

METHODS = ("bin_mean", "ucell", "aucell", "ulm")
_RANKED = {"ucell", "aucell"}
# Rows scored at a time, each time by one thread: what is computed for them stays in the processor's cache.
_PART_ROWS = 512


class Scorer:
    """Scores of gene sets, made ready for one dataset and then given for any of its rows.

    Parameters
    ----------
    n_genes
        Columns of the matrix.
    sets
        Columns of each set.
    methods
        Which scores: of `METHODS`.
    n_values
        Stored values of the whole matrix, of which the rows scored may be a part; sets which loops run.
    bins
        Bin of each gene by its mean expression, (n_genes,), from 0; for ``bin_mean``.
    max_rank
        UCell: ranks beyond count as this.
    zeros_tied
        UCell: whether genes that are 0 share their mean rank, or are all last, as pyUCell has it. The same unless
        fewer genes are detected than about twice ``max_rank`` minus all genes.
    missing_last
        UCell: whether genes of a set that the matrix lacks count, as last; otherwise they do not count.
    n_detected
        AUCell and ULM: number of genes that take part; all by default. decoupler leaves genes out that no cell has.
    n_up
        AUCell: ranks looked at; a twentieth of the genes by default.
    target_sum
        If given, the values are counts, and log1p of what they are at this depth is scored.

    Raises
    ------
    OptionError
        If ``methods`` has an unknown name, or ``bin_mean`` is asked for without ``bins``.
    """

    def __init__(  # noqa: D107
        self,
        n_genes: int,
        sets: Sequence[Columns],
        methods: Collection[str],
        *,
        n_values: int,
        bins: Index | None = None,
        max_rank: int = 1500,
        zeros_tied: bool = True,
        missing_last: bool = False,
        n_detected: int | None = None,
        n_up: int | None = None,
        target_sum: float | None = None,
    ) -> None:
        unknown = sorted(set(methods) - set(METHODS))
        if unknown or ("bin_mean" in methods and bins is None):
            raise OptionError(
                f"method {unknown[0]}" if unknown else "bin_mean without bins",
                expected=f"methods of {', '.join(METHODS)}; bins for bin_mean",
            )
        self.methods = tuple(method for method in METHODS if method in methods)
        self._sets, self._sides, self._n_values = list(sets), Sides.build(sets), n_values
        controls = bins if bins is not None and "bin_mean" in methods else np.empty(0, dtype=np.int64)
        self._combination = bin_mean_combination(controls, sets) if controls.size else None
        self._groups = (
            self._combination.groups
            if self._combination
            else Groups(self._sides.genes, self._sides.of, n_genes, 0, self._sides.size.size)
        )
        n_detected = n_genes if n_detected is None else n_detected
        n_up = default_n_up(n_detected) if n_up is None else n_up
        self._ranking = Ranking(n_genes, n_detected, max_rank, n_up, zeros_tied, float(target_sum or 0.0))
        self._missing_last = missing_last
        self._by_rank = bool(_RANKED & set(methods)) or target_sum is not None

    def scores(self, rows: Rows) -> dict[str, Array]:
        """Scores by method, rows x sets, float64.

        Raises
        ------
        InputError
            If a value is infinite, not a number, or, where it is ranked, negative.
        """
        sums = np.empty((rows.n_rows, self._groups.n_groups))
        ucell, aucell = np.empty((2, rows.n_rows, self._sides.size.size))
        zeros, moments = np.empty((2, rows.n_rows, 2))
        loops = kernels(self._n_values, ranks=self._by_rank)
        if self._by_rank:
            into = (
                sums if {"bin_mean", "ulm"} & set(self.methods) else None,
                ucell if "ucell" in self.methods else None,
                aucell if "aucell" in self.methods else None,
                zeros,
                moments,
            )
            if loops.rank_sums(rows, self._groups, self._ranking, *into) >= 0:
                # Stored zeros are rare, and taken out only where they are met.
                rows = rows.without_zeros()
                _refuse_row(loops.rank_sums(rows, self._groups, self._ranking, *into))
        else:
            loops.group_sums(rows, self._groups, sums)
            refuse_infinite(sums)
            if "ulm" in self.methods:
                loops.row_moments(rows, moments)
                refuse_infinite(moments)
        found = {}
        for method in self.methods:
            if method == "bin_mean":
                found[method] = (
                    self._combination.combined(sums, self._n_values) if self._combination else sums
                )
            elif method == "ucell":
                found[method] = ucell_scores(
                    ucell,
                    zeros[:, 0],
                    self._sides,
                    self._sets,
                    self._ranking.max_rank,
                    missing_last=self._missing_last,
                )
            elif method == "aucell":
                found[method] = aucell_scores(
                    aucell, zeros[:, 1], self._sides, len(self._sets), self._ranking.n_up
                )
            else:
                of_sides = sums[:, self._groups.n_controls :]
                found[method] = ulm_scores(
                    of_sides, moments, self._sides, len(self._sets), self._ranking.n_detected
                )
        return found

    def score(self, source: Any, *, threads: int = 1) -> dict[str, Array]:
        """Scores by method of a whole matrix, as `cafsc.engine.rows.row_blocks` takes it; cells x sets, float64.

        The number of threads changes no bit: each row is scored by itself.
        """
        n_rows = int(source.shape[0])
        found = {method: np.empty((n_rows, len(self._sets))) for method in self.methods}
        with ThreadPoolExecutor(threads) as pool:
            run = map if threads == 1 else pool.map
            for place, rows in row_blocks(source):
                cuts = [*range(0, rows.n_rows, _PART_ROWS), rows.n_rows]
                parts = [rows.part(start, stop) for start, stop in pairwise(cuts)]
                start = place.start
                for part, scores in zip(parts, run(self.scores, parts), strict=True):
                    for method, values in scores.items():
                        found[method][start : start + part.n_rows] = values
                    start += part.n_rows
        return found


def _refuse_row(row: int) -> None:
    if row >= 0:
        raise InputError(
            "the matrix has values that are negative, infinite or not a number",
            expected="values of 0 or more, to be ranked",
            fix="give counts or log-normalised values, not scaled ones",
        )
