"""Figures of a result, as `scanpy.pl` makes them: pyplot figures, which a notebook shows inline.

Every function but `kaplan_meier` takes the AnnData that `cafsc.annotate` was run on and the ``key_added`` of that run,
and raises `cafsc.errors.InputError` where there is no such result, or no cluster to draw. All return the Axes and take

``ax``
    Axes to draw on, or an empty `matplotlib.figure.Figure`, which is sized and filled without pyplot; by default a
    new pyplot figure.
``show``
    Whether to call `matplotlib.pyplot.show`; a notebook shows the figure without it.
``save``
    File to write, in the format of its suffix.
"""

from cafsc.pl._by_scanpy import dotplot, embedding
from cafsc.pl._canvas import to_svg
from cafsc.pl._charts import evidence_chart, kaplan_meier, lineage_bar, score_heatmap

__all__ = ["dotplot", "embedding", "evidence_chart", "kaplan_meier", "lineage_bar", "score_heatmap", "to_svg"]
