"""What all figures share: where they are drawn, colours, fit labels, and figures as bytes.

The categorical colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), told apart under the common
forms of colour blindness. Words stand beside every colour that has a meaning.
"""

from __future__ import annotations

import io
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cafsc._keys import ANTI, MIXED, PRO, UNDETERMINED, UNKNOWN, UNRESOLVED
from cafsc.errors import InputError, OptionError

BLUE: Final = "#0072b2"
GREEN: Final = "#009e73"
VERMILION: Final = "#d55e00"
GREY: Final = "#8a939e"
CATEGORIES: Final = (BLUE, "#e69f00", GREEN, "#cc79a7", "#56b4e9", VERMILION, "#d9c400")
_FIXED: Final = {PRO: VERMILION, ANTI: BLUE, MIXED: "#cc79a7"} | dict.fromkeys(
    (UNDETERMINED, UNRESOLVED, UNKNOWN), GREY
)
DIVERGING: Final = (BLUE, "#a9cbe2", "#f4f4f2", "#f0bd94", VERMILION)
SEQUENTIAL: Final = ("#e6edf3", "#7fb3d5", BLUE, "#00466f")

# The page behind a figure may be dark: these five are the ones that the report exchanges for its own.
INK: Final = "#1c2733"
MUTED: Final = "#5b6774"
LINE: Final = "#d9dee5"
PAPER: Final = "#fdfdfe"
PALE: Final = "#ccd2d9"

FONT: Final = 9.5
SMALL: Final = 8.5
_STYLE: Final[Any] = {
    "font.size": FONT, "axes.titlesize": FONT, "axes.labelsize": FONT, "legend.fontsize": SMALL,
    "legend.title_fontsize": SMALL, "legend.frameon": False, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": LINE, "axes.axisbelow": True, "axes.grid": False, "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlelocation": "left",
}  # fmt: skip
LEGEND_ABOVE: Final[dict[str, Any]] = {"loc": "lower left", "bbox_to_anchor": (-0.01, 1.0), "ncols": 2}


Place = Axes | Figure | None
File = str | Path | None


@contextmanager
def canvas(
    ax: Place, size: tuple[float, float], show: bool | None, save: File, layout: str = "constrained"
) -> Iterator[Axes]:
    """Axes to draw on, in the style of cafsc: the user's, or those of a figure of `size` in inches.

    Settings of matplotlib hold inside the block only.
    """
    if ax is None or show:
        # A figure of the user's own needs no pyplot, and so no screen.
        from matplotlib import pyplot
    with mpl.rc_context(_STYLE):
        if ax is None:
            ax = pyplot.figure()
        if isinstance(ax, Figure):
            ax.set(size_inches=size, layout_engine=layout)
            axes = ax.add_subplot()
        else:
            axes = ax
        axes.tick_params(labelsize=FONT, grid_color=LINE, grid_linewidth=0.6)
        yield axes
        # Ticks are made when the figure is drawn, after this block: they take nothing from its settings.
        for each in ax.axes if isinstance(ax, Figure) else [ax]:
            each.tick_params(colors=INK, length=0)
        if save is not None:
            _figure(axes).savefig(save, bbox_inches="tight")
    if show:
        pyplot.show()


def colours(names: Sequence[str]) -> list[str]:
    """A colour for each name: fixed for calls, grey for ``unresolved`` and ``unknown``, distinct for the others."""
    others = [name for name in names if name not in _FIXED]
    palette: Sequence[str] = CATEGORIES
    if len(others) > len(CATEGORIES):
        from scanpy.plotting.palettes import default_102

        palette = default_102
    return [{**dict(zip(others, palette, strict=False)), **_FIXED}[name] for name in names]


def clean(text: str) -> str:
    """Text from outside without hidden marks; control characters and lone surrogates become spaces."""
    if text.isascii() and text.isprintable():
        return text
    kinds = {character: unicodedata.category(character) for character in set(text) - set("\n\t")}
    hidden = {"Cf": "", "Cc": " ", "Cs": " ", "Zl": " ", "Zp": " "}
    return text.translate({ord(c): hidden[kind] for c, kind in kinds.items() if kind in hidden})


def label(text: object, limit: int = 42) -> str:
    """One line for a figure: cleaned, shortened, and never read as mathtext."""
    line = " ".join(clean(str(text)).split())
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return line.replace("$", r"\$")


def cluster_labels(clusters: pd.DataFrame, limit: int = 34) -> list[str]:
    """``3 · myCAF`` for each cluster, or the name alone where the user's cluster bears its state's name."""
    if clusters.empty:
        raise InputError(
            "the result has no fibroblast cluster",
            expected="at least one cluster",
            fix='see cafsc.get.summary(adata)["message"] for the reason',
        )
    return [
        label(cluster if cluster == subtype else f"{cluster} · {subtype}", limit)
        for cluster, subtype in zip(clusters["cluster"], clusters["subtype"], strict=True)
    ]


@contextmanager
def fixed_style() -> Iterator[None]:
    """Matplotlib's own defaults, whatever the user's settings are; text stays text in SVG."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.hashsalt": "cafsc", "svg.fonttype": "none"})
        # A letter that the measuring font lacks is drawn by the reader's own font.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def to_svg(ax: Axes) -> str:
    """The figure of ``ax`` as SVG text, without date or version: the same calls give the same text.

    Examples
    --------
    >>> svg = cafsc.pl.to_svg(cafsc.pl.lineage_bar(adata))
    """
    out = io.StringIO()
    with fixed_style():
        options: dict[str, Any] = {"metadata": {"Date": None, "Creator": None}, "bbox_inches": "tight"}
        _figure(ax).savefig(out, format="svg", dpi=150, transparent=True, **options)
    return out.getvalue()


def _figure(ax: Axes) -> Figure:
    """The whole figure that the Axes lies in."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise OptionError("the Axes belongs to no figure", fix="pass an Axes that has not been removed")
    return figure
