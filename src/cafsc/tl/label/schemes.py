"""The name of a cluster in one published scheme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cafsc._config import LabelConfig, MarkerConfig
from cafsc._keys import UNRESOLVED
from cafsc.sig import Catalogue
from cafsc.sig.catalogue import CatalogueSet
from cafsc.sig.model import Level
from cafsc.tl.label.markers import MarkerLevels, level_distances
from cafsc.tl.label.states import MINOR_LEVEL, is_covered
from cafsc.tl.score.controls import Array, SetColumns
from cafsc.tl.score.set_columns import columns_of, set_columns

# Root mean squared distance from a published level profile (levels run from 0 to 1).
_MAX_LEVEL_DISTANCE = 0.35


@dataclass(frozen=True)
class SchemeContext:
    """What naming a cluster in a scheme needs to know."""

    catalogue: Catalogue
    sets: Mapping[str, SetColumns]
    names: list[str]
    columns: Mapping[str, int]
    species: str
    markers: MarkerLevels
    config: LabelConfig
    marker_config: MarkerConfig
    n_neighbors: int


def scheme_label(scheme: str, cluster: int, centred: Array, effect: Array, context: SchemeContext) -> str:
    """Label of one cluster in one scheme, or ``unresolved``.

    `centred` is cells of the cluster x sets above the reference level; `effect` the cluster's score of each set in
    standard deviations of random sets.
    """
    members = context.catalogue.sets_in_scheme(scheme)
    method = context.catalogue.schemes[scheme].method
    if method == "levels":
        return _by_levels(members, cluster, context)
    if method == "markers":
        return _by_markers(members, cluster, context)
    return _by_scores(members, centred, effect, context)


def _by_scores(
    members: tuple[CatalogueSet, ...], centred: Array, effect: Array, context: SchemeContext
) -> str:
    """The set furthest above its reference, among those ahead of matched chance, if it leads the runner-up."""
    position = {name: index for index, name in enumerate(context.names)}
    states = context.catalogue.states
    competing = []
    for entry in members:
        if entry.id not in context.sets or not is_covered(context.sets[entry.id], context.config):
            continue
        column = position[entry.id]
        minor = any(not states[state].primary for state in entry.states)
        floor = MINOR_LEVEL if minor else -np.inf
        if effect[column] >= context.config.min_effect and centred[:, column].mean() >= floor:
            competing.append(entry)
    if not competing:
        return UNRESOLVED
    columns = [position[entry.id] for entry in competing]
    mean = centred[:, columns].mean(axis=0)
    order = np.argsort(-mean, kind="stable")
    first = columns[order[0]]
    if len(columns) > 1:
        gap = centred[:, first] - centred[:, columns[order[1]]]
        deviation = float(gap.std(ddof=1)) if gap.size > 1 else 0.0
        error = deviation / np.sqrt(max(gap.size / context.n_neighbors, 2.0))
        if gap.mean() < context.config.min_margin * error:
            return UNRESOLVED
    return str(competing[order[0]].label)


def _by_levels(members: tuple[CatalogueSet, ...], cluster: int, context: SchemeContext) -> str:
    """The level profile nearest to the cluster's, if it is near enough."""
    profiles = [level_profile(entry, context) for entry in members]
    distances = level_distances(context.markers.relative[cluster], profiles)
    best = int(distances.argmin())
    near = distances[best] <= _MAX_LEVEL_DISTANCE
    readable = near and context.markers.readable[cluster, list(profiles[best])].all()
    return members[best].label if readable else UNRESOLVED


def level_profile(entry: CatalogueSet, context: SchemeContext) -> dict[int, Level]:
    """Columns of a level set's genes with their levels; empty where a gene is missing from the data."""
    out: dict[int, Level] = {}
    for gene, level in entry.definition.levels.items():
        found = columns_of([gene], entry.species, context.species, context.columns)
        if not found:
            return {}
        out[found[0]] = level
    return out


def _by_markers(members: tuple[CatalogueSet, ...], cluster: int, context: SchemeContext) -> str:
    """The marker set that is met; two at once is a mixture and said so."""
    met = []
    for entry in members:
        definition = entry.definition
        columns = set_columns(definition.up, definition.down, entry.species, context.species, context.columns)
        if context.markers.presence(cluster, columns, context.marker_config) > 0:
            met.append(entry.label)
    if len(met) == 1:
        return met[0]
    return f"mixed:{'+'.join(met)}" if met else UNRESOLVED
