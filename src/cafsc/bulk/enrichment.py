"""The second method: single-sample gene set enrichment, as gseapy computes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from cafsc.bulk.extras import require
from cafsc.bulk.levels import Levels
from cafsc.bulk.subjects import Subject
from cafsc.tl.score.controls import Array, Index


def ssgsea(levels: Levels, subjects: Mapping[str, Subject]) -> pd.DataFrame:
    """Enrichment score of every subject in every sample.

    Parameters
    ----------
    levels
        The cohort.
    subjects
        What to score; of single genes the score is only their rank.

    Returns
    -------
    Samples x subjects, float64: the area between the running sums, down genes subtracted, before the division
    by the range over all sets that some tools add. A state is the mean of its sets.

    Raises
    ------
    OptionError
        If gseapy is not installed.

    References
    ----------
    Barbie 2009 (doi:10.1038/nature08460); weight 0.25. Fang 2023 for gseapy
    (doi:10.1093/bioinformatics/btac757).
    """
    gseapy = require("gseapy", "ssGSEA", "leave it out with --no-ssgsea")
    halves: dict[str, list[str]] = {}
    for name, subject in subjects.items():
        if not subject.members:
            for sign, genes in (("+", subject.columns.up), ("-", subject.columns.down)):
                if genes.size:
                    halves[sign + name] = _names(genes, levels.symbols)
    found = gseapy.ssgsea(
        data=pd.DataFrame(levels.values.T, index=list(levels.symbols), columns=_numbered(levels)),
        gene_sets=halves,
        outdir=None,
        sample_norm_method="rank",
        min_size=1,
        max_size=len(levels.symbols),
        weight=0.25,
        threads=1,
        no_plot=True,
        verbose=False,
    ).res2d
    table = found.assign(ES=found["ES"].astype(float)).pivot_table(index="Name", columns="Term", values="ES")
    table = table.reindex(_numbered(levels))
    out: dict[str, Array] = {}
    for name, subject in subjects.items():
        if not subject.members:
            up, down = (_half(table, sign + name) for sign in "+-")
            out[name] = up - down
    for name, subject in subjects.items():
        if subject.members:
            out[name] = np.mean([out[member] for member in subject.members], axis=0)
    return pd.DataFrame(out, index=list(levels.samples))[list(subjects)]


def _numbered(levels: Levels) -> list[str]:
    """Names that no tool can mistake for numbers or merge."""
    return [f"s{index}" for index in range(len(levels.samples))]


def _names(genes: Index, symbols: Sequence[str]) -> list[str]:
    return [symbols[column] for column in genes]


def _half(table: pd.DataFrame, name: str) -> Array:
    if name not in table:
        return np.zeros(len(table))
    return table[name].to_numpy(dtype=np.float64)
