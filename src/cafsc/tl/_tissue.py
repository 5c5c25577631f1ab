"""How strongly each gene is expressed in a tumour that holds every lineage, whoever is in the sample."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc import genes
from cafsc.tl._mixture import Array, pseudobulk

TARGET_SUM = 1e4


def balanced_level(
    counts: sparse.csr_matrix,
    lineage: NDArray[np.object_],
    profiles: Mapping[str, Array],
    min_cells: int,
) -> Array:
    """Mean over lineages of log1p counts per ten thousand: genes.

    Parameters
    ----------
    counts
        Cells x genes.
    lineage
        Name of each cell's lineage.
    profiles
        Lineage -> level of each gene elsewhere, counts per ten thousand, NaN where it is not known.
    min_cells
        Cells of a lineage below which its profile from elsewhere stands in.

    Returns
    -------
    Each lineage has one vote, so that sorted fibroblasts and a whole tumour agree on which genes are alike;
    the mean of all cells if there is no profile.
    """
    own = _bulk(counts, np.ones(counts.shape[0], dtype=bool))
    rank = np.empty(own.size)
    rank[np.argsort(own, kind="stable")] = np.arange(own.size) / max(own.size, 1)
    levels = []
    for name, profile in profiles.items():
        inside = lineage == name
        if inside.sum() >= min_cells:
            levels.append(np.log1p(_bulk(counts, inside)))
        elif np.isfinite(profile).any():
            levels.append(np.log1p(_completed(profile, rank)))
    return np.asarray(np.mean(levels, axis=0) if levels else own)


def _bulk(counts: sparse.csr_matrix, inside: NDArray[np.bool_]) -> Array:
    return np.asarray(pseudobulk(counts, inside.astype(np.float64)[:, None], TARGET_SUM)[0])


def _completed(profile: Array, rank: Array) -> Array:
    """A profile of these genes only; one it does not know takes the level of its rank in the sample."""
    known = np.isfinite(profile)
    scaled = profile * (TARGET_SUM / max(float(profile[known].sum()), 1e-300))
    out = scaled.copy()
    out[~known] = np.quantile(scaled[known], rank[~known])
    return out


def profiles_in(
    profiles: Mapping[str, Mapping[str, float]], columns: Mapping[str, int], n_genes: int, species: str
) -> dict[str, Array]:
    """Profiles by human symbol as arrays over a dataset's genes; NaN where a gene is not in the profile."""
    human = (
        {symbol: symbol for symbol in columns}
        if species == "human"
        else {
            symbol: found[0]
            for symbol, found in genes.translate(columns, species, "human").items()
            if len(found) == 1
        }
    )
    out = {}
    for name, profile in profiles.items():
        levels = np.full(n_genes, np.nan)
        for symbol, known in human.items():
            levels[columns[symbol]] = profile.get(known, np.nan)
        out[name] = levels
    return out
