"""Possible origins of CAFs, and what may have activated them: hints, no proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk.groups import CAF, Groups, cell_groups
from cafsc.tl.crosstalk.responses import against_elsewhere, effects, footprint_of, footprint_sets
from cafsc.tl.crosstalk.table import (
    EXPRESSED,
    NAMED,
    NOT_EXPRESSED,
    NOT_MEASURED,
    RAISED,
    Row,
    crosstalk_table,
    program_row,
    source_of_claims,
    source_of_program,
)
from cafsc.tl.score.controls import Index
from cafsc.tl.score.fibroblasts import tissue_bins

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

ORIGIN = "origin-"
"""Prefix of the programmes of an origin."""
STIMULI = "activation-stimuli"
"""Programme of the factors that activate fibroblasts."""


def origin(
    adata: AnnData,
    *,
    catalogue: Catalogue | None = None,
    levels: ReferenceLevels | None = None,
    key_added: str = "caf",
    config: CrosstalkConfig | None = None,
) -> pd.DataFrame:
    """Traces of an origin in the CAF clusters, and activating factors in the tissue.

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
        Thresholds, and the highest confidence.

    Returns
    -------
    DataFrame with the columns of `cafsc.tl.crosstalk`. ``kind`` is one of:

    ``origin``
        Each origin with a programme in the catalogue, in each CAF cluster. ``response_effect`` is in standard
        deviations of matched random sets. ``confidence`` is a number as text, 0.3 at most: expression shows what a
        cell is, not what it was.
    ``stimulus``
        Each factor that activates fibroblasts. ``source`` is the group with the highest expression, ``target`` each
        CAF cluster, with the footprint of the mechanism compared with fibroblasts of other tumours.

    Raises
    ------
    InputError
        If an earlier step has not run; says which.

    Examples
    --------
    >>> cafsc.tl.origin(adata).query("kind == 'origin'")  # doctest: +SKIP
    """
    config = config or CrosstalkConfig()
    catalogue = catalogue or sig.load()
    groups = cell_groups(adata, catalogue, key_added)
    if not groups.cafs:
        return crosstalk_table([])
    bins = tissue_bins(adata, key_added)
    stimuli = _stimuli(groups, catalogue, bins, levels or reference_levels(), config)
    return crosstalk_table([*_origins(groups, catalogue, bins, config), *stimuli])


def _origins(groups: Groups, catalogue: Catalogue, bins: Index, config: CrosstalkConfig) -> Iterator[Row]:
    programs = {name: one for name, one in catalogue.programs.items() if name.startswith(ORIGIN)}
    sets = {name: groups.set_columns(program.up, program.down) for name, program in programs.items()}
    found = effects(groups, sets, bins)
    for name, columns in sets.items():
        base = program_row(catalogue, "origin", name, columns)
        base["direction"] = f"{name.removeprefix(ORIGIN)}>{CAF}"
        for group in groups.cafs:
            row = base | groups.side("target", group) | found.raised(group, name, columns, config)
            if columns.n_found:
                share = min(1.0, found.of(group, name)[0] / (2 * config.min_effect))
                confidence = config.max_origin_confidence * share if row["status"] == RAISED else 0.0
                row["confidence"] = f"{confidence:.2f}"
            yield row


def _stimuli(
    groups: Groups, catalogue: Catalogue, bins: Index, levels: ReferenceLevels, config: CrosstalkConfig
) -> Iterator[Row]:
    if STIMULI not in catalogue.programs:
        return
    sets = footprint_sets(catalogue, groups)
    found = against_elsewhere(groups, sets, bins, levels)
    source = source_of_program(catalogue, STIMULI)
    base: Row = {"kind": "stimulus", "named": NAMED, "id": STIMULI, "direction": f"any>{CAF}", **source}
    for gene in catalogue.programs[STIMULI].up:
        claimed = source_of_claims(catalogue, catalogue.claims_about(f"gene:{gene}"))["review_claims"]
        row = base | {"label": gene, "review_claims": claimed or source["review_claims"]}
        column = groups.column(gene)
        if column is None:
            yield row | {"status": NOT_MEASURED, "reason": f"the data lack {gene}"}
            continue
        sender = int(np.argmax(groups.mean[:, column]))
        fraction = float(groups.fraction[sender, column])
        row |= groups.side("source", sender, float(groups.mean[sender, column]), fraction)
        row["status"] = EXPRESSED if fraction >= config.expr_prop else NOT_EXPRESSED
        mechanisms = [
            name
            for pair in catalogue.pairs.values()
            if gene in pair.ligand and any(one.endswith(f">{CAF}") for one in pair.directions)
            for name in pair.mechanism
        ]
        for group in groups.cafs:
            one = groups.groups[group]
            name = footprint_of(mechanisms, one.name, one.lineage, catalogue.recipients, sets)
            yield row | groups.side("target", group) | (found.response(group, name) if name else {})
