"""A simulated tumour: counts drawn from the mean profiles of the cell types of one real tumour."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import StringIO
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from cafsc.errors import OptionError

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray

PROFILES = "simulated_tumour_profiles.tsv.gz"
SIMULATED_KEY = "cafsc_simulated"
"""``uns`` key that marks simulated data."""
SENTENCE = (
    "SIMULATED: these counts were drawn at random (gamma-Poisson) from mean profiles of the cell types in "
    "the breast tumour CID4465 (GSE176078, doi:10.1038/s41588-021-00911-1); they are not measured cells."
)
DOUBLET = "doublet"
_DEPTH_SIGMA = 0.45
_ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class Profiles:
    """The embedded table."""

    genes: tuple[str, ...]
    types: tuple[str, ...]
    shares: NDArray[np.float64]
    """Types x genes; each row sums to 1."""
    dispersion: NDArray[np.float64]
    """Genes; gamma dispersion: variance = mean + dispersion * mean**2."""
    composition: NDArray[np.float64]
    """Types; share of each in the sample they come from; sums to 1."""


@cache
def load_profiles() -> Profiles:
    """Read the embedded profiles; see the table's head for their origin."""
    packed = resources.files("cafsc.data").joinpath(PROFILES).read_bytes()
    text = gzip.decompress(packed).decode()
    table = pd.read_csv(
        StringIO(text), sep="\t", comment="#", index_col=0, na_filter=False, float_precision="round_trip"
    )
    line = next(line for line in text.splitlines() if line.startswith("# cells: "))
    cells = dict(item.rsplit("=", 1) for item in line.removeprefix("# cells: ").split("; "))
    types = [str(name) for name in table.columns[1:]]
    n_cells = np.array([float(cells[name]) for name in types])
    means = table[types].to_numpy().T
    return Profiles(
        genes=tuple(str(name) for name in table.index),
        types=tuple(types),
        shares=means / means.sum(axis=1, keepdims=True),
        dispersion=table.iloc[:, 0].to_numpy(),
        composition=n_cells / n_cells.sum(),
    )


def simulated_tumour(
    n_cells: int = 1500,
    *,
    seed: int = 0,
    depth: float = 4000.0,
    ambient: float = 0.0,
    doublets: float = 0.0,
) -> AnnData:
    """Draw a simulated tumour with known cell types.

    A cell's expected counts are the profile of its type times a log-normal depth. Rates are drawn from a gamma
    distribution around them, counts from a Poisson distribution. Within a type, genes are independent; those of
    real cells are not.

    Parameters
    ----------
    n_cells
        Number of cells, with the composition of the tumour that the profiles come from.
    seed
        Seed of the random generator.
    depth
        Median total count per cell.
    ambient
        Fraction of each cell's expected counts that is the mean of all cells, like cell-free RNA.
    doublets
        Fraction of cells that are two cells of different types, with the depth of both.

    Returns
    -------
    AnnData, `n_cells` x about 3,500 human symbols. ``X``: CSR float32, counts. ``obs["simulated_type"]``: the true
    type, categorical; ``doublet`` for doublets. ``uns["cafsc_simulated"]``: says that the data are simulated.

    Raises
    ------
    OptionError
        A parameter is out of its range.

    References
    ----------
    Profiles: Wu et al. 2021, doi:10.1038/s41588-021-00911-1 (GSE176078, sample CID4465).
    """
    from anndata import AnnData

    limits = {"n_cells": (n_cells, 1, np.inf), "depth": (depth, 1, np.inf)}
    limits |= {"ambient": (ambient, 0, 1), "doublets": (doublets, 0, 1)}
    for name, (value, low, high) in limits.items():
        if not low <= value < high:
            expected = f"at least {low} and below {high}"
            raise OptionError(f"{name}={value}", expected=expected, fix="correct it")
    profiles = load_profiles()
    random = np.random.default_rng(seed)
    # Whole numbers of cells by largest remainders, so that they do not depend on the seed.
    exact = profiles.composition * n_cells
    whole = np.floor(exact).astype(np.int64)
    whole[np.argsort(whole - exact, kind="stable")[: n_cells - whole.sum()]] += 1
    kinds = np.repeat(np.arange(len(profiles.types)), whole)
    random.shuffle(kinds)
    depths = random.lognormal(np.log(depth), _DEPTH_SIGMA, n_cells)
    soup = profiles.composition @ profiles.shares

    partners = np.full(n_cells, -1)
    paired = np.sort(random.choice(n_cells, size=round(doublets * n_cells), replace=False))
    for cell in paired:
        others = np.where(np.arange(len(profiles.types)) == kinds[cell], 0.0, profiles.composition)
        partners[cell] = random.choice(len(profiles.types), p=others / others.sum())
    partner_depths = np.where(partners >= 0, random.lognormal(np.log(depth), _DEPTH_SIGMA, n_cells), 0.0)

    shape = 1.0 / profiles.dispersion
    blocks = []
    for start in range(0, n_cells, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        mean = profiles.shares[kinds[rows]] * depths[rows, None]
        mean += profiles.shares[partners[rows]] * partner_depths[rows, None]
        mean = (1 - ambient) * mean + ambient * soup * mean.sum(axis=1, keepdims=True)
        rates = random.gamma(shape, 1.0, mean.shape) * profiles.dispersion * mean
        blocks.append(sparse.csr_matrix(random.poisson(rates).astype(np.float32)))

    truth = np.where(partners >= 0, DOUBLET, np.array(profiles.types, dtype=object)[kinds])
    categories = [*profiles.types, *([DOUBLET] if len(paired) else [])]
    width = max(4, len(str(n_cells)))
    obs = pd.DataFrame(
        {"simulated_type": pd.Categorical(truth, categories=categories)},
        index=pd.Index([f"SIMULATED_{number:0{width}d}" for number in range(1, n_cells + 1)], dtype=object),
    )
    var = pd.DataFrame(index=pd.Index(profiles.genes, dtype=object))
    return AnnData(X=sparse.vstack(blocks, format="csr"), obs=obs, var=var, uns={SIMULATED_KEY: SENTENCE})
