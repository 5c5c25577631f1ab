"""Ligand-receptor pairs: those of the catalogue and of liana's consensus resource, their tests and their ranks."""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc.errors import OptionError
from cafsc.sig.records import Pair
from cafsc.tl.crosstalk.groups import Groups
from cafsc.tl.score.controls import Array, Index

LIANA_SOURCE: dict[str, object] = {
    "evidence": "resource",
    "statement": "A pair of liana's consensus resource.",
    "papers": "Dimitrov 2022 Nat Commun",
    "doi": "10.1038/s41467-022-30755-0",
}
RANKS = ["magnitude_rank", "specificity_rank"]
# Share of a group's cells that must express a pair that the CAF literature names: shallow data detect a true
# receptor in few cells.
NAMED_PROP = 0.02
# Cells of a group in which a gene must be detected in any case.
MIN_DETECTED = 3
# Shuffles for the one of liana's methods that shuffles; it ranks, and its p is not reported.
N_RANK_PERMS = 100

Resource = Literal["consensus", "catalogue"]
Complex = tuple[str, ...]
Ranks = Mapping[tuple[str, str, str, str], tuple[float, float]]
"""Source, target, ligand, receptor -> magnitude and specificity rank of liana."""
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Candidate:
    """A pair that may be tested.

    `ligand` and `receptor` are human symbols of the subunits, followed by their columns, empty where the data lack one,
    and `symbols` both in the names of the data, subunits joined by ``_``. `pair` is that of the catalogue, None for
    pairs of the consensus resource alone. `named` holds the groups (source, target) between which the literature names
    it, with the direction in the words of the catalogue.
    """

    ligand: Complex
    receptor: Complex
    ligand_columns: tuple[int, ...]
    receptor_columns: tuple[int, ...]
    symbols: tuple[str, str]
    pair: Pair | None
    named: Mapping[tuple[int, int], str]

    @property
    def measured(self) -> bool:
        """Whether the data hold every subunit."""
        return bool(self.ligand_columns) and bool(self.receptor_columns)


def candidates(consensus: Sequence[tuple[Complex, Complex]], groups: Groups) -> list[Candidate]:
    """All pairs of the catalogue, then the other measured pairs of the consensus resource."""
    known = {(tuple(pair.ligand), tuple(pair.receptor)): pair for pair in groups.catalogue.pairs.values()}
    column = {gene: groups.column(gene) for one in (*known, *consensus) for part in one for gene in part}
    symbol = {place: name for name, place in groups.columns.items()}

    def columns(part: Complex) -> tuple[int, ...]:
        found = [column[gene] for gene in part]
        return tuple(place for place in found if place is not None) if None not in found else ()

    found = []
    for ligand, receptor in dict.fromkeys((*known, *consensus)):
        pair = known.get((ligand, receptor))
        named = _named_directions(pair, groups) if pair else {}
        one, two = columns(ligand), columns(receptor)
        symbols = ("_".join(symbol[place] for place in one), "_".join(symbol[place] for place in two))
        found.append(Candidate(ligand, receptor, one, two, symbols, pair, named))
    return [one for one in found if one.pair or one.measured]


def _named_directions(pair: Pair, groups: Groups) -> dict[tuple[int, int], str]:
    """Groups between which the literature names a pair, with the direction in its words."""
    out: dict[tuple[int, int], str] = {}
    for direction in pair.directions:
        sender, receiver = direction.split(">")
        for source, target in product(groups.matching(sender), groups.matching(receiver)):
            if source != target or sender == receiver:
                out.setdefault((source, target), direction)
    return out


@dataclass(frozen=True)
class Trials:
    """Pairs and directions that are tested.

    `complexes` (complexes x subunits) holds columns of genes; the last subunit of a short one is repeated. The other
    arrays have one value a trial: the number of its candidate, its ligand and receptor as complexes, and its groups.
    `ligand_alone` and `receptor_alone` mark partners in so few cells that they must also exceed shuffled labels by
    themselves.
    """

    complexes: Index
    candidate: Index
    ligand: Index
    receptor: Index
    source: Index
    target: Index
    ligand_alone: Bools
    receptor_alone: Bools


def scarcest(values: Array, complexes: Index) -> Array:
    """Groups x complexes from groups x genes: the level of the scarcest subunit."""
    return np.asarray(values[:, complexes].min(axis=2, initial=np.inf))


def choose_trials(found: Sequence[Candidate], groups: Groups) -> Trials:
    """Measured pairs in the directions in which both partners are expressed, a CAF cluster on one side at least.

    Directions that the literature names have a lower bar, and need no CAF cluster.
    """
    parts = [part for one in found if one.measured for part in (one.ligand_columns, one.receptor_columns)]
    number_of = {part: number for number, part in enumerate(dict.fromkeys(parts))}
    complexes = pd.DataFrame([*number_of]).ffill(axis=1).to_numpy(dtype=np.int64)
    fraction = scarcest(groups.fraction, complexes)
    enough = (fraction * groups.size[:, None] >= MIN_DETECTED - 0.5) & groups.is_large[:, None]
    expressed = (fraction >= groups.config.expr_prop) & enough
    expressed_named = (fraction >= NAMED_PROP) & enough
    is_caf = np.isin(np.arange(len(groups.groups)), groups.cafs)
    trials: list[tuple[int, ...]] = []
    for number, pair in enumerate(found):
        if pair.measured:
            one, two = number_of[pair.ligand_columns], number_of[pair.receptor_columns]
            chosen = np.outer(expressed[:, one], expressed[:, two]) & (is_caf[:, None] | is_caf)
            for ends in pair.named:
                chosen[ends] = expressed_named[ends[0], one] & expressed_named[ends[1], two]
            trials += [(number, one, two, *ends) for ends in np.argwhere(chosen)]
    candidate, ligand, receptor, source, target = np.array(trials, dtype=np.int64).reshape(-1, 5).T
    alone = ~expressed[source, ligand], ~expressed[target, receptor]
    return Trials(complexes, candidate, ligand, receptor, source, target, *alone)


def thinned(codes: Index, max_cells: int, seed: int) -> Index:
    """Rows of at most `max_cells` random cells of each group, in order."""
    random = np.random.default_rng(seed)
    rows = [np.flatnonzero(codes == group) for group in range(int(codes.max(initial=-1)) + 1)]
    drawn = [random.choice(one, max_cells, replace=False) if one.size > max_cells else one for one in rows]
    return np.sort(np.concatenate(drawn)) if drawn else np.zeros(0, dtype=np.int64)


def permutation_p(
    lognorm: sparse.csr_matrix, codes: Index, n_groups: int, trials: Trials, n_perms: int, seed: int
) -> tuple[Array, Array]:
    """Score of each trial, and its p value over `n_perms` shuffles of the labels of all cells.

    `lognorm` is cells x genes, `codes` the group of each cell. The score is the product of two mean log-expressions.
    p is (1 + shuffles that reach the score) / (1 + shuffles), as in CellPhoneDB (doi:10.1038/s41596-020-0292-x), whose
    mean of the partners does not notice a missing one. A scarce partner has a p value of its own, and the largest p
    counts: a strong ligand does not make up for a receptor of stray counts.
    """
    size = np.maximum(np.bincount(codes, minlength=n_groups), 1).astype(np.float64)
    used, members = np.unique(trials.complexes, return_inverse=True)
    members = members.reshape(trials.complexes.shape)
    values = sparse.csr_matrix(lognorm[:, used])
    cells = np.arange(codes.size)

    def level(labels: Index) -> Array:
        group = sparse.csr_matrix((1.0 / size[labels], (labels, cells)), shape=(n_groups, codes.size))
        return scarcest((group @ values).toarray(), members)

    def scored(level: Array) -> Array:
        return np.asarray(level[trials.source, trials.ligand] * level[trials.target, trials.receptor])

    observed = level(codes)
    score = scored(observed)
    random = np.random.default_rng(seed)
    reached, alone = np.zeros(score.size), np.zeros(observed.shape)
    # Sums in another order differ in the last bits; a tie must stay a tie.
    tie = 1 - 1e-9
    for _ in range(n_perms):
        shuffled = level(random.permutation(codes))
        reached += scored(shuffled) >= score * tie
        alone += shuffled >= observed * tie
    reached = np.maximum(reached, np.where(trials.ligand_alone, alone[trials.source, trials.ligand], 0))
    reached = np.maximum(reached, np.where(trials.receptor_alone, alone[trials.target, trials.receptor], 0))
    return score, (1 + reached) / (1 + n_perms)


def require_liana() -> Any:
    """Import liana, or say how to install it and how to do without."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("liana")
    except ImportError as error:
        reason = "the consensus resource needs the package liana, which is not installed"
        fix = 'pip install "cafsc[crosstalk]", or use the pairs of the catalogue alone: resource="catalogue"'
        raise OptionError(reason, fix=fix) from error


def consensus_pairs() -> list[tuple[Complex, Complex]]:
    """Human subunits of ligand and receptor of every pair of liana's consensus resource, sorted."""
    table = require_liana().rs.select_resource("consensus")
    pairs = zip(table["ligand"].astype(str), table["receptor"].astype(str), strict=True)
    return sorted({(tuple(ligand.split("_")), tuple(receptor.split("_"))) for ligand, receptor in pairs})


def liana_ranks(groups: Groups, cells: Index, tests: Iterable[tuple[str, str, str, str]], seed: int) -> Ranks:
    """Ranks of pairs by the agreement of liana's methods (doi:10.1038/s41467-022-30755-0), in some `cells`.

    `tests` are source, target, ligand and receptor, subunits joined by ``_``. The ranks are robust rank aggregates in
    0..1, small is strong.
    """
    liana = require_liana()
    from anndata import AnnData

    wanted = pd.DataFrame(sorted(tests), columns=["source", "target", "ligand", "receptor"])
    resource = wanted[["ligand", "receptor"]].drop_duplicates()
    used = {gene for pair in resource.to_numpy().ravel() for gene in pair.split("_")}
    columns = {symbol: column for symbol, column in groups.columns.items() if symbol in used}
    labels = pd.Categorical([groups.groups[code].name for code in groups.codes[cells]])
    adata = AnnData(
        sparse.csr_matrix(groups.lognorm[cells][:, list(columns.values())], dtype=np.float32),
        obs=pd.DataFrame({"group": labels}, index=[str(cell) for cell in cells]),
        var=pd.DataFrame(index=list(columns)),
    )
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        table = liana.mt.rank_aggregate(
            adata,
            groupby="group",
            resource=resource,
            groupby_pairs=wanted[["source", "target"]].drop_duplicates(),
            use_raw=False,
            inplace=False,
            expr_prop=groups.config.expr_prop,
            min_cells=groups.config.min_cells,
            n_perms=N_RANK_PERMS,
            seed=seed,
        )
    keys = ["source", "target", "ligand_complex", "receptor_complex"]
    ranks = table.drop_duplicates(keys).set_index(keys)[RANKS].astype(float)
    return dict(zip(ranks.index, ranks.itertuples(index=False, name=None), strict=True))
