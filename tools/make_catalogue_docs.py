"""Write docs/catalogue/: the catalogue as pages for a browser. The same catalogue gives the same bytes.

python tools/make_catalogue_docs.py          # write
python tools/make_catalogue_docs.py --check  # only say whether the pages are up to date
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from cafsc import genes, sig
from cafsc.sig.catalogue import Catalogue, CatalogueSet
from cafsc.sig.files import read_files
from cafsc.sig.lint import SpeciesCoverage, species_coverage
from cafsc.sig.listing import rows

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "catalogue"
TEMPLATES = ROOT / "tools" / "templates"
LEAST_GENES = 3
FAINT = 0.04
CLASSES = (0.04, 0.1, 0.2, 0.35, 0.6)
"""Lower bounds of the shades of the heat map."""
CELL = 8
LABELS = 130
N_ALIKE = 40
N_OF_SET = 8

TITLES = {
    "sets": "Gene sets",
    "programs": "Programmes",
    "states": "States",
    "schemes": "Schemes",
    "claims": "Claims",
    "pairs": "Ligand-receptor pairs",
    "exosome": "Exosome axes",
    "agents": "Agents",
    "biomarkers": "Biomarkers",
    "unmeasured": "Not measurable",
    "papers": "Papers",
    "review": "Assertions of the reviews",
}
HIDDEN = {"genes", "link", "schemes", "papers", "title"}

Overlaps = Mapping[tuple[str, str], float]


def pages(catalogue: Catalogue) -> dict[str, str]:
    """Text of every page by its path in the folder of the docs."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    style = (TEMPLATES / "catalogue_style.css").read_text(encoding="utf-8")
    human = {entry.id: human_genes(entry) for entry in catalogue.sets.values()}
    overlaps = jaccard({name: found for name, found in human.items() if len(found) >= LEAST_GENES})
    index = environment.get_template("catalogue_index.html").render(
        style=Markup(style),  # our own file
        counts=counts(catalogue),
        tables=[table(catalogue, kind) for kind in TITLES if rows(catalogue, kind)],
        heat=heat_map(ordered(catalogue, overlaps), overlaps),
        least=LEAST_GENES,
        faint=FAINT,
        alike=most_alike(overlaps, human),
        conflicts=sig.conflicts(catalogue),
        no_fixed_sign=list(catalogue.no_fixed_sign.items()),
        coverage=[row for row in coverage(catalogue) if min(row.share("human"), row.share("mouse")) < 1],
    )
    written = {"index.html": index, "style.css": style}
    template = environment.get_template("catalogue_set.html")
    for entry in catalogue.sets.values():
        written[page_of(entry.id)] = template.render(
            set=entry,
            lists=[
                (name, found)
                for name, found in (("Up", entry.definition.up), ("Down", entry.definition.down))
                if found
            ],
            dropped=reasons(entry),
            claims=[
                claim
                for subject in (f"set:{entry.id}", *(f"state:{state}" for state in entry.states))
                for claim in catalogue.claims_about(subject)
            ],
            overlaps=alike_to(entry.id, overlaps),
            conflicts=[found.gene for found in sig.conflicts(catalogue) if found.gene in entry.definition.up],
        )
    return written


def page_of(identifier: str) -> str:
    return f"sets/{identifier.replace('/', '.')}.html"


def counts(catalogue: Catalogue) -> str:
    return (
        f"{len(catalogue.sets)} gene sets, {len(catalogue.programs)} programmes, {len(catalogue.claims)} claims, "
        f"{len(catalogue.pairs)} ligand-receptor pairs, {len(catalogue.exosome_axes)} exosome axes, "
        f"{len(catalogue.agents)} agents, {len(catalogue.biomarkers)} biomarkers and "
        f"{len(catalogue.unmeasured)} things that cannot be measured, from {len(catalogue.papers)} papers"
    )


def table(catalogue: Catalogue, kind: str) -> dict[str, Any]:
    listed = rows(catalogue, kind)
    columns = [name for name in listed[0] if name not in HIDDEN or (kind, name) == ("schemes", "papers")]
    return {
        "kind": kind,
        "title": TITLES[kind],
        "columns": columns,
        "rows": [
            {
                "genes": " ".join(row["genes"]) if kind in ("sets", "programs") else "",
                "cells": [cell(kind, row, name) for name in columns],
            }
            for row in listed
        ],
    }


def cell(kind: str, row: dict[str, Any], name: str) -> dict[str, str]:
    value = row[name]
    text = (
        ", ".join(str(part) for part in value)
        if isinstance(value, list)
        else ""
        if value is None
        else str(value)
    )
    link = ""
    if name == "id" and kind == "sets":
        link = page_of(row["id"])
    elif name in ("citation", "paper") and "link" in row:
        link = row["link"]
    return {"text": text, "link": link, "style": text if name == "effect" else ""}


def reasons(entry: CatalogueSet) -> list[tuple[str, list[str]]]:
    """Dropped genes by the reason, in the order of the file."""
    found: dict[str, list[str]] = {}
    for gene, why in entry.definition.dropped.items():
        found.setdefault(why, []).append(gene)
    return list(found.items())


def human_genes(entry: CatalogueSet) -> frozenset[str]:
    if entry.species == "human":
        return frozenset(entry.definition.up)
    found = genes.translate(entry.definition.up, entry.species, "human")
    return frozenset(orthologs[0] for orthologs in found.values() if orthologs)


def jaccard(sets: Mapping[str, frozenset[str]]) -> dict[tuple[str, str], float]:
    return {
        (one, two): len(sets[one] & sets[two]) / len(sets[one] | sets[two])
        for one, two in combinations(sets, 2)
    } | {(name, name): 1.0 for name in sets}


def ordered(catalogue: Catalogue, overlaps: Overlaps) -> list[str]:
    """Sets of one state together, in the order of the crosswalk; the others after them."""
    place = {state: number for number, state in enumerate(catalogue.states)}
    names = {name for pair in overlaps for name in pair}
    return sorted(
        names,
        key=lambda name: (min((place[s] for s in catalogue.sets[name].states), default=len(place)), name),
    )


def heat_map(names: Sequence[str], overlaps: Overlaps) -> Markup:
    """One path a shade, so that the map stays small."""
    paths: list[list[str]] = [[] for _ in CLASSES]
    for row, one in enumerate(names):
        for column, two in enumerate(names):
            index = overlaps.get((one, two), overlaps.get((two, one), 0.0))
            shade = sum(index >= bound for bound in CLASSES)
            if shade:
                paths[shade - 1].append(f"M{LABELS + column * CELL} {row * CELL}h{CELL}v{CELL}h-{CELL}z")
    side = len(names) * CELL
    width = LABELS + side
    said = [f'<svg viewBox="0 0 {width} {side}" width="{width}" role="img" aria-label="overlap of sets">']
    for number, path in enumerate(paths, start=1):
        said.append(f'<path class="heat" fill-opacity="{number / len(CLASSES):.1f}" d="{"".join(path)}"/>')
    for row, name in enumerate(names):
        said.append(
            f'<text x="{LABELS - 4}" y="{row * CELL + CELL - 2}" text-anchor="end">{escape(name)}</text>'
        )
    return Markup("\n".join([*said, "</svg>"]))


def most_alike(overlaps: Overlaps, sets: Mapping[str, frozenset[str]]) -> list[tuple[Any, Any, str, str]]:
    best = sorted((-index, pair) for pair, index in overlaps.items() if pair[0] != pair[1] and index > 0)
    return [
        (_link(one), _link(two), f"{-index:.2f}", str(len(sets[one] & sets[two])))
        for index, (one, two) in best[:N_ALIKE]
    ]


def alike_to(name: str, overlaps: Overlaps) -> list[tuple[Any, str]]:
    found = sorted(
        (-index, two if one == name else one)
        for (one, two), index in overlaps.items()
        if name in (one, two) and one != two and index >= FAINT
    )
    return [(_link(other, ""), f"{-index:.2f}") for index, other in found[:N_OF_SET]]


def _link(name: str, folder: str = "sets/") -> dict[str, str]:
    return {"text": name, "link": folder + page_of(name).removeprefix("sets/")}


def coverage(catalogue: Catalogue) -> list[SpeciesCoverage]:
    approved = {"human": genes.approved("human"), "mouse": genes.approved("mouse")}
    return list(species_coverage(read_files(catalogue.root), approved, genes.translate))


def main() -> int:
    wanted = pages(sig.load())
    here = {
        path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(DOCS.rglob("*"))
        if path.is_file()
    }
    if "--check" in sys.argv[1:]:
        stale = sorted(name for name in {*wanted, *here} if wanted.get(name) != here.get(name))
        sys.stdout.writelines(f"out of date: {name}\n" for name in stale)
        return 2 if stale else 0
    for name in {*here} - {*wanted}:
        (DOCS / name).unlink()
    for name, text in wanted.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    size = sum(len(text.encode()) for text in wanted.values())
    sys.stdout.write(f"{len(wanted)} pages, {size / 1024:.0f} KiB in {DOCS.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
