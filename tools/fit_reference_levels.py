"""Measure the reference levels of lineage markers and gene sets in public datasets.

    python tools/fit_reference_levels.py [--leave-out NAME] [-o FOLDER]

A marker's level is the median, over datasets, of its counts per ten thousand in the cells that the gate gives to its
lineage. A set's level is the mean, over datasets, of its score in all kept fibroblasts: each dataset is one vote,
whatever states it holds, and no author label is read. A lineage's profile is the mean, over datasets, of the
log1p counts per ten thousand of every gene in the cells of that lineage. ``--leave-out`` drops a dataset, so that a
benchmark on it uses levels it had no part in.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from anndata import AnnData

from cafsc import data, genes, pp, sig
from cafsc._config import GateConfig, ScoreConfig
from cafsc.pp.normalize import count_matrix, symbol_columns
from cafsc.sig.reference import FILE, PROFILES, ReferenceLevels
from cafsc.tl.gate.assign import gate
from cafsc.tl.gate.mixture import pseudobulk
from cafsc.tl.gate.panels import lineage_panels
from cafsc.tl.label.activation import activation_panel
from cafsc.tl.score.catalogue import both_scores, score
from cafsc.tl.score.fibroblasts import fibroblasts
from cafsc.tl.score.set_columns import scored_sets

DATASETS = (
    "breast_tnbc_wu2021_CID4465",
    "pdac_lin2020_P01",
    "breast_tnbc_gao2021_302",
    "hnscc_puram2017_180",
    "mouse_gut_mca2018_219",
)
TUMOURS = DATASETS[:4]
MIN_CELLS = 6
NO_LEVELS = ReferenceLevels({}, {})
LEAST_LEVEL = 0.01
"""Counts per ten thousand that a gene of the profiles reaches in some lineage."""


PROFILED = ("fibroblast", "pericyte", "endothelial", "epithelial", "t_nk", "b_plasma", "myeloid")
"""The lineages of a carcinoma; rarer ones are in too few of the datasets."""
MIN_PROFILE_CELLS = 20
Profiles = dict[str, dict[str, float]]


@lru_cache
def gated(name: str) -> AnnData:
    adata = data.load(name)
    pp.normalize(adata, pp.check(adata))
    pp.qc(adata)
    gate(adata, levels=NO_LEVELS, config=GateConfig())
    return adata


@lru_cache
def measure_profiles(name: str) -> Profiles:
    """Counts per ten thousand of each lineage that the dataset has enough cells of, by human symbol."""
    adata = gated(name)
    counts = count_matrix(adata)
    columns = symbol_columns(adata)
    human = {symbol: (symbol,) for symbol in columns}
    if adata.uns["cafsc"]["species"] != "human":
        human = genes.translate(columns, adata.uns["cafsc"]["species"], "human")
    out = {}
    for lineage in PROFILED:
        cells = (adata.obs["caf_lineage"] == lineage).to_numpy(dtype=float)
        if cells.sum() < (MIN_CELLS if lineage == "fibroblast" else MIN_PROFILE_CELLS):
            continue
        bulk = pseudobulk(counts, cells[:, None], 1e4)[0]
        out[lineage] = {found[0]: float(bulk[columns[symbol]]) for symbol, found in human.items() if found}
    return out


def fit_profiles(names: Iterable[str]) -> Profiles:
    levels: dict[str, dict[str, list[float]]] = {lineage: defaultdict(list) for lineage in PROFILED}
    for name in names:
        for lineage, profile in measure_profiles(name).items():
            for gene, level in profile.items():
                levels[lineage][gene].append(float(np.log1p(level)))
    return {
        lineage: {gene: float(f"{np.expm1(np.mean(seen)):.3g}") for gene, seen in sorted(found.items())}
        for lineage, found in levels.items()
    }


def measure(name: str, profiles: Profiles) -> tuple[dict[tuple[str, str], float], dict[str, float]]:
    adata = gated(name).copy()
    counts = count_matrix(adata)
    species = adata.uns["cafsc"]["species"]
    markers = {}
    for lineage, panel in lineage_panels(sig.load(), symbol_columns(adata), species).items():
        cells = (adata.obs["caf_lineage"] == lineage).to_numpy(dtype=float)
        if cells.sum() < MIN_CELLS:
            continue
        bulk = pseudobulk(counts, cells[:, None], 1e4)[0]
        markers |= {(lineage, gene): float(bulk[column]) for gene, column in panel.items()}
    if name in TUMOURS:
        bulk = pseudobulk(counts, (adata.obs["caf_gate"] == "kept").to_numpy(dtype=float)[:, None], 1e4)[0]
        for gene, column in activation_panel(sig.load(), symbol_columns(adata), species).items():
            markers["activation", gene] = float(bulk[column])
    score(adata, levels=ReferenceLevels({}, {}, profiles=profiles), config=ScoreConfig())
    cells = fibroblasts(adata, "caf")
    if cells.rows.size < MIN_CELLS:
        return markers, {}
    # Every set in every dataset, through orthologs: a set of one species would else have one dataset for its zero.
    found = scored_sets(sig.load(), species, cells.columns, every=True)
    # Sets that a dataset covers badly stay in: states are compared, so they need the same datasets behind them.
    found = {name: columns for name, columns in found.items() if columns.n_found}
    members = list(found.values())
    blocks = [
        both_scores(lognorm, cells.bins, members, ScoreConfig().max_rank) for _, lognorm in cells.pooled()
    ]
    scores = np.concatenate([above for above, _ in blocks])
    return markers, dict(zip(found, scores.mean(axis=0).tolist(), strict=True))


def fit(leave_out: str | None = None) -> tuple[list[tuple[str, str, str, float, float, int]], Profiles]:
    """Rows of the table (kind, subject, gene, level, standard error over datasets, their number), and profiles."""
    markers: dict[tuple[str, str], list[float]] = defaultdict(list)
    sets: dict[str, list[float]] = defaultdict(list)
    names = [name for name in DATASETS if name != leave_out]
    profiles = fit_profiles(names)
    for name in names:
        found_markers, found_sets = measure(name, profiles)
        for key, level in found_markers.items():
            markers[key].append(level)
        for set_name, level in found_sets.items():
            sets[set_name].append(level)
    rows = [
        ("marker", lineage, gene, round(float(np.median(levels)), 3), standard_error(levels), len(levels))
        for (lineage, gene), levels in sorted(markers.items())
    ]
    rows += [
        ("set", name, "", round(float(np.mean(levels)), 4), standard_error(levels), len(levels))
        for name, levels in sorted(sets.items())
    ]
    return rows, profiles


def standard_error(levels: list[float]) -> float:
    """0 where there is only one level."""
    return round(float(np.std(levels, ddof=1) / np.sqrt(len(levels))), 4) if len(levels) > 1 else 0.0


def reference_without(name: str) -> ReferenceLevels:
    """Levels in which a dataset had no part."""
    rows, profiles = fit(name)
    return ReferenceLevels(
        {(subject, gene): level for kind, subject, gene, level, _, _ in rows if kind == "marker"},
        {subject: level for kind, subject, _, level, _, _ in rows if kind == "set"},
        {subject: error for kind, subject, _, _, error, _ in rows if kind == "set"},
        profiles,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--leave-out", choices=DATASETS, default=None)
    parser.add_argument("-o", type=Path, default=None)
    options = parser.parse_args()
    rows, profiles = fit(options.leave_out)
    lines = ["kind\tsubject\tgene\tlevel\terror\tdatasets"]
    lines += ["\t".join(map(str, row)) for row in rows]
    text = "\n".join(lines) + "\n"
    if options.o:
        (options.o / FILE).write_text(text, encoding="utf-8")
        write_profiles(profiles, options.o / PROFILES)
    else:
        sys.stdout.write(text)


def write_profiles(profiles: Profiles, path: Path) -> None:
    """Genes that no lineage expresses are left out: they take the level of their rank in a sample."""
    known = sorted(set().union(*profiles.values()))
    lines = ["\t".join(["gene", *profiles])]
    for gene in known:
        levels = [profile.get(gene) for profile in profiles.values()]
        if max(level or 0.0 for level in levels) >= LEAST_LEVEL:
            lines.append("\t".join([gene, *("" if level is None else f"{level:g}" for level in levels)]))
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content, mtime=0))


if __name__ == "__main__":
    main()
