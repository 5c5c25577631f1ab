"""Compute the profiles of the embedded simulated tumour from the public sample CID4465.

    python tools/make_simulated_tumour.py [breast_tnbc_wu2021_CID4465.h5ad [TABLE.tsv.gz]]

Without an argument the sample comes through the dataset registry (`cafsc data fetch`). The table is written
to ``src/cafsc/data/simulated_tumour_profiles.tsv.gz``; the same sample and catalogue give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
from scipy import sparse

from cafsc import sig
from cafsc.data import fetch

TARGET = Path(__file__).parents[1] / "src" / "cafsc" / "data" / "simulated_tumour_profiles.tsv.gz"
SAMPLE = "breast_tnbc_wu2021_CID4465"
N_EXPRESSED = 2_300
N_VARIABLE = 1_900
PER = 10_000

# Simulated type -> the author's labels that make it up, (column, labels). Left out: the transitioning CAF
# state, cycling mural and immune cells, endothelial cells with mural genes, and types of fewer than 25 cells.
TYPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "iCAF": ("celltype_subset", ("CAFs MSC iCAF-like s1", "CAFs MSC iCAF-like s2")),
    "myCAF": ("celltype_subset", ("CAFs myCAF like s4", "CAFs myCAF like s5")),
    "PVL immature": ("celltype_subset", ("PVL Immature s1", "PVL_Immature s2")),
    "PVL differentiated": ("celltype_subset", ("PVL Differentiated s3",)),
    "endothelial": ("celltype_minor", ("Endothelial ACKR1", "Endothelial CXCL12")),
    "cancer basal": ("celltype_minor", ("Cancer Basal SC", "Cancer LumB SC")),
    "cancer cycling": ("celltype_minor", ("Cancer Cycling",)),
    "macrophage": ("celltype_minor", ("Macrophage",)),
    "monocyte": ("celltype_minor", ("Monocyte",)),
    "T CD4": ("celltype_minor", ("T cells CD4+",)),
    "T CD8": ("celltype_minor", ("T cells CD8+",)),
    "B": ("celltype_minor", ("B cells Memory",)),
    "plasmablast": ("celltype_minor", ("Plasmablasts",)),
}


def catalogue_genes() -> set[str]:
    catalogue = sig.load()
    genes: set[str] = set()
    for entry in catalogue.sets.values():
        genes.update(entry.definition.genes)
    for panel in catalogue.lineages.values():
        genes.update([*panel.core, *panel.excludes])
    for program in catalogue.programs.values():
        genes.update([*program.up, *program.down])
    return genes


def members(obs: pd.DataFrame) -> dict[str, np.ndarray]:
    return {
        name: np.flatnonzero(obs[column].astype(str).isin(labels).to_numpy())
        for name, (column, labels) in TYPES.items()
    }


def profiles(counts: sparse.csr_matrix, cells: dict[str, np.ndarray]) -> np.ndarray:
    """Share of each gene in the counts of each type; types x genes, rows sum to 1."""
    pooled = np.vstack(
        [np.asarray(counts[rows].sum(axis=0), dtype=np.float64).ravel() for rows in cells.values()]
    )
    return pooled / pooled.sum(axis=1, keepdims=True)


def choose_genes(shares: np.ndarray, names: pd.Index) -> np.ndarray:
    """The most expressed, the most variable between types, and what the catalogue speaks of, seen or not."""
    log = np.log1p(shares * PER)
    expressed = np.argsort(-shares.mean(axis=0), kind="stable")[:N_EXPRESSED]
    variable = np.argsort(-log.var(axis=0), kind="stable")[:N_VARIABLE]
    known = np.flatnonzero(names.isin(sorted(catalogue_genes())))
    return np.unique(np.concatenate([expressed, variable, known]))


def dispersions(counts: np.ndarray, cells: dict[str, np.ndarray], shares: np.ndarray) -> np.ndarray:
    """Gamma dispersion of each gene by moments within types: variance = mean + dispersion * mean**2."""
    excess, square = np.zeros(counts.shape[1]), np.zeros(counts.shape[1])
    for share, rows in zip(shares, cells.values(), strict=True):
        mean = counts[rows].sum(axis=1, keepdims=True) * share
        excess += ((counts[rows] - mean) ** 2 - mean).sum(axis=0)
        square += (mean**2).sum(axis=0)
    return np.clip(excess / np.maximum(square, 1e-12), 0.01, 3.0)


def table(sample: Path) -> bytes:
    adata = anndata.read_h5ad(sample)
    cells = members(adata.obs)
    counts = sparse.csr_matrix(adata.X)
    shares = profiles(counts, cells)
    chosen = choose_genes(shares, adata.var_names)
    counts = counts[:, chosen]
    shares = profiles(counts, cells)
    dense = counts.toarray().astype(np.float64)
    out = io.StringIO()
    out.write(
        "# Mean counts per 10,000 of each cell type, for drawing a SIMULATED tumour. These are not cells.\n"
    )
    out.write(
        "# origin: GSE176078, sample CID4465; Wu et al. 2021 Nat Genet, doi:10.1038/s41588-021-00911-1\n"
    )
    out.write("# made by: tools/make_simulated_tumour.py\n")
    out.write("# dispersion: gamma, by moments within types; variance = mean + dispersion * mean^2\n")
    out.write("# cells: " + "; ".join(f"{name}={len(rows)}" for name, rows in cells.items()) + "\n")
    out.write("\t".join(["gene", "dispersion", *TYPES]) + "\n")
    for name, spread, means in zip(
        adata.var_names[chosen], dispersions(dense, cells, shares), (shares * PER).T, strict=True
    ):
        out.write("\t".join([name, f"{spread:.3g}", *(f"{mean:.3g}" for mean in means)]) + "\n")
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0, compresslevel=9) as file:
        file.write(out.getvalue().encode())
    return packed.getvalue()


def main() -> None:
    sample = Path(sys.argv[1]) if len(sys.argv) > 1 else fetch(SAMPLE)
    target = Path(sys.argv[2]) if len(sys.argv) > 2 else TARGET
    data = table(sample)
    target.write_bytes(data)
    print(f"{target}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
