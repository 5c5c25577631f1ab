"""Responses of receivers: gene sets of a mechanism in groups of cells, and in cells with and without a receptor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from scipy import stats

from cafsc._config import CrosstalkConfig
from cafsc._keys import FIBROBLAST
from cafsc.sig.reference import ReferenceLevels
from cafsc.tl.crosstalk.groups import ANY, CAF, Groups
from cafsc.tl.crosstalk.table import NAMED, Row, Status, result, source_of_program
from cafsc.tl.score.controls import Array, Index, SetColumns, control_corrected
from cafsc.tl.score.table import cluster_effects
from cafsc.tl.score.tissue_level import TARGET_SUM, profiles_in

PROGRAM = "program"
MIN_GENES = 3
"""Genes of a footprint that the data must hold."""

Contrast = tuple[str, int, tuple[int, ...]]
"""Footprint, receiving group, columns of the receptor."""
Responses = Mapping[str, Sequence[Row]]
"""Set -> columns of a row for each group.

``response_effect`` is the score in standard deviations of random sets of like expression, NaN where unknown.
``response_fdr`` is Benjamini-Hochberg over all sets and groups, one-sided, for high scores.
"""


def responses(sets: Iterable[str], effect: Array) -> Responses:
    """From the `effect` (groups x sets)."""
    fdr = adjusted(stats.norm.sf(effect))
    out: dict[str, list[Row]] = {}
    for column, name in enumerate(sets):
        pairs = zip(effect[:, column], fdr[:, column], strict=True)
        out[name] = [{"response": name, "response_effect": one, "response_fdr": rate} for one, rate in pairs]
    return out


def is_high(row: Row, config: CrosstalkConfig) -> bool:
    """Whether the response of a row is high beyond chance; False where it is not known."""
    effect, fdr = row.get("response_effect", np.nan), row.get("response_fdr", np.nan)
    return bool(effect >= config.min_effect and fdr <= config.max_fdr)


def program_rows(
    groups: Groups, kind: str, names: Iterable[str], side: str, shown: Iterable[int]
) -> Iterator[Row]:
    """Rows of programmes of the catalogue in some groups."""
    catalogue = groups.catalogue
    known = {name: catalogue.programs[name] for name in names if name in catalogue.programs}
    sets = {name: groups.set_columns(program.up, program.down) for name, program in known.items()}
    members = list(sets.values())
    scores = cluster_effects(groups.mean, groups.lognorm, groups.membership, groups.bins, members)
    found = responses(sets, scores.effect)
    for name, columns in sets.items():
        base: Row = {"kind": kind, "named": NAMED, "id": name, "label": known[name].label}
        base |= {"reason": f"{columns.n_found} of {columns.n_genes} genes", "response": f"program:{name}"}
        base |= source_of_program(catalogue, name)
        for group in shown:
            row = found[name][group] | base | groups.side(side, group)
            row["status"] = Status.RAISED if is_high(row, groups.config) else Status.NOT_RAISED
            if not columns.n_found:
                row |= result(Status.NOT_MEASURED, "the data lack all its genes")
                row["response_effect"] = row["response_fdr"] = np.nan
            yield row


class Footprints:
    """Footprints of the mechanisms of the catalogue in the receivers, compared with cells in other tumours."""

    def __init__(self, groups: Groups, levels: ReferenceLevels) -> None:
        programs, recipients = groups.catalogue.programs, groups.catalogue.recipients
        self.of_mechanism = recipients.footprints
        self.sets: dict[str, SetColumns] = {}
        self.receivers: dict[str, set[int]] = {}
        for name in dict.fromkeys(name for names in self.of_mechanism.values() for name in names):
            kind, _, key = name.partition(":")
            known = programs.get(key) if kind == PROGRAM else recipients.responses.get(key)
            columns = groups.set_columns(known.up, known.down) if known else None
            if columns and columns.n_found >= MIN_GENES:
                words = [ANY] if kind == PROGRAM else recipients.responses[key].cells
                self.sets[name] = columns
                self.receivers[name] = {group for word in words for group in groups.matching(word)}
        self.found = against_elsewhere(groups, self.sets, levels)

    def row(self, mechanisms: Iterable[str], group: int) -> Row:
        """The first footprint of the mechanisms, the most important first, that a group can show; empty without one."""
        names = (name for mechanism in mechanisms for name in self.of_mechanism.get(mechanism, ()))
        shown = next((name for name in names if group in self.receivers.get(name, ())), None)
        return self.found[shown][group] if shown else {}


def adjusted(p: Array) -> Array:
    """Benjamini-Hochberg over all finite p values; NaN stays."""
    out = np.full(np.shape(p), np.nan)
    finite = np.isfinite(p)
    if finite.any():
        out[finite] = stats.false_discovery_control(p[finite])
    return out


def against_elsewhere(groups: Groups, sets: Mapping[str, SetColumns], levels: ReferenceLevels) -> Responses:
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
        everyone, bins = np.ones((cells.shape[0], 1)), groups.bins[known]
        effect[index, usable] = cluster_effects(change, cells, everyone, bins, members).effect
    return responses(sets, effect)


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
    groups: Groups, sets: Mapping[str, SetColumns], cells: Index, wanted: Iterable[Contrast], seed: int
) -> dict[Contrast, Row]:
    """Footprints of cells with a receptor against cells of the same group without it, among some `cells`.

    Returns for each contrast the columns ``contrast`` (natural log units), ``contrast_p`` and ``contrast_fdr``
    (Benjamini-Hochberg over all contrasts); NaN with fewer than `min_cells` cells of either kind.
    """
    config, codes, lognorm = groups.config, groups.codes[cells], groups.lognorm[cells]
    scores = dict(zip(sets, control_corrected(lognorm, groups.bins, list(sets.values())).T, strict=True))
    depth = np.diff(lognorm.indptr).astype(np.float64)
    by_gene = lognorm.tocsc()
    rows: dict[Contrast, Row] = {}
    for name, group, receptor in dict.fromkeys(wanted):
        inside = np.flatnonzero(codes == group)
        positive = (by_gene[:, list(receptor)].toarray() > 0).all(axis=1)[inside]
        difference, p = np.nan, np.nan
        if min(positive.sum(), (~positive).sum()) >= config.min_cells:
            values = scores[name][inside]
            difference, p = stratified_contrast(values, positive, depth[inside], config.n_perms, seed)
        rows[name, group, receptor] = {"contrast": difference, "contrast_p": p}
    fdr = adjusted(np.array([row["contrast_p"] for row in rows.values()]))
    return {key: row | {"contrast_fdr": one} for (key, row), one in zip(rows.items(), fdr, strict=True)}


def stratified_contrast(
    values: Array, positive: Array, depth: Array, n_perms: int, seed: int, n_strata: int = 5
) -> tuple[float, float]:
    """Difference between cells with and without a receptor at the same depth, and its p value.

    `values` is the score of each cell, `positive` whether it has the receptor, `depth` its number of detected genes:
    receptors are detected more often in deep cells. Returns the mean difference within strata of depth, weighted by
    their cells, and its two-sided p value over labels shuffled within the strata; NaN where no stratum holds both.
    """
    stratum = (stats.rankdata(depth, "ordinal").astype(np.int64) - 1) * n_strata // max(values.size, 1)
    n_in = np.bincount(stratum, minlength=n_strata)
    n_positive = np.bincount(stratum, weights=positive, minlength=n_strata)
    usable = (n_positive > 0) & (n_positive < n_in)
    if not usable.any():
        return np.nan, np.nan
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
