"""Signals planted in the counts of an annotated tumour, with decoys beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from anndata import AnnData
from scipy import sparse

from cafsc.pp.normalize import symbol_columns
from cafsc.sig import Catalogue
from cafsc.sig.records import ExosomeAxis, Pair

N_DECOYS = 50


def silent_genes(adata: AnnData, n_genes: int) -> list[str]:
    """Genes that hardly a fibroblast or T cell shows, in the order of the columns."""
    shown = adata.layers["counts"] > 0
    types = adata.obs["simulated_type"]
    near = [(types == name).to_numpy() for name in ("iCAF", "myCAF", "T CD4", "T CD8")]
    seen = np.max([np.asarray(shown[cells].mean(axis=0)).ravel() for cells in near], axis=0)
    symbols = list(symbol_columns(adata))
    found = [symbol for symbol, share in zip(symbols, seen, strict=True) if share < 0.015]
    assert len(found) >= n_genes
    return found[:n_genes]


def with_counts(adata: AnnData, counts: np.ndarray) -> AnnData:
    """A copy with other counts, and what follows from them."""
    out = adata.copy()
    out.layers["counts"] = sparse.csr_matrix(counts.astype(np.float32))
    return out


def planted_pair(
    adata: AnnData, catalogue: Catalogue, *, plant: bool, seed: int = 0
) -> tuple[AnnData, Catalogue]:
    """A ligand in iCAF, its receptor and the NF-kB footprint in T cells: pair ``lr-planted`` among 50 decoys.

    Of the decoys a third lack the receptor, a third the ligand; the others have both, and a mechanism that left no
    footprint.
    """
    random = np.random.default_rng(seed)
    counts = np.asarray(adata.layers["counts"].todense(), dtype=np.int64)
    columns = symbol_columns(adata)
    footprint = {columns[gene] for gene in catalogue.programs["nf-kb-response"].up if gene in columns}
    genes = [gene for gene in silent_genes(adata, 2 * N_DECOYS + 40) if columns[gene] not in footprint]
    icaf = np.flatnonzero((adata.obs["caf_subtype"] == "iCAF").to_numpy())
    t_cells = np.flatnonzero(adata.obs["simulated_type"].isin(["T CD4", "T CD8"]).to_numpy())

    def add(gene: str, cells: np.ndarray, rate: float) -> None:
        counts[cells, columns[gene]] += random.poisson(rate, cells.size)

    # Silent genes of some lineage keep their few counts, but lose the lineage.
    for gene in genes:
        counts[:, columns[gene]] = random.permutation(counts[:, columns[gene]])
    pairs: dict[str, Pair] = {}
    for number in range(N_DECOYS + 1):
        ligand, receptor = genes[2 * number], genes[2 * number + 1]
        real = number == 0
        name = "lr-planted" if real else f"lr-decoy-{number}"
        pairs[name] = Pair(
            id=name,
            ligand=[ligand],
            receptor=[receptor],
            directions=["caf>t_cell"],
            effect="pro",
            named="both",
            in_liana_consensus=False,
            mechanism=["nf-kb"] if real or number % 3 else ["hypoxia"],
            cancer=["pan"],
            statement="planted" if real else "decoy",
            sources=["peng2023"],
        )
        if real and not plant:
            continue
        if real or number % 3 != 1:
            add(ligand, icaf, 3.0)
        if real or number % 3 != 2:
            add(receptor, t_cells, 3.0)
    if plant:
        for column in sorted(footprint):
            counts[t_cells, column] += random.poisson(2.0, t_cells.size)
    return with_counts(adata, counts), replace(catalogue, pairs=pairs)


def planted_targets(
    adata: AnnData, catalogue: Catalogue, *, plant: bool, seed: int = 0
) -> tuple[AnnData, Catalogue]:
    """Eight genes that tumour cells lose: the targets of axis ``exo-planted`` among 50 decoys."""
    random = np.random.default_rng(seed)
    counts = np.asarray(adata.layers["counts"].todense(), dtype=np.int64)
    tumour = np.flatnonzero((adata.obs["caf_lineage"] == "epithelial").to_numpy())
    level = np.asarray((adata.layers["counts"] > 0)[tumour].mean(axis=0)).ravel()
    elsewhere = np.asarray((adata.layers["counts"] > 0).mean(axis=0)).ravel()
    usual = np.flatnonzero((level > 0.5) & (elsewhere > 0.5))
    symbols = list(symbol_columns(adata))
    drawn = random.permutation(usual)
    axes: dict[str, ExosomeAxis] = {}
    for number in range(N_DECOYS + 1):
        name = "exo-planted" if number == 0 else f"exo-decoy-{number}"
        members = drawn[:8] if number == 0 else random.choice(drawn[8:], 8, replace=False)
        axes[name] = ExosomeAxis(
            id=name,
            cargo=name,
            cargo_kind="mirna",
            direction="caf>tumour",
            targets=[symbols[column] for column in members],
            target_change="down",
            effect="pro",
            cancer=["pan"],
            measurable="indirect",
            statement="planted" if number == 0 else "decoy",
            sources=["peng2023"],
        )
    if plant:
        rows = np.ix_(tumour, drawn[:8])
        counts[rows] = random.binomial(counts[rows], 0.1)
    return with_counts(adata, counts), replace(catalogue, exosome_axes=axes)
