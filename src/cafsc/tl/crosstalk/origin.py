"""Possible origins of CAFs, and what may have activated them: hints, no proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cafsc._config import CrosstalkConfig
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.crosstalk.groups import CAF, Groups, cell_groups
from cafsc.tl.crosstalk.responses import Footprints, program_rows
from cafsc.tl.crosstalk.table import (
    NAMED,
    Row,
    Status,
    crosstalk_table,
    result,
    source_of_claims,
    source_of_program,
)

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

ORIGIN = "origin-"
"""Prefix of the programmes of an origin."""
STIMULI = "activation-stimuli"
"""Programme of the factors that activate fibroblasts."""
# Cap: expression shows what a cell is, not what it was.
_MAX_CONFIDENCE = 0.3


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
    catalogue, levels
        The shipped ones if not given. The levels hold profiles of the lineages in other tumours.
    key_added, config
        The ``key_added`` of the run, and the thresholds.

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
    groups = cell_groups(adata, catalogue, key_added, config)
    if not groups.cafs:
        return crosstalk_table([])
    return crosstalk_table([*_origins(groups), *_stimuli(groups, levels or reference_levels())])


def _origins(groups: Groups) -> Iterator[Row]:
    names = [name for name in groups.catalogue.programs if name.startswith(ORIGIN)]
    for row in program_rows(groups, "origin", names, "target", groups.cafs):
        row["direction"] = f"{row['id'].removeprefix(ORIGIN)}>{CAF}"
        if row["status"] != Status.NOT_MEASURED:
            share = min(1.0, row["response_effect"] / (2 * groups.config.min_effect))
            row["confidence"] = f"{_MAX_CONFIDENCE * share if row['status'] == Status.RAISED else 0.0:.2f}"
        yield row


def _stimuli(groups: Groups, levels: ReferenceLevels) -> Iterator[Row]:
    catalogue, footprints = groups.catalogue, Footprints(groups, levels)
    if STIMULI not in catalogue.programs:
        return
    base: Row = {"kind": "stimulus", "named": NAMED, "id": STIMULI, "direction": f"any>{CAF}"}
    base |= source_of_program(catalogue, STIMULI)
    for gene in catalogue.programs[STIMULI].up:
        claimed = source_of_claims(catalogue, catalogue.claims_about(f"gene:{gene}"))["review_claims"]
        row = base | {"label": gene, "review_claims": claimed or base["review_claims"]}
        column = groups.column(gene)
        if column is None:
            yield row | result(Status.NOT_MEASURED, f"the data lack {gene}")
            continue
        row |= groups.side("source", int(np.argmax(groups.mean[:, column])), [column])
        is_found = row["source_fraction"] >= groups.config.expr_prop
        row["status"] = Status.EXPRESSED if is_found else Status.NOT_EXPRESSED
        mechanisms = [
            name
            for pair in catalogue.pairs.values()
            if gene in pair.ligand and any(one.endswith(f">{CAF}") for one in pair.directions)
            for name in pair.mechanism
        ]
        for group in groups.cafs:
            yield row | groups.side("target", group) | footprints.row(mechanisms, group)
