"""The genes that carried the names, over the clusters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.lines import Line2D

from cafsc._keys import Keys
from cafsc.errors import OptionError
from cafsc.get import clusters as cluster_table
from cafsc.pl._clusters import cluster_labels, refuse_none
from cafsc.pl._style import FONT, INK, LINE, MUTED, SMALL, axes, bare, sequential
from cafsc.pl._text import label
from cafsc.pp.normalize import TARGET_SUM, count_rows

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes

LARGEST = 150.0
"""Area in points squared of a dot for a gene seen in every cell."""


def dotplot(
    adata: AnnData,
    genes: Sequence[str] | None = None,
    *,
    n_genes: int = 4,
    key_added: str = "caf",
    ax: Axes | None = None,
) -> Axes:
    """Draw mean expression (colour) and share of cells with the gene (size), cluster by gene.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on, with its counts.
    genes
        Approved symbols; by default the first ``n_genes`` of each cluster's ``top_genes``.
    n_genes
        Genes a cluster, where ``genes`` is left out.
    key_added
        The ``key_added`` of the run.
    ax
        Axes to draw on; a new figure without it.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    cafsc.InputError
        There is no result, no cluster, or no layer with the counts.
    cafsc.OptionError
        None of the genes is in the data.
    """
    table = cluster_table(adata, key_added)
    refuse_none(table)
    keys = Keys(key_added)
    shown, columns = _columns(adata, keys, _top_genes(table, n_genes) if genes is None else list(genes))
    mean, fraction = _measure(adata, keys, table, columns)

    names = list(cluster_labels(table).values())
    new = ax is None
    ax = axes(ax, 2.9 + 0.34 * len(shown), 1.9 + 0.34 * len(names))
    across, down = np.meshgrid(np.arange(len(shown)), np.arange(len(names)))
    top = max(float(mean.max()), 1e-9)
    dots = ax.scatter(
        across.ravel(),
        down.ravel(),
        s=LARGEST * fraction.ravel(),
        c=mean.ravel(),
        cmap=sequential(),
        vmin=0,
        vmax=top,
        linewidths=0.5,
        edgecolors=MUTED,
        zorder=3,
    )
    ax.set_xticks(range(len(shown)), [label(g, 18) for g in shown], rotation=90, style="italic")
    ax.set_yticks(range(len(names)), names)
    ax.set_xlim(-0.6, len(shown) - 0.4)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(color=LINE, linewidth=0.6)
    ax.set_axisbelow(True)
    bare(ax, "top", "right", "left", "bottom")
    bar = ax.figure.colorbar(
        dots, ax=ax, shrink=min(1.0, 1.1 / (0.34 * len(names))) if new else 0.8, aspect=8
    )
    bar.set_label("mean expression\n(log1p)", color=INK, size=SMALL)
    bar.ax.tick_params(colors=INK, labelsize=SMALL)
    bar.outline.set_visible(False)
    sizes = [
        Line2D(
            [], [], ls="", marker="o", ms=float(np.sqrt(LARGEST * s)), mfc="none", mec=INK, label=f"{s:.0%}"
        )
        for s in (0.25, 0.5, 1.0)
    ]
    legend = ax.legend(
        handles=sizes,
        title="share of cells",
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=3,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
        title_fontsize=SMALL,
        alignment="left",
        handletextpad=0.5,
    )
    legend.get_title().set_color(INK)
    ax.tick_params(axis="x", labelsize=FONT)
    return ax


def _top_genes(table: pd.DataFrame, n_genes: int) -> list[str]:
    if n_genes < 1:
        raise OptionError(f"n_genes is {n_genes}", expected="1 or more")
    picked = (
        g for text in table["top_genes"] for g in [g.strip() for g in text.split(",") if g.strip()][:n_genes]
    )
    return list(dict.fromkeys(picked))


def _columns(adata: AnnData, keys: Keys, genes: list[str]) -> tuple[list[str], list[int]]:
    symbols = adata.var.get(keys.symbol, adata.var_names)
    place: dict[str, int] = {}
    for i, symbol in enumerate(map(str, symbols)):
        place.setdefault(symbol, i)
    found = [gene for gene in dict.fromkeys(genes) if gene in place]
    if not found:
        raise OptionError(
            f"none of the {len(genes)} genes is in the data",
            expected=f"approved symbols, as in var[{keys.symbol!r}]",
            fix="name others with genes=",
        )
    return found, [place[gene] for gene in found]


def _measure(
    adata: AnnData, keys: Keys, table: pd.DataFrame, columns: list[int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean log-expression and share of cells above zero, clusters x genes."""
    cluster = adata.obs[keys.cluster].astype(object).map(lambda v: "" if pd.isna(v) else str(v)).to_numpy()
    codes = pd.Categorical(cluster, categories=[str(name) for name in table["cluster"]]).codes
    total = np.zeros((len(table), len(columns)))
    seen = np.zeros_like(total)
    for rows, counts in count_rows(adata, key_added=keys.key_added).blocks(rows=np.flatnonzero(codes >= 0)):
        depth = np.asarray(counts.sum(axis=1)).ravel()
        rate = TARGET_SUM / np.where(depth > 0, depth, 1.0)
        level = np.log1p(counts[:, columns].toarray() * rate[:, None])
        np.add.at(total, codes[rows], level)
        np.add.at(seen, codes[rows], level > 0)
    size = np.maximum(np.bincount(codes[codes >= 0], minlength=len(table)), 1)[:, None]
    return total / size, seen / size
