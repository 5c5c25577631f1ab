"""What `speed.py` and `scale.py` measure, each job in a process of its own: scanpy, scores or file."""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import anndata
import numpy as np
from anndata import AnnData

N_SETS = 100
MAX_RANK = 1500
_WARM_UP = 200


def random_sets(names: Sequence[str]) -> dict[str, list[str]]:
    """100 sets of 10 to 200 genes."""
    random = np.random.default_rng(0)
    sizes = random.integers(10, min(201, len(names)), N_SETS)
    return {f"random{n}": list(random.choice(names, size, replace=False)) for n, size in enumerate(sizes)}


def lognormalise(adata: AnnData) -> None:
    """log1p of depth-normalised counts in ``X``."""
    import scanpy as sc

    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)


def score_genes(adata: AnnData, sets: Mapping[str, list[str]]) -> None:
    """scanpy's score, one set after the other."""
    import scanpy as sc

    for name, genes in sets.items():
        sc.tl.score_genes(adata, genes, score_name=name)


def pyucell(adata: AnnData, sets: Mapping[str, list[str]]) -> None:
    """pyUCell on one thread."""
    import pyucell as peer

    peer.compute_ucell_scores(adata, signatures=dict(sets), max_rank=MAX_RANK, n_jobs=1)


def ours(adata: AnnData, sets: Mapping[str, list[str]], method: str) -> None:
    """Our scores of all sets."""
    from cafsc import tl

    tl.score_sets(adata, sets, method=method, max_rank=MAX_RANK)


MEAN, UCELL = (partial(ours, method=method) for method in ("mean", "ucell"))
SCORED = {"mean": MEAN, "score_genes": score_genes, "ucell": UCELL, "pyucell": pyucell}


def cpu_and_wall(work: Callable[[], Any]) -> tuple[float, float]:
    """CPU seconds and wall seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def rounds_of_scores(source: Path, n_rounds: int) -> dict[str, list[tuple[float, float]]]:
    """CPU and wall seconds of each method in each round (A B A B), after a warm-up on a few cells."""
    adata = anndata.read_h5ad(source)
    lognormalise(adata)
    sets = random_sets(adata.var_names)
    few = adata[:_WARM_UP].copy()
    times: dict[str, list[tuple[float, float]]] = {method: [] for method in SCORED}
    for score in SCORED.values():
        score(few, dict(list(sets.items())[:2]))
    for _ in range(n_rounds):
        for method, score in SCORED.items():
            times[method].append(cpu_and_wall(partial(score, adata, sets)))
    return times


def scanpy_steps(source: Path, output: Path) -> None:
    """The steps of a run as one writes them with scanpy and pyUCell."""
    import scanpy as sc

    adata = anndata.read_h5ad(source)
    sc.pp.calculate_qc_metrics(adata, inplace=True)
    lognormalise(adata)
    sc.pp.highly_variable_genes(adata, n_top_genes=2000)
    sc.pp.pca(adata)
    # Exact neighbours cost less here than the default, which compiles itself in every process.
    sc.pp.neighbors(adata, transformer="sklearn")
    sc.tl.leiden(adata, flavor="leidenalg", n_iterations=2)
    sc.tl.umap(adata)
    sc.tl.rank_genes_groups(adata, "leiden", method="t-test")
    sets = random_sets(adata.var_names)
    score_genes(adata, sets)
    pyucell(adata, sets)
    adata.write_h5ad(output)


def score_file(source: Path, output: Path) -> None:
    """Scores of 100 sets of a matrix that stays in its file, and how many GB the scores take."""
    from cafsc import io, tl

    adata = io.read(source, backed=True)
    tl.score_sets(adata, random_sets(list(adata.var_names)))
    output.write_text(json.dumps({"gb": adata.obsm["mean_scores"].to_numpy().nbytes / 2**30}))


def main(job: str, source: str, output: str, n_rounds: str = "1") -> None:
    """Do one job."""
    warnings.simplefilter("ignore")
    if job == "scores":
        Path(output).write_text(json.dumps(rounds_of_scores(Path(source), int(n_rounds))))
    else:
        {"scanpy": scanpy_steps, "file": score_file}[job](Path(source), Path(output))


if __name__ == "__main__":
    main(*sys.argv[1:])
