"""Colours, sizes and the frame that all figures share.

The categorical colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), told apart under the
common forms of colour blindness; meaning never hangs on colour alone, the words stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure

from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED, UNKNOWN, UNRESOLVED

BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
GREEN: Final = "#009e73"
PINK: Final = "#cc79a7"
SKY: Final = "#56b4e9"
VERMILION: Final = "#d55e00"
YELLOW: Final = "#d9c400"
"""Darker than Okabe and Ito's, so that points can be seen on white."""
GREY: Final = "#8a939e"

# The page behind a figure may be dark: these five are the ones it may exchange for its own.
INK: Final = "#1c2733"
MUTED: Final = "#5b6774"
LINE: Final = "#d9dee5"
PAPER: Final = "#fdfdfe"
PALE: Final = "#ccd2d9"

CATEGORIES: Final = (BLUE, ORANGE, GREEN, PINK, SKY, VERMILION, YELLOW)
MARKERS: Final = ("o", "^", "s", "D", "v", "P")
CALL_COLOURS: Final = {PRO: VERMILION, ANTI: BLUE, MIXED: PINK, UNDETERMINED: GREY}
NAMELESS: Final = {UNRESOLVED, UNKNOWN}

FONT: Final = 9.5
SMALL: Final = 8.5


def axes(ax: Axes | None, width: float, height: float) -> Axes:
    """The Axes to draw on: the user's, or one on a new figure of that size in inches."""
    if ax is None:
        figure = Figure(figsize=(width, height), layout="constrained", facecolor="none")
        ax = figure.add_subplot()
    ax.set_facecolor("none")
    ax.tick_params(colors=INK, labelsize=FONT, length=0)
    for spine in ax.spines.values():
        spine.set_color(LINE)
    ax.xaxis.label.set_color(INK)
    ax.yaxis.label.set_color(INK)
    ax.xaxis.label.set_fontsize(FONT)
    ax.yaxis.label.set_fontsize(FONT)
    return ax


def bare(ax: Axes, *sides: str) -> None:
    """Take away the named spines."""
    ax.spines[list(sides)].set_visible(False)


def diverging() -> Colormap:
    """Blue over near-white to vermilion, for values on both sides of zero."""
    return LinearSegmentedColormap.from_list(
        "cafsc_diverging", [BLUE, "#a9cbe2", "#f4f4f2", "#f0bd94", VERMILION]
    )


def sequential() -> Colormap:
    """Pale to deep blue, for values from zero up."""
    return LinearSegmentedColormap.from_list("cafsc_sequential", ["#e6edf3", "#7fb3d5", BLUE, "#00466f"])


def category_looks(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker of each name; calls have colours of their own, names without meaning are grey."""
    looks: dict[str, tuple[str, str]] = {}
    taken = 0
    for name in names:
        if name in CALL_COLOURS:
            looks[name] = (CALL_COLOURS[name], MARKERS[0])
        elif name in NAMELESS:
            looks[name] = (GREY, MARKERS[0])
        else:
            turn, place = divmod(taken, len(CATEGORIES))
            looks[name] = (CATEGORIES[place], MARKERS[turn % len(MARKERS)])
            taken += 1
    return looks
