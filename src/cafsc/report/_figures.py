"""The figures of the report: drawn by ``cafsc.pl``, put into the page as SVG that follows its colours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cafsc import get, pl
from cafsc._keys import KEPT
from cafsc.errors import InputError, OptionError
from cafsc.get.schema import lineage_name
from cafsc.pl._canvas import INK, LINE, MUTED, PALE, PAPER, fixed_style
from cafsc.report._words import count

if TYPE_CHECKING:
    from anndata import AnnData

N_SETS = 30
HALF_PAGE_CLUSTERS = 6
"""A heat map of more clusters needs the width of the page to be read."""
_PAGE_COLOURS = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    LINE: "var(--line)",
    PAPER: "var(--card)",
    PALE: "var(--pale)",
}
_BESIDE = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>|<metadata>.*?</metadata>", re.DOTALL)
# Only tags are touched, never the text between them: it may be the user's.
_TAG = re.compile(r"<[^<>]*>")
_IDS = re.compile(r'(\bid="|href="#|url\(#)')


class Picture(NamedTuple):
    """A figure in the page."""

    anchor: str
    title: str
    caption: str
    alt: str
    svg: Markup
    wide: bool = False


def figures(adata: AnnData, key_added: str) -> Iterator[Picture]:
    """Every figure that the result has data for, in the order of the page."""

    def drawn(plot: Callable[..., Axes], anchor: str, **options: Any) -> Markup:
        # Without pyplot: nothing is shown, and nothing is left open.
        with fixed_style():
            return inline(pl.to_svg(plot(adata, key_added=key_added, ax=Figure(), **options)), anchor)

    clusters, cells = get.clusters(adata, key_added), get.cells(adata, key_added)
    sizes = cells["lineage"].astype(object).map(str).value_counts()
    lineages = sorted(sizes.index, key=lambda name: (-sizes[name], name))
    yield Picture(
        "lineages",
        "What the sample is made of",
        "Cells of each lineage; green ones were kept as fibroblasts.",
        f"Bar chart of cells per lineage: {', '.join(f'{lineage_name(n)} {sizes[n]:,}' for n in lineages)}. "
        f"Kept as fibroblasts: {(cells['gate'] == KEPT).sum():,}.",
        drawn(pl.lineage_bar, "lineages"),
    )
    if clusters.empty:
        return
    states = clusters.groupby("subtype")["n_cells"].sum()
    with suppress(InputError):  # without two dimensions there is no map
        yield Picture(
            "map",
            "The fibroblasts",
            "One point is one cell; cells that lie close together have similar expression. Distances between "
            "far groups mean little.",
            "Scatter plot of the cells, coloured by state. "
            f"Cells per state: {', '.join(f'{state} {n:,}' for state, n in states.items())}.",
            drawn(pl.embedding, "map"),
        )
    yield Picture(
        "balance",
        "Evidence for either side",
        "One segment is one paper; its length is the weight of its vote, the heaviest of its claims.",
        "Diverging bar chart of the weight of evidence per cluster. The same papers, with their weights, are in the "
        "evidence tables below.",
        drawn(pl.evidence_chart, "balance"),
        wide=True,
    )
    genes = clusters["cluster"] + ": " + clusters["top_genes"].replace("", "none")
    with suppress(InputError, OptionError):  # without counts or genes there is no dot plot
        yield Picture(
            "genes",
            "Genes that carried the names",
            "Size: share of the cluster's cells in which the gene was seen. Colour: mean expression.",
            f"Dot plot of the leading genes over the clusters. Leading genes: {'; '.join(genes)}.",
            drawn(pl.dotplot, "genes"),
            wide=True,
        )
    scores = get.scores(adata, key_added)
    for kind, title in (("subtype", "Published subtypes"), ("program", "Functional programmes")):
        here = scores[scores["kind"] == kind]
        if here.empty:
            continue
        n_sets = here["set"].nunique()
        best = here.dropna(subset="effect").sort_values(["effect", "set"], ascending=[False, True])
        best = best.drop_duplicates("cluster").sort_values("cluster")
        leading = "; ".join(best["cluster"] + ": " + best["label"])
        yield Picture(
            f"{kind}s",
            title,
            "Orange: more than random sets of the same size and expression; blue: less. A dot marks a "
            "false discovery rate below 0.05."
            + (f" The {N_SETS} sets with the largest effect of {n_sets}." if n_sets > N_SETS else ""),
            f"Heat map of {count(min(n_sets, N_SETS), 'set')} over the clusters. "
            f"Strongest per cluster: {leading}.",
            drawn(pl.score_heatmap, f"{kind}s", kind=kind, n_sets=N_SETS),
            wide=len(clusters) > HALF_PAGE_CLUSTERS,
        )


def inline(svg: str, prefix: str) -> Markup:
    """SVG document to an element of the page: ids of its own, no style of its own, colours of the page.

    Matplotlib escapes every text it writes, so that the result is safe as it stands.
    """

    def adapt(found: re.Match[str]) -> str:
        tag = _IDS.sub(rf"\g<1>{prefix}-", found.group())
        for colour, name in _PAGE_COLOURS.items():
            tag = tag.replace(colour, name)
        return tag

    svg = _BESIDE.sub("", svg[svg.index("<svg") :].strip())
    return Markup(_TAG.sub(adapt, svg).replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))
