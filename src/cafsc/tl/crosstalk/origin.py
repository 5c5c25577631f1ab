"""Where CAFs may have come from, and what may have activated them: hints, never proof."""

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
    NOT_RAISED,
    RAISED,
    talk_table,
)
from cafsc.tl.score.controls import Index
from cafsc.tl.score.fibroblasts import tissue_bins
from cafsc.tl.score.set_columns import set_columns
from cafsc.tl.verdict.sources import source_of_claims, source_of_program

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

Row = dict[str, object]
ORIGIN = "origin-"
"""How the programmes of residues start."""
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
    """Residues of other cells in the CAF clusters, and the stimuli that the tissue holds.

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
        Thresholds, and the cap of the confidence.

    Returns
    -------
    DataFrame with the columns of `cafsc.tl.crosstalk`, and in ``kind``:

    ``origin``
        Each origin that the catalogue has a residue for, in each CAF cluster: standard deviations of matched random
        sets in ``response_effect``; ``confidence`` is a number in text, 0.3 at most, since expression shows what a
        cell is and not what it was.
    ``stimulus``
        Each factor that activates fibroblasts: the group that expresses it most as ``source``, each CAF cluster as
        ``target`` with its footprint of the mechanism, against fibroblasts of other tumours, where a pair of the
        catalogue gives one.

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
    return talk_table(
        [
            *_origins(groups, catalogue, bins, config),
            *_stimuli(groups, catalogue, bins, levels or reference_levels(), config),
        ]
    )


def _origins(groups: Groups, catalogue: Catalogue, bins: Index, config: CrosstalkConfig) -> Iterator[Row]:
    sets = {
        name: set_columns(program.up, program.down, "human", groups.species, groups.columns)
        for name, program in catalogue.programs.items()
        if name.startswith(ORIGIN)
    }
    found = effects(groups, sets, bins)
    for name, columns in sets.items():
        base: Row = {
            "kind": "origin",
            "named": NAMED,
            "id": name,
            "label": catalogue.programs[name].label,
            "direction": f"{name.removeprefix(ORIGIN)}>{CAF}",
            "response": f"program:{name}",
            "reason": f"{columns.n_found} of {columns.n_genes} genes",
            **source_of_program(catalogue, name),
        }
        for group in groups.cafs:
            row = base | {"target": groups.groups[group].name, "target_state": groups.groups[group].state}
            if not columns.n_found:
                yield row | {"standing": NOT_MEASURED, "reason": "the data lack all its genes"}
                continue
            effect, fdr = found.of(group, name)
            high = effect >= config.min_effect and fdr <= config.max_fdr
            share = min(1.0, effect / (2 * config.min_effect)) if high else 0.0
            yield row | {
                "response_effect": effect,
                "response_fdr": fdr,
                "standing": RAISED if high else NOT_RAISED,
                "confidence": f"{config.max_origin_confidence * share:.2f}",
            }


def _stimuli(
    groups: Groups, catalogue: Catalogue, bins: Index, levels: ReferenceLevels, config: CrosstalkConfig
) -> Iterator[Row]:
    if STIMULI not in catalogue.programs:
        return
    program = catalogue.programs[STIMULI]
    sets = footprint_sets(catalogue, groups)
    found = against_elsewhere(groups, sets, bins, levels)
    for gene in program.up:
        claims = [entry for entry in catalogue.claims if entry.claim.about == f"gene:{gene}"]
        source = source_of_program(catalogue, STIMULI)
        base: Row = {
            "kind": "stimulus",
            "named": NAMED,
            "id": STIMULI,
            "label": gene,
            "direction": f"any>{CAF}",
            **source,
            "review_claims": source_of_claims(catalogue, claims)["review_claims"] or source["review_claims"],
        }
        column = groups.column(gene)
        if column is None:
            yield base | {"standing": NOT_MEASURED, "reason": f"the data lack {gene}"}
            continue
        sender = int(np.argmax(groups.mean[:, column]))
        fraction = float(groups.fraction[sender, column])
        base |= {
            "source": groups.groups[sender].name,
            "source_state": groups.groups[sender].state,
            "source_call": groups.groups[sender].call,
            "source_level": float(groups.mean[sender, column]),
            "source_fraction": fraction,
        }
        seen = EXPRESSED if fraction >= config.expr_prop else NOT_EXPRESSED
        mechanisms = [
            name
            for pair in catalogue.pairs.values()
            if gene in pair.ligand and any(one.endswith(f">{CAF}") for one in pair.directions)
            for name in pair.mechanism
        ]
        for group in groups.cafs:
            known = groups.groups[group]
            row = base | {"target": known.name, "target_state": known.state, "standing": seen}
            name = footprint_of(mechanisms, known.name, known.lineage, catalogue.recipients, sets)
            if name:
                effect, fdr = found.of(group, name)
                row |= {"response": name, "response_effect": effect, "response_fdr": fdr}
            yield row
