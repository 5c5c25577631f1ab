"""Simulated bulk samples: cells of the simulated tumour summed in known shares, with noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from anndata import AnnData

STATES = ("myCAF", "iCAF")


@dataclass(frozen=True)
class Cohort:
    """Counts (samples x genes) and the share of each cell type in each sample."""

    counts: pd.DataFrame
    shares: pd.DataFrame

    @property
    def tpm(self) -> pd.DataFrame:
        return self.counts.div(self.counts.sum(axis=1), axis=0) * 1e6

    @property
    def myofibroblastic(self) -> pd.Series:
        """Share of the fibroblasts that are myCAF."""
        return self.shares["myCAF"] / self.shares[list(STATES)].sum(axis=1)


SCALES: dict[str, Callable[[Cohort], pd.DataFrame]] = {
    "counts": lambda cohort: cohort.counts,
    "tpm": lambda cohort: cohort.tpm,
    "linear": lambda cohort: cohort.tpm.mul(np.linspace(0.4, 0.9, len(cohort.tpm)), axis=0),
    "log2": lambda cohort: np.log2(cohort.tpm + 1),
    "log1p": lambda cohort: np.log1p(cohort.tpm),
    "intensities": lambda cohort: cohort.tpm + 30.3,
    "log2_intensities": lambda cohort: np.log2(cohort.tpm + 30.3),
}


def mixture(tumour: AnnData, n_samples: int = 60, seed: int = 0, n_cells: int = 400) -> Cohort:
    """Sum cells: a tenth to six tenths fibroblasts, of them any share myCAF, the rest at random."""
    random = np.random.default_rng(seed)
    kinds = tumour.obs["simulated_type"].astype(str).to_numpy()
    types = sorted(set(kinds))
    counts = np.asarray(tumour.X.todense())
    others = [name for name in types if name not in STATES]
    rows, shares = [], []
    for _ in range(n_samples):
        fibroblasts, mine = random.uniform(0.1, 0.6), random.uniform(0, 1)
        share = dict(zip(others, (1 - fibroblasts) * random.dirichlet(np.ones(len(others))), strict=True))
        share |= {"myCAF": fibroblasts * mine, "iCAF": fibroblasts * (1 - mine)}
        drawn = random.multinomial(n_cells, [share[name] for name in types])
        cells = np.concatenate(
            [random.choice(np.flatnonzero(kinds == name), n) for name, n in zip(types, drawn, strict=True)]
        )
        # What tells one library from another beside its cells: a factor a gene.
        noise = np.exp(random.normal(0, 0.2, counts.shape[1]))
        rows.append(random.poisson(counts[cells].sum(axis=0) * noise))
        shares.append(drawn / n_cells)
    names = [f"S{number:03d}" for number in range(1, n_samples + 1)]
    return Cohort(
        pd.DataFrame(np.array(rows, dtype=float), index=names, columns=list(tumour.var_names)),
        pd.DataFrame(shares, index=names, columns=types),
    )


def auc(truth: pd.Series, score: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a true sample stands above a false one."""
    values = np.asarray(score, dtype=float)
    above, below = values[truth.to_numpy()], values[~truth.to_numpy()]
    difference = above[:, None] - below[None, :]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())
