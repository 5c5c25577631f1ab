"""Doublets made of real cells: the gate's own calls beside `scanpy.pp.scrublet`.

    python benchmarks/doublets.py [--draws N]

Needs CID4465 (``CAFSC_DATA_DIR``) and scikit-image, which scrublet takes its threshold from. In each draw, pairs of one
fibroblast and one cell of another compartment are added up and put among the other cells; 5% of the cells are then
doublets. Printed are the share of doublets found, the share kept as fibroblasts and the share of single cells lost, as
mean and range over the draws.
"""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scanpy as sc
from anndata import AnnData, concat
from scipy import sparse

sys.path.insert(0, str(Path(__file__).parent))

import truth

from cafsc import data, pp, tl

PARTNERS = ("T-cells", "Myeloid", "Cancer Epithelial", "Endothelial", "B-cells")
SHARE = 0.05


def with_doublets(adata: AnnData, rng: np.random.Generator) -> AnnData:
    """The cells with doublets of a fibroblast and another cell among them, ``obs["doublet"]`` says which."""
    major = adata.obs["celltype_major"].astype(str).to_numpy()
    n_doublets = round(SHARE * adata.n_obs)
    fibroblast = rng.choice(np.flatnonzero(major == "CAFs"), n_doublets)
    partner = rng.choice(np.flatnonzero(np.isin(major, PARTNERS)), n_doublets)
    counts = sparse.csr_matrix(adata.X)
    added = AnnData(counts[fibroblast] + counts[partner], var=adata.var.copy())
    added.obs_names = [f"doublet{number}" for number in range(n_doublets)]
    out = concat([adata, added], join="outer")
    out.obs["doublet"] = out.obs_names.str.startswith("doublet")
    return out


def ours(adata: AnnData) -> tuple[np.ndarray, np.ndarray]:
    """Cells called doublets, and cells kept as fibroblasts, by the gate."""
    pp.normalize(adata)
    pp.qc(adata)
    tl.gate(adata)
    gate = adata.obs["caf_gate"].astype(str)
    return gate.str.startswith("doublet").to_numpy(), (gate == "kept").to_numpy()


def scrublet(adata: AnnData, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells called doublets by scrublet, and what it would leave of the cells kept."""
    sc.pp.scrublet(adata, expected_doublet_rate=SHARE)
    called = adata.obs["predicted_doublet"].to_numpy(dtype=bool)
    return called, kept & ~called


def main() -> None:
    """Read the command line, run the draws, print the table."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=5)
    options = parser.parse_args()
    adata = data.load(truth.CID4465)
    rows = []
    for draw in range(options.draws):
        mixed = with_doublets(adata, np.random.default_rng(draw))
        doublet = mixed.obs["doublet"].to_numpy()
        called, kept = ours(mixed.copy())
        for method, (found, left) in {
            "cafsc": (called, kept),
            "scrublet": scrublet(mixed, kept | called),
        }.items():
            shares = found[doublet].mean(), left[doublet].mean(), found[~doublet].mean()
            rows.append((method, *shares))
    columns = ["method", "doublets found", "doublets kept as fibroblasts", "single cells lost"]
    table = pd.DataFrame(rows, columns=columns).groupby("method").agg(["mean", "min", "max"])
    print(table.T.to_string(float_format="%.3f"))


if __name__ == "__main__":
    main()
