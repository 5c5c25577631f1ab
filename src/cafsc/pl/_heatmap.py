"""How far each set stands out in each cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from cafsc.errors import InputError, OptionError
from cafsc.get import clusters as cluster_table
from cafsc.get import scores
from cafsc.pl._canvas import DIVERGING, INK, PAPER, SMALL, File, Place, canvas, cluster_labels, label

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
    ax: Place = None,
    show: bool | None = None,
    save: File = None,
) -> Axes:
    """Draw the effect of each set (rows) in each cluster (columns).

    A dot marks an effect above zero with a false discovery rate below 0.05. The colour is clipped at the 95th
    percentile of the absolute effects, so that one strong set does not bleach the others.

    Parameters
    ----------
    kind
        Which sets: published subtypes, functional programmes, or harmonised states.
    n_sets
        Only so many sets, those with the largest effect in any cluster; all without it.
    adata, key_added, ax, show, save
        See `cafsc.pl`.

    Raises
    ------
    cafsc.OptionError
        ``n_sets`` is below 1.

    Examples
    --------
    >>> cafsc.pl.score_heatmap(adata, "program", n_sets=20)
    """
    if n_sets is not None and n_sets < 1:
        raise OptionError(f"n_sets is {n_sets}", expected="1 or more")
    table = cluster_table(adata, key_added)
    names = cluster_labels(table, 22)
    every = scores(adata, key_added)
    long = every[every["kind"] == kind].drop_duplicates(["cluster", "set"])
    if long.empty:
        raise InputError(
            f"the result has no score of kind {kind!r}",
            expected=f"one of {', '.join(sorted(every['kind'].unique())) or '(none)'}",
        )
    sets = long.drop_duplicates("set").set_index("set").sort_values(["scheme", "set"])
    effect = long.pivot(index="set", columns="cluster", values="effect").reindex(columns=table["cluster"])
    if n_sets is not None:
        sets = sets.loc[sets.index.isin(effect.max(axis=1).sort_index().nlargest(n_sets).index)]
    effect = effect.loc[sets.index]
    fdr = long.pivot(index="set", columns="cluster", values="fdr").reindex_like(effect)
    down, across = np.nonzero(((fdr < FDR) & (effect > 0)).to_numpy())
    limit = max(1.0, float(np.nanquantile([*effect.abs().to_numpy().ravel(), 1.0], 0.95)))

    with canvas(ax, (3.8 + 0.62 * len(names), 2.5 + 0.27 * len(sets)), show, save) as axes:
        image = axes.pcolormesh(
            np.ma.masked_invalid(effect.to_numpy()),
            cmap=LinearSegmentedColormap.from_list("diverging", DIVERGING),
            vmin=-limit,
            vmax=limit,
            edgecolors=PAPER,
            linewidth=1.2,
        )
        # The tiles stay the same on a dark page, so their marks do not take the page's ink.
        axes.scatter(across + 0.5, down + 0.5, s=9, color="#111111", linewidths=0, zorder=3)
        axes.set_xticks(np.arange(len(names)) + 0.5, names, rotation=40, ha="left", rotation_mode="anchor")
        axes.xaxis.tick_top()
        rows = [
            f"{t or s} · {x}" if x else t or s
            for s, t, x in zip(sets.index, sets["label"], sets["scheme"], strict=True)
        ]
        axes.set_yticks(np.arange(len(sets)) + 0.5, [label(row, 36) for row in rows])
        axes.tick_params(length=0, labelsize=SMALL)
        axes.invert_yaxis()
        scheme = sets["scheme"].to_numpy()
        for border in np.flatnonzero(scheme[1:] != scheme[:-1]) + 1:
            axes.axhline(float(border), color=INK, linewidth=0.8)
        axes.spines[:].set_visible(False)
        bar = axes.figure.colorbar(
            image, ax=axes, location="bottom", shrink=0.7, aspect=30, extend="both", pad=0.02
        )
        bar.set_label("effect against matched random sets (standard deviations)", size=SMALL)
    return axes
