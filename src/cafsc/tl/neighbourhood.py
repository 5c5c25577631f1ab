"""Where in the tissue the CAFs lie: who is around them, how far tumour and vessels are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc._errors import InputError
from cafsc.tl._controls import Array, Index
from cafsc.tl._groups import Groups, cell_groups

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

LANDMARKS = ("tumour", "endothelial")
"""Kinds of cells to which the distance is taken."""


def neighbour_shares(coordinates: Array, codes: Index, n_groups: int, n_neighbors: int) -> Array:
    """Share of each group among the nearest cells of each cell.

    Parameters
    ----------
    coordinates
        Cells x 2 or 3.
    codes
        Group of each cell; cells of no group (-1) take no part.
    n_neighbors
        Nearest cells, without the cell itself.

    Returns
    -------
    Cells x groups, rows sum to 1; NaN for a cell of no group.
    """
    from scipy.spatial import KDTree

    rows = np.flatnonzero(codes >= 0)
    out = np.full((codes.size, n_groups), np.nan)
    wanted = min(n_neighbors, rows.size - 1)
    if wanted < 1:
        return out
    _, found = KDTree(coordinates[rows]).query(coordinates[rows], k=wanted + 1)
    # A cell is not its own neighbour; among cells at one place it need not be the first that is found.
    other = found != np.arange(rows.size)[:, None]
    other[other.all(axis=1), -1] = False
    nearest = codes[rows][found[other].reshape(rows.size, wanted)]
    for group in range(n_groups):
        out[rows, group] = (nearest == group).mean(axis=1)
    return out


def nearest_distance(coordinates: Array, to: Index) -> Array:
    """Distance of each cell to the nearest of some cells; NaN where there are none."""
    from scipy.spatial import KDTree

    if not to.size:
        return np.full(len(coordinates), np.nan)
    distance, _ = KDTree(coordinates[to]).query(coordinates)
    return np.asarray(distance, dtype=np.float64)


def neighbourhood(
    adata: AnnData,
    *,
    spatial_key: str = "spatial",
    catalogue: Catalogue | None = None,
    key_added: str = "caf",
    config: CrosstalkConfig | None = None,
) -> pd.DataFrame:
    """Neighbours of each CAF cluster in space, and its distance to tumour and vessels.

    Parameters
    ----------
    adata
        After `cafsc.annotate`, with coordinates of single cells of one section. Not changed.
    spatial_key
        ``obsm`` key of the coordinates, cells x 2 or 3.
    catalogue
        The shipped one if not given.
    key_added
        The ``key_added`` of the run.
    config
        Cells in a neighbourhood.

    Returns
    -------
    DataFrame, one row a CAF cluster: ``cluster``, ``state``, ``call`` (str), ``n_cells`` (int64), ``to_tumour`` and
    ``to_endothelial`` (float64, median distance to the nearest such cell, in the unit of the coordinates, NaN where
    there is none), and one column ``near_<group>`` for each group (float64, 0..1, mean share among the nearest
    cells).

    Raises
    ------
    InputError
        If `cafsc.annotate` has not run, or there are no such coordinates.
    """
    config = config or CrosstalkConfig()
    catalogue = catalogue or sig.load()
    groups = cell_groups(adata, catalogue, key_added)
    coordinates = _coordinates(adata, spatial_key)
    shares = neighbour_shares(coordinates, groups.codes, len(groups.groups), config.n_neighbors)
    distance = {word: _distance(groups, coordinates, catalogue, word) for word in LANDMARKS}
    rows = []
    for index in groups.cafs:
        group = groups.groups[index]
        cells = groups.codes == index
        row: dict[str, object] = {
            "cluster": group.cluster,
            "state": group.state,
            "call": group.call,
            "n_cells": int(cells.sum()),
        }
        row |= {f"to_{word}": float(np.median(values[cells])) for word, values in distance.items()}
        near = shares[cells].mean(axis=0)
        row |= {f"near_{other.name}": float(share) for other, share in zip(groups.groups, near, strict=True)}
        rows.append(row)
    return pd.DataFrame(rows)


def _distance(groups: Groups, coordinates: Array, catalogue: Catalogue, word: str) -> Array:
    wanted = groups.matching(word, catalogue)
    return nearest_distance(coordinates, np.flatnonzero(np.isin(groups.codes, wanted)))


def _coordinates(adata: AnnData, spatial_key: str) -> Array:
    if spatial_key not in adata.obsm:
        raise InputError(
            f"obsm[{spatial_key!r}] is missing",
            expected=f"coordinates of the cells; obsm holds {', '.join(sorted(adata.obsm)) or 'nothing'}",
            fix="name the right key, or leave this step out: dissociated cells have no place",
        )
    values = np.asarray(adata.obsm[spatial_key], dtype=np.float64)
    if values.ndim != 2 or values.shape[1] not in (2, 3) or not np.isfinite(values).all():
        raise InputError(
            f"obsm[{spatial_key!r}] has the shape {values.shape}, or holds missing values",
            expected="finite numbers, cells x 2 or cells x 3",
            fix="mend the coordinates",
        )
    return values
