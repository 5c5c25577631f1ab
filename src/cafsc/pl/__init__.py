"""Figures of a result. Every function draws on one Axes and returns it; none touches pyplot's global state.

Without ``ax`` a new :class:`matplotlib.figure.Figure` is made; it is ``ax.figure``.
"""

from cafsc.pl._dotplot import dotplot
from cafsc.pl._embedding import embedding
from cafsc.pl._evidence_chart import evidence_chart
from cafsc.pl._kaplan_meier import kaplan_meier
from cafsc.pl._lineage_bar import lineage_bar
from cafsc.pl._save import to_png, to_svg
from cafsc.pl._score_heatmap import score_heatmap

__all__ = [
    "dotplot",
    "embedding",
    "evidence_chart",
    "kaplan_meier",
    "lineage_bar",
    "score_heatmap",
    "to_png",
    "to_svg",
]
