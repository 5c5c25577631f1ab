"""How a cluster is called beside a figure."""

from __future__ import annotations

import pandas as pd

from cafsc.errors import InputError
from cafsc.pl._text import label


def cluster_labels(clusters: pd.DataFrame, limit: int = 34) -> dict[str, str]:
    """Cluster -> ``3 · myCAF``, or the name alone where the user's cluster bears its state's name."""
    return {
        cluster: label(cluster if cluster == subtype else f"{cluster} · {subtype}", limit)
        for cluster, subtype in zip(clusters["cluster"], clusters["subtype"], strict=True)
    }


def refuse_none(clusters: pd.DataFrame) -> None:
    """A figure of clusters needs one."""
    if clusters.empty:
        raise InputError(
            "the result has no fibroblast cluster",
            expected="one cluster at least",
            fix='read why in cafsc.get.summary(adata)["message"]',
        )
