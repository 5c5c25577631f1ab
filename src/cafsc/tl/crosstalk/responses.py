"""Responses of receivers: gene sets of a mechanism in groups of cells, and in cells with and without a receptor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats

from cafsc._config import CrosstalkConfig
from cafsc._keys import FIBROBLAST
from cafsc.sig.reference import ReferenceLevels
from cafsc.tl.crosstalk.groups import CAF, Group, Groups
from cafsc.tl.crosstalk.table import NAMED, Row, Status, result, source_of_program
from cafsc.tl.score import controls
from cafsc.tl.score.controls import Array, Index, SetColumns, control_corrected
from cafsc.tl.score.table import cluster_effects
from cafsc.tl.score.tissue_level import TARGET_SUM, profiles_in

PROGRAM = "program"
MIN_GENES = 3
"""Genes of a footprint that the data must hold."""

Contrast = tuple[str, int, tuple[int, ...]]
"""Footprint, receiving group, columns of the receptor."""


@dataclass(frozen=True)
class Effects:
    """Gene sets in groups of cells against matched random sets.

    `effect` (groups x sets) is the score in standard deviations of random sets of like expression, NaN where unknown.
    `fdr` is Benjamini-Hochberg over all of them, one-sided, for high scores.
    """

    sets: Mapping[str, SetColumns]
    effect: Array
    fdr: Array

    def of(self, group: int, name: str) -> tuple[float, float]:
        """Effect and its false discovery rate."""
        column = [*self.sets].index(name)
        return float(self.effect[group, column]), float(self.fdr[group, column])

    def row(self, group: int, name: str) -> Row:
        """Columns of a row."""
        effect, fdr = self.of(group, name)
        return {"response": name, "response_effect": effect, "response_fdr": fdr}

    def is_high(self, group: int, name: str, config: CrosstalkConfig) -> bool:
        """Whether the set is high beyond chance."""
        effect, fdr = self.of(group, name)
        return effect >= config.min_effect and fdr <= config.max_fdr


def program_rows(
    groups: Groups, kind: str, names: Iterable[str], side: str, shown: Iterable[int], config: CrosstalkConfig
) -> Iterator[Row]:
    """Rows of programmes of the catalogue in some groups."""
    catalogue = groups.catalogue
    known = {name: catalogue.programs[name] for name in names if name in catalogue.programs}
    sets = {name: groups.set_columns(program.up, program.down) for name, program in known.items()}
    found = effects(groups, sets)
    for name, columns in sets.items():
        base: Row = {"kind": kind, "named": NAMED, "id": name, "label": known[name].label}
        base |= {"response": f"program:{name}", "reason": f"{columns.n_found} of {columns.n_genes} genes"}
        base |= source_of_program(catalogue, name)
        for group in shown:
            row = base | groups.side(side, group)
            if columns.n_found:
                status = Status.RAISED if found.is_high(group, name, config) else Status.NOT_RAISED
                yield row | found.row(group, name) | {"response": f"program:{name}", "status": status}
            else:
                yield row | result(Status.NOT_MEASURED, "the data lack all its genes")


class Footprints:
    """Footprints of the mechanisms of the catalogue in the receivers, compared with cells in other tumours."""

    def __init__(self, groups: Groups, levels: ReferenceLevels) -> None:
        self.groups, self.recipients = groups, groups.catalogue.recipients
        sets = {}
        for name in dict.fromkeys(name for names in self.recipients.footprints.values() for name in names):
            kind, _, key = name.partition(":")
            known = groups.catalogue.programs if kind == PROGRAM else self.recipients.responses
            if key in known:
                sets[name] = groups.set_columns(known[key].up, known[key].down)
        self.sets = {name: columns for name, columns in sets.items() if columns.n_found >= MIN_GENES}
        self.effects = against_elsewhere(groups, self.sets, levels)

    def of(self, mechanisms: Iterable[str], group: int) -> str:
        """First footprint of the mechanisms, the most important first, that a group can show; "" without one."""
        receiver = self.groups.groups[group]
        for mechanism in mechanisms:
            for name in self.recipients.footprints.get(mechanism, ()):
                kind, _, key = name.partition(":")
                if name in self.sets and (kind == PROGRAM or self._can_respond(key, receiver)):
                    return name
        return ""

    def _can_respond(self, response: str, receiver: Group) -> bool:
        for word in self.recipients.responses[response].cells:
            cell = self.recipients.cells.get(word)
            is_lineage = cell is not None and not cell.core and cell.lineage == receiver.lineage
            if word == receiver.name or (word == CAF and receiver.lineage == CAF) or is_lineage:
                return True
        return False


def adjusted(p: Array) -> Array:
    """Benjamini-Hochberg over all finite p values; NaN stays."""
    out = np.full(np.shape(p), np.nan)
    finite = np.isfinite(p)
    if finite.any():
        out[finite] = stats.false_discovery_control(p[finite])
    return out


def effects(groups: Groups, sets: Mapping[str, SetColumns]) -> Effects:
    """Gene sets in all groups; see `cafsc.tl.score.table.cluster_effects`."""
    found = cluster_effects(groups.mean, groups.lognorm, groups.membership, groups.bins, list(sets.values()))
    return Effects(sets, found.effect, adjusted(stats.norm.sf(found.effect)))


def against_elsewhere(groups: Groups, sets: Mapping[str, SetColumns], levels: ReferenceLevels) -> Effects:
    """Gene sets in groups of cells, compared with the profile of their lineage in other tumours.

    The effect is the difference of a set's log levels from the profile, in standard deviations of random sets of like
    expression, whose genes also differ between samples. Genes that every macrophage expresses are no response of a
    macrophage. NaN without a profile of the lineage, or without a known gene of the set.
    """
    profiles = profiles_in(levels.profiles, groups.columns, groups.lognorm.shape[1], groups.species)
    linear = groups.lognorm.copy()
    linear.data = np.expm1(linear.data)
    level = groups.per_group(linear)
    effect = np.full((len(groups.groups), len(sets)), np.nan)
    for index, group in enumerate(groups.groups):
        profile = profiles.get(FIBROBLAST if group.lineage == CAF else group.lineage)
        if profile is None or not groups.size[index]:
            continue
        known = np.flatnonzero(np.isfinite(profile))
        kept = [_within(columns, known) for columns in sets.values()]
        usable = np.flatnonzero([columns.n_found > 0 for columns in kept])
        if not usable.size or not profile[known].sum() or not level[index, known].sum():
            continue
        members = [kept[number] for number in usable]
        change = (_log_scaled(level[index, known]) - _log_scaled(profile[known]))[None, :]
        cells = groups.lognorm[np.flatnonzero(groups.codes == index)][:, known]
        inflation = controls.correlation_inflation(cells, np.ones((cells.shape[0], 1)), members)[0]
        score = control_corrected(sparse.csr_matrix(change), groups.bins[known], members)[0]
        deviation = controls.null_deviation(change, groups.bins[known], members)[0] * np.sqrt(inflation)
        effect[index, usable] = np.divide(score, deviation, out=np.zeros_like(score), where=deviation > 0)
    return Effects(sets, effect, adjusted(stats.norm.sf(effect)))


def _log_scaled(level: Array) -> Array:
    return np.asarray(np.log1p(level * (TARGET_SUM / level.sum())))


def _within(columns: SetColumns, known: Index) -> SetColumns:
    """A set as places among the sorted columns `known`; other columns are left out."""
    up, down = (
        np.searchsorted(known, members[np.isin(members, known)]).astype(np.int64)
        for members in (columns.up, columns.down)
    )
    return SetColumns(up, down, columns.n_genes)


def receptor_contrasts(
    groups: Groups,
    sets: Mapping[str, SetColumns],
    cells: Index,
    wanted: Iterable[Contrast],
    config: CrosstalkConfig,
    seed: int,
) -> dict[Contrast, Row]:
    """Footprints of cells with a receptor against cells of the same group without it, among some `cells`.

    Returns for each contrast the columns ``contrast`` (natural log units), ``contrast_p`` and ``contrast_fdr``
    (Benjamini-Hochberg over all contrasts); NaN with fewer than `min_cells` cells of either kind.
    """
    codes, lognorm = groups.codes[cells], groups.lognorm[cells]
    scores = dict(zip(sets, control_corrected(lognorm, groups.bins, list(sets.values())).T, strict=True))
    depth = np.diff(lognorm.indptr).astype(np.float64)
    by_gene = lognorm.tocsc()
    found: dict[Contrast, tuple[float, float]] = {}
    for name, group, receptor in dict.fromkeys(wanted):
        inside = np.flatnonzero(codes == group)
        positive = (by_gene[:, list(receptor)].toarray() > 0).all(axis=1)[inside]
        found[name, group, receptor] = (
            stratified_contrast(scores[name][inside], positive, depth[inside], config.n_perms, seed)
            if min(positive.sum(), (~positive).sum()) >= config.min_cells
            else (np.nan, np.nan)
        )
    fdr = adjusted(np.array([p for _, p in found.values()]))
    return {
        key: {"contrast": difference, "contrast_p": p, "contrast_fdr": float(one)}
        for (key, (difference, p)), one in zip(found.items(), fdr, strict=True)
    }


def stratified_contrast(
    values: Array, positive: Array, depth: Array, n_perms: int, seed: int, n_strata: int = 5
) -> tuple[float, float]:
    """Difference between cells with and without a receptor at the same depth, and its p value.

    `values` is the score of each cell, `positive` whether it has the receptor, `depth` its number of detected genes:
    receptors are detected more often in deep cells. Returns the mean difference within strata of depth, weighted by
    their cells, and its two-sided p value over labels shuffled within the strata; NaN where no stratum holds both.
    """
    rank = np.argsort(np.argsort(depth, kind="stable"), kind="stable")
    stratum = rank * n_strata // max(values.size, 1)
    positive = np.asarray(positive, dtype=bool)
    n_in = np.bincount(stratum, minlength=n_strata)
    n_positive = np.bincount(stratum, weights=positive, minlength=n_strata)
    usable = (n_positive > 0) & (n_positive < n_in)
    if not usable.any():
        return float("nan"), float("nan")
    # The contrast is linear in the labels, so every shuffle is one row of a product.
    total = n_in[usable].sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(usable, n_in / total / n_positive, 0.0)[stratum]
        down = np.where(usable, n_in / total / (n_in - n_positive), 0.0)[stratum]

    def contrast(labels: Array) -> Array:
        return np.asarray(np.where(labels, values * up, -values * down).sum(axis=-1))

    observed = float(contrast(positive))
    order = np.argsort(stratum, kind="stable")
    keys = stratum[order] + np.random.default_rng(seed).random((n_perms, values.size))
    shuffled = np.empty((n_perms, values.size), dtype=bool)
    shuffled[:, order] = positive[order][np.argsort(keys, axis=1)]
    reached = np.abs(contrast(shuffled)) >= abs(observed) * (1 - 1e-9)
    return observed, float((1 + reached.sum()) / (1 + n_perms))
