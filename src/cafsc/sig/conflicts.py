"""Genes that speak for both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cafsc.sig.files import CatalogueFiles
from cafsc.sig.subjects import set_definitions


@dataclass(frozen=True, order=True)
class Conflict:
    """A gene that speaks for both sides; listed, since it is often true, and no error."""

    gene: str
    pro: tuple[str, ...]
    anti: tuple[str, ...]


def conflicts(files: CatalogueFiles) -> Iterator[Conflict]:
    """Genes that are up in a subject called pro and in another called anti.

    A subject with claims on both sides counts for neither: all of its genes would conflict with themselves.
    """
    effects: dict[str, set[str]] = defaultdict(set)
    for paper in files.papers.values():
        for claim in paper.claims:
            if claim.effect != "context":
                effects[claim.about].add(claim.effect)
    sides: dict[str, dict[str, list[str]]] = {"pro": defaultdict(list), "anti": defaultdict(list)}
    for subject in sorted(effects):
        if len(effects[subject]) == 1:
            (effect,) = effects[subject]
            for gene in _up_genes(subject, files):
                sides[effect][gene].append(subject)
    for gene in sorted(set(sides["pro"]) & set(sides["anti"])):
        yield Conflict(gene, tuple(sides["pro"][gene]), tuple(sides["anti"][gene]))


def _up_genes(subject: str, files: CatalogueFiles) -> Iterable[str]:
    kind, _, name = subject.partition(":")
    sets = set_definitions(files)
    if kind == "gene":
        return (name,)
    if kind == "program":
        return {gene for program in files.programs.values() if program.id == name for gene in program.up}
    members = files.states[name].members if kind == "state" and name in files.states else [name]
    return {gene for member in members if member in sets for gene in sets[member].up}
