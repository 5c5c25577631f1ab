"""What could act on these CAFs: compounds with their targets, and biomarkers; no efficacy is claimed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc._keys import ANTI, MIXED
from cafsc.sig.records import Agent, Biomarker
from cafsc.tl.crosstalk.groups import Groups, cell_groups
from cafsc.tl.crosstalk.table import EXPRESSED, NOT_EXPRESSED, NOT_MEASURED, TOO_FEW
from cafsc.tl.verdict.sources import source_of, source_of_claims

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

Row = dict[str, object]
TEXT = (
    "kind id label agent_kind acts_on cluster state call warning standing reason expressed hardly_detected "
    "not_in_data also_in measured_in predicts prognosis therapy_response shown evidence cancer mechanism "
    "papers doi review_claims"
).split()
NUMBERS = "n_targets n_expressed level fraction n_also_in".split()
COLUMNS = (
    "kind id label agent_kind acts_on cluster state call warning standing reason n_targets n_expressed level "
    "fraction expressed hardly_detected not_in_data n_also_in also_in measured_in predicts prognosis "
    "therapy_response shown evidence cancer mechanism papers doi review_claims"
).split()
AGENT, BIOMARKER, CLAIM = "agent", "biomarker", "biomarker claim"
KINDS = (AGENT, BIOMARKER, CLAIM)
BIOMARKER_CLAIMS = "biomarker/prognosis"
"""Kind of the reviews' claims about markers."""
RESTRAINING = (
    "DO NOT DEPLETE: the evidence calls this cluster tumour-restraining; hitting it may speed the tumour up"
)
TWO_SIDED = "CAUTION: the evidence on this cluster points both ways"
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
    key_added
        The ``key_added`` of the run.
    config
        When a gene counts as expressed.

    Returns
    -------
    DataFrame, one row an entry and CAF cluster; no row where there is no CAF cluster:

    ``kind`` : str
        ``agent``, ``biomarker``, or ``biomarker claim`` (a claim of a review about a marker that is no record of its
        own).
    ``cluster``, ``state``, ``call`` : str
        The cluster, and which way the evidence calls it.
    ``warning`` : str
        In capitals where the cluster is held to restrain the tumour; not to be overlooked.
    ``standing`` : str
        ``expressed``, ``hardly detected``, ``too few cells`` or ``not measured here``; ``reason`` says why.
    ``n_targets``, ``n_expressed``, ``expressed``, ``hardly_detected``, ``not_in_data``
        Genes that the entry names, and which of them the cluster expresses, with the share of cells.
    ``level``, ``fraction`` : float64
        Of the gene expressed most: mean natural log1p of counts per ten thousand, share of cells.
    ``n_also_in``, ``also_in``
        Other groups of cells that express one of the genes: what else would be hit.
    ``shown``, ``evidence``, ``mechanism``, ``cancer``, ``papers``, ``doi``, ``review_claims`` : str
        What was shown, where, and at which level of evidence.
    ``measured_in``, ``predicts``, ``prognosis``, ``therapy_response`` : str
        Of a biomarker.

    Raises
    ------
    InputError
        If `cafsc.annotate` has not run.

    Notes
    -----
    Expression of a target is no answer to a drug, and nothing here says that a compound works.
    """
    config = config or CrosstalkConfig()
    catalogue = catalogue or sig.load()
    groups = cell_groups(adata, catalogue, key_added)
    rows = TargetRows(groups, catalogue, config)
    found = [*rows.agents(), *rows.biomarkers(), *rows.claims()] if groups.cafs else []
    frame = pd.DataFrame(found, columns=COLUMNS)
    frame[TEXT] = frame[TEXT].astype(object).where(frame[TEXT].notna(), "")
    frame[NUMBERS] = frame[NUMBERS].astype("float64")
    for name in ("n_targets", "n_expressed", "n_also_in"):
        frame[name] = frame[name].fillna(0).astype("int64")
    ranks = pd.DataFrame(
        {
            "kind": frame["kind"].map({kind: rank for rank, kind in enumerate(KINDS)}),
            "standing": frame["standing"].map({EXPRESSED: 0, NOT_EXPRESSED: 1, TOO_FEW: 2, NOT_MEASURED: 3}),
            "fraction": -frame["fraction"],
            "id": frame["id"],
            "cluster": frame["cluster"],
        }
    )
    order = ranks.sort_values([str(name) for name in ranks], kind="stable", na_position="last").index
    return frame.loc[order].reset_index(drop=True)


def warning(call: str, acts_on: str) -> str:
    """What must be said before a cluster with this call is taken for a target."""
    said = []
    if call == ANTI:
        said.append(RESTRAINING)
    elif call == MIXED:
        said.append(TWO_SIDED)
    if acts_on and acts_on not in _ON_CAF:
        said.append(OTHER_CELLS)
    return ". ".join(said)


@dataclass(frozen=True)
class TargetRows:
    """Rows of the table."""

    groups: Groups
    catalogue: Catalogue
    config: CrosstalkConfig

    def agents(self) -> Iterator[Row]:
        """Compounds and therapies."""
        for agent in self.catalogue.agents.values():
            base: Row = {
                "kind": AGENT,
                "id": agent.id,
                "label": agent.label,
                "agent_kind": agent.kind,
                "acts_on": agent.acts_on,
                **self._source(agent),
            }
            yield from self._clusters(base, agent.targets, agent.acts_on, "the compound names no gene")

    def biomarkers(self) -> Iterator[Row]:
        """Markers measured in patients."""
        for marker in self.catalogue.biomarkers.values():
            base: Row = {
                "kind": BIOMARKER,
                "id": marker.id,
                "label": marker.label,
                "measured_in": marker.measured_in,
                "predicts": marker.predicts,
                "prognosis": marker.prognosis or "",
                "therapy_response": marker.therapy_response or "",
                **self._source(marker),
            }
            why = f"the marker is measured in {marker.measured_in} and names no gene"
            yield from self._clusters(base, marker.genes, "", why)

    def claims(self) -> Iterator[Row]:
        """Claims of the reviews about markers that are answered by a claim instead of a record."""
        about = {
            name for name, claim in self.catalogue.review_claims.items() if claim.kind == BIOMARKER_CLAIMS
        }
        for entry in self.catalogue.claims:
            if not about.intersection(entry.claim.review_claims):
                continue
            genes = self.catalogue.up_genes(entry.claim.about)
            base: Row = {
                "kind": CLAIM,
                "id": entry.claim.id,
                "label": entry.claim.about,
                "predicts": "course of the disease" if entry.claim.prognosis else "",
                "prognosis": entry.claim.prognosis or "",
                "therapy_response": entry.claim.therapy_response or "",
                **self._renamed(source_of_claims(self.catalogue, [entry])),
            }
            yield from self._clusters(base, genes, "", "the claim names no gene")

    def _source(self, record: Agent | Biomarker) -> Row:
        return self._renamed(source_of(self.catalogue, record))

    @staticmethod
    def _renamed(source: dict[str, str]) -> Row:
        return {("shown" if name == "statement" else name): value for name, value in source.items()}

    def _clusters(self, base: Row, genes: Sequence[str], acts_on: str, unnamed: str) -> Iterator[Row]:
        columns = {gene: self.groups.column(gene) for gene in dict.fromkeys(genes)}
        here = {gene: column for gene, column in columns.items() if column is not None}
        missing = ", ".join(gene for gene, column in columns.items() if column is None)
        base = base | {"n_targets": len(columns), "not_in_data": missing}
        if not here:
            reason = f"the data lack {missing}" if columns else unnamed
            yield base | {"standing": NOT_MEASURED, "reason": reason, "warning": warning("", acts_on)}
            return
        also = self._also_in(here)
        for index in self.groups.cafs:
            group = self.groups.groups[index]
            shares = {gene: float(self.groups.fraction[index, column]) for gene, column in here.items()}
            most = max(shares, key=lambda gene: shares[gene])
            seen = {gene: share for gene, share in shares.items() if share >= self.config.expr_prop}
            low = {gene: share for gene, share in shares.items() if gene not in seen}
            size = int(self.groups.size[index])
            few = size < self.config.min_cells
            yield base | {
                "cluster": group.cluster,
                "state": group.state,
                "call": group.call,
                "warning": warning(group.call, acts_on),
                "standing": TOO_FEW if few else EXPRESSED if seen else NOT_EXPRESSED,
                "reason": f"{size} cells" if few else "",
                "n_expressed": len(seen),
                "level": float(self.groups.mean[index, here[most]]),
                "fraction": shares[most],
                "expressed": _shares(seen),
                "hardly_detected": _shares(low),
                "n_also_in": len(also),
                "also_in": ", ".join(also),
            }

    def _also_in(self, here: dict[str, int]) -> list[str]:
        """Other cells that express one of the genes, with the share, the most exposed first."""
        found = []
        for index in self.groups.others:
            if self.groups.size[index] < self.config.min_cells:
                continue
            share, gene = max(
                (float(self.groups.fraction[index, column]), gene) for gene, column in here.items()
            )
            if share >= self.config.expr_prop:
                found.append((-share, self.groups.groups[index].name, gene))
        return [f"{name} ({gene} {-share:.0%})" for share, name, gene in sorted(found)]


def _shares(shares: dict[str, float]) -> str:
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{gene} {share:.0%}" for gene, share in ordered)
