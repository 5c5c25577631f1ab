"""How much published evidence stands on either side of each cluster."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from matplotlib.patches import Patch

from cafsc._keys import ANTI, PRO
from cafsc.get import clusters as cluster_table
from cafsc.get import evidence
from cafsc.pl._clusters import cluster_labels, refuse_none
from cafsc.pl._style import BLUE, FONT, INK, LINE, PAPER, SMALL, VERMILION, axes, bare
from cafsc.pl._text import label

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes

_AUTHOR_YEAR = re.compile(r"(.+?\b(?:19|20)\d{2})\b")
INCH_A_LETTER = 0.068
WIDTH = 8.4
PLOT_SHARE = 0.7
"""Share of the width that is left for the bars, beside the names of the clusters."""


def evidence_chart(adata: AnnData, *, key_added: str = "caf", ax: Axes | None = None) -> Axes:
    """Draw the weight of evidence per cluster: pro-tumour to the right, anti-tumour to the left.

    One segment is one paper: the weight of the claim with which it, or its laboratory, votes on that side. Context
    claims have no side and are left out.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
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
        There is no result, or no cluster.
    """
    table = cluster_table(adata, key_added)
    refuse_none(table)
    claims = evidence(adata, key_added)
    claims = claims[claims["effect"].isin([PRO, ANTI]) & claims["counted"]]
    papers = (
        claims.groupby(["cluster", "effect", "paper"], sort=True)
        .agg(weight=("weight", "sum"), citation=("citation", "first"))
        .reset_index()
    )
    # Largest next to the axis; equal weights by name, so that the figure never changes by itself.
    papers = papers.sort_values(["weight", "paper"], ascending=[False, True], kind="stable")
    furthest_by = papers.groupby(["effect", "cluster"])["weight"].sum().groupby("effect").max()
    reach = {str(effect): float(weight) for effect, weight in furthest_by.items()}
    furthest = max(reach.values(), default=0.0) or 1.0
    # Each side gets the room it needs, but never so little that it could be overlooked.
    right, left = (max(reach.get(effect, 0.0), 0.3 * furthest) for effect in (PRO, ANTI))

    names = cluster_labels(table)
    ax = axes(ax, WIDTH, 1.5 + 0.46 * len(table))
    inches = WIDTH * PLOT_SHARE / (left + right)
    for row, cluster in enumerate(table["cluster"]):
        here = papers[papers["cluster"] == cluster]
        for effect, colour, side in ((PRO, VERMILION, 1), (ANTI, BLUE, -1)):
            start = 0.0
            for part in here[here["effect"] == effect].itertuples():
                width = side * float(part.weight)
                ax.barh(row, width, left=start, height=0.66, color=colour, edgecolor=PAPER, linewidth=1.0)
                name = _author_year(str(part.citation) or str(part.paper))
                if len(name) * INCH_A_LETTER < abs(width) * inches:
                    # White has too little contrast on vermilion.
                    ink = "#ffffff" if effect == ANTI else "#111111"
                    ax.text(start + width / 2, row, name, ha="center", va="center", size=SMALL - 1, color=ink)
                start += width
        if here.empty:
            text = "no published evidence"
            ax.annotate(
                text, (0, row), (6, 0), textcoords="offset points", va="center", size=SMALL, color=INK
            )
    ax.axvline(0, color=INK, linewidth=1.0)
    ax.set_yticks(
        range(len(table)), [f"{names[c]}\n{v}" for c, v in zip(table["cluster"], table["call"], strict=True)]
    )
    ax.set_ylim(len(table) - 0.45, -0.55)
    ax.set_xlim(-1.04 * left, 1.04 * right)
    ax.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    ax.set_xlabel("anti-tumour  ←  weight of evidence  →  pro-tumour", color=INK, size=FONT)
    ax.grid(axis="x", color=LINE, linewidth=0.6)
    ax.set_axisbelow(True)
    bare(ax, "top", "right", "left")
    ax.legend(
        handles=[Patch(color=BLUE, label="anti-tumour"), Patch(color=VERMILION, label="pro-tumour")],
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=2,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
    )
    return ax


def _author_year(citation: str) -> str:
    found = _AUTHOR_YEAR.match(citation)
    return label(found.group(1) if found else citation, 22)
