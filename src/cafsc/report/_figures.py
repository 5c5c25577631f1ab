"""The figures of the report: drawn by ``cafsc.pl``, put into the page as SVG that follows its colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from cafsc import get, pl
from cafsc._keys import KEPT, Keys
from cafsc.pl._names import lineage_name
from cafsc.pl._save import fixed_style
from cafsc.pl._style import INK, LINE, MUTED, PALE, PAPER
from cafsc.pp.normalize import has_counts
from cafsc.report._words import count

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes

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
_STYLE = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
# Only tags are touched, never the text between them: it may be the user's.
_TAG = re.compile(r"<[^<>]*>")
_IDS = re.compile(r'(\bid="|href="#|url\(#)')


@dataclass(frozen=True)
class Picture:
    """A figure in the page."""

    anchor: str
    title: str
    caption: str
    alt: str
    svg: Markup
    wide: bool


def figures(adata: AnnData, key_added: str) -> list[Picture]:
    """Every figure that the result has data for, in the order of the page."""
    keys = Keys(key_added)
    clusters = get.clusters(adata, key_added)
    kinds = set(get.scores(adata, key_added)["kind"])
    pictures = [
        _picture(
            "lineages",
            "What the sample is made of",
            "Cells of each lineage; green ones were kept as fibroblasts.",
            _lineage_alt(adata, key_added),
            lambda: pl.lineage_bar(adata, key_added=key_added),
        )
    ]
    if clusters.empty:
        return pictures
    if _has_map(adata, keys):
        sizes = clusters.groupby("subtype")["n_cells"].sum()
        states = ", ".join(f"{s} {n:,}" for s, n in sizes.items())
        pictures.append(
            _picture(
                "map",
                "The fibroblasts",
                "One point is one cell; near points have alike expression. Distances between far groups "
                "mean little.",
                f"Scatter plot of the cells, coloured by state. Cells per state: {states}.",
                lambda: pl.embedding(adata, key_added=key_added),
            )
        )
    pictures.append(
        _picture(
            "balance",
            "Evidence for either side",
            "One segment is one paper; its length is the weight of its vote, the heaviest of its claims.",
            "Diverging bar chart of the weight of evidence per cluster. The same papers, with their weights, "
            "are in the evidence tables below.",
            lambda: pl.evidence_chart(adata, key_added=key_added),
            wide=True,
        )
    )
    if has_counts(adata, key_added=key_added) and _has_top_genes(adata, keys, key_added):
        pictures.append(
            _picture(
                "genes",
                "Genes that carried the names",
                "Size: share of the cluster's cells in which the gene was seen. Colour: mean expression.",
                "Dot plot of the leading genes over the clusters. Leading genes: "
                + "; ".join(
                    f"{c}: {g or 'none'}"
                    for c, g in zip(clusters["cluster"], clusters["top_genes"], strict=True)
                )
                + ".",
                lambda: pl.dotplot(adata, key_added=key_added),
                wide=True,
            )
        )
    for kind, title in (("subtype", "Published subtypes"), ("program", "Functional programmes")):
        if kind in kinds:
            pictures.append(_heatmap(adata, key_added, kind, title))
    return pictures


def _heatmap(adata: AnnData, key_added: str, kind: str, title: str) -> Picture:
    scores = get.scores(adata, key_added)
    scores = scores[(scores["kind"] == kind) & scores["effect"].notna()]
    n_sets = scores["set"].nunique()
    best = scores.sort_values(["effect", "set"], ascending=[False, True]).drop_duplicates("cluster")
    best = best.sort_values("cluster")
    leading = "; ".join(f"{c}: {label}" for c, label in zip(best["cluster"], best["label"], strict=True))
    return _picture(
        f"{kind}s",
        title,
        "Orange: more than random sets of the same size and expression; blue: less. A dot marks a "
        "false discovery rate below 0.05."
        + (f" The {N_SETS} sets with the largest effect of {n_sets}." if n_sets > N_SETS else ""),
        f"Heat map of {count(min(n_sets, N_SETS), 'set')} over the clusters. "
        f"Strongest per cluster: {leading}.",
        lambda: pl.score_heatmap(adata, kind, n_sets=N_SETS, key_added=key_added),  # type: ignore[arg-type]
        wide=scores["cluster"].nunique() > HALF_PAGE_CLUSTERS,
    )


def _has_top_genes(adata: AnnData, keys: Keys, key_added: str) -> bool:
    present = set(map(str, adata.var.get(keys.symbol, adata.var_names)))
    named = {g.strip() for text in get.clusters(adata, key_added)["top_genes"] for g in text.split(",")}
    return bool(present & named - {""})


def _lineage_alt(adata: AnnData, key_added: str) -> str:
    cells = get.cells(adata, key_added)
    sizes = cells["lineage"].astype(object).map(str).value_counts()
    parts = [
        f"{lineage_name(n)} {int(sizes[n]):,}" for n in sorted(sizes.index, key=lambda n: (-int(sizes[n]), n))
    ]
    kept = int((cells["gate"].astype(object) == KEPT).sum())
    return f"Bar chart of cells per lineage: {', '.join(parts)}. Kept as fibroblasts: {kept:,}."


def _has_map(adata: AnnData, keys: Keys) -> bool:
    """Whether `cafsc.pl.embedding` has two dimensions to draw; two cells have only one."""
    basis = "X_umap" if "X_umap" in adata.obsm else keys.pca
    return basis in adata.obsm and adata.obsm[basis].ndim == 2 and adata.obsm[basis].shape[1] > 1


def _picture(
    anchor: str, title: str, caption: str, alt: str, draw: Callable[[], Axes], *, wide: bool = False
) -> Picture:
    with fixed_style():
        svg = pl.to_svg(draw())
    return Picture(anchor, title, caption, alt, inline(svg, anchor), wide)


def inline(svg: str, prefix: str) -> Markup:
    """SVG document to an element of the page: ids of its own, no style of its own, colours of the page.

    Matplotlib escapes every text it writes, so that the result is safe as it stands.
    """
    svg = svg[svg.index("<svg") :].strip()
    svg = _METADATA.sub("", _STYLE.sub("", svg))
    svg = _TAG.sub(lambda tag: _adapt(tag.group(), prefix), svg)
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))


def _adapt(tag: str, prefix: str) -> str:
    tag = _IDS.sub(lambda found: f"{found.group(1)}{prefix}-", tag)
    for colour, name in _PAGE_COLOURS.items():
        tag = tag.replace(colour, name)
    return tag
