"""Genes with claims for and against the tumour."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from cafsc.sig.catalogue import Catalogue


@dataclass(frozen=True, order=True)
class Conflict:
    """A gene that is up in a subject called pro and in another called anti; often true, and no error."""

    gene: str
    pro: tuple[str, ...]
    anti: tuple[str, ...]


def conflicts(catalogue: Catalogue) -> tuple[Conflict, ...]:
    """Genes that are up in a subject called pro and in another called anti.

    A subject with claims on both sides counts for neither: all of its genes would conflict with themselves.
    """
    effects: dict[str, set[str]] = defaultdict(set)
    for entry in catalogue.claims:
        if entry.claim.effect != "context":
            effects[entry.claim.about].add(entry.claim.effect)
    sides: dict[str, dict[str, list[str]]] = {"pro": defaultdict(list), "anti": defaultdict(list)}
    for subject in sorted(effects):
        if len(effects[subject]) == 1:
            (effect,) = effects[subject]
            for gene in catalogue.up_genes(subject):
                sides[effect][gene].append(subject)
    both = sorted({*sides["pro"]} & {*sides["anti"]})
    return tuple(Conflict(gene, tuple(sides["pro"][gene]), tuple(sides["anti"][gene])) for gene in both)
