"""Exosomes: which CAFs could make them, what they could carry, and what recipients look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc.sig.records import ExosomeAxis
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk.groups import Groups, cell_groups
from cafsc.tl.crosstalk.responses import adjusted, against_elsewhere, effects, footprint_of, footprint_sets
from cafsc.tl.crosstalk.table import (
    CONSISTENT,
    EXPRESSED,
    NAMED,
    NO_CELLS,
    NOT_EXPRESSED,
    NOT_MEASURED,
    NOT_SEEN,
    RESPONSE_ONLY,
    SEPARATOR,
    TOO_FEW,
    Row,
    crosstalk_table,
    program_row,
    source_of,
)
from cafsc.tl.score.controls import Index
from cafsc.tl.score.fibroblasts import tissue_bins

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

CAPACITY = ("exosome-biogenesis", "exosome-release")
UPTAKE = ("exosome-uptake",)
"""Programmes of the catalogue."""
UPTAKE_AGENTS = "exosome_uptake"
"""``acts_on`` of agents that block a route of uptake."""
WHY_NOT_MEASURED = {
    "mirna": "mature-mirna",
    "circrna": "circrna",
    "metabolite": "metabolites",
    "other": "metabolites",
    "protein": "secreted-protein",
    "mrna": "lncrna-transfer",
    "lncrna": "lncrna-transfer",
}
"""Kind of cargo -> entry of ``not_measurable.yaml`` with the reason."""
CAPACITY_WORDS = "expression of the machinery: a capacity, not what is released"
CARGO_WORDS = "expression in the cell; that it travels is not seen"
NO_PROFILE = "no profile of such cells in other tumours to compare with"
INFERENCE = "low: an inference, the cargo itself is not measured"


def exosome(
    adata: AnnData,
    *,
    catalogue: Catalogue | None = None,
    levels: ReferenceLevels | None = None,
    key_added: str = "caf",
    config: CrosstalkConfig | None = None,
) -> pd.DataFrame:
    """What expression can say about the exosomes of CAFs, and what it cannot.

    Parameters
    ----------
    adata
        After `cafsc.annotate`. Not changed.
    catalogue
        The shipped one if not given.
    levels
        Profiles of the lineages in other tumours; the shipped ones if not given.
    key_added
        The ``key_added`` of the run.
    config
        Thresholds.

    Returns
    -------
    DataFrame with the columns of `cafsc.tl.crosstalk`. ``kind`` is one of:

    ``capacity``
        Machinery of exosome biogenesis and release in each CAF cluster, in standard deviations of matched random
        sets. Release itself is not measured.
    ``cargo``
        Level and detection of each reported cargo in its senders; ``not measured here``, with the reason, for cargo
        that single-cell RNA-seq does not count.
    ``recipient``
        Reported targets of the cargo in each recipient, compared with cells of its lineage in other tumours. They are
        expected low where the cargo silences them, and high where the cargo is lost or raises them. An inference of
        low confidence, whatever its p value.
    ``uptake``
        Molecules by which recipients take up exosomes, by route.
    ``not measurable``
        What single-cell RNA-seq cannot measure, and its proxy.

    Raises
    ------
    InputError
        If an earlier step has not run; says which.

    Examples
    --------
    >>> cafsc.tl.exosome(adata).query("kind == 'cargo'")  # doctest: +SKIP
    """
    config = config or CrosstalkConfig()
    catalogue = catalogue or sig.load()
    groups = cell_groups(adata, catalogue, key_added)
    if not groups.cafs:
        return crosstalk_table([])
    bins = tissue_bins(adata, key_added)
    rows = _Exosomes(groups, catalogue, bins, levels or reference_levels(), config)
    everyone = range(len(groups.groups))
    return crosstalk_table(
        [
            *rows.programs("capacity", CAPACITY, "source", groups.cafs),
            *rows.cargo(),
            *rows.targets(),
            *rows.footprints(),
            *rows.programs("uptake", UPTAKE, "target", everyone),
            *rows.uptake_routes(),
            *rows.unmeasured(),
        ]
    )


@dataclass(frozen=True)
class _Exosomes:
    """Everything that the rows are made of."""

    groups: Groups
    catalogue: Catalogue
    bins: Index
    levels: ReferenceLevels
    config: CrosstalkConfig

    def programs(self, kind: str, names: Sequence[str], side: str, shown: Sequence[int]) -> Iterator[Row]:
        """Programmes of the catalogue in some groups."""
        known = {name: self.catalogue.programs[name] for name in names if name in self.catalogue.programs}
        sets = {name: self.groups.set_columns(program.up, program.down) for name, program in known.items()}
        found = effects(self.groups, sets, self.bins)
        for name, columns in sets.items():
            base = program_row(self.catalogue, kind, name, columns) | {"confidence": CAPACITY_WORDS}
            for group in shown:
                row = base | self.groups.side(side, group)
                row |= found.raised(group, name, columns, self.config)
                few = columns.n_found and not self._enough(group)
                yield row | ({"status": TOO_FEW} if few else {})

    def uptake_routes(self) -> Iterator[Row]:
        """Targets of the agents that block a route of uptake, in every group."""
        for agent in self.catalogue.agents.values():
            if agent.acts_on != UPTAKE_AGENTS:
                continue
            base: Row = {
                "kind": "uptake",
                "named": NAMED,
                "id": agent.id,
                "label": f"route that {agent.label} blocks",
                "confidence": CAPACITY_WORDS,
                **source_of(self.catalogue, agent),
            }
            everyone = range(len(self.groups.groups))
            yield from self._expression(base, agent.targets, everyone, "target", any_of=True)

    def cargo(self) -> Iterator[Row]:
        """Every reported cargo in its senders."""
        for axis in self.catalogue.exosome_axes.values():
            base = self._axis_row("cargo", axis) | {"label": axis.cargo, "confidence": CARGO_WORDS}
            sender = axis.direction.split(">")[0]
            senders = self.groups.matching(sender, self.catalogue)
            if not axis.cargo_genes:
                why = self.catalogue.unmeasured.get(WHY_NOT_MEASURED[axis.cargo_kind])
                reason = f"no gene of it is counted. {why.why if why else ''}".strip()
                yield base | {"status": NOT_MEASURED, "reason": reason}
            elif not senders:
                yield base | {"status": NO_CELLS, "reason": f"no {sender} cells in the data"}
            else:
                yield from self._expression(base, axis.cargo_genes, senders, "source", any_of=False)

    def targets(self) -> Iterator[Row]:
        """Reported targets of the cargo in every recipient."""
        axes = [axis for axis in self.catalogue.exosome_axes.values() if _has_targets(axis)]
        sets = {axis.id: self.groups.set_columns(axis.targets) for axis in axes}
        measured = {name: columns for name, columns in sets.items() if columns.n_found}
        found = against_elsewhere(self.groups, measured, self.bins, self.levels)
        rows: list[Row] = []
        p: list[float] = []
        for axis in axes:
            base = self._axis_row("recipient", axis) | {"confidence": INFERENCE}
            receiver = axis.direction.split(">")[1]
            receivers = self.groups.matching(receiver, self.catalogue)
            columns = sets[axis.id]
            if axis.id not in measured:
                yield base | {"status": NOT_MEASURED, "reason": f"the data lack {', '.join(axis.targets)}"}
                continue
            if not receivers:
                yield base | {"status": NO_CELLS, "reason": f"no {receiver} cells in the data"}
            expected = "high" if (axis.target_change == "up") != (axis.cargo_level == "lost") else "low"
            missing = columns.n_genes - columns.n_found
            reason = f"{missing} of {columns.n_genes} targets are not in the data" if missing else ""
            for group in receivers:
                effect, _ = found.of(group, axis.id)
                if np.isnan(effect):
                    known = self.groups.side("target", group)
                    yield base | known | {"status": NOT_MEASURED, "reason": NO_PROFILE}
                    continue
                levels = (
                    float(of[group, columns.up].mean()) for of in (self.groups.mean, self.groups.fraction)
                )
                row = base | self.groups.side("target", group, *levels)
                row |= {"response": f"targets {expected}", "response_effect": effect, "reason": reason}
                if not self._enough(group):
                    few = f"{self.groups.size[group]} cells of {self.groups.groups[group].name}"
                    row |= {"status": TOO_FEW, "reason": few}
                rows.append(row)
                p.append(float(stats.norm.sf(effect if expected == "high" else -effect)))
        for row, one, fdr in zip(rows, p, adjusted(np.array(p)), strict=True):
            status = CONSISTENT if fdr <= self.config.max_fdr else NOT_SEEN
            yield {"status": status} | row | {"p": one, "fdr": float(fdr)}

    def footprints(self) -> Iterator[Row]:
        """The footprint of the mechanism in recipients of cargo without reported targets."""
        sets = footprint_sets(self.catalogue, self.groups)
        found = against_elsewhere(self.groups, sets, self.bins, self.levels)
        for axis in self.catalogue.exosome_axes.values():
            if _has_targets(axis):
                continue
            base = self._axis_row("recipient", axis) | {"confidence": INFERENCE}
            base["reason"] = "no target is reported; footprint of the mechanism"
            for group in self.groups.matching(axis.direction.split(">")[1], self.catalogue):
                known = self.groups.groups[group]
                recipients = self.catalogue.recipients
                name = footprint_of(axis.mechanism, known.name, known.lineage, recipients, sets)
                if name and self._enough(group):
                    effect, fdr = found.of(group, name)
                    responds = effect >= self.config.min_effect and fdr <= self.config.max_fdr
                    row = base | self.groups.side("target", group) | found.response(group, name)
                    yield row | {"status": RESPONSE_ONLY if responds else NOT_SEEN}

    def unmeasured(self) -> Iterator[Row]:
        """What single-cell RNA-seq cannot measure."""
        for entry in self.catalogue.unmeasured.values():
            claims = self.catalogue.claims_about(f"unmeasured:{entry.id}")
            names = [*entry.review_claims, *(name for claim in claims for name in claim.claim.review_claims)]
            yield {
                "kind": "not measurable",
                "named": NAMED,
                "id": entry.id,
                "label": entry.label,
                "status": NOT_MEASURED,
                "reason": f"{entry.why} Proxy: {entry.proxy or 'none'}.",
                **source_of(self.catalogue, entry),
                "review_claims": SEPARATOR.join(dict.fromkeys(names)),
            }

    def _expression(
        self, base: Row, symbols: Sequence[str], shown: Sequence[int], side: str, *, any_of: bool
    ) -> Iterator[Row]:
        """Level of any (or all) of some genes in some groups."""
        found = {gene: self.groups.column(gene) for gene in symbols}
        columns = [column for column in found.values() if column is not None]
        if not columns or (len(columns) < len(found) and not any_of):
            missing = ", ".join(gene for gene, column in found.items() if column is None)
            reason = f"the data lack {missing}" if symbols else "it names no gene"
            yield base | {"status": NOT_MEASURED, "reason": reason}
            return
        pick = np.max if any_of else np.min
        for group in shown:
            level, fraction = (
                float(pick(of[group, columns])) for of in (self.groups.mean, self.groups.fraction)
            )
            status = EXPRESSED if fraction >= self.config.expr_prop else NOT_EXPRESSED
            row = base | self.groups.side(side, group, level, fraction)
            yield row | {"status": status if self._enough(group) else TOO_FEW}

    def _enough(self, group: int) -> bool:
        return bool(self.groups.size[group] >= self.config.min_cells)

    def _axis_row(self, kind: str, axis: ExosomeAxis) -> Row:
        return {
            "kind": kind,
            "named": NAMED,
            "id": axis.id,
            "label": axis.label,
            "direction": axis.direction,
            "effect": axis.effect,
            **source_of(self.catalogue, axis),
        }


def _has_targets(axis: ExosomeAxis) -> bool:
    return bool(axis.targets) and axis.target_change != "none"
