"""What `cafsc annotate` takes where the matrix stays in its file, and what a sample that stands for all loses.

    python benchmarks/scale.py [--cells 200000] [--genes 30000] [--million] [--folder FOLDER]
    python benchmarks/scale.py --agreement 12000
    python benchmarks/scale.py --rare 20000
    python benchmarks/scale.py --doublets 20000

The data are those of `large_data.py`, about three percent of the entries not zero, gzip-compressed. Every run is a
fresh process with one thread for linear algebra. CPU seconds include children, and peak memory is the highest
resident set of the process. ``--million`` adds a million cells; ``--folder`` keeps the data for another time.
``--agreement`` compares, on so many simulated cells, what a sample that stands for all gives with what all cells give.
On as many with 30,000 genes, ``--rare`` leaves only a few cells of one kind and says how many of them each size of
the sample still finds, and ``--doublets`` adds droplets of two cells and says how many are found.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from speed import CAFSC, run

LARGE_DATA = Path(__file__).with_name("large_data.py")
MILLION = 1_000_000
BARS = {200_000: 4.0, MILLION: 10.0}
"""GB of peak memory that so many cells may take."""


def annotate_large(folder: Path, n_cells: int, n_genes: int) -> str:
    """A line of the table: the whole command on a simulated tumour that stays in its file."""
    source = folder / f"large_{n_cells}_{n_genes}.h5ad"
    if not source.exists():
        run(sys.executable, LARGE_DATA, source, n_cells, "--genes", n_genes)
    words = ("annotate", source, "--output", folder / "out.h5ad", "--backed", "--force", "--quiet")
    cost = run(CAFSC, *words)
    bar = next((bar for size, bar in BARS.items() if n_cells <= size), 0.0)
    peak = cost.peak_gb or 0.0
    figures = (
        f"{cost.cpu:.0f} | {cost.wall:.0f} | {peak:.2f} | at most {bar:g} | {'yes' if peak <= bar else 'NO'}"
    )
    return f"| annotate --backed with report, {n_cells:,} cells x {n_genes:,} genes | {figures} |"


def annotated(tumour: AnnData, of_tissue: int, of_fibroblasts: int) -> pd.DataFrame:
    """``obs`` after a run whose samples of the tissue and of the fibroblasts have at most so many cells."""
    import cafsc
    from cafsc._config import ClusterConfig, Config, GateConfig, ScoreConfig

    adata = tumour.copy()
    components = ClusterConfig(resolution=GateConfig().components.resolution, max_cells=of_tissue)
    config = Config(gate=GateConfig(components=components), score=ScoreConfig(max_cells=of_fibroblasts))
    cafsc.annotate(adata, config=config)
    return adata.obs


def agreement(n_cells: int) -> None:
    """Share of cells with the same answer where a sample stands for all, for samples ever smaller."""
    from cafsc import data

    tumour = data.simulated_tumour(n_cells, seed=3)

    def answer(of_tissue: int, of_fibroblasts: int) -> tuple[pd.Series, pd.Series]:
        obs = annotated(tumour, of_tissue, of_fibroblasts)
        return obs["caf_lineage"].astype(str), obs["caf_subtype"].astype(str)

    lineage, subtype = answer(n_cells, n_cells)
    n_kept = int((subtype != "nan").sum())
    print(
        f"{n_cells:,} cells, {n_kept:,} fibroblasts; cells with the lineage, fibroblasts with the state of the whole"
    )
    for share in (2, 4, 8):
        sizes = n_cells // share, max(n_kept // share, 100)
        found = answer(*sizes)
        both = (subtype != "nan") & (found[1] != "nan")
        print(
            f"sample of {sizes[0]:,} cells and {sizes[1]:,} fibroblasts: "
            f"{(found[0] == lineage).mean():.3f}, {(found[1] == subtype)[both].mean():.3f}"
        )


def rare(n_cells: int) -> None:
    """Which of a few cells of a kind are still found where a sample stands for all, for samples ever smaller."""
    import numpy as np

    tumour, simulated = with_noise(n_cells)
    kinds = {
        ("PVL differentiated", "PVL immature"): {
            "mural cells": ("caf_lineage", ("pericyte", "smooth_muscle"))
        },
        ("macrophage", "monocyte"): {"myeloid cells": ("caf_lineage", ("myeloid",))},
        ("T CD4", "T CD8"): {"T cells": ("caf_lineage", ("t_nk",))},
        ("iCAF",): {
            "iCAFs, kept": ("caf_lineage", ("fibroblast",)),
            "iCAFs, named": ("caf_subtype", ("iCAF",)),
        },
    }
    print(f"{n_cells:,} cells, all but a few of one kind left out: found right; all iCAFs and myCAFs kept")
    for n_left, (names, asked) in itertools.product((15, 30), kinds.items()):
        of_kind = np.isin(simulated, names)
        stays = ~of_kind
        stays[np.random.default_rng(n_left).choice(np.flatnonzero(of_kind), n_left, replace=False)] = True
        caf = np.isin(simulated[stays], ("iCAF", "myCAF"))
        for size in (n_cells, 10_000, 5_000):
            obs = annotated(tumour[stays], size, size)
            kept = (obs["caf_gate"].astype(str) == "kept").to_numpy()[caf].mean()
            for what, (column, right) in asked.items():
                is_right = obs[column].astype(str).isin(right).to_numpy()[of_kind[stays]].mean()
                print(f"{n_left} {what}, sample of {size:,}: {is_right:.2f}; {kept:.4f}")


def doublets(n_cells: int) -> None:
    """How many droplets of a mesenchymal and another cell are found, in the sample that stands for all and outside."""
    import numpy as np
    from anndata import AnnData
    from scipy import sparse

    from cafsc.pp.embed import sketch_rows

    tumour, simulated = with_noise(n_cells)
    counts, random = sparse.csr_matrix(tumour.X), np.random.default_rng(5)
    mesenchymal = np.isin(simulated, ("iCAF", "myCAF", "PVL differentiated", "PVL immature"))
    one, other = (random.choice(np.flatnonzero(kind), n_cells // 25) for kind in (mesenchymal, ~mesenchymal))
    both = counts[one] + counts[other]
    # Two cells in a droplet yield less than twice one.
    both.data = random.binomial(both.data.astype(int), 0.75).astype(both.data.dtype)
    both.eliminate_zeros()
    mixed = AnnData(sparse.vstack([counts, both]).tocsr(), var=tumour.var.copy())
    mixed.obs_names = [f"cell{number}" for number in range(mixed.n_obs)]
    double = np.arange(mixed.n_obs) >= n_cells
    caf = np.concatenate([np.isin(simulated, ("iCAF", "myCAF")), np.zeros(one.size, dtype=bool)])
    for size in (mixed.n_obs, 10_000):
        obs = annotated(mixed, size, size)
        gate = obs["caf_gate"].astype(str)
        called, kept = gate.str.startswith("doublet").to_numpy(), (gate == "kept").to_numpy()
        inside = np.zeros(mixed.n_obs, dtype=bool)
        inside[sketch_rows(~obs["caf_low_quality"].to_numpy(dtype=bool), size, 0)] = True
        for where, here in (("in it", inside), ("outside", ~inside)):
            if here.any():
                print(
                    f"sample of {size:,}, {where}: {called[double & here].mean():.3f} of the doublets found, "
                    f"{kept[double & here].mean():.3f} kept as fibroblasts; "
                    f"{called[~double & here].mean():.4f} of the single cells called doublets; "
                    f"{kept[caf & here].mean():.4f} of the iCAFs and myCAFs kept"
                )


def with_noise(n_cells: int) -> tuple[AnnData, NDArray[Any]]:
    """A simulated tumour with 30,000 genes, most of them noise, and the kind of each cell."""
    import anndata

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tumour.h5ad"
        run(sys.executable, LARGE_DATA, path, n_cells)
        tumour = anndata.read_h5ad(path)
    return tumour, tumour.obs["simulated_type"].astype(str).to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=200_000)
    parser.add_argument("--genes", type=int, default=30_000)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--agreement", type=int, metavar="CELLS")
    parser.add_argument("--rare", type=int, metavar="CELLS")
    parser.add_argument("--doublets", type=int, metavar="CELLS")
    options = parser.parse_args()
    for n_cells, measure in (
        (options.rare, rare),
        (options.doublets, doublets),
        (options.agreement, agreement),
    ):
        if n_cells:
            measure(n_cells)
            return
    print(f"load {os.getloadavg()[0]:.1f} before, on {os.cpu_count()} cores", flush=True)
    print("| what | CPU s | wall s | peak GB | bar | met |\n| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for n_cells in [options.cells, MILLION] if options.million else [options.cells]:
            print(annotate_large(options.folder or Path(folder), n_cells, options.genes), flush=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        raise SystemExit(str(error)) from error
