"""Genes that speak for both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cafsc.sig.files import CatalogueFiles
from cafsc.sig.model import Claim
from cafsc.sig.subjects import set_definitions

if TYPE_CHECKING:
    from cafsc.sig.catalogue import Catalogue


@dataclass(frozen=True, order=True)
class Conflict:
    """A gene that speaks for both sides; listed, since it is often true, and no error."""

    gene: str
    pro: tuple[str, ...]
    anti: tuple[str, ...]


def conflicts(catalogue: Catalogue) -> tuple[Conflict, ...]:
    """Genes that are up in a subject called pro and in another called anti.

    A subject with claims on both sides counts for neither: all of its genes would conflict with themselves.
    """
    return tuple(_conflicts((entry.claim for entry in catalogue.claims), catalogue.up_genes))


def conflicts_of_files(files: CatalogueFiles) -> tuple[Conflict, ...]:
    """As `conflicts`, for files that may break rules."""
    sets = set_definitions(files)
    programs = {program.id: program for program in files.programs.values()}

    def up_genes(subject: str) -> Iterable[str]:
        kind, _, name = subject.partition(":")
        if kind == "gene":
            return (name,)
        if kind == "program":
            return programs[name].up if name in programs else ()
        members = files.states[name].members if kind == "state" and name in files.states else [name]
        return {gene for member in members if member in sets for gene in sets[member].up}

    return tuple(_conflicts((claim for paper in files.papers.values() for claim in paper.claims), up_genes))


def _conflicts(claims: Iterable[Claim], up_genes: Callable[[str], Iterable[str]]) -> Iterator[Conflict]:
    effects: dict[str, set[str]] = defaultdict(set)
    for claim in claims:
        if claim.effect != "context":
            effects[claim.about].add(claim.effect)
    sides: dict[str, dict[str, list[str]]] = {"pro": defaultdict(list), "anti": defaultdict(list)}
    for subject in sorted(effects):
        if len(effects[subject]) == 1:
            (effect,) = effects[subject]
            for gene in set(up_genes(subject)):
                sides[effect][gene].append(subject)
    for gene in sorted(set(sides["pro"]) & set(sides["anti"])):
        yield Conflict(gene, tuple(sides["pro"][gene]), tuple(sides["anti"][gene]))
