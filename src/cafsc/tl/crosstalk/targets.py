"""Compounds and biomarkers beside the expression of their genes in CAFs. No efficacy is claimed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from cafsc._config import CrosstalkConfig
from cafsc._keys import ANTI, MIXED
from cafsc.tl.crosstalk.groups import Groups, cell_groups
from cafsc.tl.crosstalk.table import Row, Status, record_row, result, sorted_table, source_of_claims

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

NUMBERS = "n_targets n_expressed level fraction n_also_in".split()
COLUMNS = (
    "kind id label agent_kind acts_on cluster state call warning status reason n_targets n_expressed level "
    "fraction expressed hardly_detected not_in_data n_also_in also_in measured_in predicts prognosis "
    "therapy_response shown evidence cancer mechanism papers doi review_claims standing"
).split()
"""``standing`` is the former name of ``status``, kept for one release."""
AGENT, BIOMARKER, CLAIM = "agent", "biomarker", "biomarker claim"
KINDS = (AGENT, BIOMARKER, CLAIM)
BIOMARKER_CLAIMS = "biomarker/prognosis"
"""Kind of the reviews' claims about markers."""
RESTRAINING = (
    "DO NOT DEPLETE: the evidence calls this cluster tumour-restraining; hitting it may speed the tumour up"
)
TWO_SIDED = "CAUTION: the evidence on this cluster points both ways"
CAUTIONS = {ANTI: RESTRAINING, MIXED: TWO_SIDED}
OTHER_CELLS = "it acts on other cells: the target's expression here is no reason to use it"
_ON_CAF = ("caf", "exosome_release")


def targets(
    adata: AnnData,
    *,
    catalogue: Catalogue | None = None,
    key_added: str = "caf",
    config: CrosstalkConfig | None = None,
) -> pd.DataFrame:
    """Compounds and biomarkers of the reviews, each beside the expression of its genes in every CAF cluster.

    Parameters
    ----------
    adata
        After `cafsc.annotate`. Not changed.
    catalogue
        The shipped one if not given.
    key_added, config
        The ``key_added`` of the run, and the thresholds.

    Returns
    -------
    DataFrame, one row an entry and CAF cluster; no row where there is no CAF cluster:

    ``kind`` : str
        ``agent``, ``biomarker``, or ``biomarker claim`` (of a review, about a marker without a record of its own).
    ``cluster``, ``state``, ``call`` : str
        The cluster, and which way the evidence calls it.
    ``warning`` : str
        In capitals where the cluster is held to restrain the tumour; not to be overlooked.
    ``status`` : str
        ``expressed``, ``hardly detected``, ``too few cells`` or ``not measured here``; ``reason`` says why.
        ``standing`` is its former name, kept for one release.
    ``n_targets``, ``n_expressed``, ``expressed``, ``hardly_detected``, ``not_in_data``
        Genes that the entry names, and which of them the cluster expresses, with the share of cells.
    ``level``, ``fraction`` : float64
        Of the gene in most cells: mean natural log1p of counts per ten thousand, share of cells.
    ``n_also_in``, ``also_in``
        Other groups of cells that express one of the genes: what else would be hit.
    ``shown``, ``evidence``, ``mechanism``, ``cancer``, ``papers``, ``doi``, ``review_claims`` : str
        What was shown, where, and at which level of evidence.
    ``measured_in``, ``predicts``, ``prognosis``, ``therapy_response`` : str
        Of a biomarker.

    Raises
    ------
    InputError
        If an earlier step has not run; says which.

    Notes
    -----
    Expression of a target does not mean that a drug works.

    Examples
    --------
    >>> cafsc.tl.targets(adata)[["label", "cluster", "warning", "expressed"]]  # doctest: +SKIP
    """
    groups = cell_groups(adata, catalogue, key_added, config)
    found = [*_agents(groups), *_biomarkers(groups), *_claims(groups)] if groups.cafs else []
    frame = sorted_table(found, COLUMNS, NUMBERS, ["kind", "status", "-fraction", "id", "cluster"], KINDS)
    counts = ["n_targets", "n_expressed", "n_also_in"]
    frame[counts] = frame[counts].fillna(0).astype("int64")
    return frame


def _agents(groups: Groups) -> Iterator[Row]:
    """Compounds and therapies."""
    for agent in groups.catalogue.agents.values():
        base = record_row(groups.catalogue, AGENT, agent, agent_kind=agent.kind, acts_on=agent.acts_on)
        yield from _clusters(groups, base, agent.targets, "the compound names no gene")


def _biomarkers(groups: Groups) -> Iterator[Row]:
    """Markers measured in patients."""
    for marker in groups.catalogue.biomarkers.values():
        fields = ("measured_in", "predicts", "prognosis", "therapy_response")
        more = {name: getattr(marker, name) or "" for name in fields}
        reason = f"the marker is measured in {marker.measured_in} and names no gene"
        yield from _clusters(
            groups, record_row(groups.catalogue, BIOMARKER, marker, **more), marker.genes, reason
        )


def _claims(groups: Groups) -> Iterator[Row]:
    """Claims of the reviews about markers that have no record of their own."""
    catalogue = groups.catalogue
    about = {name for name, claim in catalogue.review_claims.items() if claim.kind == BIOMARKER_CLAIMS}
    for entry in catalogue.claims:
        claim = entry.claim
        if about.isdisjoint(claim.review_claims):
            continue
        base: Row = {"kind": CLAIM, "id": claim.id, "label": claim.about}
        base |= {"predicts": "course of the disease" if claim.prognosis else ""}
        base |= {"prognosis": claim.prognosis or "", "therapy_response": claim.therapy_response or ""}
        base |= source_of_claims(catalogue, [entry])
        yield from _clusters(groups, base, catalogue.up_genes(claim.about), "the claim names no gene")


def _clusters(groups: Groups, base: Row, genes: Sequence[str], unnamed: str) -> Iterator[Row]:
    """One row a CAF cluster, or one in all where the data lack the genes."""
    columns = {gene: groups.column(gene) for gene in dict.fromkeys(genes)}
    here = {gene: column for gene, column in columns.items() if column is not None}
    missing = ", ".join(gene for gene in columns if gene not in here)
    base = base | {"n_targets": len(columns), "not_in_data": missing, "shown": base["statement"]}
    elsewhere = OTHER_CELLS if base.get("acts_on", "") not in ("", *_ON_CAF) else ""
    if not here:
        reason = f"the data lack {missing}" if columns else unnamed
        yield base | result(Status.NOT_MEASURED, reason) | {"warning": elsewhere}
        return
    also = _also_in(groups, here)
    for index in groups.cafs:
        group, enough = groups.groups[index], groups.is_large[index]
        shares = {gene: float(groups.fraction[index, column]) for gene, column in here.items()}
        most = max(shares, key=lambda gene: shares[gene])
        expressed = {gene: share for gene, share in shares.items() if share >= groups.config.expr_prop}
        status = Status.EXPRESSED if expressed else Status.NOT_EXPRESSED
        yield base | {
            "cluster": group.cluster,
            "state": group.state,
            "call": group.call,
            "warning": ". ".join(filter(None, (CAUTIONS.get(group.call), elsewhere))),
            "status": status if enough else Status.TOO_FEW,
            "reason": "" if enough else f"{groups.size[index]} cells",
            "n_expressed": len(expressed),
            "level": float(groups.mean[index, here[most]]),
            "fraction": shares[most],
            "expressed": _listed(expressed),
            "hardly_detected": _listed({g: share for g, share in shares.items() if g not in expressed}),
            "n_also_in": len(also),
            "also_in": ", ".join(also),
        }


def _also_in(groups: Groups, here: dict[str, int]) -> list[str]:
    """Other groups that express one of the genes, the largest share first."""
    found = []
    for index in groups.others:
        share, gene = max((float(groups.fraction[index, place]), gene) for gene, place in here.items())
        if groups.is_large[index] and share >= groups.config.expr_prop:
            found.append((-share, groups.groups[index].name, gene))
    return [f"{name} ({gene} {-share:.0%})" for share, name, gene in sorted(found)]


def _listed(shares: dict[str, float]) -> str:
    by_share = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{gene} {share:.0%}" for gene, share in by_share)
