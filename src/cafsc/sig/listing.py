"""The catalogue as tables: one row an entry, one table a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cafsc.sig.catalogue import Catalogue
from cafsc.sig.records import Unmeasured

Row = dict[str, Any]
"""``id`` first; ``genes`` are all genes the entry names; ``cancer`` where the entry has any."""


def rows(catalogue: Catalogue, kind: str) -> list[Row]:
    """Rows of one of `KINDS`, in the order of the catalogue."""
    return KINDS[kind](catalogue)


def in_cancer(row: Row, cancer: str) -> bool:
    """Whether a row holds for a cancer code; what names no cancer, or all of them, always does."""
    return "cancer" not in row or bool({cancer, "pan"} & {*row["cancer"]})


def names_gene(row: Row, gene: str) -> bool:
    """Whether a row names a gene, in any case."""
    return gene.casefold() in {name.casefold() for name in row["genes"]}


def _sets(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": entry.id,
            "label": entry.label,
            "species": entry.species,
            "cancer": list(entry.cancer),
            "n_genes": len(entry.definition.genes),
            "states": list(entry.states),
            "schemes": list(entry.schemes),
            "paper": entry.paper.citation,
            "genes": list(entry.definition.genes),
        }
        for entry in catalogue.sets.values()
    ]


def _programs(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": program.id,
            "label": program.label,
            "n_genes": len({*program.up, *program.down}),
            "papers": [part.paper for part in program.parts],
            "meaning": program.meaning,
            "genes": list(dict.fromkeys((*program.up, *program.down))),
        }
        for program in catalogue.programs.values()
    ]


def _papers(catalogue: Catalogue) -> list[Row]:
    sets = _by_paper((entry.paper.key, entry) for entry in catalogue.sets.values())
    claims = _by_paper((entry.paper.key, entry.claim) for entry in catalogue.claims)
    return [
        {
            "id": key,
            "citation": paper.citation,
            "title": paper.title,
            "cancer": sorted(
                {code for entry in sets.get(key, ()) for code in entry.cancer}
                | {code for claim in claims.get(key, ()) for code in claim.cancer}
            ),
            "n_sets": len(sets.get(key, ())),
            "n_claims": len(claims.get(key, ())),
            "verified": paper.verified,
            "link": paper.link,
            "genes": list(
                dict.fromkeys(gene for entry in sets.get(key, ()) for gene in entry.definition.genes)
            ),
        }
        for key, paper in catalogue.papers.items()
    ]


def _by_paper(entries: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for key, entry in entries:
        found.setdefault(key, []).append(entry)
    return found


def _claims(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": entry.claim.id,
            "about": entry.claim.about,
            "effect": entry.claim.effect,
            "evidence": list(entry.claim.evidence),
            "cancer": list(entry.claim.cancer),
            "statement": entry.claim.statement,
            "paper": entry.paper.citation,
            "link": entry.paper.link,
            "genes": list(catalogue.genes_of(entry.claim.about)),
        }
        for entry in catalogue.claims
    ]


def _states(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": key,
            "label": state.label,
            "meaning": state.meaning,
            "members": list(state.members),
            "genes": list(catalogue.genes_of(f"state:{key}")),
        }
        for key, state in catalogue.states.items()
    ]


def _schemes(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": key,
            "label": scheme.label,
            "paper": scheme.paper,
            "method": scheme.method,
            "members": list(scheme.members),
            "genes": list(
                dict.fromkeys(
                    gene for entry in catalogue.sets_in_scheme(key) for gene in entry.definition.genes
                )
            ),
        }
        for key, scheme in catalogue.schemes.items()
    ]


def _pairs(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": pair.id,
            "pair": pair.label,
            "directions": list(pair.directions),
            "effect": pair.effect,
            "cancer": list(pair.cancer),
            "mechanism": list(pair.mechanism),
            "statement": pair.statement,
            "sources": list(pair.sources),
            "genes": list(pair.genes),
        }
        for pair in catalogue.pairs.values()
    ]


def _exosome_axes(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": axis.id,
            "cargo": axis.cargo,
            "kind": axis.cargo_kind,
            "direction": axis.direction,
            "targets": list(axis.targets),
            "change": axis.target_change,
            "effect": axis.effect,
            "cancer": list(axis.cancer),
            "measurable": axis.measurable,
            "statement": axis.statement,
            "sources": list(axis.sources),
            "genes": list(axis.genes),
        }
        for axis in catalogue.exosome_axes.values()
    ]


def _agents(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": agent.id,
            "label": agent.label,
            "kind": agent.kind,
            "targets": list(agent.targets),
            "acts_on": agent.acts_on,
            "evidence": agent.evidence,
            "cancer": list(agent.cancer),
            "shown": agent.shown,
            "sources": list(agent.sources),
            "genes": list(agent.genes),
        }
        for agent in catalogue.agents.values()
    ]


def _biomarkers(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": biomarker.id,
            "label": biomarker.label,
            "measured_in": biomarker.measured_in,
            "predicts": biomarker.predicts,
            "prognosis": biomarker.prognosis,
            "therapy_response": biomarker.therapy_response,
            "cancer": list(biomarker.cancer),
            "sources": list(biomarker.sources),
            "genes": list(biomarker.genes),
        }
        for biomarker in catalogue.biomarkers.values()
    ]


def _unmeasured(catalogue: Catalogue) -> list[Row]:
    return [_blind_spot(entry) for entry in catalogue.unmeasured.values()]


def _blind_spot(entry: Unmeasured) -> Row:
    return {
        "id": entry.id,
        "what": entry.what,
        "why": entry.why,
        "proxy": entry.proxy,
        "genes": list(entry.genes),
    }


def _review(catalogue: Catalogue) -> list[Row]:
    return [
        {
            "id": claim.id,
            "kind": claim.kind,
            "lines": claim.lines,
            "gist": claim.gist,
            "answers": list(catalogue.answers.get(claim.id, ())),
            "genes": [],
        }
        for claim in catalogue.review_claims.values()
    ]


KINDS: Mapping[str, Callable[[Catalogue], list[Row]]] = {
    "sets": _sets,
    "programs": _programs,
    "papers": _papers,
    "claims": _claims,
    "states": _states,
    "schemes": _schemes,
    "pairs": _pairs,
    "exosome": _exosome_axes,
    "agents": _agents,
    "biomarkers": _biomarkers,
    "unmeasured": _unmeasured,
    "review": _review,
}
"""Tables by the name of their kind."""
