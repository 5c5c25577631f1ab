"""Whether receivers answer: footprints in groups of cells, and beside the receptor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from cafsc._config import CrosstalkConfig
from cafsc._keys import FIBROBLAST
from cafsc.sig import Catalogue
from cafsc.sig.records import Recipients
from cafsc.sig.reference import ReferenceLevels
from cafsc.tl.crosstalk.groups import CAF, Groups
from cafsc.tl.crosstalk.pair_tests import stratified_contrast
from cafsc.tl.score.controls import (
    Array,
    Index,
    SetColumns,
    control_corrected,
    correlation_inflation,
    false_discovery,
    null_deviation,
)
from cafsc.tl.score.set_columns import set_columns
from cafsc.tl.score.statistics import upper_tail
from cafsc.tl.score.table import cluster_effects
from cafsc.tl.score.tissue_level import TARGET_SUM, profiles_in

PROGRAM = "program"
RESPONSE = "response"
MIN_GENES = 3
"""Genes of a footprint that the data must hold."""


def footprint_sets(catalogue: Catalogue, groups: Groups) -> dict[str, SetColumns]:
    """Columns of every footprint that the catalogue names, by ``program:<id>`` or ``response:<id>``."""
    recipients = catalogue.recipients
    names = dict.fromkeys(name for listed in recipients.footprints.values() for name in listed)
    out = {}
    for name in names:
        entry = _entry(catalogue, name)
        if entry is None:
            continue
        columns = set_columns(*entry, "human", groups.species, groups.columns)
        if columns.n_found >= MIN_GENES:
            out[name] = columns
    return out


def _entry(catalogue: Catalogue, name: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    kind, _, key = name.partition(":")
    known: Mapping[str, object] = catalogue.programs if kind == PROGRAM else catalogue.recipients.responses
    found = known.get(key)
    return None if found is None else (tuple(found.up), tuple(found.down))  # type: ignore[attr-defined]


def footprint_of(
    mechanisms: Sequence[str],
    receiver: str,
    lineage: str,
    recipients: Recipients,
    known: Mapping[str, object],
) -> str:
    """First footprint of a pair's mechanisms that such a receiver can show; empty if there is none.

    Parameters
    ----------
    mechanisms
        Of the pair, the most telling one first.
    receiver, lineage
        Name and lineage of the receiving group.
    known
        Footprints that the data can show.
    """
    for mechanism in mechanisms:
        for name in recipients.footprints.get(mechanism, ()):
            kind, _, key = name.partition(":")
            if name in known and (kind == PROGRAM or _can(recipients, key, receiver, lineage)):
                return name
    return ""


def _can(recipients: Recipients, response: str, receiver: str, lineage: str) -> bool:
    for word in recipients.responses[response].cells:
        cell = recipients.cells.get(word)
        if word == receiver or (word == CAF and lineage == CAF):
            return True
        if cell is not None and not cell.core and cell.lineage == lineage:
            return True
    return False


@dataclass(frozen=True)
class Effects:
    """Sets in groups of cells against matched random sets.

    Attributes
    ----------
    names
        Of the sets.
    effect
        Groups x sets: score in standard deviations of random sets of like expression.
    fdr
        Groups x sets: Benjamini-Hochberg over all of them, one-sided, for sets that are high.
    """

    names: tuple[str, ...]
    effect: Array
    fdr: Array

    def of(self, group: int, name: str) -> tuple[float, float]:
        """Effect and its false discovery rate."""
        column = self.names.index(name)
        return float(self.effect[group, column]), float(self.fdr[group, column])


def effects(groups: Groups, sets: Mapping[str, SetColumns], bins: Index) -> Effects:
    """Calibrate the scores of all groups; see `cafsc.tl.score.table.cluster_effects`.

    Parameters
    ----------
    bins
        Expression bin of each gene over the tissue.
    """
    found = cluster_effects(groups.mean, groups.lognorm, groups.membership, bins, list(sets.values()))
    p = upper_tail(found.effect)
    return Effects(tuple(sets), found.effect, false_discovery(p) if p.size else p)


def against_elsewhere(
    groups: Groups,
    sets: Mapping[str, SetColumns],
    bins: Index,
    levels: ReferenceLevels,
    *,
    min_genes: int = 1,
) -> Effects:
    """Sets in groups of cells, compared with cells of the same lineage in other tumours.

    Parameters
    ----------
    sets
        Columns of each set.
    bins
        Expression bin of each gene over the tissue.
    levels
        Profiles of the lineages elsewhere.
    min_genes
        Genes of a set that the data and the profile must both hold.

    Returns
    -------
    By how much the log levels of a set's genes differ from those of the lineage's profile, in standard deviations of
    random sets of like expression, whose genes differ between any two samples too. A macrophage always holds what
    macrophages hold: only what it holds beyond is an answer. NaN where there is no profile of the lineage, or where
    too few genes are known.
    """
    profiles = profiles_in(levels.profiles, groups.columns, groups.lognorm.shape[1], groups.species)
    linear = groups.lognorm.copy()
    linear.data = np.expm1(linear.data)
    level = np.asarray((linear.T @ groups.membership).T) / np.maximum(groups.size, 1)[:, None]
    effect = np.full((len(groups.groups), len(sets)), np.nan)
    for index, group in enumerate(groups.groups):
        profile = profiles.get(FIBROBLAST if group.lineage == CAF else group.lineage)
        if profile is None or not groups.size[index]:
            continue
        known = np.flatnonzero(np.isfinite(profile))
        kept = {name: _within(columns, known) for name, columns in sets.items()}
        usable = [number for number, one in enumerate(kept.values()) if one.n_found >= min_genes]
        if not usable or not profile[known].sum() or not level[index, known].sum():
            continue
        change = np.log1p(_scaled(level[index, known])) - np.log1p(_scaled(profile[known]))
        members = [list(kept.values())[number] for number in usable]
        cells = groups.lognorm[np.flatnonzero(groups.codes == index)][:, known]
        inflation = correlation_inflation(cells, np.ones((cells.shape[0], 1)), members)[0]
        score = control_corrected(sparse.csr_matrix(change[None, :]), bins[known], members)[0]
        deviation = null_deviation(change[None, :], bins[known], members)[0] * np.sqrt(inflation)
        effect[index, usable] = np.divide(score, deviation, out=np.zeros_like(score), where=deviation > 0)
    p = upper_tail(effect)
    fdr = np.full_like(p, np.nan)
    told = np.isfinite(p)
    if told.any():
        fdr[told] = false_discovery(p[told])
    return Effects(tuple(sets), effect, fdr)


def _scaled(level: Array) -> Array:
    return np.asarray(level * (TARGET_SUM / level.sum()))


def _within(columns: SetColumns, known: Index) -> SetColumns:
    """The columns of a set among some columns, by their place there."""

    def place(members: Index) -> Index:
        return np.searchsorted(known, members[np.isin(members, known)]).astype(np.int64)

    return SetColumns(place(columns.up), place(columns.down), columns.n_genes)


class Contrasts:
    """Answers of cells with a receptor against those without, each computed once.

    Parameters
    ----------
    rows
        Cells that take part, by row number.
    """

    def __init__(
        self,
        groups: Groups,
        sets: Mapping[str, SetColumns],
        bins: Index,
        rows: Index,
        config: CrosstalkConfig,
        seed: int,
    ) -> None:
        self._groups = groups
        self._codes = groups.codes[rows]
        self._lognorm = groups.lognorm[rows]
        self._names = tuple(sets)
        self._scores = control_corrected(self._lognorm, bins, list(sets.values()))
        self._depth = np.diff(self._lognorm.indptr).astype(np.float64)
        self._by_gene = self._lognorm.tocsc()
        self._config = config
        self._seed = seed
        self._known: dict[tuple[str, int, tuple[int, ...]], tuple[float, float]] = {}

    def of(self, name: str, group: int, receptor: Sequence[int]) -> tuple[float, float]:
        """Difference (natural log units) and its p; NaN where either kind has too few cells."""
        key = (name, group, tuple(receptor))
        if key not in self._known:
            self._known[key] = self._compute(*key)
        return self._known[key]

    def fdr(self) -> dict[tuple[str, int, tuple[int, ...]], float]:
        """Benjamini-Hochberg over everything that was asked so far and could be told."""
        told = {key: p for key, (_, p) in self._known.items() if not np.isnan(p)}
        adjusted = false_discovery(np.array(list(told.values()))) if told else ()
        return {key: float(value) for key, value in zip(told, adjusted, strict=True)}

    def _compute(self, name: str, group: int, receptor: tuple[int, ...]) -> tuple[float, float]:
        inside = np.flatnonzero(self._codes == group)
        positive = (self._by_gene[:, list(receptor)].toarray() > 0).all(axis=1)[inside]
        few = self._config.min_cells
        if positive.sum() < few or (~positive).sum() < few:
            return float("nan"), float("nan")
        values = self._scores[inside, self._names.index(name)]
        return stratified_contrast(values, positive, self._depth[inside], self._config.n_perms, self._seed)
