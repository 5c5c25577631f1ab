"""How far each set stands out in each cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from cafsc.errors import InputError, OptionError
from cafsc.get import clusters as cluster_table
from cafsc.get import scores
from cafsc.pl._clusters import cluster_labels, refuse_none
from cafsc.pl._style import INK, LINE, PAPER, SMALL, axes, bare, diverging
from cafsc.pl._text import label

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes

FDR = 0.05


def score_heatmap(
    adata: AnnData,
    kind: Literal["subtype", "program", "state"] = "subtype",
    *,
    n_sets: int | None = None,
    key_added: str = "caf",
    ax: Axes | None = None,
) -> Axes:
    """Draw the effect of each set (rows) in each cluster (columns).

    A dot marks an effect above zero with a false discovery rate below 0.05. The colour is clipped at the 95th
    percentile of the absolute effects, so that one strong set does not bleach the others.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    kind
        Which sets: published subtypes, functional programmes, or harmonised states.
    n_sets
        Only so many sets, those with the largest effect in any cluster; all without it.
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
        There is no result, no cluster, or no set of that kind.
    cafsc.OptionError
        ``n_sets`` is below 1.
    """
    if n_sets is not None and n_sets < 1:
        raise OptionError(f"n_sets is {n_sets}", expected="1 or more")
    table = cluster_table(adata, key_added)
    refuse_none(table)
    long = scores(adata, key_added)
    long = long[long["kind"] == kind].drop_duplicates(["cluster", "set"])
    if long.empty:
        raise InputError(
            f"the result has no score of kind {kind!r}",
            expected=f"one of {', '.join(sorted(scores(adata, key_added)['kind'].unique())) or '(none)'}",
        )
    wide = long.pivot(index="set", columns="cluster", values="effect").reindex(columns=list(table["cluster"]))
    once = long.drop_duplicates("set")
    scheme: dict[str, str] = dict(zip(once["set"], once["scheme"], strict=True))
    title: dict[str, str] = dict(zip(once["set"], once["label"], strict=True))
    order = sorted(wide.index, key=lambda s: (scheme[s], s))
    if n_sets is not None:
        strongest = wide.max(axis=1).fillna(-np.inf)
        kept = set(sorted(wide.index, key=lambda s: (-float(strongest[s]), s))[:n_sets])
        order = [s for s in order if s in kept]
    wide = wide.loc[order]
    sure = long.assign(sure=(long["fdr"] < FDR) & (long["effect"] > 0))
    marks = sure.pivot(index="set", columns="cluster", values="sure").reindex(
        index=order, columns=wide.columns
    )

    values = wide.to_numpy(float)
    finite = np.abs(values[np.isfinite(values)])
    limit = max(float(np.quantile(finite, 0.95)) if len(finite) else 0.0, 1.0)
    names = list(cluster_labels(table, 22).values())
    ax = axes(ax, 3.8 + 0.62 * len(names), 2.5 + 0.27 * len(order))
    image = ax.pcolormesh(
        np.ma.masked_invalid(values),
        cmap=diverging(),
        vmin=-limit,
        vmax=limit,
        edgecolors=PAPER,
        linewidth=1.2,
    )
    down, across = np.nonzero(marks.fillna(False).to_numpy(bool))
    # The cells stay the same on a dark page, so their marks do not take the page's ink.
    ax.scatter(across + 0.5, down + 0.5, s=9, color="#111111", linewidths=0, zorder=3)
    ax.set_xticks(np.arange(len(names)) + 0.5, names, rotation=40, ha="left", rotation_mode="anchor")
    ax.xaxis.tick_top()
    ax.set_yticks(np.arange(len(order)) + 0.5, [_row(title[s] or s, scheme[s]) for s in order])
    ax.tick_params(length=0, labelsize=SMALL)
    ax.invert_yaxis()
    for i in range(1, len(order)):
        if scheme[order[i]] != scheme[order[i - 1]]:
            ax.axhline(i, color=INK, linewidth=0.8)
    bare(ax, "top", "right", "left", "bottom")
    bar = ax.figure.colorbar(
        image,
        ax=ax,
        orientation="horizontal",
        location="bottom",
        shrink=0.7,
        aspect=30,
        extend="both",
        pad=0.02,
    )
    bar.set_label("effect against matched random sets (standard errors)", color=INK, size=SMALL)
    bar.ax.tick_params(colors=INK, labelsize=SMALL)
    bar.outline.set_edgecolor(LINE)
    return ax


def _row(title: str, scheme: str) -> str:
    return label(f"{title} · {scheme}" if scheme else title, 36)
