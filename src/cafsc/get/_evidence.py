"""The evidence table: one row a claim that spoke for or against a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cafsc.get._slots import Kind, cluster_order, sorted_rows, table

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

COLUMNS: dict[str, Kind] = {
    "cluster": "text",
    "subtype": "text",
    "call": "text",
    "claim": "text",
    "about": "text",
    "effect": "text",
    "side": "text",
    "weight": "number",
    "counted": "flag",
    "presence": "number",
    "evidence": "text",
    "cancer": "text",
    "species": "text",
    "mechanism": "text",
    "prognosis": "text",
    "therapy_response": "text",
    "statement": "text",
    "paper": "text",
    "group": "text",
    "citation": "text",
    "doi": "text",
    "pmid": "text",
    "link": "text",
    "verified": "text",
}
SIDES = ("for", "pro", "against", "anti", "context")


def evidence(adata: AnnData, key_added: str = "caf") -> pd.DataFrame:
    """Every published claim that bears on a cluster, with its source and weight.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    key_added
        The ``key_added`` of that run.

    Returns
    -------
    DataFrame, one row a claim and cluster; ordered by cluster, side, falling weight, claim:

    ``cluster``, ``subtype``, ``call`` : str
        As in the cluster table.
    ``claim`` : str
        Id of the claim in the catalogue.
    ``about`` : str
        Subject: ``set:<paper>/<set>``, ``state:<id>``, ``gene:<symbol>`` or ``program:<id>``.
    ``effect`` : str
        ``pro``, ``anti`` or ``context``: what the paper says of the subject.
    ``side`` : str
        ``for``, ``against`` or ``context`` of the cluster's call; ``pro`` or ``anti`` where the call takes
        no side.
    ``weight`` : float64, no unit
        Evidence level x fit of cancer and species x presence of the subject.
    ``counted`` : bool
        Whether this is the claim with which its group votes: its heaviest on that side. Context never votes.
    ``presence`` : float64, 0..1
        How surely the subject is present in the cluster.
    ``evidence`` : str
        Evidence levels of the claim, joined by ``+``: ``in_vivo``, ``patients``, ``in_vitro``, ``review``.
    ``cancer``, ``species``, ``mechanism`` : str
        Context of the claim, comma-separated.
    ``prognosis``, ``therapy_response`` : str
        What the paper reports of patients or animals: ``worse``, ``better``, ``none``; ``""`` where nothing.
    ``statement`` : str
        The claim in a sentence.
    ``paper``, ``citation``, ``doi``, ``pmid``, ``link`` : str
        The source: catalogue key, short citation, identifiers, address.
    ``group`` : str
        Papers that share one vote, by laboratory or dataset; the paper's own key where it stands alone.
    ``verified`` : str
        How far the source was looked at: ``read``, ``abstract`` or ``listed``.

    Raises
    ------
    cafsc.InputError
        The AnnData holds no result under ``key_added``.
    """
    frame = table(adata, key_added, "evidence", COLUMNS)
    side = frame["side"].map({name: i for i, name in enumerate(SIDES)}).fillna(len(SIDES))
    return sorted_rows(
        frame,
        cluster=cluster_order(frame["cluster"]),
        side=side,
        weight=-frame["weight"],
        claim=frame["claim"],
        about=frame["about"],
    )
