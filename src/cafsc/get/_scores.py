"""The score table: one row a cluster and catalogue set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cafsc.get._slots import Kind, cluster_order, sorted_rows, table

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

COLUMNS: dict[str, Kind] = {
    "cluster": "text",
    "set": "text",
    "label": "text",
    "kind": "text",
    "scheme": "text",
    "mean": "number",
    "ucell": "number",
    "effect": "number",
    "error": "number",
    "p": "number",
    "fdr": "number",
    "n_found": "count",
    "n_genes": "count",
}
KINDS = ("state", "subtype", "program")


def scores(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """How strongly each cluster expresses each set of the catalogue.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    key_added
        The ``key_added`` of that run.

    Returns
    -------
    DataFrame, one row a cluster and set; ordered by cluster, kind (state, subtype, program), scheme, set:

    ``cluster`` : str
    ``set`` : str
        Id of the set, programme or state.
    ``label`` : str
        Its name for people.
    ``kind`` : str
        ``state``, ``subtype`` or ``program``.
    ``scheme`` : str
        Published scheme the set competes in; ``""`` where none.
    ``mean`` : float64, natural log units
        Mean of the up genes less that of the down genes, each less its expression-matched control genes; a
        ``subtype`` also less its reference level in fibroblasts of any state.
    ``ucell`` : float64, 0..1
        Rank score (Andreatta and Carmona 2021, doi:10.1016/j.csbj.2021.06.043).
    ``effect`` : float64, standard deviations of matched random sets
        Score, without the reference level, compared with random sets of the same size and expression.
    ``error`` : float64, same unit as ``effect``
        Standard error of ``effect`` over the cells.
    ``p``, ``fdr`` : float64, 0..1
        One-sided p value of the effect, and its false discovery rate over clusters and sets.
    ``n_found``, ``n_genes`` : int64, genes
        Genes of the set in the data, and in the set.

    Raises
    ------
    cafsc.InputError
        The AnnData holds no result under ``key_added``.
    """
    frame = table(adata, key_added, "scores", COLUMNS)
    kind = frame["kind"].map({name: i for i, name in enumerate(KINDS)}).fillna(len(KINDS))
    return sorted_rows(
        frame, cluster=cluster_order(frame["cluster"]), kind=kind, scheme=frame["scheme"], set=frame["set"]
    )
