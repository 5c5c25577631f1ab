"""The cluster table: one row a fibroblast cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cafsc.get._slots import Kind, cluster_order, sorted_rows, table

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

COLUMNS: dict[str, Kind] = {
    "cluster": "text",
    "n_cells": "count",
    "fraction": "number",
    "subtype": "text",
    "support": "number",
    "reason": "text",
    "runner_up": "text",
    "margin": "number",
    "call": "text",
    "verdict_score": "number",
    "verdict_low": "number",
    "verdict_high": "number",
    "call_reason": "text",
    "n_pro": "count",
    "n_anti": "count",
    "prognosis": "text",
    "therapy_response": "text",
    "leading": "text",
    "sensitive_to": "text",
    "top_genes": "text",
}


def clusters(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """What each fibroblast cluster is, and which way the published evidence points.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    key_added
        The ``key_added`` of that run.

    Returns
    -------
    DataFrame, one row a cluster, in natural order of the cluster's name; no row where no fibroblast was kept:

    ``cluster`` : str
        Name of the cluster, as in ``obs[caf_cluster]``.
    ``n_cells`` : int64, cells
    ``fraction`` : float64, 0..1
        Share of the kept fibroblasts.
    ``subtype`` : str
        Harmonised state, or ``unresolved``.
    ``support`` : float64, 0..1
        Share of resamples that agree with the leading state; also given where the cluster is unresolved.
    ``reason`` : str
        Why the cluster is unresolved: ``too_few_cells``, ``low_coverage``, ``no_evidence``, ``mixed:A+B``,
        ``low_margin`` or ``low_support``; ``""`` where it is named.
    ``runner_up`` : str
        Second-best state; ``""`` where there is none.
    ``margin`` : float64, standard errors
        Lead over the runner-up.
    ``call`` : str
        ``pro``, ``anti``, ``mixed`` or ``undetermined``.
    ``verdict_score`` : float64, -1..1
        Balance of the weighted evidence; positive is pro-tumour.
    ``verdict_low``, ``verdict_high`` : float64, -1..1
        95% interval of the score when the papers are resampled.
    ``call_reason`` : str
        Why the call takes no side: ``no_claim``, ``single_source``, ``both_sides``, ``context_dependent``,
        ``no_clear_side``, ``sensitive_to_one_source`` or ``unresolved``; ``""`` where it takes one.
    ``n_pro``, ``n_anti`` : int64, papers
        Independent papers on either side; those of one laboratory or dataset count as one.
    ``prognosis``, ``therapy_response`` : str
        What papers with evidence of their own report of patients or animals where this is present: ``worse``,
        ``better``, ``mixed``, or ``""`` where none does. Apart from the call: a state may mean a worse course and a
        better response.
    ``leading`` : str
        Papers that weigh most.
    ``sensitive_to`` : str
        Paper or laboratory whose removal changes the sign of the score; ``""`` where there is none.
    ``top_genes`` : str
        Genes that carried the name, comma-separated, strongest first.
    ``scheme_<id>`` : str
        Label in each published scheme.
    ``hangs_on`` : str
        Former name of ``sensitive_to``, kept for one release.

    Raises
    ------
    cafsc.InputError
        The AnnData holds no result under ``key_added``.
    """
    frame = table(adata, key_added, "clusters", COLUMNS, extra="scheme_")
    frame["hangs_on"] = frame["sensitive_to"]
    return sorted_rows(frame, cluster=cluster_order(frame["cluster"]))
