"""Exosomes: which CAFs could make them, what they could carry, and what recipients look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc.sig.records import ExosomeAxis
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk.groups import Groups, cell_groups
from cafsc.tl.crosstalk.responses import Footprints, adjusted, against_elsewhere, program_rows
from cafsc.tl.crosstalk.table import SEPARATOR, Row, Status, crosstalk_table, record_row, result

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

CAPACITY = ("exosome-biogenesis", "exosome-release")
UPTAKE = ("exosome-uptake",)
"""Programmes of the catalogue."""
UPTAKE_AGENTS = "exosome_uptake"
"""``acts_on`` of agents that block a route of uptake."""
WHY_NOT_MEASURED = {"mirna": "mature-mirna", "circrna": "circrna", "protein": "secreted-protein"}
WHY_NOT_MEASURED |= {"metabolite": "metabolites", "other": "metabolites"}
WHY_NOT_MEASURED |= {"mrna": "lncrna-transfer", "lncrna": "lncrna-transfer"}
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
    catalogue, levels
        The shipped ones if not given. The levels hold profiles of the lineages in other tumours.
    key_added, config
        The ``key_added`` of the run, and the thresholds.

    Returns
    -------
    DataFrame with the columns of `cafsc.tl.crosstalk`. ``kind`` is one of:

    ``capacity``
        Machinery of exosome biogenesis and release in each CAF cluster, in standard deviations of matched random
        sets. Release itself is not measured.
    ``cargo``
        Level and detection of each reported cargo in its senders, or why RNA-seq does not count it.
    ``recipient``
        Reported targets of the cargo in each recipient, compared with cells of its lineage in other tumours: low where
        the cargo silences them, high where it is lost or raises them. An inference of low confidence.
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
    groups = cell_groups(adata, catalogue or sig.load(), key_added)
    if not groups.cafs:
        return crosstalk_table([])
    rows = _Exosomes(groups, levels or reference_levels(), config)
    capacity = rows.programs("capacity", CAPACITY, "source", groups.cafs)
    uptake = rows.programs("uptake", UPTAKE, "target", range(len(groups.groups)))
    recipients = (*rows.targets(), *rows.footprints())
    return crosstalk_table(
        [*capacity, *rows.cargo(), *recipients, *uptake, *rows.uptake_routes(), *rows.unmeasured()]
    )


class _Exosomes:
    """Rows of the table."""

    def __init__(self, groups: Groups, levels: ReferenceLevels, config: CrosstalkConfig) -> None:
        self.groups, self.levels, self.config = groups, levels, config
        self.catalogue = groups.catalogue

    def programs(self, kind: str, names: Sequence[str], side: str, shown: Sequence[int]) -> Iterator[Row]:
        """Programmes of the catalogue in some groups."""
        few = [self.groups.groups[group].name for group in shown if not self._enough(group)]
        for row in program_rows(self.groups, kind, names, side, shown, self.config):
            if row[side] in few and row["status"] != Status.NOT_MEASURED:
                row["status"] = Status.TOO_FEW
            yield row | {"confidence": CAPACITY_WORDS}

    def uptake_routes(self) -> Iterator[Row]:
        """Targets of the agents that block a route of uptake, in every group."""
        for agent in self.catalogue.agents.values():
            if agent.acts_on == UPTAKE_AGENTS:
                base = record_row(self.catalogue, "uptake", agent, confidence=CAPACITY_WORDS)
                base["label"] = f"route that {agent.label} blocks"
                everyone = range(len(self.groups.groups))
                yield from self._expression(base, agent.targets, everyone, "target", any_of=True)

    def cargo(self) -> Iterator[Row]:
        """Every reported cargo in its senders."""
        for axis in self.catalogue.exosome_axes.values():
            base = self._axis_row("cargo", axis) | {"label": axis.cargo, "confidence": CARGO_WORDS}
            sender = axis.direction.split(">")[0]
            senders = self.groups.matching(sender)
            if not axis.cargo_genes:
                why = self.catalogue.unmeasured.get(WHY_NOT_MEASURED[axis.cargo_kind])
                reason = f"no gene of it is counted. {why.why if why else ''}".strip()
                yield base | result(Status.NOT_MEASURED, reason)
            elif not senders:
                yield base | result(Status.NO_CELLS, f"no {sender} cells in the data")
            else:
                yield from self._expression(base, axis.cargo_genes, senders, "source", any_of=False)

    def targets(self) -> Iterator[Row]:
        """Reported targets of the cargo in every recipient."""
        axes = [axis for axis in self.catalogue.exosome_axes.values() if _has_targets(axis)]
        sets = {axis.id: self.groups.set_columns(axis.targets) for axis in axes}
        measured = {name: columns for name, columns in sets.items() if columns.n_found}
        found = against_elsewhere(self.groups, measured, self.levels)
        rows: list[Row] = []
        for axis in axes:
            base = self._axis_row("recipient", axis) | {"confidence": INFERENCE}
            receiver = axis.direction.split(">")[1]
            receivers = self.groups.matching(receiver)
            columns = sets[axis.id]
            if axis.id not in measured:
                yield base | result(Status.NOT_MEASURED, f"the data lack {', '.join(axis.targets)}")
                continue
            if not receivers:
                yield base | result(Status.NO_CELLS, f"no {receiver} cells in the data")
            is_high = (axis.target_change == "up") != (axis.cargo_level == "lost")
            missing = columns.n_genes - columns.n_found
            reason = f"{missing} of {columns.n_genes} targets are not in the data" if missing else ""
            for group in receivers:
                effect, _ = found.of(group, axis.id)
                level, fraction = (
                    float(of[group, columns.up].mean()) for of in (self.groups.mean, self.groups.fraction)
                )
                if np.isnan(effect):
                    yield base | self.groups.side("target", group) | result(Status.NOT_MEASURED, NO_PROFILE)
                    continue
                row = base | self.groups.side("target", group, level, fraction)
                row |= {"response": f"targets {'high' if is_high else 'low'}", "response_effect": effect}
                row |= {"reason": reason, "p": float(stats.norm.sf(effect if is_high else -effect))}
                if not self._enough(group):
                    row |= result(Status.TOO_FEW, f"{self.groups.size[group]} cells of {row['target']}")
                rows.append(row)
        for row, fdr in zip(rows, adjusted(np.array([row["p"] for row in rows], dtype=float)), strict=True):
            status = Status.CONSISTENT if fdr <= self.config.max_fdr else Status.NOT_SEEN
            yield {"status": status} | row | {"fdr": float(fdr)}

    def footprints(self) -> Iterator[Row]:
        """The footprint of the mechanism in recipients of cargo without reported targets."""
        found = Footprints(self.groups, self.levels)
        for axis in self.catalogue.exosome_axes.values():
            if _has_targets(axis):
                continue
            base = self._axis_row("recipient", axis) | {"confidence": INFERENCE}
            base["reason"] = "no target is reported; footprint of the mechanism"
            for group in self.groups.matching(axis.direction.split(">")[1]):
                name = found.of(axis.mechanism, group)
                if name and self._enough(group):
                    is_high = found.effects.is_high(group, name, self.config)
                    row = base | self.groups.side("target", group) | found.effects.row(group, name)
                    yield row | {"status": Status.RESPONSE_ONLY if is_high else Status.NOT_SEEN}

    def unmeasured(self) -> Iterator[Row]:
        """What single-cell RNA-seq cannot measure."""
        for entry in self.catalogue.unmeasured.values():
            claims = self.catalogue.claims_about(f"unmeasured:{entry.id}")
            names = [*entry.review_claims, *(name for claim in claims for name in claim.claim.review_claims)]
            row = record_row(self.catalogue, "not measurable", entry)
            row["review_claims"] = SEPARATOR.join(dict.fromkeys(names))
            yield row | result(Status.NOT_MEASURED, f"{entry.why} Proxy: {entry.proxy or 'none'}.")

    def _expression(
        self, base: Row, symbols: Sequence[str], shown: Sequence[int], side: str, *, any_of: bool
    ) -> Iterator[Row]:
        """Level of any (or all) of some genes in some groups."""
        found = {gene: self.groups.column(gene) for gene in symbols}
        columns = [column for column in found.values() if column is not None]
        if not columns or (len(columns) < len(found) and not any_of):
            missing = ", ".join(gene for gene, column in found.items() if column is None)
            reason = f"the data lack {missing}" if symbols else "it names no gene"
            yield base | result(Status.NOT_MEASURED, reason)
            return
        pick = np.max if any_of else np.min
        for group in shown:
            level, fraction = (
                float(pick(of[group, columns])) for of in (self.groups.mean, self.groups.fraction)
            )
            status = Status.EXPRESSED if fraction >= self.config.expr_prop else Status.NOT_EXPRESSED
            row = base | self.groups.side(side, group, level, fraction)
            yield row | {"status": status if self._enough(group) else Status.TOO_FEW}

    def _enough(self, group: int) -> bool:
        return bool(self.groups.size[group] >= self.config.min_cells)

    def _axis_row(self, kind: str, axis: ExosomeAxis) -> Row:
        return record_row(self.catalogue, kind, axis, direction=axis.direction, effect=axis.effect)


def _has_targets(axis: ExosomeAxis) -> bool:
    return bool(axis.targets) and axis.target_change != "none"
