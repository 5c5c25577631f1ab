"""A simulated tumour: counts drawn from the mean profiles of the cell types of one real tumour."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib import resources
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
    lines = gzip.decompress(packed).decode().splitlines()
    notes = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# ") and ": " in line)
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    header, body = rows[0], rows[1:]
    values = np.array([row[1:] for row in body], dtype=np.float64)
    cells = dict(item.rsplit("=", 1) for item in notes["cells"].split("; "))
    types = tuple(header[2:])
    n_cells = np.array([float(cells[name]) for name in types])
    means = values[:, 1:].T
    return Profiles(
        genes=tuple(row[0] for row in body),
        types=types,
        shares=means / means.sum(axis=1, keepdims=True),
        dispersion=values[:, 0],
        composition=n_cells / n_cells.sum(),
    )


def _fraction(name: str, value: float) -> None:
    if not 0 <= value < 1:
        raise OptionError(
            f"{name}={value}", expected="a fraction, at least 0 and below 1", fix=f"set {name} to 0"
        )


def _counts_per_type(composition: NDArray[np.float64], n_cells: int) -> NDArray[np.int64]:
    """Whole numbers of cells by largest remainders, so that they do not depend on the seed."""
    exact = composition * n_cells
    whole = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: n_cells - whole.sum()]] += 1
    return whole


def simulated_tumour(
    n_cells: int = 1500,
    *,
    seed: int = 0,
    depth: float = 4000.0,
    ambient: float = 0.0,
    doublets: float = 0.0,
) -> AnnData:
    """Draw a simulated tumour with known cell types.

    Each cell's expected counts are its type's profile times a log-normal depth; each gene's rate is drawn
    from a gamma distribution around that, and the count from a Poisson distribution around the rate. Given
    the type, genes are drawn independently of each other, which real cells' are not.

    Parameters
    ----------
    n_cells
        Number of cells. Their types are mixed as in the tumour that the profiles come from.
    seed
        Of the random generator; the same seed gives the same counts.
    depth
        Median of the total count a cell over the genes of the table.
    ambient
        Share of each cell's expected counts that comes from the mean of all cells, as cell-free RNA does.
    doublets
        Share of the cells that are two cells of different types in one droplet, with the depth of both.

    Returns
    -------
    AnnData, `n_cells` x about 3,500 human symbols. ``X``: CSR float32 of whole numbers.
    ``obs["simulated_type"]``: the truth, categorical; ``doublet`` for doublets. ``uns["cafsc_simulated"]``: a
    sentence that says that the data are simulated.

    Raises
    ------
    OptionError
        A parameter is out of its range.

    References
    ----------
    Profiles: Wu et al. 2021, doi:10.1038/s41588-021-00911-1 (GSE176078, sample CID4465).
    """
    from anndata import AnnData

    if n_cells < 1:
        raise OptionError(f"n_cells={n_cells}", expected="at least 1", fix="leave it out for 1500 cells")
    if not depth > 0:
        raise OptionError(f"depth={depth}", expected="more than 0", fix="leave it out for 4000 counts a cell")
    _fraction("ambient", ambient)
    _fraction("doublets", doublets)
    profiles = load_profiles()
    random = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(len(profiles.types)), _counts_per_type(profiles.composition, n_cells))
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
    categories = [*profiles.types, DOUBLET] if len(paired) else list(profiles.types)
    width = max(4, len(str(n_cells)))
    obs = pd.DataFrame(
        {"simulated_type": pd.Categorical(truth, categories=categories)},
        index=pd.Index([f"SIMULATED_{number:0{width}d}" for number in range(1, n_cells + 1)], dtype=object),
    )
    var = pd.DataFrame(index=pd.Index(profiles.genes, dtype=object))
    return AnnData(X=sparse.vstack(blocks, format="csr"), obs=obs, var=var, uns={SIMULATED_KEY: SENTENCE})
