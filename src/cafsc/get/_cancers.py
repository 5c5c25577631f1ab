"""The table of cancers: what each cluster would be called elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cafsc.get._slots import Kind, cluster_order, sorted_rows, table

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

COLUMNS: dict[str, Kind] = {
    "cluster": "text",
    "cancer": "text",
    "cancer_label": "text",
    "call": "text",
    "score": "number",
    "n_pro": "count",
    "n_anti": "count",
    "n_own": "count",
    "sensitive_to": "text",
    "call_reason": "text",
    "chosen": "flag",
}


def cancers(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """The call of each cluster in one cancer beside the others, from the same claims weighed anew.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    key_added
        The ``key_added`` of that run.

    Returns
    -------
    DataFrame, one row a cluster and cancer; ordered by cluster, then by falling ``n_own``, then cancer. Cancers are
    those that a claim with a present subject was made in, and the one that was given:

    ``cluster`` : str
    ``cancer``, ``cancer_label`` : str
        Code, and name for people.
    ``call`` : str
        What the cluster would be called there; as in the cluster table.
    ``score`` : float64, -1..1
    ``n_pro``, ``n_anti`` : int64, papers
        Those of one laboratory or dataset counted once.
    ``n_own`` : int64, papers
        Those of them that studied this very cancer. Without any, the call is borrowed from other cancers.
    ``sensitive_to``, ``call_reason``, ``hangs_on`` : str
        As in the cluster table.
    ``chosen`` : bool
        Whether this is the cancer that was given.

    Raises
    ------
    cafsc.InputError
        The AnnData holds no result under ``key_added``.
    """
    frame = table(adata, key_added, "cancers", COLUMNS)
    frame["hangs_on"] = frame["sensitive_to"]
    return sorted_rows(
        frame, cluster=cluster_order(frame["cluster"]), n_own=-frame["n_own"], cancer=frame["cancer"]
    )
