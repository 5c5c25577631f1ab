"""Ligand-receptor pairs between CAFs and the other cells of a tumour, with the responses of the receivers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc._config import CrosstalkConfig
from cafsc.errors import OptionError
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk import pairs as lr
from cafsc.tl.crosstalk.groups import Groups, cell_groups
from cafsc.tl.crosstalk.responses import Contrast, Footprints, adjusted, is_high, receptor_contrasts
from cafsc.tl.crosstalk.table import ALSO, OTHER_WAY, Row, Status, crosstalk_table, record_row, result

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

ALONE = "the data hold only fibroblasts: sender potential only"


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
    groups = cell_groups(adata, catalogue, key_added, config)
    if not groups.cafs:
        return crosstalk_table([])
    config = groups.config
    consensus = lr.consensus_pairs() if resource == "consensus" and groups.others else []
    found = lr.candidates(consensus, groups)
    trials = lr.choose_trials(found, groups)
    cells = lr.thinned(groups.codes, config.max_cells, seed)
    lognorm, codes = groups.lognorm[cells], groups.codes[cells]
    score, p = lr.permutation_p(lognorm, codes, len(groups.groups), trials, config.n_perms, seed)
    fdr = adjusted(p)
    tests = list(zip(trials.candidate.tolist(), trials.source.tolist(), trials.target.tolist(), strict=True))
    name_of = [group.name for group in groups.groups]
    keys = [(name_of[source], name_of[target], *found[number].symbols) for number, source, target in tests]
    ranks = lr.liana_ranks(groups, cells, keys, seed) if consensus and tests else {}
    footprints = Footprints(groups, levels or reference_levels())
    rows: list[Row] = []
    responses: dict[int, Contrast] = {}
    for n, (number, source, target) in enumerate(tests):
        one = found[number]
        if fdr[n] > config.max_fdr and (source, target) not in one.named:
            continue
        row = _row(groups, one, source, target) | {"score": score[n], "p": p[n], "fdr": fdr[n]}
        row |= dict(zip(lr.RANKS, ranks.get(keys[n], (np.nan, np.nan)), strict=True))
        if response := footprints.row(one.pair.mechanism if one.pair else (), target):
            responses[len(rows)] = (response["response"], target, one.receptor_columns)
        rows.append(row | response)
    contrasts = receptor_contrasts(groups, footprints.sets, cells, responses.values(), seed)
    for index, contrast in responses.items():
        rows[index] |= contrasts[contrast]
    tested = [row | {"status": _status(row, config)} for row in rows]
    return crosstalk_table([*tested, *_untested(groups, found, set(tests))])


def _status(row: Row, config: CrosstalkConfig) -> str:
    """Result of a tested pair; a comparison with a missing number is false."""
    if row["fdr"] > config.max_fdr:
        return Status.EXPRESSED
    with_receptor = row.get("contrast", 0) > 0 and row["contrast_fdr"] <= config.max_fdr
    return Status.PAIR_AND_RESPONSE if with_receptor or is_high(row, config) else Status.PAIR


def _row(groups: Groups, one: lr.Candidate, source: int, target: int) -> Row:
    """Columns of a measured pair between two groups."""
    direction = one.named.get((source, target), "")
    kinds = (groups.groups[index].name.partition(":")[0] for index in (source, target))
    row = _pair_row(groups, one, direction) | {"direction": direction or ">".join(kinds)}
    row |= groups.side("source", source, one.ligand_columns)
    return row | groups.side("target", target, one.receptor_columns)


def _pair_row(groups: Groups, one: lr.Candidate, direction: str) -> Row:
    """Columns of a pair in a direction that the literature names, or "" in another one."""
    if one.pair is None:
        label = f"{'+'.join(one.ligand)}-{'+'.join(one.receptor)}"
        return {"kind": "pair", "named": ALSO, "label": label} | lr.LIANA_SOURCE
    if not direction:
        return record_row(groups.catalogue, "pair", one.pair) | {"named": OTHER_WAY}
    return record_row(groups.catalogue, "pair", one.pair, direction=direction, effect=one.pair.effect)


def _untested(
    groups: Groups, found: Iterable[lr.Candidate], done: Collection[tuple[int, int, int]]
) -> Iterator[Row]:
    """Rows of pairs that the literature names and that were not tested, with the reason."""
    for number, one in enumerate(found):
        if one.pair is None:
            continue
        if not one.measured:
            missing = ", ".join(gene for gene in one.pair.genes if groups.column(gene) is None)
            why = result(Status.NOT_MEASURED, f"the data lack {missing}")
            yield from (_pair_row(groups, one, direction) | why for direction in one.pair.directions)
            continue
        for source, target in one.named:
            if (number, source, target) not in done:
                row = _row(groups, one, source, target)
                yield row | _why_not(groups, row, source, target)
        for direction in one.pair.directions:
            if direction not in one.named.values():
                yield from _absent(groups, one, direction)


def _why_not(groups: Groups, row: Row, source: int, target: int) -> Row:
    """Why a pair is not tested between two groups."""
    for group in (source, target):
        if not groups.is_large[group]:
            return result(Status.TOO_FEW, f"{groups.size[group]} cells of {groups.groups[group].name}")
    ligand, receptor = row["source_fraction"], row["target_fraction"]
    reason = f"ligand in {ligand:.0%} of cells, receptor in {receptor:.0%} of cells"
    return result(Status.NOT_EXPRESSED, reason)


def _absent(groups: Groups, one: lr.Candidate, direction: str) -> Iterator[Row]:
    """Rows of a named direction without senders or receivers in the data."""
    sender, receiver = direction.split(">")
    base = _pair_row(groups, one, direction)
    sources, targets = groups.matching(sender), groups.matching(receiver)
    if not targets and not sources:
        yield base | result(Status.NO_CELLS, f"no {sender} and no {receiver} cells in the data")
    for target in targets:
        row = base | groups.side("target", target, one.receptor_columns)
        yield row | result(Status.NO_CELLS, f"no {sender} cells in the data")
    for source in () if targets else sources:
        row = base | groups.side("source", source, one.ligand_columns)
        enough = row["source_fraction"] >= lr.NAMED_PROP
        why = f"no {receiver} cells in the data" if groups.others else ALONE
        yield row | result(Status.POTENTIAL if enough else Status.NOT_EXPRESSED, why)
