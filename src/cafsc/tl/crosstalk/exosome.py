"""Exosomes: which CAFs could make them, what they could carry, and what recipients look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc.sig.records import ExosomeAxis
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk.groups import Groups, cell_groups
from cafsc.tl.crosstalk.responses import Effects, against_elsewhere, effects, footprint_of, footprint_sets
from cafsc.tl.crosstalk.table import (
    CONSISTENT,
    EXPRESSED,
    NAMED,
    NO_CELLS,
    NOT_EXPRESSED,
    NOT_MEASURED,
    NOT_RAISED,
    NOT_SEEN,
    RAISED,
    RESPONSE_ONLY,
    TOO_FEW,
    talk_table,
)
from cafsc.tl.score.controls import Index, SetColumns, false_discovery
from cafsc.tl.score.fibroblasts import tissue_bins
from cafsc.tl.score.set_columns import set_columns
from cafsc.tl.score.statistics import upper_tail
from cafsc.tl.verdict.sources import SEPARATOR, source_of, source_of_program

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

Row = dict[str, object]
CAPACITY = ("exosome-biogenesis", "exosome-release")
UPTAKE = "exosome-uptake"
"""Programmes of the catalogue."""
UPTAKE_AGENTS = "exosome_uptake"
"""What agents act on that name a route of uptake by what they block."""
WHY = {
    "mirna": "mature-mirna",
    "circrna": "circrna",
    "metabolite": "metabolites",
    "other": "metabolites",
    "protein": "secreted-protein",
    "mrna": "lncrna-transfer",
    "lncrna": "lncrna-transfer",
}
"""Kind of cargo -> the entry of ``not_measurable.yaml`` that says why it is not seen."""
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
    DataFrame with the columns of `cafsc.tl.crosstalk`, and in ``kind``:

    ``capacity``
        Machinery of making and releasing exosomes in each CAF cluster, in standard deviations of matched random
        sets. A capacity: release is not measured.
    ``cargo``
        Level and detection of each reported cargo in its senders; ``not measured here``, with the reason, for cargo
        that single-cell RNA-seq does not count.
    ``recipient``
        Reported targets in each recipient, compared with cells of its lineage in other tumours: low where the cargo is
        reported to silence them, high where it is reported to be lost or to raise them. An inference of low
        confidence, whatever its p.
    ``uptake``
        Molecules by which recipients take exosomes up, by route.
    ``not measurable``
        What single-cell RNA-seq cannot see, and what stands in for it.

    Raises
    ------
    InputError
        If `cafsc.annotate` has not run.
    """
    config = config or CrosstalkConfig()
    catalogue = catalogue or sig.load()
    groups = cell_groups(adata, catalogue, key_added)
    if not groups.cafs:
        return talk_table([])
    bins = tissue_bins(adata, key_added)
    rows = Exosomes(groups, catalogue, bins, levels or reference_levels(), config)
    return talk_table(
        [*rows.capacity(), *rows.cargo(), *rows.recipients(), *rows.uptake(), *unmeasured(catalogue)]
    )


def unmeasured(catalogue: Catalogue) -> Iterator[Row]:
    """What single-cell RNA-seq cannot see, one row each."""
    for entry in catalogue.unmeasured.values():
        claims = catalogue.claims_about(f"unmeasured:{entry.id}")
        source = source_of(catalogue, entry)
        names = [*entry.review_claims, *(name for claim in claims for name in claim.claim.review_claims)]
        yield {
            "kind": "not measurable",
            "named": NAMED,
            "id": entry.id,
            "label": entry.label,
            "standing": NOT_MEASURED,
            "reason": f"{entry.why} Stands in: {entry.proxy or 'nothing'}.",
            **source,
            "review_claims": SEPARATOR.join(dict.fromkeys(names)),
        }


@dataclass(frozen=True)
class Exosomes:
    """Everything that the rows are made of."""

    groups: Groups
    catalogue: Catalogue
    bins: Index
    levels: ReferenceLevels
    config: CrosstalkConfig

    def _program_effects(self, names: Sequence[str]) -> tuple[dict[str, SetColumns], Effects]:
        programs = self.catalogue.programs
        sets = {
            name: set_columns(
                programs[name].up, programs[name].down, "human", self.groups.species, self.groups.columns
            )
            for name in names
            if name in programs
        }
        return sets, effects(self.groups, sets, self.bins)

    @cached_property
    def _footprint_sets(self) -> dict[str, SetColumns]:
        return footprint_sets(self.catalogue, self.groups)

    @cached_property
    def _answers(self) -> Effects:
        return against_elsewhere(self.groups, self._footprint_sets, self.bins, self.levels)

    def capacity(self) -> Iterator[Row]:
        """Making and release in each CAF cluster."""
        sets, found = self._program_effects(CAPACITY)
        for name, columns in sets.items():
            for group in self.groups.cafs:
                row = self._program_row("capacity", name, columns) | self._side("source", group)
                yield row | self._effect(found, group, name, columns) | {"confidence": CAPACITY_WORDS}

    def uptake(self) -> Iterator[Row]:
        """Uptake as a whole, and by route, in every group."""
        sets, found = self._program_effects((UPTAKE,))
        for name, columns in sets.items():
            for group in range(len(self.groups.groups)):
                row = self._program_row("uptake", name, columns) | self._side("target", group)
                yield row | self._effect(found, group, name, columns) | {"confidence": CAPACITY_WORDS}
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
            yield from self._levels(
                base, agent.targets, range(len(self.groups.groups)), "target", any_of=True
            )

    def cargo(self) -> Iterator[Row]:
        """Every reported cargo in its senders."""
        for axis in self.catalogue.exosome_axes.values():
            base = self._axis_row("cargo", axis) | {"label": axis.cargo, "confidence": CARGO_WORDS}
            sender = axis.direction.split(">")[0]
            senders = self.groups.matching(sender, self.catalogue)
            if not axis.cargo_genes:
                why = self.catalogue.unmeasured.get(WHY[axis.cargo_kind])
                yield base | {
                    "standing": NOT_MEASURED,
                    "reason": f"no gene of it is counted. {why.why if why else ''}".strip(),
                }
            elif not senders:
                yield base | {"standing": NO_CELLS, "reason": f"no {sender} cells in the data"}
            else:
                yield from self._levels(base, axis.cargo_genes, senders, "source", any_of=False)

    def recipients(self) -> Iterator[Row]:
        """Reported targets, or the footprint of the mechanism, in every recipient."""
        sets = {
            axis.id: set_columns(axis.targets, (), "human", self.groups.species, self.groups.columns)
            for axis in self.catalogue.exosome_axes.values()
            if axis.targets and axis.target_change != "none"
        }
        usable = {name: columns for name, columns in sets.items() if columns.n_found}
        found = against_elsewhere(self.groups, usable, self.bins, self.levels)
        rows: list[tuple[Row, float]] = []
        for axis in self.catalogue.exosome_axes.values():
            receiver = axis.direction.split(">")[1]
            base = self._axis_row("recipient", axis) | {"confidence": INFERENCE}
            groups = self.groups.matching(receiver, self.catalogue)
            if axis.id not in sets:
                yield from self._footprints(axis, base, groups)
            elif axis.id not in usable:
                yield base | {"standing": NOT_MEASURED, "reason": f"the data lack {', '.join(axis.targets)}"}
            elif not groups:
                yield base | {"standing": NO_CELLS, "reason": f"no {receiver} cells in the data"}
            else:
                sign = self._expected(axis)
                for group in groups:
                    effect, _ = found.of(group, axis.id)
                    if np.isnan(effect):
                        known = self._side("target", group)
                        yield base | known | {"standing": NOT_MEASURED, "reason": NO_PROFILE}
                        continue
                    row = base | self._side("target", group) | self._target_levels(usable[axis.id], group)
                    row |= {"response": f"targets {'high' if sign > 0 else 'low'}", "response_effect": effect}
                    rows.append((row, float(upper_tail(np.array(sign * effect)))))
        yield from self._judged(rows, sets)

    def _judged(self, rows: list[tuple[Row, float]], sets: dict[str, SetColumns]) -> Iterator[Row]:
        p = np.array([p for _, p in rows])
        fdr = false_discovery(p) if p.size else p
        for (row, one), adjusted in zip(rows, fdr, strict=True):
            size = self._size(str(row["target"]))
            columns = sets[str(row["id"])]
            missing = columns.n_genes - columns.n_found
            reason = f"{missing} of {columns.n_genes} targets are not in the data" if missing else ""
            if size < self.config.min_cells:
                standing, reason = TOO_FEW, f"{size} cells of {row['target']}"
            else:
                standing = CONSISTENT if adjusted <= self.config.max_fdr else NOT_SEEN
            yield row | {"p": one, "fdr": adjusted, "standing": standing, "reason": reason}

    def _footprints(self, axis: ExosomeAxis, base: Row, groups: Sequence[int]) -> Iterator[Row]:
        """Where no target is reported, the answer to the mechanism."""
        recipients = self.catalogue.recipients
        for group in groups:
            known = self.groups.groups[group]
            name = footprint_of(axis.mechanism, known.name, known.lineage, recipients, self._footprint_sets)
            if not name or self.groups.size[group] < self.config.min_cells:
                continue
            effect, fdr = self._answers.of(group, name)
            answered = effect >= self.config.min_effect and fdr <= self.config.max_fdr
            yield (
                base
                | self._side("target", group)
                | {
                    "response": name,
                    "response_effect": effect,
                    "response_fdr": fdr,
                    "standing": RESPONSE_ONLY if answered else NOT_SEEN,
                    "reason": "no target is reported; footprint of the mechanism",
                }
            )

    @staticmethod
    def _expected(axis: ExosomeAxis) -> float:
        sign = 1.0 if axis.target_change == "up" else -1.0
        return -sign if axis.cargo_level == "lost" else sign

    def _levels(
        self, base: Row, symbols: Sequence[str], groups: Sequence[int], side: str, *, any_of: bool
    ) -> Iterator[Row]:
        columns = [column for gene in symbols if (column := self.groups.column(gene)) is not None]
        missing = [gene for gene in symbols if self.groups.column(gene) is None]
        if not columns or (missing and not any_of):
            lacking = f"the data lack {', '.join(missing)}" if symbols else "it names no gene"
            yield base | {"standing": NOT_MEASURED, "reason": lacking}
            return
        pick = np.max if any_of else np.min
        for group in groups:
            fraction = float(pick(self.groups.fraction[group, columns]))
            row: Row = (
                base
                | self._side(side, group)
                | {
                    f"{side}_level": float(pick(self.groups.mean[group, columns])),
                    f"{side}_fraction": fraction,
                }
            )
            enough = self.groups.size[group] >= self.config.min_cells
            seen = EXPRESSED if fraction >= self.config.expr_prop else NOT_EXPRESSED
            yield row | {"standing": seen if enough else TOO_FEW}

    def _target_levels(self, columns: SetColumns, group: int) -> Row:
        return {
            "target_level": float(self.groups.mean[group, columns.up].mean()),
            "target_fraction": float(self.groups.fraction[group, columns.up].mean()),
        }

    def _effect(self, found: Effects, group: int, name: str, columns: SetColumns) -> Row:
        if not columns.n_found:
            return {"standing": NOT_MEASURED, "reason": "the data lack all its genes"}
        effect, fdr = found.of(group, name)
        high = effect >= self.config.min_effect and fdr <= self.config.max_fdr
        standing = (RAISED if high else NOT_RAISED) if self._enough(group) else TOO_FEW
        return {"response_effect": effect, "response_fdr": fdr, "standing": standing}

    def _enough(self, group: int) -> bool:
        return bool(self.groups.size[group] >= self.config.min_cells)

    def _size(self, name: str) -> int:
        index = next(index for index, group in enumerate(self.groups.groups) if group.name == name)
        return int(self.groups.size[index])

    def _side(self, side: str, group: int) -> Row:
        known = self.groups.groups[group]
        row: Row = {side: known.name, f"{side}_state": known.state}
        return row | {"source_call": known.call} if side == "source" else row

    def _program_row(self, kind: str, name: str, columns: SetColumns) -> Row:
        return {
            "kind": kind,
            "named": NAMED,
            "id": name,
            "label": self.catalogue.programs[name].label,
            "response": f"program:{name}",
            "reason": f"{columns.n_found} of {columns.n_genes} genes",
            **source_of_program(self.catalogue, name),
        }

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
