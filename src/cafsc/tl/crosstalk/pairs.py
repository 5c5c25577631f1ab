"""Ligand-receptor pairs: those of the catalogue and of liana's consensus resource, their tests and their ranks."""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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

Resource = Literal["consensus", "catalogue"]
Complex = tuple[str, ...]
Ranks = Mapping[tuple[str, str, str, str], tuple[float, float]]
"""Source, target, ligand, receptor -> magnitude and specificity rank of liana."""
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Candidate:
    """A pair that may be tested: human symbols of the subunits, and their columns; none where the data lack one.

    `pair` is that of the catalogue, None for pairs of the consensus resource alone.
    """

    ligand: Complex
    receptor: Complex
    pair: Pair | None
    ligand_columns: tuple[int, ...]
    receptor_columns: tuple[int, ...]

    @property
    def label(self) -> str:
        """``LIGAND-RECEPTOR``, subunits joined by ``+``."""
        return f"{'+'.join(self.ligand)}-{'+'.join(self.receptor)}"

    @property
    def measured(self) -> bool:
        """Whether the data hold every subunit."""
        return bool(self.ligand_columns) and bool(self.receptor_columns)


def candidates(consensus: Sequence[tuple[Complex, Complex]], groups: Groups) -> list[Candidate]:
    """All pairs of the catalogue, then the other measured pairs of the consensus resource."""
    named = {(tuple(pair.ligand), tuple(pair.receptor)): pair for pair in groups.catalogue.pairs.values()}
    column = {gene: groups.column(gene) for one in (*named, *consensus) for part in one for gene in part}

    def columns(part: Complex) -> tuple[int, ...]:
        found = [column[gene] for gene in part]
        return tuple(place for place in found if place is not None) if None not in found else ()

    found = [
        Candidate(ligand, receptor, named.get((ligand, receptor)), columns(ligand), columns(receptor))
        for ligand, receptor in dict.fromkeys((*named, *consensus))
    ]
    return [one for one in found if one.pair or one.measured]


@dataclass(frozen=True)
class Complexes:
    """Ligands and receptors: the columns of all subunits in a row, and where each complex begins."""

    members: Index
    start: Index

    @classmethod
    def of(cls, columns: Sequence[Sequence[int]]) -> Complexes:
        """From the columns of each complex, none of them empty."""
        sizes = [len(one) for one in columns]
        flat = np.array([column for one in columns for column in one], dtype=np.int64)
        return cls(flat, np.cumsum([0, *sizes[:-1]], dtype=np.int64))

    def level(self, values: Array) -> Array:
        """Groups x complexes from groups x genes: the level of the scarcest subunit."""
        if not self.members.size:
            return np.zeros((values.shape[0], 0))
        return np.asarray(np.minimum.reduceat(values[:, self.members], self.start, axis=1))


@dataclass(frozen=True)
class Trials:
    """Pairs and directions that are tested, as arrays of one length.

    `ligand` and `receptor` are complexes, `source` and `target` groups. `ligand_alone` and `receptor_alone` mark
    partners in so few cells that they must also exceed shuffled labels by themselves.
    """

    candidate: Index
    ligand: Index
    receptor: Index
    source: Index
    target: Index
    ligand_alone: Bools
    receptor_alone: Bools

    def score(self, level: Array) -> Array:
        """Level of the ligand in the sender times that of the receptor in the receiver."""
        return np.asarray(level[self.source, self.ligand] * level[self.target, self.receptor])


def choose_trials(
    ligand: Index, receptor: Index, expressed: Bools, expressed_named: Bools, around: Bools, named: Bools
) -> Trials:
    """Pairs and directions in which both partners are expressed.

    `ligand` and `receptor` are the complex of each candidate, -1 where it is not measured. `expressed` and
    `expressed_named` are groups x complexes; the second, with a lower bar, is for `named` directions (candidates x
    groups x groups). `around` (groups x groups) are the directions from or to a CAF cluster.
    """
    measured = np.flatnonzero(ligand >= 0)

    def both(seen: Bools) -> Bools:
        return seen[:, ligand[measured]].T[:, :, None] & seen[:, receptor[measured]].T[:, None, :]

    chosen = np.where(named[measured], both(expressed_named), both(expressed) & around)
    place, source, target = np.nonzero(chosen)
    candidate = measured[place]
    one, two = ligand[candidate], receptor[candidate]
    return Trials(candidate, one, two, source, target, ~expressed[source, one], ~expressed[target, two])


def thinned(codes: Index, max_cells: int, seed: int) -> Index:
    """Rows of at most `max_cells` random cells of each group, in order."""
    random = np.random.default_rng(seed)
    rows = [np.flatnonzero(codes == group) for group in range(int(codes.max(initial=-1)) + 1)]
    drawn = [random.choice(one, max_cells, replace=False) if one.size > max_cells else one for one in rows]
    return np.sort(np.concatenate(drawn)) if drawn else np.zeros(0, dtype=np.int64)


def permutation_p(
    lognorm: sparse.csr_matrix,
    codes: Index,
    n_groups: int,
    complexes: Complexes,
    trials: Trials,
    n_perms: int,
    seed: int,
) -> tuple[Array, Array]:
    """Score of each trial, and its p value over `n_perms` shuffles of the labels of all cells.

    `lognorm` is cells x genes, `codes` the group of each cell. The score is the product of two mean log-expressions.
    p is (1 + shuffles that reach the score) / (1 + shuffles), as in CellPhoneDB (doi:10.1038/s41596-020-0292-x), whose
    mean of the partners does not notice a missing one. A scarce partner has a p value of its own, and the largest p
    counts: a strong ligand does not make up for a receptor of stray counts.
    """
    size = np.maximum(np.bincount(codes, minlength=n_groups), 1).astype(np.float64)
    used, members = np.unique(complexes.members, return_inverse=True)
    values = sparse.csr_matrix(lognorm[:, used])
    complexes = Complexes(members.astype(np.int64), complexes.start)
    cells = np.arange(codes.size)

    def level(labels: Index) -> Array:
        group = sparse.csr_matrix((1.0 / size[labels], (labels, cells)), shape=(n_groups, codes.size))
        return complexes.level(np.asarray((group @ values).todense(), dtype=np.float64))

    observed = level(codes)
    score = trials.score(observed)
    random = np.random.default_rng(seed)
    reached, alone = np.zeros(score.size), np.zeros(observed.shape)
    # Sums in another order differ in the last bits; a tie must stay a tie.
    tie = 1 - 1e-9
    for _ in range(n_perms):
        shuffled = level(random.permutation(codes))
        reached += trials.score(shuffled) >= score * tie
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
        raise OptionError(
            "the consensus resource needs the package liana, which is not installed",
            fix='pip install "cafsc[crosstalk]", or use the pairs of the catalogue alone: resource="catalogue"',
        ) from error


def consensus_pairs() -> list[tuple[Complex, Complex]]:
    """Human subunits of ligand and receptor of every pair of liana's consensus resource, sorted."""
    table = require_liana().rs.select_resource("consensus")
    pairs = zip(table["ligand"].astype(str), table["receptor"].astype(str), strict=True)
    return sorted({(tuple(ligand.split("_")), tuple(receptor.split("_"))) for ligand, receptor in pairs})


def liana_ranks(
    lognorm: sparse.csr_matrix,
    symbols: Sequence[str],
    labels: Sequence[str],
    tests: Iterable[tuple[str, str, str, str]],
    **options: Any,
) -> Ranks:
    """Ranks of pairs by the agreement of liana's methods (doi:10.1038/s41467-022-30755-0).

    `lognorm` is cells x genes, with the `symbols` of the genes and the `labels` of the cells. `tests` are source,
    target, ligand and receptor, subunits joined by ``_``. The ranks are robust rank aggregates in 0..1, small is
    strong. `options` are those of `liana.mt.rank_aggregate`.
    """
    liana = require_liana()
    from anndata import AnnData

    keys = ["source", "target", "ligand_complex", "receptor_complex"]
    wanted = pd.DataFrame(sorted(tests), columns=["source", "target", "ligand", "receptor"])
    resource = wanted[["ligand", "receptor"]].drop_duplicates()
    used = {gene for pair in resource.to_numpy().ravel() for gene in pair.split("_")}
    columns = [column for column, symbol in enumerate(symbols) if symbol in used]
    adata = AnnData(
        sparse.csr_matrix(lognorm[:, columns], dtype=np.float32),
        obs=pd.DataFrame({"group": pd.Categorical(list(labels))}, index=[str(n) for n in range(len(labels))]),
        var=pd.DataFrame(index=[symbols[column] for column in columns]),
    )
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        table = liana.mt.rank_aggregate(
            adata,
            groupby="group",
            resource=resource,
            groupby_pairs=wanted[["source", "target"]].drop_duplicates(),
            aggregate_method="rra",
            use_raw=False,
            n_jobs=1,
            inplace=False,
            verbose=False,
            **options,
        )
    ranks = table.drop_duplicates(keys).set_index(keys)[RANKS].astype(float)
    return dict(zip(ranks.index, ranks.itertuples(index=False, name=None), strict=True))
