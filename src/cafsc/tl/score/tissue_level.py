"""How strongly each gene is expressed in a tumour that holds every lineage, whoever is in the sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cafsc import genes
from cafsc.tl.score.controls import Array, Index, tied_ranks

TARGET_SUM = 1e4


def balanced_level(
    sums: Array, n_cells: Index, names: Sequence[str], profiles: Mapping[str, Array], min_cells: int
) -> Array:
    """Mean over lineages of log1p counts per ten thousand: genes.

    Each lineage (`sums`: lineages x genes) has one vote, so that sorted fibroblasts and a whole tumour agree on which
    genes are alike. A lineage under `min_cells` votes by its profile from elsewhere, NaN where that does not know a
    gene. The mean of all cells if there is no profile.
    """
    own = _scaled(sums.sum(axis=0))
    rank = tied_ranks(own) / max(own.size, 1)
    place = {name: index for index, name in enumerate(names)}
    levels = []
    for name, profile in profiles.items():
        index = place.get(name)
        if index is not None and n_cells[index] >= min_cells:
            levels.append(np.log1p(_scaled(sums[index])))
        elif np.isfinite(profile).any():
            levels.append(np.log1p(_completed(profile, rank)))
    return np.asarray(np.mean(levels, axis=0) if levels else own)


def _scaled(sums: Array) -> Array:
    total = float(sums.sum())
    return np.asarray(sums * (TARGET_SUM / total if total > 0 else 0.0))


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
    at = np.array([columns[symbol] for symbol in human], dtype=np.int64)
    known = list(human.values())
    out = {}
    for name, profile in profiles.items():
        levels = np.full(n_genes, np.nan)
        # What a profile does not know is None there, and no number here.
        levels[at] = np.array(list(map(profile.get, known)), dtype=np.float64)
        out[name] = levels
    return out
