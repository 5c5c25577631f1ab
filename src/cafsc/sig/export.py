"""The catalogue in the forms that other tools read.

Sets known only as protein levels are no gene lists: they are in the JSON, and in the other two left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from pydantic.json_schema import models_json_schema

from cafsc.sig.catalogue import Catalogue
from cafsc.sig.files import FILES

if TYPE_CHECKING:
    import pandas as pd

PROGRAM_PREFIX = "program/"
DOWN_SUFFIX = "/down"


def _lists(catalogue: Catalogue) -> Iterator[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
    """Id, source, up genes and down genes of every set and programme."""
    for entry in catalogue.sets.values():
        if entry.definition.up or entry.definition.down:
            yield entry.id, entry.paper.link, tuple(entry.definition.up), tuple(entry.definition.down)
    for program in catalogue.programs.values():
        links = [
            catalogue.papers[part.paper].link for part in program.parts if part.paper in catalogue.papers
        ]
        up = program.up
        # Parts may disagree: what one source counts as up stays up.
        down = tuple(gene for gene in program.down if gene not in set(up))
        yield f"{PROGRAM_PREFIX}{program.id}", " ".join(dict.fromkeys(links)), up, down


def to_gmt(catalogue: Catalogue) -> str:
    """Gene matrix transposed: one set a line, ``name<TAB>source<TAB>gene<TAB>gene...``.

    Down genes stand as a set of their own, ``<id>/down``. Read by GSEA, gseapy, clusterProfiler, decoupler.
    """
    lines = []
    for name, source, up, down in _lists(catalogue):
        if up:
            lines.append("\t".join((name, source, *up)))
        if down:
            lines.append("\t".join((f"{name}{DOWN_SUFFIX}", source, *down)))
    return "".join(f"{line}\n" for line in lines)


def to_net(catalogue: Catalogue) -> pd.DataFrame:
    """Network for decoupler 2.

    Returns
    -------
    Columns ``source`` (set id), ``target`` (gene symbol), ``weight`` (1.0 for up genes, -1.0 for down genes).
    """
    import pandas as pd

    rows = [
        (name, gene, weight)
        for name, _, up, down in _lists(catalogue)
        for genes, weight in ((up, 1.0), (down, -1.0))
        for gene in genes
    ]
    return pd.DataFrame(rows, columns=["source", "target", "weight"])


def to_json(catalogue: Catalogue) -> str:
    """Everything the catalogue says, as one JSON object with the keys of `Catalogue`."""
    content = {
        "sha256": catalogue.sha256,
        "papers": {
            key: {**paper.model_dump(), "citation": paper.citation, "link": paper.link}
            for key, paper in catalogue.papers.items()
        },
        "sets": {
            entry.id: {
                "paper": entry.paper.key,
                "schemes": list(entry.schemes),
                "states": list(entry.states),
                **entry.definition.model_dump(),
            }
            for entry in catalogue.sets.values()
        },
        "claims": [{"paper": claim.paper.key, **claim.claim.model_dump()} for claim in catalogue.claims],
        "programs": {key: program.model_dump() for key, program in catalogue.programs.items()},
        "lineages": {key: panel.model_dump() for key, panel in catalogue.lineages.items()},
        "schemes": {key: scheme.model_dump() for key, scheme in catalogue.schemes.items()},
        "states": {key: state.model_dump() for key, state in catalogue.states.items()},
        "pairs": {key: pair.model_dump() for key, pair in catalogue.pairs.items()},
        "exosome_axes": {key: axis.model_dump() for key, axis in catalogue.exosome_axes.items()},
        "agents": {key: agent.model_dump() for key, agent in catalogue.agents.items()},
        "biomarkers": {key: biomarker.model_dump() for key, biomarker in catalogue.biomarkers.items()},
        "unmeasured": {key: entry.model_dump() for key, entry in catalogue.unmeasured.items()},
        "recipients": catalogue.recipients.model_dump(),
        "no_fixed_sign": dict(catalogue.no_fixed_sign),
        "review_claims": {key: asdict(claim) for key, claim in catalogue.review_claims.items()},
        "cancers": {key: cancer.model_dump() for key, cancer in catalogue.cancers.items()},
        "groups": {key: group.model_dump() for key, group in catalogue.groups.items()},
        "weights": catalogue.weights.model_dump(),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def to_schema() -> str:
    """JSON Schema (draft 2020-12) of the catalogue's YAML files, for editors and other programs.

    One document that fits any of the files; ``files`` in it says which definition a path follows.
    """
    schemas, definitions = models_json_schema([(model, "validation") for model in FILES.values()])
    refs = {name: schemas[model, "validation"] for name, model in FILES.items()}
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Files of the cafsc catalogue",
        "anyOf": list(refs.values()),
        "files": {name: ref["$ref"] for name, ref in refs.items()},
        **definitions,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
