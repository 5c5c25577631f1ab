"""How closely the CAF clusters hang together: a picture of likeness, not of descent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from cafsc._errors import InputError
from cafsc._keys import Keys
from cafsc.tl._controls import Array, Index
from cafsc.tl._mixture import one_hot

if TYPE_CHECKING:
    from anndata import AnnData


def edge_ratio(graph: sparse.csr_matrix, codes: Index, n_groups: int) -> Array:
    """Edges between groups over those of a graph whose ends are shuffled.

    Parameters
    ----------
    graph
        Cells x cells, not 0 for a cell and each of its neighbours; the cell itself does not count.
    codes
        Group of each cell; cells of no group (-1) take no part.

    Returns
    -------
    Groups x groups, symmetric: 1 is chance; NaN on the diagonal and for a group without edges.
    """
    edges = sparse.csr_matrix(graph != 0, dtype=np.float64)
    edges.setdiag(0.0)
    edges = edges.maximum(edges.T)
    member = one_hot(codes, n_groups)
    between = np.asarray(member.T @ (edges @ member))
    ends = between.sum(axis=1)
    expected = np.outer(ends, ends) / max(float(ends.sum()), 1.0)
    ratio: Array = np.divide(between, expected, out=np.full_like(between, np.nan), where=expected > 0)
    np.fill_diagonal(ratio, np.nan)
    return ratio


def connectivity(adata: AnnData, *, key_added: str = "caf") -> pd.DataFrame:
    """Edges of the fibroblasts' neighbour graph between the CAF clusters, against chance.

    Parameters
    ----------
    adata
        After `cafsc.annotate`. Not changed.
    key_added
        The ``key_added`` of the run.

    Returns
    -------
    DataFrame, clusters x clusters, symmetric, float64: edges between two clusters over those expected if the ends of
    all edges were shuffled, the idea of PAGA (doi:10.1186/s13059-019-1663-x); NaN on the diagonal. Likeness of
    states: it does not say that one becomes the other.

    Raises
    ------
    InputError
        If `cafsc.annotate` has not run.
    """
    keys = Keys(key_added)
    if keys.neighbors not in adata.obsp or keys.cluster not in adata.obs:
        raise InputError(f"obsp[{keys.neighbors!r}] is missing", fix="run cafsc.annotate first")
    cluster = adata.obs[keys.cluster].astype("category").cat
    names = [str(name) for name in cluster.categories]
    codes = cluster.codes.to_numpy(dtype=np.int64)
    ratio = edge_ratio(sparse.csr_matrix(adata.obsp[keys.neighbors]), codes, len(names))
    return pd.DataFrame(ratio, index=names, columns=names)
