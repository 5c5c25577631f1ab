"""What `speed.py` measures, each in a process of its own: data, the peers' way of the same steps, rounds of scores.

    python benchmarks/speed_work.py data FOLDER N_CELLS
    python benchmarks/speed_work.py scanpy FOLDER/N_CELLS.h5ad FOLDER/sets.json OUT.h5ad
    python benchmarks/speed_work.py score_genes FOLDER/N_CELLS.h5ad FOLDER/sets.json
    python benchmarks/speed_work.py scores OUT.json N_CELLS N_GENES N_ROUNDS

No peer's process imports cafsc.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray
    from scipy import sparse

    from cafsc.tl._controls import SetColumns

N_SETS = 100
N_BINS = 25
MAX_RANK = 1500
SHARE_DETECTED = 0.06
_ROWS_AT_ONCE = 1000
_WARM_UP = 200


def write_data(folder: Path, n_cells: int) -> None:
    """A simulated tumour, and the sets of the catalogue that it has genes of, with random ones up to 100."""
    from cafsc import data, io, sig
    from cafsc.tl._sets import scored_sets

    adata = data.simulated_tumour(n_cells)
    io.write_h5ad(adata, folder / f"{n_cells}.h5ad", force=True)
    names = adata.var_names
    columns = {name: column for column, name in enumerate(names)}
    found = scored_sets(sig.load(), "human", columns, every=True)
    sets = {
        f"set{number}": list(names[found[name].up])
        for number, name in enumerate(found)
        if len(found[name].up) > 2
    }
    random = random_sets(len(names), max(0, N_SETS - len(sets)))
    sets |= {f"random{number}": list(names[members.up]) for number, members in enumerate(random)}
    chosen = dict(list(sets.items())[:N_SETS])
    (folder / "sets.json").write_text(json.dumps(chosen))


def synthetic(n_cells: int, n_genes: int, share: float = SHARE_DETECTED, seed: int = 0) -> sparse.csr_matrix:
    """Log-normalised counts, cells x genes, float32, of which about `share` is not zero."""
    from scipy import sparse

    from cafsc.pp.normalize import log1p_depth

    random = np.random.default_rng(seed)
    rate = random.gamma(0.3, size=n_genes)
    rate *= 1.55 * share * n_genes / rate.sum()
    blocks = []
    for start in range(0, n_cells, _ROWS_AT_ONCE):
        depth = random.lognormal(0.0, 0.4, min(_ROWS_AT_ONCE, n_cells - start))
        blocks.append(sparse.csr_matrix(random.poisson(depth[:, None] * rate).astype(np.float32)))
    return log1p_depth(sparse.vstack(blocks, format="csr"), 1e4).astype(np.float32)


def random_sets(n_genes: int, n_sets: int = N_SETS, seed: int = 0) -> list[SetColumns]:
    """Sets of 10 to 200 genes."""
    from cafsc.tl._controls import SetColumns

    random = np.random.default_rng(seed)
    sizes = random.integers(10, min(201, n_genes), n_sets)
    members = [np.sort(random.choice(n_genes, size, replace=False)) for size in sizes]
    return [SetColumns(up=genes, down=np.empty(0, dtype=np.int64), n_genes=genes.size) for genes in members]


class Scoring:
    """One matrix and its sets, scored by each method."""

    def __init__(self, lognorm: sparse.csr_matrix, sets: list[SetColumns]) -> None:
        import pandas as pd
        from anndata import AnnData

        self.lognorm, self.sets = lognorm, sets
        names = np.array([f"gene{number}" for number in range(lognorm.shape[1])])
        self.adata = AnnData(lognorm, var=pd.DataFrame(index=names))
        self.named = {str(number): list(names[members.up]) for number, members in enumerate(sets)}

    def bin_mean(self) -> NDArray[np.float64]:
        """Our score, choice of the bins included."""
        from cafsc.tl._controls import control_corrected, expression_bins

        mean = np.asarray(self.lognorm.mean(axis=0), dtype=np.float64).ravel()
        return control_corrected(self.lognorm, expression_bins(mean, N_BINS), self.sets)

    def ranks(self) -> NDArray[np.float64]:
        """Our UCell."""
        from cafsc.tl._controls import rank_scores

        return rank_scores(self.lognorm, self.sets, MAX_RANK)

    def score_genes(self) -> None:
        """scanpy with its defaults."""
        add_score_genes(self.adata, self.named)

    def ucell(self) -> NDArray[np.float64]:
        """pyUCell on one thread."""
        return add_ucell(self.adata, self.named)

    def lookup(self) -> NDArray[np.float64]:
        """One look-up in a gene table for each value: the least that any score must do."""
        table = np.arange(self.lognorm.shape[1], dtype=np.float64)
        return np.take(table, self.lognorm.indices)


def add_score_genes(adata: AnnData, sets: Mapping[str, list[str]]) -> None:
    import scanpy as sc

    for name, genes in sets.items():
        sc.tl.score_genes(adata, genes, score_name=f"{name}_score")


def add_ucell(adata: AnnData, sets: Mapping[str, list[str]]) -> NDArray[np.float64]:
    import pyucell

    pyucell.compute_ucell_scores(adata, signatures=dict(sets), max_rank=MAX_RANK, n_jobs=1)
    return adata.obs[[f"{name}_UCell" for name in sets]].to_numpy(dtype=np.float64)


def cpu_and_wall(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """CPU seconds and wall seconds of one call, and its result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return time.process_time() - cpu, time.perf_counter() - wall, result


def rounds_of_scores(n_cells: int, n_genes: int, n_rounds: int) -> dict[str, Any]:
    """CPU and wall seconds of each method in each round (A B A B), after a warm-up on a few cells."""
    sets = random_sets(n_genes)
    lognorm = synthetic(n_cells, n_genes)
    few, whole = Scoring(lognorm[:_WARM_UP].copy(), sets[:2]), Scoring(lognorm, sets)
    methods = ("bin_mean", "score_genes", "ranks", "ucell", "lookup")
    for method in methods:
        getattr(few, method)()
    times: dict[str, list[tuple[float, float]]] = {method: [] for method in methods}
    results = {}
    for _ in range(n_rounds):
        for method in methods:
            cpu, wall, results[method] = cpu_and_wall(getattr(whole, method))
            times[method].append((cpu, wall))
    difference = float(np.abs(results["ranks"] - results["ucell"]).max())
    return {"seconds": times, "ucell_difference": difference, "n_values": int(lognorm.nnz)}


def scanpy_steps(source: Path, sets: Mapping[str, list[str]], output: Path) -> None:
    """The steps of a run as one writes them with scanpy and pyUCell."""
    import anndata
    import scanpy as sc

    adata = anndata.read_h5ad(source)
    sc.pp.calculate_qc_metrics(adata, inplace=True)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    sc.pp.highly_variable_genes(adata, n_top_genes=2000)
    sc.pp.pca(adata)
    # The default search compiles itself for half a minute, and its newest version fails above the exact size: the
    # exact search of scikit-learn is the quickest way that works at these numbers of cells.
    sc.pp.neighbors(adata, transformer="sklearn")
    sc.tl.leiden(adata, flavor="igraph", n_iterations=2, directed=False)
    add_score_genes(adata, sets)
    add_ucell(adata, sets)
    # scanpy's default test, and by far its cheapest.
    sc.tl.rank_genes_groups(adata, "leiden", method="t-test")
    adata.write_h5ad(output)


def main(words: list[str]) -> None:
    warnings.simplefilter("ignore")
    job, *rest = words
    if job == "data":
        write_data(Path(rest[0]), int(rest[1]))
    elif job == "scores":
        found = rounds_of_scores(*map(int, rest[1:]))
        Path(rest[0]).write_text(json.dumps(found))
    else:
        source, sets = Path(rest[0]), json.loads(Path(rest[1]).read_text())
        if job == "scanpy":
            scanpy_steps(source, sets, Path(rest[2]))
        elif job == "score_genes":
            import anndata
            import scanpy as sc

            adata = anndata.read_h5ad(source)
            sc.pp.normalize_total(adata, target_sum=1e4)
            sc.pp.log1p(adata)
            add_score_genes(adata, sets)
        else:
            raise SystemExit(f"unknown job {job}")


if __name__ == "__main__":
    main(sys.argv[1:])
