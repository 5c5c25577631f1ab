"""Ligand-receptor pairs between CAFs and the other cells of a tumour, with the responses of the receivers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc.errors import OptionError
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk import pairs as lr
from cafsc.tl.crosstalk.groups import Groups, cell_groups
from cafsc.tl.crosstalk.responses import Contrast, Footprints, adjusted, receptor_contrasts
from cafsc.tl.crosstalk.table import (
    ALSO,
    NUMBERS,
    OTHER_WAY,
    Row,
    Status,
    crosstalk_table,
    record_row,
    result,
)

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

ALONE = "the data hold only fibroblasts: sender potential only"
# Share of a group's cells that must express a pair that the CAF literature names: shallow data detect a true
# receptor in few cells.
_NAMED_PROP = 0.02
# Cells of a group in which a gene must be detected in any case.
_MIN_DETECTED = 3
# Shuffles for the one of liana's methods that shuffles; it ranks, and its p is not reported.
_N_RANK_PERMS = 100


def crosstalk(
    adata: AnnData,
    *,
    resource: lr.Resource = "consensus",
    catalogue: Catalogue | None = None,
    levels: ReferenceLevels | None = None,
    key_added: str = "caf",
    config: CrosstalkConfig | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Ligand-receptor pairs between CAF clusters and the other cells, with the papers that name them.

    Parameters
    ----------
    adata
        After `cafsc.annotate`. Not changed.
    resource
        ``consensus``: the pairs of the catalogue and of liana's consensus resource, ranked by liana.
        ``catalogue``: the pairs of the catalogue alone, without liana and its ranks.
    catalogue, levels
        The shipped ones if not given. The levels hold profiles of the lineages in other tumours.
    key_added, config
        The ``key_added`` of the run, and the thresholds.
    seed
        Seed of the permutations.

    Returns
    -------
    DataFrame, one row a pair and direction between two groups of cells, pairs of the CAF literature first. Every pair
    of the catalogue has a row for each direction that its sources name.

    ``named`` : str
        ``named in the CAF literature``; ``named, in another direction`` for a pair that the literature names between
        other cells; ``also found`` (up to the false discovery rate of `config`).
    ``direction``, ``source``, ``target`` : str
        Kinds of cells, and groups: ``caf:<cluster>`` or a kind of cell.
    ``status`` : str
        ``pair and response``, ``pair`` (more than shuffled labels give), ``expressed``, ``sender potential`` (no
        such receivers here), ``hardly detected``, ``too few cells``, ``no such cells here``, ``not measured here``;
        ``reason`` says why. ``standing`` is its former name, kept for one release.
    ``source_level``, ``target_level`` : float64, natural log1p of counts per ten thousand
        Mean of ligand and receptor; for a complex its scarcest subunit.
    ``source_fraction``, ``target_fraction`` : float64, 0..1
        Share of cells in which they are detected.
    ``score``, ``p``, ``fdr`` : float64
        Product of the levels; p over shuffled labels; Benjamini-Hochberg over all pairs and directions in which both
        partners are expressed.
    ``magnitude_rank``, ``specificity_rank`` : float64, 0..1
        liana's robust rank aggregates (doi:10.1038/s41467-022-30755-0).
    ``response``, ``response_effect``, ``response_fdr``
        Footprint of the pair's mechanism in the receivers, compared with cells of their lineage in other tumours:
        standard deviations of matched random sets.
    ``contrast``, ``contrast_p``, ``contrast_fdr`` : float64
        Footprint of receivers with the receptor minus that of receivers without it, at the same depth, natural log
        units.
    ``effect``, ``evidence``, ``mechanism``, ``statement``, ``papers``, ``doi``, ``review_claims`` : str
        What the sources say of the pair.

    Raises
    ------
    InputError
        If an earlier step has not run; says which.
    OptionError
        If the resource is unknown, or liana is needed and not installed.

    Notes
    -----
    Expression of two partners in a dissociated tissue is a possibility, not an observed signal. Footprints have other
    causes too.

    Examples
    --------
    >>> cafsc.tl.crosstalk(adata, resource="catalogue").query("status == 'pair'")  # doctest: +SKIP
    """
    if resource not in ("consensus", "catalogue"):
        raise OptionError(f"resource {resource!r}", fix="use consensus or catalogue, or leave it out")
    config = config or CrosstalkConfig()
    groups = cell_groups(adata, catalogue or sig.load(), key_added)
    if not groups.cafs:
        return crosstalk_table([])
    consensus = lr.consensus_pairs() if resource == "consensus" and groups.others else []
    pairs = _Pairs(lr.candidates(consensus, groups), groups, config)
    trials = pairs.trials()
    cells = lr.thinned(groups.codes, config.max_cells, seed)
    lognorm, codes = groups.lognorm[cells], groups.codes[cells]
    n_groups = len(groups.groups)
    score, p = lr.permutation_p(lognorm, codes, n_groups, pairs.complexes, trials, config.n_perms, seed)
    fdr = adjusted(p)
    tests = list(zip(trials.candidate.tolist(), trials.source.tolist(), trials.target.tolist(), strict=True))
    shown = [
        n
        for n, (pair, *ends) in enumerate(tests)
        if fdr[n] <= config.max_fdr or tuple(ends) in pairs.named[pair]
    ]
    ranks: lr.Ranks = {}
    if consensus and tests:
        labels = [groups.groups[code].name for code in codes]
        keys = [pairs.rank_key(*test) for test in tests]
        options = {
            "expr_prop": config.expr_prop,
            "min_cells": config.min_cells,
            "n_perms": _N_RANK_PERMS,
        }
        ranks = lr.liana_ranks(lognorm, pairs.symbols, labels, keys, seed=seed, **options)
    footprints = Footprints(groups, levels or reference_levels())
    responses: dict[int, Contrast] = {}
    for n in shown:
        candidate, target = pairs.found[tests[n][0]], tests[n][2]
        if candidate.pair and (name := footprints.of(candidate.pair.mechanism, target)):
            responses[n] = (name, target, candidate.receptor_columns)
    contrasts = receptor_contrasts(groups, footprints.sets, cells, responses.values(), config, seed)
    rows = []
    for n in shown:
        row = pairs.row(*tests[n]) | {"score": float(score[n]), "p": float(p[n]), "fdr": float(fdr[n])}
        row |= dict(zip(lr.RANKS, ranks.get(pairs.rank_key(*tests[n]), (np.nan, np.nan)), strict=True))
        if n in responses:
            name, target, _ = responses[n]
            row |= footprints.effects.row(target, name) | contrasts[responses[n]]
        rows.append(row | {"status": _status(row, config)})
    return crosstalk_table([*rows, *pairs.untested(set(tests))])


def _status(row: Row, config: CrosstalkConfig) -> str:
    """Result of a tested pair; a comparison with a missing number is false."""
    if row["fdr"] > config.max_fdr:
        return Status.EXPRESSED
    number = dict.fromkeys(NUMBERS, np.nan) | row
    is_high = number["response_effect"] >= config.min_effect and number["response_fdr"] <= config.max_fdr
    with_receptor = number["contrast"] > 0 and number["contrast_fdr"] <= config.max_fdr
    return Status.PAIR_AND_RESPONSE if is_high or with_receptor else Status.PAIR


class _Pairs:
    """Candidate pairs in the groups of a dataset.

    `named` holds, for each candidate, the groups between which the literature names it, with the direction in the
    words of the catalogue. `ligand` and `receptor` are the complex of each candidate, -1 where it is not measured.
    `level` and `fraction` are groups x complexes.
    """

    def __init__(self, found: Sequence[lr.Candidate], groups: Groups, config: CrosstalkConfig) -> None:
        self.found, self.groups, self.config = found, groups, config
        self.named = [_named_directions(candidate, groups) for candidate in found]
        self.symbols = sorted(groups.columns, key=lambda symbol: groups.columns[symbol])
        measured = [one for one in found if one.measured]
        every = dict.fromkeys(part for one in measured for part in (one.ligand_columns, one.receptor_columns))
        number = {columns: place for place, columns in enumerate(every)}
        self.ligand = np.array(
            [number[o.ligand_columns] if o.measured else -1 for o in found], dtype=np.int64
        )
        self.receptor = np.array(
            [number[o.receptor_columns] if o.measured else -1 for o in found], dtype=np.int64
        )
        self.complexes = lr.Complexes.of(list(every))
        self.level = self.complexes.level(groups.mean)
        self.fraction = self.complexes.level(groups.fraction)

    def trials(self) -> lr.Trials:
        """Pairs and directions in which both partners are expressed."""
        config, size = self.config, self.groups.size
        n_groups = len(self.groups.groups)
        enough = self.fraction * size[:, None] >= _MIN_DETECTED - 0.5
        named = np.zeros((len(self.found), n_groups, n_groups), dtype=bool)
        for number, directions in enumerate(self.named):
            for source, target in directions:
                named[number, source, target] = True
        usable = size >= config.min_cells
        is_caf = np.isin(np.arange(n_groups), self.groups.cafs)
        return lr.choose_trials(
            self.ligand,
            self.receptor,
            (self.fraction >= config.expr_prop) & enough & usable[:, None],
            (self.fraction >= _NAMED_PROP) & enough & usable[:, None],
            is_caf[:, None] | is_caf,
            named,
        )

    def rank_key(self, number: int, source: int, target: int) -> tuple[str, str, str, str]:
        """Groups and partners of a test in the names of the data, subunits joined by ``_``."""
        names, candidate = self.groups.groups, self.found[number]
        ligand, receptor = (
            "_".join(self.symbols[column] for column in columns)
            for columns in (candidate.ligand_columns, candidate.receptor_columns)
        )
        return names[source].name, names[target].name, ligand, receptor

    def row(self, number: int, source: int, target: int) -> Row:
        """Columns of a pair between two groups."""
        names = self.groups.groups
        direction = self.named[number].get((source, target), "")
        kinds = (names[index].name.partition(":")[0] for index in (source, target))
        return (
            self._pair_row(number, direction)
            | {"direction": direction or ">".join(kinds)}
            | self._side("source", source, self.ligand[number])
            | self._side("target", target, self.receptor[number])
        )

    def untested(self, done: set[tuple[int, int, int]]) -> Iterator[Row]:
        """Rows of pairs that the literature names and that were not tested, with the reason."""
        for number, candidate in enumerate(self.found):
            pair, named = candidate.pair, self.named[number]
            if pair is None:
                continue
            if not candidate.measured:
                missing = ", ".join(gene for gene in pair.genes if self.groups.column(gene) is None)
                why = result(Status.NOT_MEASURED, f"the data lack {missing}")
                yield from (self._pair_row(number, direction) | why for direction in pair.directions)
                continue
            for source, target in named:
                if (number, source, target) not in done:
                    yield self.row(number, source, target) | self._why_not(number, source, target)
            for direction in pair.directions:
                if direction not in named.values():
                    yield from self._absent(number, direction)

    def _why_not(self, number: int, source: int, target: int) -> Row:
        for group in (source, target):
            size = self.groups.size[group]
            if size < self.config.min_cells:
                return result(Status.TOO_FEW, f"{size} cells of {self.groups.groups[group].name}")
        ligand = self.fraction[source, self.ligand[number]]
        receptor = self.fraction[target, self.receptor[number]]
        reason = f"ligand in {ligand:.0%} of cells, receptor in {receptor:.0%} of cells"
        return result(Status.NOT_EXPRESSED, reason)

    def _absent(self, number: int, direction: str) -> Iterator[Row]:
        """Rows of a named direction without senders or receivers in the data."""
        sender, receiver = direction.split(">")
        base = self._pair_row(number, direction)
        sources, targets = (self.groups.matching(word) for word in (sender, receiver))
        for target in targets:
            row = base | self._side("target", target, self.receptor[number])
            yield row | result(Status.NO_CELLS, f"no {sender} cells in the data")
        for source in () if targets else sources:
            row = base | self._side("source", source, self.ligand[number])
            enough = row["source_fraction"] >= _NAMED_PROP
            why = f"no {receiver} cells in the data" if self.groups.others else ALONE
            yield row | result(Status.POTENTIAL if enough else Status.NOT_EXPRESSED, why)
        if not targets and not sources:
            yield base | result(Status.NO_CELLS, f"no {sender} and no {receiver} cells in the data")

    def _side(self, side: str, group: int, part: int) -> Row:
        return self.groups.side(
            side, group, float(self.level[group, part]), float(self.fraction[group, part])
        )

    def _pair_row(self, number: int, direction: str) -> Row:
        pair = self.found[number].pair
        if pair is None:
            row: Row = {"kind": "pair", "named": ALSO, "label": self.found[number].label}
            return row | lr.LIANA_SOURCE
        effect = pair.effect if direction else ""
        row = record_row(self.groups.catalogue, "pair", pair, direction=direction, effect=effect)
        return row | ({} if direction else {"named": OTHER_WAY})


def _named_directions(candidate: lr.Candidate, groups: Groups) -> dict[tuple[int, int], str]:
    """Groups between which the literature names a pair, with the direction in its words."""
    out: dict[tuple[int, int], str] = {}
    for direction in candidate.pair.directions if candidate.pair else ():
        sender, receiver = direction.split(">")
        for source in groups.matching(sender):
            for target in groups.matching(receiver):
                if source != target or sender == receiver:
                    out.setdefault((source, target), direction)
    return out
