"""The genes that carried the names, over the clusters, by `scanpy.pl.DotPlot`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap

from cafsc._keys import Keys
from cafsc.errors import OptionError
from cafsc.get import clusters as cluster_table
from cafsc.pl._canvas import FONT, INK, MUTED, SEQUENTIAL, File, Place, canvas, cluster_labels, label
from cafsc.pp.normalize import TARGET_SUM, count_rows, log1p_depth, symbol_columns

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes


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
    cafsc.OptionError
        None of the genes is in the data.

    Examples
    --------
    >>> cafsc.pl.dotplot(adata, n_genes=6, save="genes.pdf")
    """
    table = cluster_table(adata, key_added)
    names = cluster_labels(table)
    genes = _top_genes(table, n_genes) if genes is None else list(dict.fromkeys(genes))
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
    levels = [
        log1p_depth(counts, TARGET_SUM)[:, [place[gene] for gene in shown]].toarray() for _, counts in blocks
    ]

    import scanpy as sc
    from anndata import AnnData

    obs = pd.DataFrame({"cluster": cluster[rows]}, index=adata.obs_names[rows])
    cells = AnnData(np.concatenate(levels), obs=obs, var=pd.DataFrame(index=shown))
    with canvas(ax, (4.2 + 0.34 * len(shown), 1.9 + 0.34 * len(names)), show, save, layout="none") as axes:
        plot = sc.pl.DotPlot(
            cells, shown, "cluster", categories_order=list(table["cluster"]), vmin=0, ax=axes
        )
        plot.style(
            cmap=LinearSegmentedColormap.from_list("sequential", SEQUENTIAL),
            dot_max=1,
            size_exponent=1,
            largest_dot=150,
            dot_edge_color=MUTED,
            dot_edge_lw=0.5,
            grid=True,
        ).legend(size_title="share of cells (%)", colorbar_title="mean expression\n(log1p)")
        main: Axes = plot.get_axes()["mainplot_ax"]
        axes.set_in_layout(False)  # scanpy emptied it; it would only widen the margins
        main.set_xticklabels([label(g, 18) for g in shown], style="italic", size=FONT, color=INK)
        main.set_yticklabels(names, size=FONT, color=INK)
    return main


def _top_genes(table: pd.DataFrame, n_genes: int) -> list[str]:
    """The first genes of each cluster, each once."""
    if n_genes < 1:
        raise OptionError(f"n_genes is {n_genes}", expected="1 or more")
    of_clusters = table["top_genes"].str.split(r",\s*", regex=True).str[:n_genes].explode()
    return list(of_clusters[of_clusters != ""].unique())
