"""The catalogue in the forms that other tools read.

Sets known only as protein levels are no gene lists: they are in the JSON, and in the other two left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cafsc.sig.catalogue import Catalogue

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
        "cancers": {key: cancer.model_dump() for key, cancer in catalogue.cancers.items()},
        "weights": catalogue.weights.model_dump(),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
