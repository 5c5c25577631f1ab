"""What a claim can be about."""

from __future__ import annotations

from collections.abc import Container, Mapping

from cafsc.sig.files import CatalogueFiles
from cafsc.sig.model import GeneSet

ALL_CAF = "caf"
"""The subject of a claim about CAFs as a whole."""
PAN = "pan"
"""The cancer of a claim that holds for all."""
EXPECTED = (
    "set:<paper>/<set>, state:<state>, gene:<SYMBOL>, program:<id>, axis:<pair>, exosome:<axis>, agent:<id>, "
    f"biomarker:<id>, unmeasured:<id> or {ALL_CAF}"
)


def set_definitions(files: CatalogueFiles) -> dict[str, GeneSet]:
    """Every set by its id ``<paper>/<set>``."""
    return {
        f"{paper.paper.key}/{name}": definition
        for paper in files.papers.values()
        for name, definition in paper.sets.items()
    }


def subject_ids(files: CatalogueFiles) -> dict[str, set[str]]:
    """Ids that the catalogue holds, by kind of subject; genes are open."""
    return {
        "set": {*set_definitions(files)},
        "state": {*files.states},
        "program": {program.id for program in files.programs.values()},
        "axis": {pair.id for pair in files.pairs},
        "exosome": {axis.id for axis in files.exosome_axes},
        "agent": {agent.id for agent in files.agents},
        "biomarker": {biomarker.id for biomarker in files.biomarkers},
        "unmeasured": {entry.id for entry in files.unmeasured},
    }


def is_known(about: str, ids: Mapping[str, Container[str]]) -> bool:
    """Whether ``about`` names something of `subject_ids`, a gene, or CAFs as a whole."""
    kind, _, name = about.partition(":")
    if kind == "gene":
        return bool(name)
    return about == ALL_CAF or name in ids.get(kind, ())
