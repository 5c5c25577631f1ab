"""Cells in two dimensions, and genes over clusters: drawn by `scanpy.pl`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, to_rgba

from cafsc import get
from cafsc._keys import KEPT, Keys, require
from cafsc.errors import InputError, OptionError
from cafsc.pl import _canvas as look
from cafsc.pl._canvas import File, Place, canvas, cluster_labels, label
from cafsc.pp.normalize import TARGET_SUM, count_rows, log1p_depth, symbol_columns

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes

MAX_CATEGORIES = 40


def embedding(
    adata: AnnData,
    color: str | None = None,
    *,
    basis: str | None = None,
    key_added: str = "caf",
    ax: Place = None,
    show: bool | None = None,
    save: File = None,
) -> Axes:
    """Draw the cells in two dimensions.

    Parameters
    ----------
    color
        Column of ``obs``, by default ``obs["caf_subtype"]``. Cells without a value are pale, behind the others.
    basis
        Slot of ``obsm``, cells x 2 or more: ``"umap"`` is ``X_caf_umap``, or else ``X_umap``. By default the first
        of these and ``X_caf_pca`` that there is.
    adata, key_added, ax, show, save
        See `cafsc.pl`.

    Raises
    ------
    cafsc.errors.OptionError
        ``color`` or ``basis`` does not exist.

    Examples
    --------
    >>> cafsc.pl.embedding(adata, "caf_call", basis="umap")
    """
    kept = (get.cells(adata, key_added)["gate"] == KEPT).to_numpy(bool)
    keys = Keys(key_added)
    if color is None:
        require(adata, keys, {("obs", keys.subtype): "tl.label"})
    color = keys.subtype if color is None else color
    if color not in adata.obs:
        raise OptionError(
            f"color={color!r} is no column of obs",
            expected=f"one of {', '.join(map(str, adata.obs.columns[:12]))} ...",
            fix=f"leave color out for {keys.subtype!r}",
        )
    slot, points = _coordinates(adata, basis, key_added)
    drawn = np.isfinite(points).all(axis=1) & (kept if slot == keys.pca else True)
    values, names = _values(adata.obs[color][drawn])
    name = label(slot.removeprefix("X_").removeprefix(f"{key_added}_"), 16)
    # Groups in falling size: small ones are drawn over large ones and stay visible.
    order = np.argsort(values.cat.codes, kind="stable") if names else slice(None)

    import scanpy as sc
    from anndata import AnnData

    shown = AnnData(obs=values.to_frame("shown").iloc[order], obsm={f"X_{name}": points[drawn][order]})
    with canvas(ax, (6.4, 4.4), show, save) as axes:
        sc.pl.embedding(
            shown,
            name,
            color="shown",
            palette=look.colours(list(names)) or None,
            color_map="cividis",
            na_color=to_rgba(look.GREY, 0.35),
            na_in_legend=False,
            size=float(np.clip(9000 / max(drawn.sum(), 1), 3, 26)),
            marker="o",
            linewidths=0,
            title="",
            colorbar_loc=None,
            ax=axes,
            show=False,
        )
        for dots in axes.collections:
            dots.set_rasterized(True)
        if legend := axes.get_legend():
            for entry, text in zip(legend.get_texts(), names.values(), strict=False):
                entry.set_text(text)
        for axis in (axes.xaxis, axes.yaxis):
            axis.label.set(color=look.MUTED, size=look.SMALL)
        if not names:
            axes.figure.colorbar(axes.collections[0], ax=axes, shrink=0.7, label=label(color))
    return axes


def _values(values: pd.Series) -> tuple[pd.Series, dict[str, str]]:
    """Numbers and no names, or categories in falling size with what the legend says of each."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return values.astype(float), {}
    text = values.astype(object).where(values.isna(), values.astype(str))
    sizes = text.value_counts()
    if len(sizes) > MAX_CATEGORIES:
        raise OptionError(
            f"the column has {len(sizes)} different values",
            expected=f"at most {MAX_CATEGORIES} categories, or numbers",
            fix="colour by another column",
        )
    names = sorted(sizes.index, key=lambda name: (-sizes[name], name))
    return text.astype(pd.CategoricalDtype(names)), {n: f"{label(n)} ({sizes[n]:,})" for n in names}


def _coordinates(adata: AnnData, basis: str | None, key_added: str) -> tuple[str, npt.NDArray[np.float64]]:
    """Slot of ``obsm`` and its first two dimensions."""
    own, pca = f"X_{key_added}_umap", Keys(key_added).pca
    slots = [own, "X_umap", pca] if basis is None else [basis, f"X_{key_added}_{basis}", f"X_{basis}"]
    slot = next((slot for slot in slots if slot in adata.obsm), None)
    if slot is None and basis in (None, "umap", own, "X_umap"):
        raise InputError(
            f"obsm has none of {', '.join(slots)}",
            fix="run cafsc.annotate or scanpy.tl.umap first, or name a basis",
        )
    if slot is None:
        present = ", ".join(sorted(adata.obsm)) or "(none)"
        raise OptionError(f"basis={basis!r} is not in obsm", expected=f"one of {present}")
    points = np.asarray(adata.obsm[slot], dtype=np.float64)
    if points.ndim != 2 or points.shape[1] < 2:
        raise InputError(f"obsm[{slot!r}] has shape {points.shape}", expected="cells x 2 or more")
    return slot, points[:, :2]


def dotplot(
    adata: AnnData,
    genes: Sequence[str] | None = None,
    *,
    n_genes: int = 4,
    key_added: str = "caf",
    ax: Place = None,
    show: bool | None = None,
    save: File = None,
) -> Axes:
    """Draw mean expression (colour) and share of cells with the gene (size), cluster by gene.

    Parameters
    ----------
    genes
        Approved symbols; by default the first ``n_genes`` of each cluster's ``top_genes``.
    n_genes
        Genes per cluster, where ``genes`` is left out.
    adata, key_added, ax, show, save
        See `cafsc.pl`.

    Raises
    ------
    cafsc.errors.OptionError
        None of the genes is in the data.

    Examples
    --------
    >>> cafsc.pl.dotplot(adata, n_genes=6, save="genes.pdf")
    """
    table = get.clusters(adata, key_added)
    names = cluster_labels(table)
    if genes is None and n_genes < 1:
        raise OptionError(f"n_genes is {n_genes}", expected="1 or more")
    top = table["top_genes"].str.split(r",\s*", regex=True).str[:n_genes].explode()
    genes = [gene for gene in dict.fromkeys(top if genes is None else genes) if gene]
    place = symbol_columns(adata, key_added=key_added)
    shown = [gene for gene in genes if gene in place]
    if not shown:
        raise OptionError(
            f"none of the {len(genes)} genes is in the data",
            expected=f"approved symbols, as in var[{Keys(key_added).symbol!r}]",
            fix="name others with genes=",
        )
    cluster = pd.Categorical(adata.obs[Keys(key_added).cluster].astype(object), categories=table["cluster"])
    rows = np.flatnonzero(cluster.codes >= 0)
    blocks = count_rows(adata, key_added=key_added).blocks(rows=rows)
    columns = [place[gene] for gene in shown]
    levels = [log1p_depth(counts, TARGET_SUM)[:, columns].toarray() for _, counts in blocks]

    import scanpy as sc
    from anndata import AnnData

    obs = pd.DataFrame({"cluster": cluster[rows]}, index=adata.obs_names[rows])
    cells = AnnData(np.concatenate(levels), obs=obs, var=pd.DataFrame(index=shown))
    with canvas(ax, (4.2 + 0.34 * len(shown), 1.9 + 0.34 * len(names)), show, save, layout="none") as axes:
        others = [each for each in axes.figure.axes if each is not axes]
        order = list(table["cluster"])
        plot = sc.pl.DotPlot(cells, shown, "cluster", categories_order=order, vmin=0, ax=axes)
        plot.style(
            cmap=LinearSegmentedColormap.from_list("sequential", look.SEQUENTIAL),
            dot_max=1,
            size_exponent=1,
            largest_dot=150,
            dot_edge_color=look.MUTED,
            dot_edge_lw=0.5,
            grid=True,
        ).legend(size_title="share of cells (%)", colorbar_title="mean expression\n(log1p)")
        main: Axes = plot.get_axes()["mainplot_ax"]
        for each in axes.figure.axes:
            if not each.axison and each not in others:
                each.set_visible(False)  # scanpy emptied it to lay out others in its place
        main.set_xticklabels([label(g, 18) for g in shown], style="italic", size=look.FONT, color=look.INK)
        main.set_yticklabels(names, size=look.FONT, color=look.INK)
    return main
