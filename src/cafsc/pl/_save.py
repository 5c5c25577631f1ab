"""Figures as bytes: no date, no version, no random ids, so that the same calls give the same bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cafsc.errors import OptionError

SALT = "cafsc"


@contextmanager
def fixed_style() -> Iterator[None]:
    """Matplotlib's own defaults for as long as it lasts, whatever the user's settings are.

    Text stays text in SVG, so that it can be searched and read aloud.
    """
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.hashsalt": SALT, "svg.fonttype": "none"})
        # A letter that the measuring font lacks is drawn by the reader's own font.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def to_svg(ax: Axes) -> str:
    """The figure of ``ax`` as SVG text, without date or version.

    Parameters
    ----------
    ax
        Axes that one of the functions of :mod:`cafsc.pl` returned.

    Returns
    -------
    str
        An SVG document; the same calls give the same text.
    """
    out = io.StringIO()
    with fixed_style():
        _figure(ax).savefig(
            out, format="svg", metadata={"Date": None, "Creator": None}, dpi=150, transparent=True
        )
    return out.getvalue()


def to_png(ax: Axes, dpi: int = 150) -> bytes:
    """The figure of ``ax`` as a PNG picture on white, without date or version.

    Parameters
    ----------
    ax
        Axes that one of the functions of :mod:`cafsc.pl` returned.
    dpi
        Dots per inch, 20 to 1200.

    Returns
    -------
    bytes
        The same calls give the same bytes.

    Raises
    ------
    cafsc.OptionError
        ``dpi`` is out of range.
    """
    if not 20 <= dpi <= 1200:
        raise OptionError(f"dpi is {dpi}", expected="20 to 1200", fix="leave dpi out for 150")
    out = io.BytesIO()
    with fixed_style():
        _figure(ax).savefig(out, format="png", dpi=dpi, metadata={"Software": None}, facecolor="white")
    return out.getvalue()


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    if figure is None:
        raise OptionError("the Axes belongs to no figure", fix="pass an Axes that has not been removed")
    return figure
