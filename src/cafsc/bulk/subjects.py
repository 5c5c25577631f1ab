"""What is scored in a cohort: states, sets, programmes, genes and biomarkers, as columns of its expression."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from cafsc.errors import OptionError
from cafsc.sig import Catalogue
from cafsc.tl.score.controls import SetColumns
from cafsc.tl.score.set_columns import scored_sets, set_columns
from cafsc.tl.verdict.claims import MIN_SIGNATURE

CONTENT = "lineage:fibroblast"
"""The score of the fibroblast panel: how much of the sample is fibroblast."""
MIN_COVERAGE = 0.5
"""Fraction of a set's genes that must be in the data for the set to count in the verdict or in its state."""
_IN_TISSUE = ("tumour", "stroma", "tissue")


@dataclass(frozen=True)
class Subject:
    """One thing that gets a score."""

    kind: str
    """``state``, ``set``, ``program``, ``gene``, ``biomarker`` or ``lineage``."""
    label: str
    columns: SetColumns
    """Its genes; those of all its sets for a state."""
    members: tuple[str, ...] = ()
    """Subjects whose mean it is; only for a state."""

    @property
    def is_covered(self) -> bool:
        """Whether enough of its genes are in the data."""
        return self.columns.n_found >= max(1.0, MIN_COVERAGE * self.columns.n_genes)

    @property
    def is_signature(self) -> bool:
        """Whether it counts in the verdict: in bulk, a single gene can come from any cell."""
        signature = self.kind in ("state", "set", "program") and self.columns.up.size > 0
        return signature and self.is_covered and self.columns.n_found >= MIN_SIGNATURE


def subjects(
    catalogue: Catalogue, species: str, symbols: Iterable[str], exclude_papers: Collection[str] = ()
) -> dict[str, Subject]:
    """Everything of the catalogue that a cohort with these genes can score, by id as in claims (``set:..``)."""
    for key in exclude_papers:
        if key not in catalogue.papers:
            raise OptionError(
                f"paper {key!r} is not in the catalogue",
                expected="a key such as 'kieffer2020' (cafsc signatures list)",
                fix="correct the key",
            )
    columns = {symbol: index for index, symbol in enumerate(symbols)}

    def found(up: Iterable[str], down: Iterable[str] = ()) -> SetColumns:
        return set_columns(tuple(up), tuple(down), "human", species, columns)

    sets = {}
    for name, its_columns in scored_sets(catalogue, species, columns).items():
        its_set = catalogue.sets[name]
        if its_set.paper.key not in exclude_papers:
            sets[f"set:{name}"] = Subject("set", f"{its_set.label} ({its_set.paper.short})", its_columns)
    out = _states(catalogue, sets) | sets
    for name, program in catalogue.programs.items():
        if species not in program.not_for:
            parts = [part for part in program.parts if part.paper not in exclude_papers]
            up = dict.fromkeys(gene for part in parts for gene in part.up)
            down = dict.fromkeys(gene for part in parts for gene in part.down)
            out[f"program:{name}"] = Subject("program", program.label, found(up, down))
    out[CONTENT] = Subject("lineage", "fibroblast content", found(catalogue.lineages["fibroblast"].core))
    for entry in catalogue.claims:
        kind, _, name = entry.claim.about.partition(":")
        if kind == "gene" and entry.paper.key not in exclude_papers:
            out[entry.claim.about] = Subject("gene", name, found([name]))
    for name, marker in catalogue.biomarkers.items():
        if any(word in marker.measured_in for word in _IN_TISSUE):
            out[f"biomarker:{name}"] = Subject("biomarker", marker.label, found(marker.genes))
    # The content stays even without genes: the verdict is corrected for it.
    return {name: subject for name, subject in out.items() if subject.columns.n_found or name == CONTENT}


def _states(catalogue: Catalogue, sets: dict[str, Subject]) -> dict[str, Subject]:
    """Each state as the mean of those of its sets that are covered."""
    out = {}
    for name, state in catalogue.states.items():
        ids = {f"set:{member}": member for member in state.members}
        ids = {key: member for key, member in ids.items() if key in sets and sets[key].is_covered}
        if ids:
            up = np.unique(np.concatenate([sets[key].columns.up for key in ids]))
            named = {gene for member in ids.values() for gene in catalogue.sets[member].definition.up}
            columns = SetColumns(up, np.zeros(0, dtype=np.int64), max(len(named), up.size))
            out[f"state:{name}"] = Subject("state", state.label, columns, tuple(ids))
    return out
