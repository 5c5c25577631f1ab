"""Whether a cluster has earned the name of a state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cafsc._config import LabelConfig
from cafsc._keys import UNRESOLVED
from cafsc.tl.label.states import StateSpace
from cafsc.tl.score.controls import Array, Index


@dataclass(frozen=True)
class ClusterName:
    """The name of a cluster and how it was come by.

    Attributes
    ----------
    subtype
        State, or ``unresolved``.
    support
        Share of resamples, 0..1, in which the cluster's cells take its leading state.
    reason
        Why it is unresolved, or "".
    runner_up
        Next state.
    margin
        Lead over the runner-up in standard errors.
    """

    subtype: str
    support: float
    reason: str
    runner_up: str
    margin: float


@dataclass(frozen=True)
class StateEvidence:
    """What is known of all cells and of one cluster.

    Attributes
    ----------
    states
        State of each cell.
    scores
        Cells x states.
    centred
        Cells x sets, above the sets' reference levels.
    agreement
        Cells x states: share of resamples.
    activated
        False where the fibroblasts of the sample lack what those of tumours show.
    """

    space: StateSpace
    states: Index
    scores: Array
    centred: Array
    agreement: Array
    activated: bool = True


def name_cluster(
    cells: Index, effect: Array, evidence: StateEvidence, config: LabelConfig, n_neighbors: int
) -> ClusterName:
    """Name one cluster; `effect` is its score of each set in standard deviations of matched random sets."""
    space = evidence.space
    if not space.names:
        return ClusterName(UNRESOLVED, 0.0, "low_coverage", "", 0.0)
    mean = evidence.scores[cells].mean(axis=0)
    settled = evidence.states[cells]
    share = np.bincount(settled[settled >= 0], minlength=len(space.names)) / cells.size
    order = np.lexsort((-mean, -share))
    first = int(order[0])
    second = _runner_up(mean, first, space)
    margin = state_margin(cells, evidence, first, second, n_neighbors) if second >= 0 else 0.0
    votes = evidence.agreement[cells, first]
    support = float(np.nanmean(votes)) if np.isfinite(votes).any() else 0.0
    reason = ""
    if cells.size < config.min_cells:
        reason = "too_few_cells"
    elif not evidence.activated:
        reason = "not_activated"
    elif effect[list(space.members[first])].mean() < config.min_effect:
        reason = "no_evidence"
    elif len(order) > 1 and share[order[1]] >= config.mixed_share:
        reason = f"mixed:{space.names[first]}+{space.names[order[1]]}"
    elif margin < config.min_margin:
        reason = "low_margin"
    elif support - _support_error(support, cells.size, n_neighbors, config.n_resamples) < config.min_support:
        reason = "low_support"
    return ClusterName(
        subtype=UNRESOLVED if reason else space.names[first],
        support=support,
        reason=reason,
        runner_up=space.names[second] if second >= 0 else "",
        margin=margin,
    )


def _support_error(support: float, n_cells: int, n_neighbors: int, n_resamples: int) -> float:
    """Standard error of a support: of so many resamples, in so many cells.

    Cells that were pooled with each other share part of their counts. There are fewer independent cells than cells, but
    more than the groups they would make if they shared all.
    """
    independent = max(n_cells / np.sqrt(n_neighbors), 1.0)
    return float(np.sqrt(support * (1.0 - support) * (1.0 / n_resamples + 1.0 / independent)))


def _runner_up(mean: Array, first: int, space: StateSpace) -> int:
    """The next primary state, or the next of any kind; -1 if there is none."""
    rivals = [int(index) for index in np.argsort(-mean, kind="stable") if index != first]
    primary = [index for index in rivals if space.primary[index]]
    return next(iter(primary or rivals), -1)


def state_margin(cells: Index, evidence: StateEvidence, first: int, second: int, n_neighbors: int) -> float:
    """Lead of one state over another in standard errors, of the cells and of the papers that define the states.

    Cells that share neighbours are not independent, and papers disagree about a state: both make a lead less
    sure.
    """
    gap = evidence.scores[cells, first] - evidence.scores[cells, second]
    independent = max(cells.size / n_neighbors, 2.0)
    variance = float(gap.var(ddof=1)) / independent if cells.size > 1 else 0.0
    for state in (first, second):
        by_paper = evidence.centred[cells][:, list(evidence.space.members[state])].mean(axis=0)
        if by_paper.size > 1:
            variance += float(by_paper.var(ddof=1)) / by_paper.size
    return float(gap.mean() / np.sqrt(variance)) if variance > 0 else 0.0
