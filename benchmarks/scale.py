"""How `cafsc annotate` grows with the cells, and what it takes where the matrix stays in its file.

    python benchmarks/scale.py [--cells 100000] [--genes 30000] [--million] [--rounds 3] [--rows ...] [--folder FOLDER]
    python benchmarks/scale.py --agreement 12000
    python benchmarks/scale.py --rare 20000
    python benchmarks/scale.py --doublets 20000

The data are those of `large_data.py`, about three percent of the entries not zero, gzip-compressed. Every run is a
fresh process with one thread for linear algebra; runs in memory and from the file take turns, and their seconds are
medians, those of other rows are of one run. CPU seconds include children, and peak memory is the highest resident set
of the process. "Beyond outputs" leaves out the scores that the process returns; the process does without dask, fsspec
and pyarrow, which an installation of cafsc alone does not have either.
``--million`` adds a million cells; ``--folder`` keeps the data for another time. ``--agreement`` compares, on so many
simulated cells, what a sample that stands for all gives with what all cells give. On as many with 30,000 genes,
``--rare`` leaves only a few cells of one kind and says how many of them each size of the sample still finds, and
``--doublets`` adds droplets of two cells and says how many are found.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from speed import CAFSC, WORK, Cost, alternate, run

LARGE_DATA = Path(__file__).with_name("large_data.py")
HEAD = ["what", "CPU s", "wall s", "peak GB", "figure", "bar", "met"]
MILLION = 1_000_000
_BASE = 20_000


def row(what: str, cost: Cost, figure: float, bar: float) -> list[str]:
    """A line of the table; every bar is one that must not be exceeded."""
    shown = [f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.peak_gb:.2f}"]
    return [what, *shown, f"{figure:.3g}", f"at most {bar:g}", "yes" if figure <= bar else "NO"]


class Scale:
    """The measurements, in a folder of their own."""

    def __init__(self, folder: Path, n_genes: int) -> None:
        self.folder, self.n_genes = folder, n_genes

    def data(self, n_cells: int) -> Path:
        path = self.folder / f"large_{n_cells}_{self.n_genes}.h5ad"
        if not path.exists():
            run(sys.executable, LARGE_DATA, path, n_cells, "--genes", self.n_genes)
        return path

    def annotate(self, n_cells: int, *options: str) -> Cost:
        output = self.folder / "out.h5ad"
        common = ("--force", "--quiet", *options)
        return run(CAFSC, "annotate", self.data(n_cells), "--output", output, *common)

    def scores(self, n_cells: int) -> tuple[Cost, float]:
        """Scores of 100 sets from a file, and how many GB they take themselves."""
        out = self.folder / "scores.json"
        cost = run(sys.executable, WORK, "file", self.data(n_cells), out)
        return cost, json.loads(out.read_text())["gb"]

    def against_memory(self, n_cells: int, n_rounds: int) -> Iterator[list[str]]:
        """How time grows with cells, and what leaving the matrix in its file costs; both ways take turns."""
        few = self.annotate(_BASE, "--no-backed")
        in_memory, backed = alternate(
            n_rounds,
            lambda: self.annotate(n_cells, "--no-backed"),
            lambda: self.annotate(n_cells, "--backed"),
        )
        size = f"{n_cells:,} cells"
        what = f"annotate with report, {size}, in memory: CPU s against {few.cpu:.0f} for {_BASE:,}"
        yield row(what, in_memory, in_memory.cpu / few.cpu, 1.2 * n_cells / _BASE)
        what = f"annotate --backed, {size}: wall against in memory"
        yield row(what, backed, backed.wall / in_memory.wall, 1.1)

    def from_file(self, n_cells: int) -> Iterator[list[str]]:
        """Memory of scores of a matrix that stays in its file."""
        cost, taken = self.scores(n_cells)
        what = f"100 sets scored from the file, {n_cells:,} cells: peak GB beyond outputs"
        yield row(what, cost, (cost.peak_gb or 0.0) - taken, 0.35)

    def whole(self, n_cells: int) -> Iterator[list[str]]:
        """The whole command on a large file."""
        cost = self.annotate(n_cells, "--backed")
        what = f"annotate --backed with report, {n_cells:,} cells: peak GB"
        yield row(what, cost, cost.peak_gb or 0.0, 6)


def annotated(tumour: AnnData, of_tissue: int, of_fibroblasts: int) -> pd.DataFrame:
    """``obs`` after a run whose samples of the tissue and of the fibroblasts have at most so many cells."""
    import cafsc
    from cafsc._config import AnnotateConfig, ClusterConfig, GateConfig, ScoreConfig

    adata = tumour.copy()
    components = ClusterConfig(resolution=GateConfig().components.resolution, max_cells=of_tissue)
    config = AnnotateConfig(
        gate=GateConfig(components=components), score=ScoreConfig(max_cells=of_fibroblasts)
    )
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

    from cafsc.pp.sketch import sketch_rows

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
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--genes", type=int, default=30_000)
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--rounds", type=int, default=3, help="of the runs in memory and from the file")
    parser.add_argument(
        "--rows", default="annotate,scores,whole", help="which measurements; whole is of --million"
    )
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--agreement", type=int, metavar="CELLS")
    parser.add_argument("--rare", type=int, metavar="CELLS")
    parser.add_argument("--doublets", type=int, metavar="CELLS")
    options = parser.parse_args()
    if options.rare:
        rare(options.rare)
        return
    if options.doublets:
        doublets(options.doublets)
        return
    if options.agreement:
        agreement(options.agreement)
        return
    print(f"load {os.getloadavg()[0]:.1f} before, on {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        scale = Scale(options.folder or Path(folder), options.genes)
        sizes = [options.cells, MILLION] if options.million else [options.cells]
        measurements = {
            "annotate": [scale.against_memory(options.cells, options.rounds)],
            "scores": map(scale.from_file, sizes),
            "whole": map(scale.whole, sizes[1:]),
        }
        rows = [line for name in options.rows.split(",") for lines in measurements[name] for line in lines]
    lines = [HEAD, ["---"] * len(HEAD), *rows]
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        raise SystemExit(str(error)) from error
