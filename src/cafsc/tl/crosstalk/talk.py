"""Ligand-receptor pairs between CAFs and the other cells of a tumour, with the responses of the receivers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc.errors import OptionError
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk.groups import Groups, cell_groups
from cafsc.tl.crosstalk.pairs import (
    LIANA_CITATION,
    LIANA_DOI,
    RANKS,
    Candidate,
    Complexes,
    Ranks,
    Resource,
    Trials,
    candidates,
    choose_trials,
    consensus_pairs,
    liana_ranks,
    permutation_p,
    thinned,
)
from cafsc.tl.crosstalk.responses import (
    Contrast,
    adjusted,
    against_elsewhere,
    footprint_of,
    footprint_sets,
    receptor_contrasts,
)
from cafsc.tl.crosstalk.table import (
    ALSO,
    EXPRESSED,
    NAMED,
    NO_CELLS,
    NOT_EXPRESSED,
    NOT_MEASURED,
    OTHER_WAY,
    PAIR,
    PAIR_AND_RESPONSE,
    POTENTIAL,
    TOO_FEW,
    Row,
    crosstalk_table,
    source_of,
)
from cafsc.tl.score.controls import Array, Index
from cafsc.tl.score.fibroblasts import tissue_bins

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

ALONE = "the data hold only fibroblasts: sender potential only"


def crosstalk(
    adata: AnnData,
    *,
    resource: Resource = "consensus",
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
    catalogue
        The shipped one if not given.
    levels
        Profiles of the lineages in other tumours; the shipped ones if not given.
    key_added
        The ``key_added`` of the run.
    config
        Thresholds and numbers of permutations.
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
        raise OptionError(
            f"resource {resource!r}",
            expected="consensus or catalogue",
            fix="use one of these, or leave it out",
        )
    config = config or CrosstalkConfig()
    catalogue = catalogue or sig.load()
    groups = cell_groups(adata, catalogue, key_added)
    if not groups.cafs:
        return crosstalk_table([])
    consensus = consensus_pairs() if resource == "consensus" and groups.others else []
    pairs = _Pairs.of(candidates(catalogue.pairs.values(), consensus, groups), groups, catalogue, config)
    trials = pairs.trials()
    cells = thinned(groups.codes, config.max_cells, seed)
    lognorm, codes = groups.lognorm[cells], groups.codes[cells]
    score, p = permutation_p(
        lognorm, codes, len(groups.groups), pairs.complexes, trials, config.n_perms, seed
    )
    tests = list(zip(trials.candidate.tolist(), trials.source.tolist(), trials.target.tolist(), strict=True))
    fdr = adjusted(p)
    shown = [
        n
        for n, (pair, *ends) in enumerate(tests)
        if fdr[n] <= config.max_fdr or tuple(ends) in pairs.named[pair]
    ]
    ranks = _ranks(pairs, lognorm, codes, trials, seed) if consensus else {}
    bins = tissue_bins(adata, key_added)
    sets = footprint_sets(catalogue, groups)
    elsewhere = against_elsewhere(groups, sets, bins, levels or reference_levels())
    footprints: dict[int, Contrast] = {}
    for n in shown:
        number, _, target = tests[n]
        if name := pairs.footprint(number, target, sets):
            footprints[n] = (name, target, pairs.found[number].receptor_columns)
    contrasts = receptor_contrasts(groups, sets, bins, cells, footprints.values(), config, seed)
    rows = []
    for n in shown:
        row = pairs.row(*tests[n]) | {"score": float(score[n]), "p": float(p[n]), "fdr": float(fdr[n])}
        row |= dict(zip(RANKS, ranks.get(pairs.rank_key(*tests[n]), (np.nan, np.nan)), strict=True))
        if n in footprints:
            name, target, _ = footprints[n]
            row |= elsewhere.response(target, name) | contrasts[footprints[n]]
        rows.append(row | {"status": _status(row, config)})
    return crosstalk_table([*rows, *pairs.untested(set(tests))])


def _status(row: Row, config: CrosstalkConfig) -> str:
    """Result of a tested pair; a comparison with a missing number is false."""

    def number(name: str) -> float:
        return float(row.get(name, np.nan))  # type: ignore[arg-type]

    if number("fdr") > config.max_fdr:
        return EXPRESSED
    is_high = number("response_effect") >= config.min_effect and number("response_fdr") <= config.max_fdr
    with_receptor = number("contrast") > 0 and number("contrast_fdr") <= config.max_fdr
    return PAIR_AND_RESPONSE if is_high or with_receptor else PAIR


def _ranks(pairs: _Pairs, lognorm: sparse.csr_matrix, codes: Index, trials: Trials, seed: int) -> Ranks:
    """Ranks of liana by `_Pairs.rank_key`."""
    if not trials.candidate.size:
        return {}
    names = [group.name for group in pairs.groups.groups]
    config = pairs.config
    return liana_ranks(
        lognorm,
        pairs.symbols,
        [names[code] for code in codes],
        [pairs.in_data(number) for number in dict.fromkeys(trials.candidate)],
        sorted({(names[s], names[t]) for s, t in zip(trials.source, trials.target, strict=True)}),
        expr_prop=config.expr_prop,
        min_cells=config.min_cells,
        n_perms=config.n_rank_perms,
        seed=seed,
    )


@dataclass(frozen=True)
class _Pairs:
    """Candidate pairs in the groups of a dataset.

    `named` holds, for each candidate, the groups between which the literature names it, with the direction in the
    words of the catalogue. `ligand` and `receptor` are the complex of each candidate, -1 where it is not measured.
    `level` and `fraction` are groups x complexes.
    """

    found: Sequence[Candidate]
    groups: Groups
    catalogue: Catalogue
    config: CrosstalkConfig
    named: Sequence[Mapping[tuple[int, int], str]]
    symbols: Sequence[str]
    complexes: Complexes
    ligand: Index
    receptor: Index
    level: Array
    fraction: Array

    @classmethod
    def of(
        cls, found: Sequence[Candidate], groups: Groups, catalogue: Catalogue, config: CrosstalkConfig
    ) -> _Pairs:
        measured = [one for one in found if one.measured]
        every = dict.fromkeys(part for one in measured for part in (one.ligand_columns, one.receptor_columns))
        number = {columns: place for place, columns in enumerate(every)}
        ligand = np.array([number[o.ligand_columns] if o.measured else -1 for o in found], dtype=np.int64)
        receptor = np.array([number[o.receptor_columns] if o.measured else -1 for o in found], dtype=np.int64)
        complexes = Complexes.of(list(every))
        named = [_named_directions(candidate, groups, catalogue) for candidate in found]
        symbols = sorted(groups.columns, key=lambda symbol: groups.columns[symbol])
        level, fraction = complexes.level(groups.mean), complexes.level(groups.fraction)
        return cls(
            found, groups, catalogue, config, named, symbols, complexes, ligand, receptor, level, fraction
        )

    def trials(self) -> Trials:
        """Pairs and directions in which both partners are expressed."""
        config, size = self.config, self.groups.size
        n_groups = len(self.groups.groups)
        enough = self.fraction * size[:, None] >= config.min_detected - 0.5
        named = np.zeros((len(self.found), n_groups, n_groups), dtype=bool)
        for number, directions in enumerate(self.named):
            for source, target in directions:
                named[number, source, target] = True
        usable = size >= config.min_cells
        is_caf = np.isin(np.arange(n_groups), self.groups.cafs)
        return choose_trials(
            self.ligand,
            self.receptor,
            (self.fraction >= config.expr_prop) & enough & usable[:, None],
            (self.fraction >= config.named_prop) & enough & usable[:, None],
            is_caf[:, None] | is_caf,
            named,
        )

    def in_data(self, number: int) -> tuple[str, str]:
        """Ligand and receptor in the symbols of the data, subunits joined by ``_``."""
        candidate = self.found[number]
        ligand, receptor = (
            "_".join(self.symbols[column] for column in columns)
            for columns in (candidate.ligand_columns, candidate.receptor_columns)
        )
        return ligand, receptor

    def rank_key(self, number: int, source: int, target: int) -> tuple[str, str, str, str]:
        """Key of a test in the ranks of liana."""
        names = self.groups.groups
        return names[source].name, names[target].name, *self.in_data(number)

    def footprint(self, number: int, target: int, known: Mapping[str, object]) -> str:
        """Footprint of a pair's mechanism in a receiver; empty if there is none."""
        pair, group = self.found[number].pair, self.groups.groups[target]
        if pair is None:
            return ""
        return footprint_of(pair.mechanism, group.name, group.lineage, self.catalogue.recipients, known)

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
                for direction in pair.directions:
                    row = {"status": NOT_MEASURED, "reason": f"the data lack {missing}"}
                    yield self._pair_row(number, direction) | row
                continue
            for source, target in named:
                if (number, source, target) not in done:
                    yield self.row(number, source, target) | self._why_not(number, source, target)
            for direction in pair.directions:
                if direction not in named.values():
                    yield from self._absent(number, direction)

    def _why_not(self, number: int, source: int, target: int) -> Row:
        for group in (source, target):
            if self.groups.size[group] < self.config.min_cells:
                name, size = self.groups.groups[group].name, self.groups.size[group]
                return {"status": TOO_FEW, "reason": f"{size} cells of {name}"}
        ligand = self.fraction[source, self.ligand[number]]
        receptor = self.fraction[target, self.receptor[number]]
        reason = f"ligand in {ligand:.0%} of cells, receptor in {receptor:.0%} of cells"
        return {"status": NOT_EXPRESSED, "reason": reason}

    def _absent(self, number: int, direction: str) -> Iterator[Row]:
        """Rows of a named direction without senders or receivers in the data."""
        sender, receiver = direction.split(">")
        base = self._pair_row(number, direction)
        sources, targets = (self.groups.matching(word, self.catalogue) for word in (sender, receiver))
        if sources and not targets:
            why = f"no {receiver} cells in the data" if self.groups.others else ALONE
            ligand = self.ligand[number]
            for source in sources:
                enough = self.fraction[source, ligand] >= self.config.named_prop
                status = POTENTIAL if enough else NOT_EXPRESSED
                yield base | self._side("source", source, ligand) | {"status": status, "reason": why}
            return
        for target in targets:
            row = base | self._side("target", target, self.receptor[number])
            yield row | {"status": NO_CELLS, "reason": f"no {sender} cells in the data"}
        if not targets:
            reason = f"no {sender} and no {receiver} cells in the data"
            yield base | {"status": NO_CELLS, "reason": reason}

    def _side(self, side: str, group: int, part: int) -> Row:
        return self.groups.side(
            side, group, float(self.level[group, part]), float(self.fraction[group, part])
        )

    def _pair_row(self, number: int, direction: str) -> Row:
        candidate = self.found[number]
        pair = candidate.pair
        if pair is None:
            return {
                "kind": "pair",
                "named": ALSO,
                "id": "",
                "label": candidate.label,
                "evidence": "resource",
                "statement": "A pair of liana's consensus resource.",
                "papers": LIANA_CITATION,
                "doi": LIANA_DOI,
            }
        return {
            "kind": "pair",
            "named": NAMED if direction else OTHER_WAY,
            "id": pair.id,
            "label": pair.label,
            "direction": direction,
            "effect": pair.effect if direction else "",
            **source_of(self.catalogue, pair),
        }


def _named_directions(
    candidate: Candidate, groups: Groups, catalogue: Catalogue
) -> dict[tuple[int, int], str]:
    """Groups between which the literature names a pair, with the direction in its words."""
    out: dict[tuple[int, int], str] = {}
    for direction in candidate.pair.directions if candidate.pair else ():
        sender, receiver = direction.split(">")
        for source in groups.matching(sender, catalogue):
            for target in groups.matching(receiver, catalogue):
                if source != target or sender == receiver:
                    out.setdefault((source, target), direction)
    return out
