"""Nearest points, exact: functions on arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Rough = NDArray[np.float32]

_BLOCK_VALUES = 1 << 20
"""Distances in memory at a time: they stay in the processor's cache."""
_GROUP = 32
"""Points to a group when the reach of the nearest ones is looked for."""
_UNIT = 2.0**-24
"""Rounding of a float32."""


def nearest(queries: Array, points: Array, n_neighbors: int) -> Index:
    """Positions of the nearest points of each query by Euclidean distance.

    Parameters
    ----------
    queries
        Queries x dimensions.
    points
        Points x dimensions.
    n_neighbors
        Points to find, all of them where there are fewer.

    Returns
    -------
    Queries x neighbours, the nearest first; of points equally far the earlier one comes first. The same on any
    number of threads and in any cut into blocks: a matrix product only narrows down what is then measured coordinate
    by coordinate.
    """
    n_neighbors = min(n_neighbors, points.shape[0])
    out = np.empty((queries.shape[0], n_neighbors), dtype=np.int64)
    if not out.size:
        return out
    length = max(_longest(queries), _longest(points)) or 1.0
    # In float32, as it only narrows down; |y|^2 - 2xy orders the points of one query as their distance does.
    rough_points = (points / length).astype(np.float32)
    squares = (rough_points**2).sum(axis=1)
    facing = np.ascontiguousarray(np.column_stack([-2.0 * rough_points, squares]).T)
    # Twice, for the point and for the reach, the rounding of a product of vectors no longer than one.
    slack = np.float32(8 * (points.shape[1] + 4) * _UNIT)
    n_rows = max(1, _BLOCK_VALUES // points.shape[0])
    n_queries = queries.shape[0]
    blocks = (slice(start, min(start + n_rows, n_queries)) for start in range(0, n_queries, n_rows))
    for rows in blocks:
        block = queries[rows]
        rough = (block / length).astype(np.float32) @ facing[:-1]
        rough += facing[-1]
        near = np.flatnonzero(rough <= (_reach(rough, n_neighbors) + slack)[:, None])
        query, point = np.divmod(near, points.shape[0])
        order = np.lexsort((point, _squared_distance(block, points, query, point), query))
        first = np.searchsorted(query, np.arange(len(block)))
        out[rows] = point[order][first[:, None] + np.arange(n_neighbors)]
    return out


def _longest(vectors: Array) -> float:
    return float(np.sqrt((vectors**2).sum(axis=1).max(initial=0.0)))


def _reach(rough: Rough, n_neighbors: int) -> Rough:
    """Of each row, a value that at least ``n_neighbors`` of its values do not exceed, and few others.

    The smallest values of disjoint groups are values of the row: as many groups as neighbours reach that far.
    """
    n_rows, n_points = rough.shape
    n_groups = n_points // _GROUP
    if n_groups < 4 * n_neighbors:
        return np.partition(rough, n_neighbors - 1, axis=1)[:, n_neighbors - 1]
    least = rough[:, : n_groups * _GROUP].reshape(n_rows, _GROUP, n_groups).min(axis=1)
    return np.partition(least, n_neighbors - 1, axis=1)[:, n_neighbors - 1]


def _squared_distance(queries: Array, points: Array, query: Index, point: Index) -> Array:
    """Of each pair, added up coordinate by coordinate: the same wherever a point stands."""
    total = np.zeros(query.size)
    for one, other in zip(queries.T, points.T, strict=True):
        total += (one[query] - other[point]) ** 2
    return total
