"""What `speed.py` measures, each in a process of its own: data, the peers' way of the same steps, rounds of scores.

    python benchmarks/speed_work.py data FOLDER N_CELLS
    python benchmarks/speed_work.py scanpy FOLDER/N_CELLS.h5ad FOLDER/sets.json OUT.h5ad
    python benchmarks/speed_work.py scanpy_exact FOLDER/N_CELLS.h5ad FOLDER/sets.json OUT.h5ad
    python benchmarks/speed_work.py score_genes FOLDER/N_CELLS.h5ad FOLDER/sets.json
    python benchmarks/speed_work.py scores OUT.json N_CELLS N_GENES N_ROUNDS
    python benchmarks/speed_work.py file SOURCE.h5ad OUT.json

No peer's process imports cafsc.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray
    from scipy import sparse

    from cafsc.engine import Scorer
    from cafsc.tl.score.controls import SetColumns

N_SETS = 100
N_GENES = 30_000
N_BINS = 25
MAX_RANK = 1500
TARGET_SUM = 1e4
SCORED = ("as_scanpy", "default", "every", "score_genes", "mean_kernel", "every_kernel", "lookup", "ucell")
SHARE_DETECTED = 0.06
NOT_OF_CAFSC = ("dask", "fsspec", "pyarrow")
_ROWS_AT_ONCE = 1000
_WARM_UP = 200
# What is measured are the compiled loops, on few cells too.
_ALL_COMPILED = 10**12


def write_data(folder: Path, n_cells: int) -> None:
    """A simulated tumour, and the sets of the catalogue that it has genes of, with random ones up to 100."""
    import anndata

    sys.path.insert(0, str(Path(__file__).parent))
    from large_data import write_large

    from cafsc import sig
    from cafsc.tl.score.set_columns import scored_sets

    # The tumour that cafsc ships knows 3,699 genes, and a real file has them all.
    path = folder / f"{n_cells}.h5ad"
    write_large(path, n_cells, N_GENES, n_cells)
    names = anndata.read_h5ad(path, backed="r").var_names
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
    """Counts, cells x genes, float32, of which about `share` is not zero."""
    from scipy import sparse

    random = np.random.default_rng(seed)
    rate = random.gamma(0.3, size=n_genes)
    rate *= 1.55 * share * n_genes / rate.sum()
    blocks = []
    for start in range(0, n_cells, _ROWS_AT_ONCE):
        depth = random.lognormal(0.0, 0.4, min(_ROWS_AT_ONCE, n_cells - start))
        blocks.append(sparse.csr_matrix(random.poisson(depth[:, None] * rate).astype(np.float32)))
    return sparse.vstack(blocks, format="csr")


def random_sets(n_genes: int, n_sets: int = N_SETS, seed: int = 0) -> list[SetColumns]:
    """Sets of 10 to 200 genes."""
    from cafsc.tl.score.controls import SetColumns

    random = np.random.default_rng(seed)
    sizes = random.integers(10, min(201, n_genes), n_sets)
    members = [np.sort(random.choice(n_genes, size, replace=False)) for size in sizes]
    return [SetColumns(up=genes, down=np.empty(0, dtype=np.int64), n_genes=genes.size) for genes in members]


class Scoring:
    """One matrix and its sets, scored by each method."""

    def __init__(self, counts: sparse.csr_matrix, sets: list[SetColumns]) -> None:
        import pandas as pd
        from anndata import AnnData

        from cafsc import engine
        from cafsc.pp.normalize import log1p_depth

        self.counts, self.sets = counts, sets
        self.lognorm = log1p_depth(counts, TARGET_SUM).astype(np.float32)
        self.names = np.array([f"gene{number}" for number in range(counts.shape[1])])
        self.adata = AnnData(self.lognorm, var=pd.DataFrame(index=self.names))
        self.named = {str(number): list(self.names[members.up]) for number, members in enumerate(sets)}
        self.bins = self._bins()
        self.combination = engine.bin_mean_combination(self.bins, sets)
        self.scorer = self._scorer(engine.METHODS)

    def _bins(self) -> NDArray[np.int64]:
        from cafsc import engine
        from cafsc.tl.score.controls import expression_bins

        return expression_bins(engine.gene_means(self.lognorm, n_values=_ALL_COMPILED), N_BINS)

    def _scorer(self, methods: tuple[str, ...], target_sum: float | None = None) -> Scorer:
        from cafsc import engine

        return engine.Scorer(
            self.lognorm.shape[1],
            self.sets,
            methods,
            n_values=_ALL_COMPILED,
            bins=self._bins() if target_sum is None else self.bins,
            max_rank=MAX_RANK,
            target_sum=target_sum,
        )

    def as_scanpy(self) -> NDArray[np.float64]:
        """scanpy's own scores: choice of the control genes included."""
        from cafsc import engine

        means = engine.gene_means(self.lognorm, n_values=_ALL_COMPILED, single=scanpy_sums_singly())
        combination = engine.score_genes_combination(means, self.sets)
        parts = [combination.scores(rows, _ALL_COMPILED) for _, rows in engine.row_blocks(self.lognorm)]
        return np.vstack(parts)

    def default(self) -> dict[str, NDArray[np.float64]]:
        """Both families of our scores, choice of the bins included."""
        return self._scorer(("bin_mean", "ucell")).score(self.lognorm)

    def every(self) -> dict[str, NDArray[np.float64]]:
        """All methods, of raw counts: they are normalised on the way."""
        return self._scorer(("bin_mean", "ucell", "aucell", "ulm"), TARGET_SUM).score(self.counts)

    def mean_kernel(self) -> None:
        """The bin mean alone, once the bins are known."""
        from cafsc import engine

        for _, rows in engine.row_blocks(self.lognorm):
            self.combination.scores(rows, _ALL_COMPILED)

    def every_kernel(self) -> None:
        """All methods, once the bins are known."""
        from cafsc import engine

        for _, rows in engine.row_blocks(self.lognorm):
            self.scorer.scores(rows)

    def score_genes(self) -> NDArray[np.float64]:
        """scanpy with its defaults."""
        add_score_genes(self.adata, self.named)
        return self.adata.obs[[f"{name}_score" for name in self.named]].to_numpy()

    def ucell(self) -> NDArray[np.float64]:
        """pyUCell on one thread."""
        return add_ucell(self.adata, self.named)

    def lookup(self) -> NDArray[np.float64]:
        """One look-up in a gene table for each value: the least that any score must do."""
        table = np.arange(self.lognorm.shape[1], dtype=np.float64)
        out = np.empty(self.lognorm.shape[0])
        columns = self.lognorm.indices.view(np.uint32)
        weighted_sums()(self.lognorm.data, columns, self.lognorm.indptr, table, out)
        return out


@cache
def weighted_sums() -> Any:
    """Each row's sum of value x its column's weight, compiled in the way that numba is quickest with."""
    import numba

    @numba.njit
    def sums(data: Any, columns: Any, indptr: Any, table: Any, out: Any) -> None:
        for row in range(indptr.size - 1):
            values, places = data[indptr[row] : indptr[row + 1]], columns[indptr[row] : indptr[row + 1]]
            total = 0.0
            for k in range(values.size):
                total += values[k] * table[places[k]]
            out[row] = total

    return sums


def scanpy_sums_singly() -> bool:
    """Whether the installed scanpy sums a float32 matrix in float32."""
    return tuple(map(int, version("scanpy").split(".")[:2])) < (1, 12)


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
    counts = synthetic(n_cells, n_genes)
    few, whole = Scoring(counts[:_WARM_UP].copy(), sets), Scoring(counts, sets)
    # scanpy compiles nothing that depends on the number of sets.
    few.named = dict(list(few.named.items())[:2])
    for method in SCORED:
        getattr(few, method)()
    times: dict[str, list[tuple[float, float]]] = {method: [] for method in SCORED}
    results = {}
    for _ in range(n_rounds):
        for method in SCORED:
            cpu, wall, results[method] = cpu_and_wall(getattr(whole, method))
            times[method].append((cpu, wall))
    difference = {
        "score_genes": np.abs(results["as_scanpy"] - results["score_genes"]).max(),
        "ucell": np.abs(results["default"]["ucell"] - results["ucell"]).max(),
        "ucell of counts": np.abs(results["every"]["ucell"] - results["ucell"]).max(),
    }
    return {
        "seconds": times,
        "difference": {name: float(value) for name, value in difference.items()},
        "n_values": int(counts.nnz),
    }


def scanpy_steps(
    source: Path, sets: Mapping[str, list[str]], output: Path, transformer: str | None = None
) -> None:
    """The steps of a run as one writes them with scanpy and pyUCell; `transformer` finds the neighbours."""
    import anndata
    import scanpy as sc

    adata = anndata.read_h5ad(source)
    sc.pp.calculate_qc_metrics(adata, inplace=True)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    sc.pp.highly_variable_genes(adata, n_top_genes=2000)
    sc.pp.pca(adata)
    # The default is pynndescent, which compiles itself in every process; 0.7 fails, and the tests' environment has 0.6.
    sc.pp.neighbors(adata, transformer=transformer)
    sc.tl.leiden(adata, flavor="igraph", n_iterations=2, directed=False)
    add_score_genes(adata, sets)
    add_ucell(adata, sets)
    # scanpy's default test, and by far its cheapest.
    sc.tl.rank_genes_groups(adata, "leiden", method="t-test")
    adata.write_h5ad(output)


def score_file(source: Path, output: Path) -> None:
    """Scores of 100 sets of a matrix that stays in its file, and how many GB the scores take."""
    # anndata takes them along where they are; an installation of cafsc alone does not have them.
    sys.modules.update(dict.fromkeys(NOT_OF_CAFSC))  # type: ignore[arg-type]
    from cafsc import io, tl

    adata = io.read(source, backed=True)
    names = adata.var_names.to_numpy()
    sets = {f"set{number}": list(names[members.up]) for number, members in enumerate(random_sets(len(names)))}
    tl.score_sets(adata, sets)
    output.write_text(json.dumps({"gb": adata.obsm["bin_mean_scores"].to_numpy().nbytes / 2**30}))


def main(words: list[str]) -> None:
    warnings.simplefilter("ignore")
    job, *rest = words
    if job == "data":
        write_data(Path(rest[0]), int(rest[1]))
    elif job == "file":
        score_file(Path(rest[0]), Path(rest[1]))
    elif job == "scores":
        found = rounds_of_scores(*map(int, rest[1:]))
        Path(rest[0]).write_text(json.dumps(found))
    else:
        source, sets = Path(rest[0]), json.loads(Path(rest[1]).read_text())
        if job in ("scanpy", "scanpy_exact"):
            transformer = "sklearn" if job == "scanpy_exact" else None
            scanpy_steps(source, sets, Path(rest[2]), transformer)
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
