"""Every method of scoring in one pass over the values of a matrix, of counts or of log-normalised expression."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from cafsc.engine.compiled import kernels
from cafsc.engine.groups import Array, Columns, Groups, Index, Ranking, Sides
from cafsc.engine.means import bin_mean_combination, refuse_infinite
from cafsc.engine.ranks import aucell_weights, default_n_up, rank_scores, ucell_weights
from cafsc.engine.rows import Rows, row_blocks
from cafsc.engine.ulm import Lines
from cafsc.errors import InputError, OptionError

METHODS = ("bin_mean", "ucell", "aucell", "ulm")
_RANKED = {"ucell", "aucell"}


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

    def __init__(
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
        self._n_sets, self._sides, self._n_values = len(sets), Sides.build(sets), n_values
        self._combination = (
            bin_mean_combination(bins, sets) if bins is not None and "bin_mean" in methods else None
        )
        self._groups = (
            self._combination.groups
            if self._combination
            else Groups(self._sides.genes, self._sides.of, n_genes, 0, self._sides.size.size)
        )
        n_detected = n_genes if n_detected is None else n_detected
        n_up = default_n_up(n_detected) if n_up is None else n_up
        self._ranking = Ranking(n_genes, n_detected, max_rank, n_up, zeros_tied, float(target_sum or 0.0))
        self._ucell = ucell_weights(self._sides, sets, max_rank, missing_last=missing_last)
        self._aucell = aucell_weights(self._sides, n_up)
        self._lines = Lines.build(self._sides, len(sets), n_detected)
        self._by_rank = bool(_RANKED & set(methods)) or target_sum is not None

    def scores(self, rows: Rows) -> dict[str, Array]:
        """Scores by method, rows x sets, float64.

        Raises
        ------
        InputError
            If a value is infinite, not a number, or, where it is ranked, negative.
        """
        found = {method: np.empty((rows.n_rows, self._n_sets)) for method in self.methods}
        self._fill(rows, found)
        return found

    def _fill(self, rows: Rows, found: Mapping[str, Array]) -> None:
        """Write the scores of some rows where they belong."""
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
        sides = self._sides
        for method, scores in found.items():
            if method == "ucell":
                rank_scores(ucell, zeros[:, 0], sides, self._ucell, scores)
            elif method == "aucell":
                rank_scores(aucell, zeros[:, 1], sides, self._aucell, scores)
            elif method == "ulm":
                self._lines.scores(sums[:, self._groups.n_controls :], moments, sides, scores)
            elif self._combination:
                self._combination.combine(sums, self._n_values, scores)

    def score(self, source: Any, *, threads: int = 1) -> dict[str, Array]:
        """Scores by method of a whole matrix, as `cafsc.engine.rows.row_blocks` takes it; cells x sets, float64.

        The number of threads changes no bit: each row is scored by itself.
        """
        found = {method: np.empty((int(source.shape[0]), self._n_sets)) for method in self.methods}
        with ThreadPoolExecutor(threads) as pool:
            run = map if threads == 1 else pool.map
            for place, rows in row_blocks(source):
                places, parts = zip(*rows.parts(self._groups.n_groups, threads), strict=True)
                block = {method: scores[place] for method, scores in found.items()}
                into = [{method: scores[part] for method, scores in block.items()} for part in places]
                list(run(self._fill, parts, into))
        return found


def _refuse_row(row: int) -> None:
    if row >= 0:
        raise InputError(
            "the matrix has values that are negative, infinite or not a number",
            expected="values of 0 or more, to be ranked",
            fix="give counts or log-normalised values, not scaled ones",
        )
