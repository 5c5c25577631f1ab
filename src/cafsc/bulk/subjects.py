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
"""Share of a set's genes that must be there for it to speak, or to count towards its state."""
_IN_TISSUE = ("tumour", "stroma", "tissue")


@dataclass(frozen=True)
class Subject:
    """One thing that gets a score.

    Attributes
    ----------
    kind
        ``state``, ``set``, ``program``, ``gene``, ``biomarker`` or ``lineage``.
    label
        Its name in the catalogue.
    columns
        Its genes; empty for a state.
    members
        Subjects whose mean it is; only a state has any.
    """

    kind: str
    label: str
    columns: SetColumns
    members: tuple[str, ...] = ()

    @property
    def is_signature(self) -> bool:
        """Whether enough genes are there to speak in the verdict: bulk cannot tell whose gene one gene is."""
        if self.kind not in ("state", "set", "program"):
            return False
        found = self.columns.n_found
        return bool(
            (self.columns.up.size or self.members)
            and found >= MIN_SIGNATURE
            and found >= MIN_COVERAGE * self.columns.n_genes
        )


def subjects(
    catalogue: Catalogue, species: str, symbols: Iterable[str], exclude_papers: Collection[str] = ()
) -> dict[str, Subject]:
    """Everything of the catalogue that a cohort can score, by id as claims write it (``set:..``, ``state:..``).

    Parameters
    ----------
    catalogue
        The catalogue.
    species
        Species of the data.
    symbols
        Approved symbols of the data's genes, in the order of its columns.
    exclude_papers
        Keys of papers whose sets, and parts of programmes, are left out.

    Raises
    ------
    OptionError
        If such a key is not in the catalogue.
    """
    _check_papers(catalogue, exclude_papers)
    columns = {symbol: index for index, symbol in enumerate(symbols)}
    sets = {}
    for name, found in scored_sets(catalogue, species, columns).items():
        entry = catalogue.sets[name]
        if found.n_found and entry.paper.key not in exclude_papers:
            sets[f"set:{name}"] = Subject("set", f"{entry.label} ({entry.paper.short})", found)
    out = _states(catalogue, sets) | sets
    for name, program in catalogue.programs.items():
        parts = [part for part in program.parts if part.paper not in exclude_papers]
        up = tuple(dict.fromkeys(gene for part in parts for gene in part.up))
        down = tuple(dict.fromkeys(gene for part in parts for gene in part.down))
        found = set_columns(up, down, "human", species, columns)
        if found.n_found and species not in program.not_for:
            out[f"program:{name}"] = Subject("program", program.label, found)
    panel = catalogue.lineages["fibroblast"]
    out[CONTENT] = Subject(
        "lineage", "fibroblast content", set_columns(panel.core, (), "human", species, columns)
    )
    return out | _single_genes(catalogue, species, columns, exclude_papers)


def _check_papers(catalogue: Catalogue, keys: Collection[str]) -> None:
    for key in keys:
        if key not in catalogue.papers:
            raise OptionError(
                f"paper {key!r} is not in the catalogue",
                expected="a key such as 'kieffer2020' (cafsc signatures list)",
                fix="correct the key",
            )


def _states(catalogue: Catalogue, sets: dict[str, Subject]) -> dict[str, Subject]:
    """Each state as the mean of those of its sets that are covered."""
    out = {}
    for name, state in catalogue.states.items():
        members = tuple(
            f"set:{member}"
            for member in state.members
            if f"set:{member}" in sets and _is_covered(sets[f"set:{member}"].columns)
        )
        if members:
            up = np.unique(np.concatenate([sets[member].columns.up for member in members]))
            named = {gene for m in members for gene in catalogue.sets[m.removeprefix("set:")].definition.up}
            columns = SetColumns(up, np.zeros(0, dtype=np.int64), max(len(named), up.size))
            out[f"state:{name}"] = Subject("state", state.label, columns, members)
    return out


def _is_covered(columns: SetColumns) -> bool:
    return columns.n_found >= max(1.0, MIN_COVERAGE * columns.n_genes)


def _single_genes(
    catalogue: Catalogue, species: str, columns: dict[str, int], exclude_papers: Collection[str]
) -> dict[str, Subject]:
    """Genes that claims are about, and biomarkers that are read in the tumour itself."""
    out = {}
    for entry in catalogue.claims:
        kind, _, name = entry.claim.about.partition(":")
        if kind == "gene" and entry.paper.key not in exclude_papers:
            found = set_columns((name,), (), "human", species, columns)
            if found.n_found:
                out[entry.claim.about] = Subject("gene", name, found)
    for name, marker in catalogue.biomarkers.items():
        if not any(word in marker.measured_in for word in _IN_TISSUE):
            continue
        found = set_columns(tuple(marker.genes), (), "human", species, columns)
        if found.n_found:
            out[f"biomarker:{name}"] = Subject("biomarker", marker.label, found)
    return out
