"""From scores of sets to a state for every cell, and how stable that state is: functions on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc._config import LabelConfig
from cafsc._threads import one_thread
from cafsc.engine.means import control_corrected_mean, control_weights
from cafsc.pp.normalize import log1p_depth
from cafsc.tl.score.controls import Array, Index, SetColumns

_HALF = 0.5
_WORD_BITS = 64
_AT_ONCE = 200
"""Cells that are pooled before they are scored: so few that their memory is used again for the next."""
# Natural-log units above its reference at which a state that is not primary takes a cell.
MINOR_LEVEL = 0.8
# Choices of papers and reference levels in each resample of cells and counts.
_N_PAPER_DRAWS = 25
# Cells that a resample asks, at most, unless the least number of votes takes more.
_MAX_ASKED = 500
# Resamples in which a cell is asked, on average, at least.
_MIN_VOTES = 3
# Share of the cells, and of every cell's counts, that a resample keeps.
_CELL_FRACTION = 0.8
_COUNT_FRACTION = 0.5


@dataclass(frozen=True)
class StateSpace:
    """Which sets speak for which state.

    Attributes
    ----------
    names
        States that can compete here.
    members
        Per state, positions of its sets among the scored ones.
    primary
        Per state, whether it shares out all cells.
    coverage
        Per state, share of its sets' genes that are in the data; all of them if not given.
    """

    names: tuple[str, ...]
    members: tuple[tuple[int, ...], ...]
    primary: NDArray[np.bool_]
    coverage: tuple[float, ...] = ()

    def scores(self, centred: Array) -> Array:
        """Cells x states: mean of the member sets' centred scores, each paper's set one vote."""
        if not self.names:
            return np.zeros((centred.shape[0], 0))
        return np.column_stack([centred[:, list(columns)].mean(axis=1) for columns in self.members])

    def redrawn(self, rng: np.random.Generator, n_sets: int) -> Array:
        """Another choice of papers: each state by as many of its sets drawn with replacement, each one vote.

        Sets x states: what each of ``n_sets`` sets counts in the mean of a state.
        """
        votes = np.empty((n_sets, len(self.members)))
        for state, columns in enumerate(self.members):
            drawn = np.array(columns)[rng.integers(0, len(columns), size=len(columns))]
            votes[:, state] = np.bincount(drawn, minlength=n_sets) / len(columns)
        return votes

    def narrowed(self) -> tuple[StateSpace, list[int]]:
        """The same states over only the sets that speak for one, and the positions of those sets."""
        used = sorted({column for columns in self.members for column in columns})
        place = {column: index for index, column in enumerate(used)}
        members = tuple(tuple(place[column] for column in columns) for columns in self.members)
        return replace(self, members=members), used


def competing_states(
    states: Mapping[str, tuple[Sequence[str], bool]],
    sets: Mapping[str, SetColumns],
    config: LabelConfig,
) -> StateSpace:
    """States with at least one set that the data cover well enough."""
    position = {name: index for index, name in enumerate(sets)}
    names, members, primary, coverage = [], [], [], []
    for state, (candidates, is_primary) in states.items():
        covered = tuple(
            position[name] for name in candidates if name in sets and is_covered(sets[name], config)
        )
        if covered:
            names.append(state)
            members.append(covered)
            primary.append(is_primary)
            used = [sets[name] for name in candidates if position.get(name) in covered]
            coverage.append(sum(s.n_found for s in used) / sum(s.n_genes for s in used))
    return StateSpace(tuple(names), tuple(members), np.array(primary, dtype=bool), tuple(coverage))


def is_covered(columns: SetColumns, config: LabelConfig) -> bool:
    """Whether enough of a set's genes are in the data for it to compete."""
    return columns.n_found >= config.min_genes and columns.n_found >= config.min_coverage * columns.n_genes


def assign_states(scores: Array, space: StateSpace, minor_level: float) -> Index:
    """State of each cell, as a position in ``space.names``; -1 where no state competes.

    The best primary state holds the cell unless another state is both strong in absolute terms and ahead of it. What
    the data lack of such a state's genes, the others must make up for.
    """
    if not space.names:
        return np.full(scores.shape[0], -1, dtype=np.int64)
    least = minor_level / np.array(space.coverage or [1.0] * len(space.names))
    eligible = np.where(space.primary[None, :] | (scores >= least), scores, -np.inf)
    best = eligible.argmax(axis=1).astype(np.int64)
    best[~np.isfinite(eligible.max(axis=1))] = -1
    return np.asarray(best, dtype=np.int64)


def best_primary(scores: Array, space: StateSpace) -> Index:
    """The primary state of each cell, as a position in ``space.names``; there must be one."""
    return np.asarray(np.where(space.primary[None, :], scores, -np.inf).argmax(axis=1), dtype=np.int64)


def settle_states(
    states: Index, agreement: Array, scores: Array, space: StateSpace, config: LabelConfig
) -> Index:
    """Give a cell back to its best primary state where a minor state does not hold it.

    A minor state holds a cell through resampling, and only if it holds enough cells for a name.
    """
    out = states.copy()
    if not space.primary.any():
        return out
    primary = best_primary(scores, space)
    minor = np.flatnonzero((states >= 0) & ~space.primary[np.maximum(states, 0)])
    held = np.nan_to_num(agreement[minor, states[minor]]) >= config.min_support
    out[minor[~held]] = primary[minor[~held]]
    for state in np.flatnonzero(~space.primary):
        if 0 < (out == state).sum() < config.min_cells:
            out[out == state] = primary[out == state]
    return out


def thinning(
    counts: sparse.csr_matrix, fraction: float
) -> Callable[[np.random.Generator], sparse.csr_matrix]:
    """What keeps each molecule with a chance of ``fraction``: whole counts in, whole counts out."""
    n = counts.data.astype(np.int64)
    # Half of n molecules is the number of ones among n random bits.
    is_few = (n > 0) & (n <= _WORD_BITS) & (fraction == _HALF)
    few, many = np.flatnonzero(is_few), np.flatnonzero(~is_few)
    mask = ~np.uint64(0) >> (_WORD_BITS - n[few]).astype(np.uint64)

    def kept(rng: np.random.Generator) -> sparse.csr_matrix:
        left = np.empty(n.size)
        words = rng.integers(0, ~np.uint64(0), few.size, dtype=np.uint64, endpoint=True)
        left[few] = np.bitwise_count(words & mask)
        left[many] = rng.binomial(n[many], fraction)
        out = sparse.csr_matrix((left, counts.indices.copy(), counts.indptr.copy()), shape=counts.shape)
        out.eliminate_zeros()
        return out

    return kept


def resampled_agreement(
    counts: sparse.csr_matrix,
    graph: sparse.csr_matrix,
    bins: Index,
    sets: Sequence[SetColumns],
    reference: Array,
    reference_error: Array,
    space: StateSpace,
    config: LabelConfig,
    seed: int,
) -> Array:
    """Share of resamples in which each cell takes each state: cells x states, NaN where never drawn.

    Two questions: which primary state leads, and whether a minor state takes the cell from it. The shares of the
    primary states add up to 1; those of the minor states stand beside them.

    Each resample keeps a share of the cells and of every cell's counts and scores what is left afresh; many times
    it draws the papers that define each state with replacement, and moves each state's reference level by its
    standard error. Where there are many fibroblasts, each resample asks only some of the cells that it kept, pooled
    with all their neighbours.
    """
    rng = np.random.default_rng(seed)
    space, used = space.narrowed()
    sets, reference = [sets[column] for column in used], reference[used]
    state_error = np.array([reference_error[used][list(columns)].mean() for columns in space.members])
    n_cells = counts.shape[0]
    votes = np.zeros((n_cells, len(space.names)))
    drawn = np.zeros(n_cells)
    # Counts below one appear where the input had no raw counts; thinning needs whole molecules.
    whole = counts.copy()
    whole.data = np.rint(whole.data)
    n_asked = max(_MAX_ASKED, -(-_MIN_VOTES * n_cells // config.n_resamples))
    thinned = thinning(whole, _COUNT_FRACTION)
    weights = control_weights(bins, sets)
    for _ in range(config.n_resamples):
        chosen = rng.permutation(n_cells)[: max(2, round(_CELL_FRACTION * n_cells))]
        thin = thinned(rng)
        cells = np.sort(chosen[:n_asked])
        inside = np.zeros(n_cells, dtype=bool)
        inside[chosen] = True
        near = sparse.csr_matrix(graph[cells].multiply(inside))
        scored = [
            control_corrected_mean(log1p_depth(near[start : start + _AT_ONCE] @ thin), weights)
            for start in range(0, cells.size, _AT_ONCE)
        ]
        centred = np.vstack(scored) - reference
        votes[cells] += cast_votes(centred, space, state_error, rng)
        drawn[cells] += _N_PAPER_DRAWS
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(votes / drawn[:, None])


def cast_votes(centred: Array, space: StateSpace, state_error: Array, rng: np.random.Generator) -> Array:
    """How many choices of papers put each cell in each state, cells x states, from its centred scores of the sets.

    Scoring is dear and these draws are cheap: one choice in each resample would leave the vote to luck.
    """
    n_cells, n_states = centred.shape[0], len(space.names)
    if not n_states:
        return np.zeros((n_cells, 0))
    papers, zeros = [], []
    for _ in range(_N_PAPER_DRAWS):
        papers.append(space.redrawn(rng, centred.shape[1]))
        # The zero of each state was measured in a few datasets: it moves by its standard error.
        zeros.append(rng.standard_normal(n_states) * state_error)
    with one_thread():
        scores = centred @ np.hstack(papers) + np.concatenate(zeros)
    scores = scores.reshape(-1, n_states)
    state = assign_states(scores, space, MINOR_LEVEL)
    ballots = np.zeros(scores.shape)
    minor = np.flatnonzero((state >= 0) & ~space.primary[np.maximum(state, 0)])
    ballots[minor, state[minor]] = 1.0
    if space.primary.any():
        ballots[np.arange(len(ballots)), best_primary(scores, space)] += 1.0
    return np.asarray(ballots.reshape(n_cells, -1, n_states).sum(axis=1))
