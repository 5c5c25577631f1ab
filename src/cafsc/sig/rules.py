"""What must hold between the files of a catalogue: one function a rule, one code a rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cafsc.sig.files import CatalogueFiles
from cafsc.sig.subjects import PAN, is_known, set_definitions, subject_ids


@dataclass(frozen=True, order=True)
class Finding:
    """A broken rule."""

    file: str
    code: str
    message: str


def _paper_keys(files: CatalogueFiles) -> set[str]:
    return {paper.paper.key for paper in files.papers.values()}


def misnamed_file(files: CatalogueFiles) -> Iterator[Finding]:
    """A file is named after the paper or programme in it, so that it is found."""
    ids = {name: paper.paper.key for name, paper in files.papers.items()}
    ids |= {name: program.id for name, program in files.programs.items()}
    for name, inner in ids.items():
        if Path(name).stem != inner:
            yield Finding(name, "file-name", f"holds {inner!r}; rename the file or the key")


def duplicate_paper(files: CatalogueFiles) -> Iterator[Finding]:
    """No two papers share a key, a DOI, a PMID or a title."""
    seen: dict[tuple[str, str], str] = {}
    for name, file in files.papers.items():
        for what in ("key", "doi", "pmid", "title"):
            value = getattr(file.paper, what)
            if value is None:
                continue
            value = " ".join(re.findall(r"\w+", value.casefold())) if what == "title" else value
            first = seen.setdefault((what, value), name)
            if first != name:
                yield Finding(name, "duplicate-paper", f"{what} {value} is also that of {first}")


def duplicate_program(files: CatalogueFiles) -> Iterator[Finding]:
    """No two programmes share an id."""
    seen: dict[str, str] = {}
    for name, program in files.programs.items():
        first = seen.setdefault(program.id, name)
        if first != name:
            yield Finding(name, "duplicate-program", f"{program.id!r} is also in {first}")


def duplicate_claim(files: CatalogueFiles) -> Iterator[Finding]:
    """Claim ids are unique over the catalogue."""
    seen: dict[str, str] = {}
    for name, paper in files.papers.items():
        for claim in paper.claims:
            if claim.id in seen:
                yield Finding(name, "duplicate-claim", f"claim {claim.id!r} is also in {seen[claim.id]}")
            seen.setdefault(claim.id, name)


def unknown_subject(files: CatalogueFiles) -> Iterator[Finding]:
    """A claim is about something that the catalogue holds."""
    ids = subject_ids(files)
    for name, paper in files.papers.items():
        for claim in paper.claims:
            if not is_known(claim.about, ids):
                yield Finding(
                    name, "unknown-subject", f"claim {claim.id!r} is about {claim.about!r}, which is nowhere"
                )


def unknown_member(files: CatalogueFiles) -> Iterator[Finding]:
    """Schemes and states name sets and papers that exist, each once."""
    sets, papers = set_definitions(files), _paper_keys(files)
    for scheme_id, scheme in files.schemes.items():
        if scheme.paper not in papers:
            yield Finding("schemes.yaml", "unknown-paper", f"{scheme_id}: no paper {scheme.paper!r}")
        yield from _members("schemes.yaml", scheme_id, scheme.members, sets)
    for state_id, state in files.states.items():
        yield from _members("crosswalk.yaml", state_id, state.members, sets)


def _members(file: str, group: str, members: list[str], sets: Container[str]) -> Iterator[Finding]:
    for member in members:
        if member not in sets:
            yield Finding(file, "unknown-member", f"{group}: no set {member!r}")
        if members.count(member) > 1:
            yield Finding(file, "repeated-member", f"{group}: {member!r} stands there twice")


def unknown_source(files: CatalogueFiles) -> Iterator[Finding]:
    """Programme parts and lineage panels name papers of the catalogue."""
    papers = _paper_keys(files)
    for name, program in files.programs.items():
        for part in program.parts:
            if part.paper not in papers:
                yield Finding(name, "unknown-paper", f"no paper {part.paper!r}")
    panels = {**files.lineages, **({"activation": files.activation} if files.activation else {})}
    for lineage, panel in panels.items():
        for source in panel.sources:
            if source not in papers:
                yield Finding("lineages.yaml", "unknown-paper", f"{lineage}: no paper {source!r}")


def unknown_cancer(files: CatalogueFiles) -> Iterator[Finding]:
    """Every cancer is a code of ``cancers.yaml``, or ``pan`` in a claim."""
    for name, paper in files.papers.items():
        used = [("context", code) for code in paper.context.cancer]
        used += [(f"set {key}", code) for key, entry in paper.sets.items() for code in entry.cancer]
        used += [(f"claim {claim.id}", code) for claim in paper.claims for code in claim.cancer]
        for where, code in used:
            if code not in files.cancers and code != PAN:
                yield Finding(name, "unknown-cancer", f"{where}: no cancer {code!r} in cancers.yaml")


def ambiguous_cancer(files: CatalogueFiles) -> Iterator[Finding]:
    """A name leads to one cancer only."""
    seen: dict[str, str] = {}
    for code, cancer in files.cancers.items():
        for alias in {name.casefold() for name in (code, cancer.label, *cancer.aliases)}:
            first = seen.setdefault(alias, code)
            if first != code:
                yield Finding("cancers.yaml", "ambiguous-cancer", f"{alias!r} is {first} and {code}")


def identical_sets(files: CatalogueFiles) -> Iterator[Finding]:
    """Two members of one scheme cannot be told apart if they are the same genes."""
    sets = set_definitions(files)
    for scheme_id, scheme in files.schemes.items():
        seen: dict[object, str] = {}
        for member in dict.fromkeys(scheme.members):
            if member not in sets:
                continue
            entry = sets[member]
            content = (
                frozenset(entry.up),
                frozenset(entry.down),
                frozenset(entry.levels.items()),
                entry.species,
            )
            first = seen.setdefault(content, member)
            if first != member:
                yield Finding(
                    "schemes.yaml", "identical-sets", f"{scheme_id}: {first} and {member} are the same"
                )


def missing_weight(files: CatalogueFiles) -> Iterator[Finding]:
    """Every word of the vocabulary has a weight between 0 and 1 and a reason."""
    weights = files.weights
    if weights is None:
        return
    wanted: dict[str, tuple[Mapping[Any, float], tuple[str, ...]]] = {
        "evidence": (weights.evidence, ("in_vivo", "patients", "in_vitro", "review")),
        "cancer": (weights.cancer, ("same", "same_organ", "pan", "other", "unknown")),
        "species": (weights.species, ("same", "other")),
    }
    for group, (values, words) in wanted.items():
        for word in words:
            if word not in values:
                yield Finding("weights.yaml", "missing-weight", f"{group}.{word} has no weight")
            elif not 0 <= values[word] <= 1:
                yield Finding("weights.yaml", "weight-range", f"{group}.{word} is not between 0 and 1")


def unknown_witness(files: CatalogueFiles) -> Iterator[Finding]:
    """A paper that shares its vote is in the catalogue, in one group only."""
    papers = {source.paper.key for source in files.papers.values()}
    seen: dict[str, str] = {}
    for group_id, group in files.groups.items():
        if group_id in papers:
            yield Finding("independence.yaml", "group-is-paper", f"{group_id!r} is the key of a paper")
        for paper in group.papers:
            if paper not in papers:
                yield Finding("independence.yaml", "unknown-paper", f"{group_id}: no paper {paper!r}")
            first = seen.setdefault(paper, group_id)
            if first != group_id or group.papers.count(paper) > 1:
                yield Finding("independence.yaml", "two-groups", f"{paper} is in {first} and in {group_id}")


RULES: tuple[Callable[[CatalogueFiles], Iterator[Finding]], ...] = (
    misnamed_file,
    duplicate_paper,
    duplicate_program,
    duplicate_claim,
    unknown_subject,
    unknown_member,
    unknown_source,
    unknown_cancer,
    ambiguous_cancer,
    identical_sets,
    missing_weight,
    unknown_witness,
)
"""Rules about papers, programmes, panels, schemes, states, cancers and weights."""
