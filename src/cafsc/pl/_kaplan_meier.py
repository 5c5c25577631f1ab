"""Survival above and below the median of a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from cafsc.pl._style import BLUE, FONT, INK, LINE, MUTED, SMALL, VERMILION, axes, bare
from cafsc.pl._text import label

if TYPE_CHECKING:
    from cafsc.bulk import Curves

_LOOKS = {"high": (VERMILION, "-"), "low": (BLUE, "--")}


def kaplan_meier(curves: Curves, ax: Axes | None = None) -> Axes:
    """Kaplan-Meier curves with 95% intervals, censored samples as ticks, and the log-rank p.

    Parameters
    ----------
    curves
        Of `cafsc.bulk.curves`.
    ax
        Where to draw; on a new figure if not given.

    Returns
    -------
    The Axes.
    """
    ax = axes(ax, 4.6, 3.4)
    for group in curves.groups:
        colour, style = _LOOKS.get(group.name, (MUTED, ":"))
        ax.fill_between(
            group.times, group.low, group.high, step="post", color=colour, alpha=0.15, linewidth=0
        )
        text = f"{group.name}: {group.n} samples, {group.n_events} events"
        ax.step(
            group.times,
            group.survival,
            where="post",
            color=colour,
            linestyle=style,
            linewidth=1.6,
            label=text,
        )
        if group.censored.size:
            place = np.searchsorted(group.times, group.censored, side="right") - 1
            ax.plot(group.censored, group.survival[place], "|", color=colour, markersize=5)
    ax.set_ylim(0, 1.03)
    ax.set_xlim(left=0)
    ax.set_xlabel(label(curves.time))
    ax.set_ylabel("share without event")
    ax.set_title(f"{label(curves.label)}   log-rank p = {curves.p:.2g}", fontsize=FONT, color=INK, loc="left")
    ax.yaxis.grid(True, color=LINE, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.legend(frameon=False, fontsize=SMALL, labelcolor=INK, loc="lower left")
    bare(ax, "top", "right")
    return ax
