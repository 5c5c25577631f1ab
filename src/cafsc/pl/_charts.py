"""Bars of lineages and of evidence, a heat map of scores, and survival curves: drawn by matplotlib."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch

from cafsc import get
from cafsc._keys import ANTI, KEPT, PRO
from cafsc.errors import InputError, OptionError
from cafsc.get.schema import lineage_name
from cafsc.pl import _canvas as look
from cafsc.pl._canvas import File, Place, canvas, cluster_labels, label

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes

    from cafsc.bulk import Curves

FDR = 0.05
_AFTER_YEAR = re.compile(r"^(.+?\b(?:19|20)\d{2})\b.*", re.DOTALL)
_WIDTH = 8.4
_INCHES_OF_BARS = 0.7 * _WIDTH
_INCHES_OF_LETTER = 0.068


def lineage_bar(
    adata: AnnData, *, key_added: str = "caf", ax: Place = None, show: bool | None = None, save: File = None
) -> Axes:
    """Draw the number of cells per lineage, kept as fibroblasts and refused.

    Parameters
    ----------
    adata, key_added, ax, show, save
        See `cafsc.pl`.

    Examples
    --------
    >>> cafsc.pl.lineage_bar(adata)
    """
    table = get.cells(adata, key_added)
    lineage = table["lineage"].astype(object).fillna("unknown").astype(str)
    counts = pd.crosstab(lineage, table["gate"].astype(object) == KEPT)
    counts = counts.reindex(columns=[True, False], fill_value=0)
    counts = counts.loc[sorted(counts.index, key=lambda name: (-counts.loc[name].sum(), name))]
    rows = range(len(counts))
    with canvas(ax, (5.8, 1.3 + 0.29 * len(counts)), show, save) as axes:
        axes.barh(rows, counts[True], height=0.68, color=look.GREEN, label="kept as fibroblast")
        refused: dict[str, Any] = {"left": counts[True], "color": look.PALE, "label": "refused"}
        ends = axes.barh(rows, counts[False], height=0.68, **refused)
        axes.bar_label(ends, [f"{n:,}" for n in counts.sum(axis=1)], padding=5, size=look.SMALL)
        axes.set_yticks(rows, [label(lineage_name(name), 30) for name in counts.index])
        axes.set_xlabel("cells")
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        axes.legend(**look.LEGEND_ABOVE)
    return axes


def evidence_chart(
    adata: AnnData, *, key_added: str = "caf", ax: Place = None, show: bool | None = None, save: File = None
) -> Axes:
    """Draw the weight of evidence per cluster: pro-tumour to the right, anti-tumour to the left.

    One segment is one paper: the weight of the claim with which it, or its laboratory, votes on that side. Context
    claims have no side and are left out.

    Parameters
    ----------
    adata, key_added, ax, show, save
        See `cafsc.pl`.

    Examples
    --------
    >>> cafsc.pl.evidence_chart(adata, save="evidence.svg")
    """
    table = get.clusters(adata, key_added)
    names = cluster_labels(table)
    claims = get.evidence(adata, key_added)
    claims = claims[claims["effect"].isin([PRO, ANTI]) & claims["counted"]]
    by_paper = claims.groupby(["cluster", "effect", "paper"], as_index=False)
    papers = by_paper.agg(weight=("weight", "sum"), citation=("citation", "first"))
    # Largest next to the axis; equal weights by name.
    papers = papers.sort_values(["weight", "paper"], ascending=[False, True])
    ends = papers.groupby(["cluster", "effect"])["weight"].cumsum()
    reach = ends.groupby(papers["effect"]).max().reindex([PRO, ANTI], fill_value=0.0)
    # Each side gets the room it needs, but never so little that it could be overlooked.
    right, left = reach.clip(lower=0.3 * (reach.max() or 1.0))
    with canvas(ax, (_WIDTH, 1.5 + 0.46 * len(table)), show, save) as axes:
        row = pd.Series(range(len(table)), index=table["cluster"])
        looks = {PRO: (look.VERMILION, "#111111", 1), ANTI: (look.BLUE, "#ffffff", -1)}
        for effect, (colour, ink, sign) in looks.items():
            part = papers[papers["effect"] == effect]
            bars = axes.barh(
                row[part["cluster"]],
                sign * part["weight"],
                left=sign * (ends - papers["weight"])[part.index],
                height=0.66,
                color=colour,
                edgecolor=look.PAPER,
                linewidth=1.0,
            )
            inches = part["weight"] * _INCHES_OF_BARS / (left + right)
            cited = part["citation"].where(part["citation"] != "", part["paper"])
            cited = cited.str.replace(_AFTER_YEAR, r"\1", regex=True).map(lambda text: label(text, 22))
            fitting = cited.where(cited.str.len() * _INCHES_OF_LETTER < inches, "")
            axes.bar_label(bars, fitting, label_type="center", size=look.SMALL - 1, color=ink)
        for at in row[~row.index.isin(papers["cluster"])]:
            words = axes.annotate("no published evidence", (0, at), (6, 0), textcoords="offset points")
            words.set(va="center", size=look.SMALL)
        axes.axvline(0, color=look.INK, linewidth=1.0)
        axes.set_yticks(row, [f"{name}\n{call}" for name, call in zip(names, table["call"], strict=True)])
        axes.set_ylim(len(table) - 0.45, -0.55)
        axes.set_xlim(-1.04 * left, 1.04 * right)
        axes.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        axes.set_xlabel("anti-tumour  ←  weight of evidence  →  pro-tumour")
        axes.grid(axis="x")
        axes.spines["left"].set_visible(False)
        sides = (("anti-tumour", look.BLUE), ("pro-tumour", look.VERMILION))
        axes.legend(handles=[Patch(color=colour, label=side) for side, colour in sides], **look.LEGEND_ABOVE)
    return axes


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
    cafsc.errors.OptionError
        ``n_sets`` is below 1.

    Examples
    --------
    >>> cafsc.pl.score_heatmap(adata, "program", n_sets=20)
    """
    if n_sets is not None and n_sets < 1:
        raise OptionError(f"n_sets is {n_sets}", expected="1 or more")
    table = get.clusters(adata, key_added)
    names = cluster_labels(table, 22)
    every = get.scores(adata, key_added)
    long = every[every["kind"] == kind]
    if long.empty:
        raise InputError(
            f"the result has no score of kind {kind!r}",
            expected=f"one of {', '.join(sorted(every['kind'].unique())) or '(none)'}",
        )
    sets = long.drop_duplicates("set").set_index("set").sort_values(["scheme", "set"])
    effect = long.pivot_table("effect", "set", "cluster", dropna=False).reindex(columns=table["cluster"])
    if n_sets is not None:
        sets = sets.loc[sets.index.isin(effect.max(axis=1).sort_index().nlargest(n_sets).index)]
    effect = effect.loc[sets.index]
    fdr = long.pivot_table("fdr", "set", "cluster", dropna=False).reindex_like(effect)
    down, across = np.nonzero(((fdr < FDR) & (effect > 0)).to_numpy())
    limit = max(1.0, float(np.nanquantile([*effect.abs().to_numpy().ravel(), 1.0], 0.95)))

    with canvas(ax, (3.8 + 0.62 * len(names), 2.5 + 0.27 * len(sets)), show, save) as axes:
        image = axes.pcolormesh(
            np.ma.masked_invalid(effect.to_numpy()),
            cmap=LinearSegmentedColormap.from_list("diverging", look.DIVERGING),
            vmin=-limit,
            vmax=limit,
            edgecolors=look.PAPER,
            linewidth=1.2,
        )
        # The tiles stay the same on a dark page, so their marks do not take the page's ink.
        axes.scatter(across + 0.5, down + 0.5, s=9, color="#111111", linewidths=0, zorder=3)
        axes.set_xticks(np.arange(len(names)) + 0.5, names, rotation=40, ha="left", rotation_mode="anchor")
        axes.xaxis.tick_top()
        rows = sets["label"].where(sets["label"] != "", sets.index)
        rows += sets["scheme"].map(lambda scheme: f" · {scheme}" if scheme else "")
        axes.set_yticks(np.arange(len(sets)) + 0.5, [label(row, 36) for row in rows])
        axes.tick_params(length=0, labelsize=look.SMALL)
        axes.invert_yaxis()
        scheme = sets["scheme"].to_numpy()
        for border in np.flatnonzero(scheme[1:] != scheme[:-1]) + 1:
            axes.axhline(float(border), color=look.INK, linewidth=0.8)
        axes.spines[:].set_visible(False)
        style: dict[str, Any] = {
            "location": "bottom",
            "shrink": 0.7,
            "aspect": 30,
            "extend": "both",
            "pad": 0.02,
        }
        bar = axes.figure.colorbar(image, ax=axes, **style)
        bar.set_label("effect against matched random sets (standard deviations)", size=look.SMALL)
    return axes


def kaplan_meier(curves: Curves, ax: Place = None, *, show: bool | None = None, save: File = None) -> Axes:
    """Kaplan-Meier curves with 95% intervals, censored samples as ticks, and the log-rank p.

    Parameters
    ----------
    curves
        Of `cafsc.bulk.curves`.
    ax, show, save
        See `cafsc.pl`.

    Examples
    --------
    >>> cafsc.pl.kaplan_meier(cafsc.bulk.curves(survival, "state:myCAF", time="months"))
    """
    looks = {"high": (look.VERMILION, "-"), "low": (look.BLUE, "--")}
    with canvas(ax, (4.6, 3.4), show, save) as axes:
        for group in curves.groups:
            colour, style = looks.get(group.name, (look.MUTED, ":"))
            text = f"{group.name}: {group.n} samples, {group.n_events} events"
            interval = (group.times, group.low, group.high)
            axes.fill_between(*interval, step="post", color=colour, alpha=0.15, linewidth=0)
            axes.step(group.times, group.survival, where="post", color=colour, ls=style, lw=1.6, label=text)
            place = np.searchsorted(group.times, group.censored, side="right") - 1
            axes.plot(group.censored, group.survival[place], "|", color=colour, markersize=5)
        axes.set_ylim(0, 1.03)
        axes.set_xlim(left=0)
        axes.set_xlabel(label(curves.time))
        axes.set_ylabel("share without event")
        axes.set_title(f"{label(curves.label)}   log-rank p = {curves.p:.2g}")
        axes.grid(axis="y")
        axes.legend(loc="lower left")
    return axes
