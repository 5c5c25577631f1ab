"""Exosomes: which CAFs could make them, what they could carry, and what recipients look like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from cafsc._config import CrosstalkConfig
from cafsc.sig.records import ExosomeAxis
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk.groups import ANY, Groups, cell_groups
from cafsc.tl.crosstalk.responses import Footprints, adjusted, against_elsewhere, is_high, program_rows
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
    groups = cell_groups(adata, catalogue, key_added, config)
    if not groups.cafs:
        return crosstalk_table([])
    levels = levels or reference_levels()
    capacity = _programs(groups, "capacity", CAPACITY, "source", groups.cafs)
    uptake = _programs(groups, "uptake", UPTAKE, "target", groups.matching(ANY))
    recipients = (*_targets(groups, levels), *_footprints(groups, levels))
    return crosstalk_table(
        [*capacity, *_cargo(groups), *recipients, *uptake, *_uptake_routes(groups), *_unmeasured(groups)]
    )


def _programs(
    groups: Groups, kind: str, names: Sequence[str], side: str, shown: Sequence[int]
) -> Iterator[Row]:
    """Programmes of the catalogue in some groups."""
    few = [groups.groups[group].name for group in shown if not groups.is_large[group]]
    for row in program_rows(groups, kind, names, side, shown):
        if row[side] in few and row["status"] != Status.NOT_MEASURED:
            row["status"] = Status.TOO_FEW
        yield row | {"confidence": CAPACITY_WORDS}


def _uptake_routes(groups: Groups) -> Iterator[Row]:
    """Targets of the agents that block a route of uptake, in every group."""
    for agent in groups.catalogue.agents.values():
        if agent.acts_on == UPTAKE_AGENTS:
            base = record_row(groups.catalogue, "uptake", agent, confidence=CAPACITY_WORDS)
            base["label"] = f"route that {agent.label} blocks"
            yield from _expression(groups, base, agent.targets, groups.matching(ANY), "target", np.max)


def _cargo(groups: Groups) -> Iterator[Row]:
    """Every reported cargo in its senders."""
    for axis in groups.catalogue.exosome_axes.values():
        base = _axis_row(groups, "cargo", axis) | {"label": axis.cargo, "confidence": CARGO_WORDS}
        sender = axis.direction.split(">")[0]
        if not axis.cargo_genes:
            why = groups.catalogue.unmeasured.get(WHY_NOT_MEASURED[axis.cargo_kind])
            reason = f"no gene of it is counted. {why.why if why else ''}".strip()
            yield base | result(Status.NOT_MEASURED, reason)
        elif senders := groups.matching(sender):
            yield from _expression(groups, base, axis.cargo_genes, senders, "source", np.min)
        else:
            yield base | result(Status.NO_CELLS, f"no {sender} cells in the data")


def _expression(
    groups: Groups,
    base: Row,
    genes: Sequence[str],
    shown: Sequence[int],
    side: str,
    pick: Callable[..., Any],
) -> Iterator[Row]:
    """Level of some genes in some groups: of any one (``np.max``), or of all of them (``np.min``)."""
    found = {gene: groups.column(gene) for gene in genes}
    columns = [column for column in found.values() if column is not None]
    if not columns or (len(columns) < len(found) and pick is np.min):
        missing = ", ".join(gene for gene, column in found.items() if column is None)
        reason = f"the data lack {missing}" if genes else "it names no gene"
        yield base | result(Status.NOT_MEASURED, reason)
        return
    for group in shown:
        row = base | groups.side(side, group, columns, pick)
        enough = row[f"{side}_fraction"] >= groups.config.expr_prop
        status = Status.EXPRESSED if enough else Status.NOT_EXPRESSED
        yield row | {"status": status if groups.is_large[group] else Status.TOO_FEW}


def _targets(groups: Groups, levels: ReferenceLevels) -> Iterator[Row]:
    """Reported targets of the cargo in every recipient."""
    axes = [axis for axis in groups.catalogue.exosome_axes.values() if _has_targets(axis)]
    sets = {axis.id: groups.set_columns(axis.targets) for axis in axes}
    found = against_elsewhere(groups, {name: one for name, one in sets.items() if one.n_found}, levels)
    rows: list[Row] = []
    for axis in axes:
        base = _axis_row(groups, "recipient", axis) | {"confidence": INFERENCE}
        columns = sets[axis.id]
        if not columns.n_found:
            yield base | result(Status.NOT_MEASURED, f"the data lack {', '.join(axis.targets)}")
            continue
        receiver = axis.direction.split(">")[1]
        receivers = groups.matching(receiver)
        if not receivers:
            yield base | result(Status.NO_CELLS, f"no {receiver} cells in the data")
        is_up = (axis.target_change == "up") != (axis.cargo_level == "lost")
        missing = columns.n_genes - columns.n_found
        reason = f"{missing} of {columns.n_genes} targets are not in the data" if missing else ""
        for group in receivers:
            effect = found[axis.id][group]["response_effect"]
            if np.isnan(effect):
                yield base | groups.side("target", group) | result(Status.NOT_MEASURED, NO_PROFILE)
                continue
            row = base | groups.side("target", group, columns.up.tolist(), np.mean)
            row |= {"response": f"targets {'high' if is_up else 'low'}", "response_effect": effect}
            row |= {"reason": reason, "p": stats.norm.sf(effect if is_up else -effect)}
            if not groups.is_large[group]:
                row |= result(Status.TOO_FEW, f"{groups.size[group]} cells of {row['target']}")
            rows.append(row)
    for row, fdr in zip(rows, adjusted(np.array([row["p"] for row in rows], dtype=float)), strict=True):
        status = Status.CONSISTENT if fdr <= groups.config.max_fdr else Status.NOT_SEEN
        yield {"status": status} | row | {"fdr": fdr}


def _footprints(groups: Groups, levels: ReferenceLevels) -> Iterator[Row]:
    """The footprint of the mechanism in recipients of cargo without reported targets."""
    found = Footprints(groups, levels)
    for axis in groups.catalogue.exosome_axes.values():
        receivers = () if _has_targets(axis) else groups.matching(axis.direction.split(">")[1])
        base = _axis_row(groups, "recipient", axis) | {"confidence": INFERENCE}
        base["reason"] = "no target is reported; footprint of the mechanism"
        for group in receivers:
            response = found.row(axis.mechanism, group)
            if response and groups.is_large[group]:
                status = Status.RESPONSE_ONLY if is_high(response, groups.config) else Status.NOT_SEEN
                yield base | groups.side("target", group) | response | {"status": status}


def _unmeasured(groups: Groups) -> Iterator[Row]:
    """What single-cell RNA-seq cannot measure."""
    catalogue = groups.catalogue
    for entry in catalogue.unmeasured.values():
        claims = catalogue.claims_about(f"unmeasured:{entry.id}")
        names = [*entry.review_claims, *(name for claim in claims for name in claim.claim.review_claims)]
        more = {"review_claims": SEPARATOR.join(dict.fromkeys(names))}
        more |= result(Status.NOT_MEASURED, f"{entry.why} Proxy: {entry.proxy or 'none'}.")
        yield record_row(catalogue, "not measurable", entry, **more)


def _axis_row(groups: Groups, kind: str, axis: ExosomeAxis) -> Row:
    return record_row(groups.catalogue, kind, axis, direction=axis.direction, effect=axis.effect)


def _has_targets(axis: ExosomeAxis) -> bool:
    return bool(axis.targets) and axis.target_change != "none"
