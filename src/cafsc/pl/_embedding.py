"""Cells in two dimensions, coloured by what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cafsc._keys import KEPT, Keys, require
from cafsc.errors import InputError, OptionError
from cafsc.get import cells
from cafsc.pl._style import FONT, GREY, INK, MUTED, SMALL, axes, category_looks
from cafsc.pl._text import label

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes

UMAP = "X_umap"
MAX_CATEGORIES = 40


def embedding(
    adata: AnnData,
    color: str | None = None,
    *,
    basis: str | None = None,
    key_added: str = "caf",
    ax: Axes | None = None,
) -> Axes:
    """Draw the cells in two dimensions.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    color
        Column of ``obs``; by default ``obs[caf_subtype]``. Cells without a value are drawn
        pale, behind the others.
    basis
        Slot of ``obsm``, cells x 2 or more; by default ``X_umap`` where it exists, else ``X_caf_pca``.
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
        There is no result, or nothing in two dimensions.
    cafsc.OptionError
        ``color`` or ``basis`` does not exist.
    """
    gate = cells(adata, key_added)["gate"].astype(object)
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
    slot, points = _coordinates(adata, basis, keys)
    drawn = np.isfinite(points).all(axis=1)
    if slot == keys.pca:
        drawn &= (gate == KEPT).to_numpy(bool)
    values = adata.obs[color].reset_index(drop=True)[drawn]
    points = points[drawn]
    size = float(np.clip(9000 / max(len(points), 1), 3, 26))

    ax = axes(ax, 6.4, 4.4)
    looks: dict[str, Any] = {"s": size, "linewidths": 0, "rasterized": True}
    numbers = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    absent = values.isna().to_numpy()
    ax.scatter(*points[absent].T, color=GREY, alpha=0.35, zorder=1, **looks)
    if numbers:
        x, y = points[~absent].T
        dots = ax.scatter(x, y, c=values[~absent].to_numpy(float), cmap="cividis", zorder=2, **looks)
        bar = ax.figure.colorbar(dots, ax=ax, shrink=0.7)
        bar.set_label(label(color), color=INK, size=FONT)
        bar.ax.tick_params(colors=INK, labelsize=SMALL)
        bar.outline.set_visible(False)
    else:
        _categories(ax, points, values, looks)
    ax.set(xticks=[], yticks=[])
    name = _axis_name(slot)
    ax.set_xlabel(f"{name} 1", color=MUTED, size=SMALL)
    ax.set_ylabel(f"{name} 2", color=MUTED, size=SMALL)
    return ax


def _categories(ax: Axes, points: npt.NDArray[np.float64], values: pd.Series, looks: dict[str, Any]) -> None:
    text = values.astype(object).where(values.notna(), None)
    names = text.dropna().map(str).value_counts(sort=False)
    # Large groups first: small ones are drawn over them and stay visible.
    ordered = sorted(names.index, key=lambda n: (-int(names[n]), n))
    if len(ordered) > MAX_CATEGORIES:
        raise OptionError(
            f"the column has {len(ordered)} different values",
            expected=f"at most {MAX_CATEGORIES} categories, or numbers",
            fix="colour by another column",
        )
    for order, (name, (colour, marker)) in enumerate(category_looks(ordered).items()):
        here = points[text.map(lambda v, name=name: v is not None and str(v) == name).to_numpy(bool)]
        ax.scatter(
            *here.T,
            color=colour,
            marker=marker,
            zorder=2 + order,
            label=f"{label(name)} ({len(here):,})",
            **looks,
        )
    if ordered:
        legend = ax.legend(
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            frameon=False,
            fontsize=FONT,
            labelcolor=INK,
            handletextpad=0.3,
            ncols=1 + len(ordered) // 16,
        )
        for handle in legend.legend_handles:
            handle.set_sizes([42])  # type: ignore[union-attr]
            handle.set_rasterized(False)  # type: ignore[union-attr]


def _coordinates(adata: AnnData, basis: str | None, keys: Keys) -> tuple[str, npt.NDArray[np.float64]]:
    if basis is None:
        basis = UMAP if UMAP in adata.obsm else keys.pca
        if basis not in adata.obsm:
            raise InputError(
                f"obsm has neither {UMAP!r} nor {keys.pca!r}",
                expected="at least one fibroblast cluster, or an embedding of your own",
                fix="name one with basis=",
            )
    elif basis not in adata.obsm:
        raise OptionError(
            f"basis={basis!r} is not in obsm", expected=f"one of {', '.join(sorted(adata.obsm)) or '(none)'}"
        )
    points = np.asarray(adata.obsm[basis], dtype=np.float64)
    if points.ndim != 2 or points.shape[1] < 2:
        raise InputError(f"obsm[{basis!r}] has shape {points.shape}", expected="cells x 2 or more")
    return basis, points[:, :2]


def _axis_name(basis: str) -> str:
    return "UMAP" if "umap" in basis.lower() else "PC" if "pca" in basis.lower() else label(basis, 16)
