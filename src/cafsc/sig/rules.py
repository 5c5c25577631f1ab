"""Rules between the files of a catalogue: one function per rule, one code per kind of error."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cafsc.sig.files import (
    INDEPENDENCE,
    NO_FIXED_SIGN,
    PAIRS,
    RECIPIENTS,
    REVIEW_CLAIMS,
    UNMEASURED,
    CatalogueFiles,
    is_known,
)
from cafsc.sig.model import PAN, LineagePanel, Species, distinct
from cafsc.sig.records import Unmeasured

Approved = Mapping[Species, Collection[str]]
"""Approved gene symbols by species."""
Renamed = Mapping[Species, Mapping[str, str]]
"""Former gene symbols and the approved ones, by species."""


@dataclass(frozen=True, order=True)
class Finding:
    """A broken rule."""

    file: str
    code: str
    message: str


def _repeated(named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Name, place and first place of every name that occurs again."""
    seen: dict[str, str] = {}
    for name, place in named:
        if name in seen:
            yield name, place, seen[name]
        seen.setdefault(name, place)


def _absent(
    code: str, what: str, known: Container[str], named: Iterable[tuple[str, str, str]]
) -> Iterator[Finding]:
    """A finding for every (file, place, name) whose name is not known."""
    for file, place, name in named:
        if name not in known:
            yield Finding(file, code, f"{place}no {what.format(repr(name))}")


def misnamed_file(files: CatalogueFiles) -> Iterator[Finding]:
    """A file is named after its paper or programme."""
    ids = {name: paper.paper.key for name, paper in files.papers.items()}
    ids |= {name: program.id for name, program in files.programs.items()}
    for name, inner in ids.items():
        if Path(name).stem != inner:
            yield Finding(name, "file-name", f"holds {inner!r}; rename the file or the key")


def duplicate(files: CatalogueFiles) -> Iterator[Finding]:
    """No two papers share a key, DOI, PMID or title; no two programmes or claims an id; no two cancers a name."""
    papers = []
    for name, file in files.papers.items():
        title = " ".join(re.findall(r"\w+", file.paper.title.casefold()))
        keys = {"key": file.paper.key, "doi": file.paper.doi, "pmid": file.paper.pmid, "title": title}
        papers += [(f"{what} {value}", name) for what, value in keys.items() if value is not None]
    for shared, name, first in _repeated(papers):
        yield Finding(name, "duplicate-paper", f"{shared} is also that of {first}")
    for key, name, first in _repeated((program.id, name) for name, program in files.programs.items()):
        yield Finding(name, "duplicate-program", f"{key!r} is also in {first}")
    claims = ((claim.id, name) for name, paper in files.papers.items() for claim in paper.claims)
    for key, name, first in _repeated(claims):
        yield Finding(name, "duplicate-claim", f"claim {key!r} is also in {first}")
    cancers = []
    for code, cancer in files.cancers.items():
        names = {name.casefold() for name in (code, cancer.label, *cancer.aliases)}
        cancers += [(name, code) for name in names]
    for alias, code, first in _repeated(cancers):
        yield Finding("cancers.yaml", "ambiguous-cancer", f"{alias!r} is {first} and {code}")


def unknown_subject(files: CatalogueFiles) -> Iterator[Finding]:
    """Claims, proxies, recipients and subjects without a fixed sign name entries of the catalogue."""
    ids = files.subject_ids()
    named: list[tuple[str, str, str]] = []
    for name, paper in files.papers.items():
        named += [(name, f"claim {claim.id!r}", claim.about) for claim in paper.claims]
    named += [(NO_FIXED_SIGN, "subjects", subject) for subject in files.no_fixed_sign]
    for entry in files.unmeasured.values():
        proxy = entry.proxy or ""
        # Other proxies are plain words.
        if proxy.partition(":")[0] in {"gene", *ids} and " " not in proxy:
            named.append((UNMEASURED, entry.id, proxy))
    for name, where, subject in named:
        if not is_known(subject, ids):
            yield Finding(name, "unknown-subject", f"{where}: {subject!r} does not exist")
    lineages = [(RECIPIENTS, f"{name}: ", cell.lineage) for name, cell in files.recipients.cells.items()]
    yield from _absent("unknown-subject", "lineage {}", files.lineages, lineages)
    footprints: list[tuple[str, str, str]] = []
    for mechanism, found in files.recipients.footprints.items():
        footprints += [(RECIPIENTS, f"{mechanism}: ", footprint) for footprint in found]
    known = {f"response:{name}" for name in files.recipients.responses}
    known |= {f"program:{name}" for name in ids["program"]}
    yield from _absent("unknown-subject", "programme or response {}", known, footprints)


def unknown_member(files: CatalogueFiles) -> Iterator[Finding]:
    """Schemes and states name existing sets, each once."""
    groups = [("schemes.yaml", key, scheme.members) for key, scheme in files.schemes.items()]
    groups += [("crosswalk.yaml", key, state.members) for key, state in files.states.items()]
    for file, group, members in groups:
        for member, _, _ in _repeated((member, group) for member in members):
            yield Finding(file, "repeated-member", f"{group}: {member!r} occurs twice")
        named = ((file, f"{group}: ", member) for member in members)
        yield from _absent("unknown-member", "set {}", files.sets, named)


def unknown_paper(files: CatalogueFiles) -> Iterator[Finding]:
    """Every source is a paper of the catalogue."""
    named = [("schemes.yaml", f"{key}: ", [scheme.paper]) for key, scheme in files.schemes.items()]
    named += [(name, "", program.sources) for name, program in files.programs.items()]
    named += [("lineages.yaml", f"{key}: ", panel.sources) for key, panel in _panels(files).items()]
    named += [(name, f"{entry.id}: ", entry.sources) for name, _, entry in files.recorded()]
    recipients = files.recipients
    named += [(RECIPIENTS, f"{key}: ", cell.sources) for key, cell in recipients.cells.items()]
    named += [(RECIPIENTS, f"{key}: ", found.sources) for key, found in recipients.responses.items()]
    named += [(INDEPENDENCE, f"{key}: ", group.papers) for key, group in files.groups.items()]
    papers = {paper.paper.key for paper in files.papers.values()}
    flat = ((name, where, source) for name, where, sources in named for source in sources)
    yield from _absent("unknown-paper", "paper {}", papers, flat)


def _panels(files: CatalogueFiles) -> dict[str, LineagePanel]:
    """Panels of the lineages, and of activation."""
    return {**files.lineages, **({"activation": files.activation} if files.activation else {})}


def unknown_cancer(files: CatalogueFiles) -> Iterator[Finding]:
    """Every cancer is a code of ``cancers.yaml``, or ``pan``."""
    used: list[tuple[str, str, list[str]]] = []
    for name, paper in files.papers.items():
        used.append((name, "context", paper.context.cancer))
        used += [(name, f"set {key}", entry.cancer) for key, entry in paper.sets.items()]
        used += [(name, f"claim {claim.id}", claim.cancer) for claim in paper.claims]
    for name, _, entry in files.recorded():
        used.append((name, entry.id, [] if isinstance(entry, Unmeasured) else entry.cancer))
    flat = ((name, f"{where}: ", code) for name, where, codes in used for code in codes)
    yield from _absent("unknown-cancer", "cancer {} in cancers.yaml", {*files.cancers, PAN}, flat)


def identical_sets(files: CatalogueFiles) -> Iterator[Finding]:
    """Two members of one scheme differ in their genes."""
    sets = files.sets
    for scheme_id, scheme in files.schemes.items():
        seen: dict[object, str] = {}
        for member in dict.fromkeys(scheme.members):
            if member not in sets:
                continue
            entry = sets[member]
            content = (*map(frozenset, (entry.up, entry.down, entry.levels.items())), entry.species)
            first = seen.setdefault(content, member)
            if first != member:
                yield Finding(
                    "schemes.yaml", "identical-sets", f"{scheme_id}: {first} and {member} are the same"
                )


def overlapping_groups(files: CatalogueFiles) -> Iterator[Finding]:
    """A paper is in one group of dependent papers only, and no group has the key of a paper."""
    papers = {source.paper.key for source in files.papers.values()}
    for group_id in papers & {*files.groups}:
        yield Finding(INDEPENDENCE, "group-is-paper", f"{group_id!r} is the key of a paper")
    grouped = ((paper, group_id) for group_id, group in files.groups.items() for paper in group.papers)
    for paper, group_id, first in _repeated(grouped):
        yield Finding(INDEPENDENCE, "two-groups", f"{paper} is in {first} and in {group_id}")


def unrecoverable_list(files: CatalogueFiles) -> Iterator[Finding]:
    """The published list can be recovered: kept and dropped genes, under their printed names."""
    for name, paper in files.papers.items():
        for key, entry in paper.sets.items():
            held = {*entry.genes, *entry.dropped}
            for printed, today in entry.renamed.items():
                if today not in held or printed in held:
                    text = (
                        f"set {key}: {printed!r} is renamed; only {today!r} must be in the lists or dropped"
                    )
                    yield Finding(name, "original-list", text)
            for gene, reason in entry.dropped.items():
                if not reason.strip():
                    yield Finding(name, "original-list", f"set {key}: {gene!r} is dropped without a reason")


def signed_without_context(files: CatalogueFiles) -> Iterator[Finding]:
    """A subject without a fixed sign is called pro or anti in a named cancer only, never in all."""
    sets = files.sets
    unsigned = {subject.casefold() for subject in files.no_fixed_sign}

    def is_unsigned(subject: str) -> bool:
        kind, _, name = subject.partition(":")
        if kind == "set" and name in sets:
            genes = sets[name].up
            return bool(genes) and all(f"gene:{gene}".casefold() in unsigned for gene in genes)
        return subject.casefold() in unsigned

    def finding(file: str, where: str, subject: str, effect: str) -> Finding:
        advice = f"name the cancer instead of 'pan', or call it context, not {effect}"
        return Finding(file, "fixed-sign", f"{where}: {subject} has no fixed sign; {advice}")

    for name, paper in files.papers.items():
        for claim in paper.claims:
            if claim.effect != "context" and PAN in claim.cancer and is_unsigned(claim.about):
                yield finding(name, f"claim {claim.id}", claim.about, claim.effect)
    for pair in files.pairs.values():
        signed = pair.effect != "context" and PAN in pair.cancer
        if signed and all(is_unsigned(f"gene:{gene}") for gene in pair.ligand):
            yield finding(PAIRS, pair.id, "+".join(pair.ligand), pair.effect)


def unknown_review_claim(files: CatalogueFiles) -> Iterator[Finding]:
    """Numbers of review claims are those of the table, if there is one."""
    for name, subject, number in files.covering():
        if files.review_claims and number not in files.review_claims:
            yield Finding(name, "unknown-review-claim", f"{subject}: no {number!r} in {REVIEW_CLAIMS}")


RULES: tuple[Callable[[CatalogueFiles], Iterator[Finding]], ...] = (
    misnamed_file, duplicate, unknown_subject, unknown_member, unknown_paper, unknown_cancer, identical_sets,
    overlapping_groups, unrecoverable_list, signed_without_context, unknown_review_claim,
)  # fmt: skip
"""Rules that need nothing but the files."""


def unapproved_gene(files: CatalogueFiles, approved: Approved, renamed: Renamed) -> Iterator[Finding]:
    """Every gene has the approved symbol of its species."""
    for name, species, gene in genes_named(files):
        if gene not in approved[species]:
            today = renamed.get(species, {}).get(gene)
            hint = f"; it is {today} today" if today else ""
            yield Finding(name, "gene", f"{gene!r} is not an approved {species} symbol{hint}")


def genes_named(files: CatalogueFiles) -> Iterator[tuple[str, Species, str]]:
    """File, species and symbol of every gene that the catalogue uses; not of dropped and printed names."""
    for name, paper in files.papers.items():
        for entry in paper.sets.values():
            yield from ((name, entry.species, gene) for gene in distinct(entry.genes, entry.renamed.values()))
        for claim in paper.claims:
            kind, _, gene = claim.about.partition(":")
            if kind == "gene" and gene:
                yield name, "human" if "human" in claim.species else "mouse", gene
    human: list[tuple[str, tuple[str, ...]]] = []
    human += [(name, program.genes) for name, program in files.programs.items()]
    human += [("lineages.yaml", distinct(panel.core, panel.excludes)) for panel in _panels(files).values()]
    human += [(RECIPIENTS, distinct(cell.core, cell.excludes)) for cell in files.recipients.cells.values()]
    human += [(RECIPIENTS, found.genes) for found in files.recipients.responses.values()]
    human += [(name, distinct(entry.genes)) for name, _, entry in files.recorded()]
    for name, genes in human:
        yield from ((name, "human", gene) for gene in genes)
