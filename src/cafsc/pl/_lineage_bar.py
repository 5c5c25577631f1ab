"""What the tumour is made of, and which cells were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from cafsc._keys import KEPT
from cafsc.get import cells
from cafsc.pl._names import lineage_name
from cafsc.pl._style import FONT, GREEN, INK, LINE, PALE, SMALL, axes, bare
from cafsc.pl._text import label

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes


def lineage_bar(adata: AnnData, *, key_added: str = "caf", ax: Axes | None = None) -> Axes:
    """Draw the number of cells per lineage, kept as fibroblasts and refused.

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
        There is no result.
    """
    table = cells(adata, key_added)
    lineage = table["lineage"].astype(object).where(table["lineage"].notna(), "unknown").map(str)
    counts = pd.crosstab(lineage, (table["gate"].astype(object) == KEPT).rename("kept"))
    counts = counts.reindex(columns=[True, False], fill_value=0)
    total = counts.sum(axis=1)
    order = sorted(counts.index, key=lambda name: (-int(total[name]), name))
    ax = axes(ax, 5.8, 1.3 + 0.29 * max(len(order), 1))
    for shown, left, colour, name in (
        (counts[True], 0, GREEN, "kept as fibroblast"),
        (counts[False], counts[True].reindex(order), PALE, "refused"),
    ):
        ax.barh(range(len(order)), shown.reindex(order), left=left, height=0.68, color=colour, label=name)
    for row, name in enumerate(order):
        text = f"{int(total[name]):,}"
        at = (float(total[name]), row)
        ax.annotate(text, at, (5, 0), textcoords="offset points", va="center", size=SMALL, color=INK)
    ax.set_yticks(range(len(order)), [label(lineage_name(name), 30) for name in order])
    ax.set_ylim(max(len(order), 1) - 0.5, -0.5)
    ax.set_xlim(0, max(float(total.max()) if len(total) else 0.0, 1.0) * 1.12)
    ax.set_xlabel("cells", color=INK, size=FONT)
    ax.grid(axis="x", color=LINE, linewidth=0.6)
    ax.set_axisbelow(True)
    bare(ax, "top", "right", "left")
    ax.legend(
        loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, frameon=False, fontsize=SMALL, labelcolor=INK
    )
    return ax
