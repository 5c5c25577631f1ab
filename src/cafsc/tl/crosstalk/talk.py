"""What CAFs tell the other cells of a tumour, and what these tell CAFs: ligands, receptors, answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc.errors import OptionError
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk import liana
from cafsc.tl.crosstalk.groups import Groups, cell_groups
from cafsc.tl.crosstalk.pair_tests import permutation_p, thinned
from cafsc.tl.crosstalk.pairs import Candidate, Indexed, Resource, candidates, tests
from cafsc.tl.crosstalk.responses import Contrasts, against_elsewhere, footprint_sets
from cafsc.tl.crosstalk.rows import Answers, Levels, TalkRows, Tested
from cafsc.tl.crosstalk.table import talk_table
from cafsc.tl.score.controls import Index, false_discovery
from cafsc.tl.score.fibroblasts import tissue_bins

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue


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
        ``consensus``: the pairs of the catalogue and those of liana's consensus resource, ranked by liana.
        ``catalogue``: the pairs of the catalogue alone, without liana and its ranks.
    catalogue
        The shipped one if not given.
    levels
        Profiles of the lineages in other tumours; the shipped ones if not given.
    key_added
        The ``key_added`` of the run.
    config
        Thresholds and shuffles.
    seed
        Of the shuffles; the same seed gives the same table.

    Returns
    -------
    DataFrame, one row a pair and direction between two groups of cells, the pairs that the CAF literature names
    first; every pair of the catalogue has a row for each direction that its sources name, found or not.

    ``named`` : str
        ``named in the CAF literature``; ``named, in another direction`` where it names the pair between other
        cells; ``also found`` (up to the false discovery rate of `config`).
    ``direction``, ``source``, ``target`` : str
        Kinds of cells, and groups: ``caf:<cluster>`` or a kind of cell.
    ``standing`` : str
        ``pair and response``, ``pair`` (more than shuffled labels give), ``expressed``, ``sender potential`` (no
        such receivers here), ``not expressed``, ``too few cells``, ``no such cells here``, ``not measured here``;
        ``reason`` says why.
    ``source_level``, ``target_level`` : float64, natural log1p of counts per ten thousand
        Mean of ligand and receptor; of a complex its scarcest subunit.
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
    ``contrast``, ``contrast_p`` : float64
        Footprint of receivers with the receptor less that of receivers without it, at like depth, natural log units.
    ``effect``, ``evidence``, ``mechanism``, ``statement``, ``papers``, ``doi``, ``review_claims`` : str
        What is said of the pair, and where.

    Raises
    ------
    InputError
        If `cafsc.annotate` has not run.
    OptionError
        If the resource is not known, or liana is needed and not installed.

    Notes
    -----
    Expression of two partners in a dissociated tissue is a possibility, not a signal that was seen. Footprints have
    other causes too: they stand beside the pair, not for it.
    """
    if resource not in ("consensus", "catalogue"):
        raise OptionError(
            f"resource {resource!r}",
            expected="consensus or catalogue",
            fix="use one of these, or leave it out",
        )
    config = config or CrosstalkConfig()
    catalogue = catalogue or sig.load()
    levels = levels or reference_levels()
    groups = cell_groups(adata, catalogue, key_added)
    if not groups.cafs:
        return talk_table([])
    consensus = liana.consensus() if resource == "consensus" and groups.others else []
    found = candidates(catalogue.pairs.values(), consensus, groups)
    named = [_named_directions(candidate, groups, catalogue) for candidate in found]
    usable = [index for index, size in enumerate(groups.size) if size >= config.min_cells]
    indexed = Indexed.of(found)
    expression = Levels(indexed.complexes.level(groups.mean), indexed.complexes.level(groups.fraction))
    chosen, numbers = tests(
        found,
        indexed,
        expression.seen(groups.size, config.expr_prop, config.min_detected),
        expression.seen(groups.size, config.named_prop, config.min_detected),
        usable,
        {number: list(directions) for number, directions in enumerate(named) if directions},
        groups.cafs,
    )
    rows = thinned(groups.codes, config.max_cells, seed)
    score, p = permutation_p(
        groups.lognorm[rows],
        groups.codes[rows],
        len(groups.groups),
        indexed.complexes,
        chosen,
        config.n_perms,
        seed,
    )
    tested = Tested(chosen, numbers, score, p, false_discovery(p) if p.size else p)
    ranks = _ranks(groups, rows, found, tested, config, seed) if consensus else {}
    bins = tissue_bins(adata, key_added)
    sets = footprint_sets(catalogue, groups)
    answers = Answers(
        sets,
        against_elsewhere(groups, sets, bins, levels),
        Contrasts(groups, sets, bins, rows, config, seed),
        catalogue,
    )
    table = TalkRows(groups, found, named, indexed, expression, tested, ranks, answers, catalogue, config)
    return talk_table([*table.tested(), *table.untested()])


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


def _ranks(
    groups: Groups,
    rows: Index,
    found: Sequence[Candidate],
    tested: Tested,
    config: CrosstalkConfig,
    seed: int,
) -> Mapping[tuple[str, str, str, str], tuple[float, float]]:
    if not tested.candidate:
        return {}
    symbols = [""] * len(groups.columns)
    for symbol, column in groups.columns.items():
        symbols[column] = symbol
    names = [group.name for group in groups.groups]
    table = liana.rank_aggregate(
        groups.lognorm[rows],
        symbols,
        [names[code] for code in groups.codes[rows]],
        [_in_data(found[number], symbols) for number in dict.fromkeys(tested.candidate)],
        sorted({(names[s], names[t]) for s, t in zip(tested.tests.source, tested.tests.target, strict=True)}),
        expr_prop=config.expr_prop,
        min_cells=config.min_cells,
        n_perms=config.n_rank_perms,
        seed=seed,
    )
    return {
        key: (float(magnitude), float(specificity))
        for key, magnitude, specificity in zip(
            table.index, table["magnitude_rank"], table["specificity_rank"], strict=True
        )
    }


def _in_data(candidate: Candidate, symbols: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (
        tuple(symbols[column] for column in candidate.ligand_columns),
        tuple(symbols[column] for column in candidate.receptor_columns),
    )
