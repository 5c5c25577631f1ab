"""Author labels of the public datasets, in the words of the benchmark."""

from __future__ import annotations

import numpy as np
from anndata import AnnData
from numpy.typing import NDArray

Labels = NDArray[np.object_]

CID4465 = "breast_tnbc_wu2021_CID4465"
STATES = ("iCAF", "myCAF", "mural")
NEGATIVE_CONTROLS = ("cell_lines_tian2019_celseq2",)


def cid4465(adata: AnnData) -> Labels:
    """``iCAF``, ``myCAF``, ``mural``, ``transitioning`` (left out of iCAF against myCAF) or ``other``."""
    minor = adata.obs["celltype_minor"].astype(str).to_numpy()
    subset = adata.obs["celltype_subset"].astype(str).to_numpy()
    out = np.full(adata.n_obs, "other", dtype=object)
    out[minor == "CAFs MSC iCAF-like"] = "iCAF"
    out[minor == "CAFs myCAF-like"] = "myCAF"
    out[subset == "CAFs Transitioning s3"] = "transitioning"
    out[adata.obs["celltype_major"].astype(str).to_numpy() == "PVL"] = "mural"
    return out


def detected(adata: AnnData, gene: str) -> NDArray[np.bool_]:
    """Cells in which a gene has a count."""
    column = list(adata.var_names).index(gene)
    return np.asarray((adata.X[:, [column]] > 0).todense()).ravel()
