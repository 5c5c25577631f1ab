"""Is support calibrated? A simulation with known truth, states grading into each other, three depths and soups.

    python benchmarks/simulation.py

Fibroblasts are drawn between the embedded profiles of iCAF and myCAF; the truth of a cell is the state it holds more
of. A cluster's support says what share of its cells is expected to be named right; a cell's support how often resamples
agree on it. Both are compared with what is right.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

sys.path[:0] = [str(Path(__file__).parent)]

from cafsc import pp, tl
from cafsc.data.simulate import load_profiles, simulated_tumour

DEPTHS = (500.0, 1500.0, 4000.0)
SOUPS = ((0.0, 0.0), (0.05, 0.1), (0.1, 0.2))
"""Shares of doublets and of ambient RNA."""
STATES = ("iCAF", "myCAF")


def graded_tumour(depth: float, doublets: float, ambient: float, seed: int) -> AnnData:
    """A simulated tumour whose fibroblasts hold both states, in shares from Beta(1/2, 1/2): most are nearly pure."""
    adata = simulated_tumour(1500, seed=seed, depth=depth, ambient=ambient, doublets=doublets)
    rng = np.random.default_rng(1000 + seed)
    profiles = load_profiles()
    kinds = adata.obs["simulated_type"].astype(str).to_numpy()
    cells = np.flatnonzero(np.isin(kinds, STATES))
    share = rng.beta(0.5, 0.5, size=cells.size)
    icaf, mycaf = (profiles.shares[list(profiles.types).index(state)] for state in STATES)
    soup = profiles.composition @ profiles.shares
    total = np.asarray(adata.X[cells].sum(axis=1)).ravel()
    mean = (share[:, None] * icaf + (1 - share[:, None]) * mycaf) * total[:, None]
    mean = (1 - ambient) * mean + ambient * soup * total[:, None]
    rates = rng.gamma(1.0 / profiles.dispersion, 1.0, mean.shape) * profiles.dispersion * mean
    counts = adata.X.tolil()
    counts[cells] = rng.poisson(rates).astype(np.float32)
    adata.X = sparse.csr_matrix(counts)
    truth = kinds.astype(object)
    truth[cells] = np.where(share > 0.5, "iCAF", "myCAF")
    adata.obs["truth"] = truth.astype(str)
    return adata


def name_cells(adata: AnnData) -> None:
    """The steps of cafsc.annotate up to the names."""
    pp.normalize(adata, pp.check(adata))
    pp.qc(adata)
    pp.cluster(adata)
    tl.gate(adata)
    tl.score(adata)
    tl.label(adata)


def main() -> None:
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    cells = []
    for depth in DEPTHS:
        for doublets, ambient in SOUPS:
            for seed in range(options.seeds):
                adata = graded_tumour(depth, doublets, ambient, seed)
                name_cells(adata)
                obs = adata.obs[(adata.obs["caf_gate"] == "kept").to_numpy()]
                judged = obs[obs["truth"].isin(STATES)]
                right = (judged["caf_subtype"].astype(str) == judged["truth"]).to_numpy()
                named = (judged["caf_subtype"].astype(str) != "unresolved").to_numpy()
                frame = pd.DataFrame(
                    {
                        "depth": depth,
                        "cluster": judged["caf_cluster"].astype(str).to_numpy(),
                        "support": judged["caf_cell_support"].to_numpy(),
                        "confidence": judged["caf_confidence"].to_numpy(),
                        "right": right,
                    }
                )[named]
                cells.append(frame)
                others = int((~obs["truth"].isin((*STATES, "doublet"))).sum())
                print(
                    f"depth {depth:5.0f} doublets {doublets:.2f} ambient {ambient:.1f} seed {seed}: kept {len(obs)}, "
                    f"other lineages {others}, doublets {(obs['truth'] == 'doublet').sum()}, "
                    f"named {named.mean():.2f}, right {right[named].mean():.3f}, "
                    f"mean confidence {frame['confidence'].mean():.3f}",
                    flush=True,
                )
    table = pd.concat(cells)
    for name in ("support", "confidence"):
        bins = pd.cut(table[name], [0, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0], include_lowest=True)
        print(f"\n{name} of the {'cell' if name == 'support' else 'cluster'}")
        print(
            table.groupby(bins, observed=True)
            .agg(cells=("right", "size"), mean=(name, "mean"), right=("right", "mean"))
            .to_string(float_format="%.3f")
        )


if __name__ == "__main__":
    main()
