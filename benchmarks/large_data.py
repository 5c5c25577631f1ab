"""A simulated tumour of any number of cells, written block by block: what `scale.py` measures.

    python benchmarks/large_data.py OUT.h5ad N_CELLS [--genes 30000] [--distinct 20000]

``--distinct`` cells are simulated (`cafsc.data.simulated_tumour`); each cell of the file is half of the molecules of
one of them, drawn anew, and with counts of genes that belong to nobody, up to the number of genes of a real file.
About three percent of the entries are not zero. The same arguments give the same file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from scipy import sparse

_BLOCK = 2_000
_NOISE = 260.0
"""Molecules a cell of genes that belong to nobody."""


def background(n_cells: int, n_genes: int, random: np.random.Generator) -> sparse.csr_matrix:
    """Counts of genes that differ in level, but not between cells."""
    rate = np.random.default_rng(1).gamma(0.3, size=n_genes)
    share = np.cumsum(rate / rate.sum())
    size = random.poisson(_NOISE, n_cells)
    genes = np.searchsorted(share, random.random(size.sum())).clip(max=n_genes - 1)
    cells = np.repeat(np.arange(n_cells), size)
    return sparse.csr_matrix((np.ones(genes.size), (cells, genes)), shape=(n_cells, n_genes))


def write_large(path: Path, n_cells: int, n_genes: int, n_distinct: int, seed: int = 0) -> None:
    """Write the h5ad."""
    import anndata

    from cafsc import data, genes

    n_distinct = min(n_distinct, n_cells)
    known = data.simulated_tumour(n_distinct, seed=seed)
    counts = sparse.csr_matrix(known.X, dtype=np.float64)
    n_extra = n_genes - known.n_vars
    if n_extra < 0:
        raise SystemExit(
            f"{n_genes} genes: the simulated tumour alone has {known.n_vars}; give more with --genes"
        )
    random = np.random.default_rng(seed)
    shown = set(known.var_names)
    others = [name for name in sorted(genes.approved("human")) if name not in shown]
    names = [*known.var_names, *np.random.default_rng(2).choice(others, n_extra, replace=False)]
    which = np.concatenate([random.permutation(n_distinct) for _ in range(-(-n_cells // n_distinct))])[
        :n_cells
    ]
    obs = pd.DataFrame(
        {"simulated_type": known.obs["simulated_type"].to_numpy()[which]},
        index=[f"cell{number}" for number in range(n_cells)],
    )
    anndata.AnnData(obs=obs, var=pd.DataFrame(index=names)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        file.pop("X", None)
        group = file.create_group("X")
        group.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0"})
        group.attrs["shape"] = np.array([n_cells, n_genes])
        store = {
            name: group.create_dataset(
                name, (0,), dtype, chunks=(2**16,), maxshape=(None,), compression="gzip", compression_opts=1,
                shuffle=True,
            )
            for name, dtype in (("data", np.float32), ("indices", np.int32))
        }  # fmt: skip
        lengths = []
        for start in range(0, n_cells, _BLOCK):
            cells = which[start : start + _BLOCK]
            drawn = counts[cells]
            drawn.data = random.binomial(drawn.data.astype(np.int64), 0.5).astype(np.float64)
            drawn.eliminate_zeros()
            block = sparse.hstack([drawn, background(cells.size, n_extra, random)], format="csr")
            block.sum_duplicates()
            first = store["data"].shape[0]
            for name, values in (("data", block.data), ("indices", block.indices)):
                store[name].resize((first + values.size,))
                store[name][first:] = values
            lengths.append(np.diff(block.indptr))
        indptr = np.concatenate([[0], np.cumsum(np.concatenate(lengths))])
        # Of one width with the indices, as scipy has it.
        group.create_dataset("indptr", data=indptr.astype(np.int32 if indptr[-1] < 2**31 else np.int64))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("cells", type=int)
    parser.add_argument("--genes", type=int, default=30_000)
    parser.add_argument("--distinct", type=int, default=20_000)
    given = parser.parse_args()
    write_large(given.out, given.cells, given.genes, given.distinct)
