"""Scores of sets in clusters, as rows of the table ``scores``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse, stats

from cafsc.tl.score.controls import (
    Array,
    Index,
    SetColumns,
    control_corrected,
    correlation_inflation,
    false_discovery,
    null_deviation,
)

COLUMNS = "cluster set label kind scheme mean ucell effect error p fdr inflation n_found n_genes"


@dataclass(frozen=True)
class SetInfo:
    """What the table says of a set beside its numbers."""

    label: str
    kind: str
    scheme: str


@dataclass(frozen=True)
class ClusterEffects:
    """Scores of clusters against matched random sets.

    Attributes
    ----------
    effect
        Clusters x sets: score in standard deviations of random sets.
    deviation
        Clusters x sets: that standard deviation, natural log units, widened for the genes' correlation.
    inflation
        Clusters x sets: by how much it was widened, as a factor on the variance.
    """

    effect: Array
    deviation: Array
    inflation: Array


def cluster_effects(
    mean_level: Array, single: sparse.csr_matrix, membership: Array, bins: Index, sets: Sequence[SetColumns]
) -> ClusterEffects:
    """Scores of clusters in standard deviations of random sets.

    `mean_level` is clusters x genes, mean log-expression of pooled cells; `single` cells x genes, each by itself, for
    the correlation between genes; `membership` cells x clusters, 0 or 1.
    """
    members = list(sets)
    raw = control_corrected(sparse.csr_matrix(mean_level), bins, members)
    inflation = correlation_inflation(single, membership, members)
    deviation = null_deviation(mean_level, bins, members) * np.sqrt(inflation)
    effect = np.divide(raw, deviation, out=np.zeros_like(raw), where=deviation > 0)
    return ClusterEffects(effect, deviation, inflation)


def score_table(
    names: Sequence[str],
    clusters: Index,
    scores: Array,
    ucell: Array,
    found: ClusterEffects,
    sets: Mapping[str, SetColumns],
    info: Mapping[str, SetInfo],
    n_neighbors: int,
) -> pd.DataFrame:
    """One row a cluster and set.

    Parameters
    ----------
    names
        Names of the clusters.
    clusters
        Cluster of each cell.
    scores, ucell
        Cells x sets.
    n_neighbors
        Cells that were pooled into one: so many fewer are independent.

    Returns
    -------
    Columns ``cluster``, ``set``, ``label``, ``kind``, ``scheme``, ``mean`` (natural log units), ``ucell``
    (0..1), ``effect`` (null standard deviations), ``error`` (of the effect, from the spread of cells), ``p``
    (one-sided, normal), ``fdr`` (Benjamini-Hochberg over clusters and sets), ``inflation`` (of the null variance,
    for the genes' correlation), ``n_found``, ``n_genes``.
    """
    p = stats.norm.sf(found.effect)
    fdr = false_discovery(p) if p.size else p
    rows = []
    for index, cluster in enumerate(names):
        cells = clusters == index
        independent = max(cells.sum() / n_neighbors, 2.0)
        for column, (name, members) in enumerate(sets.items()):
            spread = float(scores[cells, column].std(ddof=1)) if cells.sum() > 1 else 0.0
            null = found.deviation[index, column]
            rows.append(
                (
                    cluster,
                    name,
                    info[name].label,
                    info[name].kind,
                    info[name].scheme,
                    float(scores[cells, column].mean()),
                    float(ucell[cells, column].mean()),
                    float(found.effect[index, column]),
                    float(spread / np.sqrt(independent) / null) if null > 0 else 0.0,
                    float(p[index, column]),
                    float(fdr[index, column]),
                    float(found.inflation[index, column]),
                    members.n_found,
                    members.n_genes,
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS.split())
