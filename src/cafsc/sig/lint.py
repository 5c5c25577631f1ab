"""Check a catalogue folder: one function per rule, one code per kind of error; and count its entries."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cafsc.errors import CatalogueError
from cafsc.sig import files as paths
from cafsc.sig import model
from cafsc.sig.catalogue import Conflict, conflicts, joined
from cafsc.sig.files import CatalogueFiles, is_known, read_files
from cafsc.sig.model import PAN, Claim, LineagePanel, Species, distinct
from cafsc.sig.records import Pair, Unmeasured

Approved = Mapping[Species, Collection[str]]
"""Approved gene symbols by species."""
Renamed = Mapping[Species, Mapping[str, str]]
"""Former gene symbols and the approved ones, by species."""
LEAST_COVERAGE = 0.85  # share of a set's genes that need a symbol in each species

Translate = Callable[[Iterable[str], str, str], Mapping[str, tuple[str, ...]]]
"""Genes, their species, the other species -> orthologs of each gene."""

_OTHER: Mapping[Species, Species] = {"human": "mouse", "mouse": "human"}


@dataclass(frozen=True, order=True)
class Finding:
    """A broken rule."""

    file: str
    code: str
    message: str


@dataclass(frozen=True, order=True)
class SpeciesCoverage:
    """Number of genes of a set or programme that have a symbol in each species."""

    id: str
    n_genes: int
    n_human: int
    n_mouse: int
    not_for: tuple[str, ...]
    """Species that the set is not meant for."""
    file: str

    def share(self, species: Species) -> float:
        """Genes with a symbol in a species, as a share of the set."""
        return (self.n_human if species == "human" else self.n_mouse) / max(self.n_genes, 1)


@dataclass(frozen=True)
class LintReport:
    """Findings of `lint`, and the number of checked entries."""

    findings: tuple[Finding, ...]
    conflicts: tuple[Conflict, ...]
    n_sets: int
    n_claims: int
    n_papers: int
    n_programs: int
    n_genes: int
    """Distinct gene symbols anywhere in the catalogue."""
    n_approved: int | None
    """Number of approved symbols among them; None without gene tables."""
    n_records: Mapping[str, int] = field(default_factory=dict)
    """Number of pairs, exosome axes, agents, biomarkers and unmeasured properties, by kind of subject."""
    n_review_claims: int = 0
    uncovered: tuple[str, ...] = ()
    """Review claims that no entry answers."""
    coverage: tuple[SpeciesCoverage, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no rule is broken."""
        return not self.findings


def lint(
    catalogue_dir: Path | str,
    approved: Approved | None = None,
    renamed: Renamed | None = None,
    translate: Translate | None = None,
    *,
    allow_uncovered: bool = False,
) -> LintReport:
    """Check all files of a catalogue folder against the schema and against each other.

    Parameters
    ----------
    catalogue_dir
        Folder with ``papers/``, ``programs/``, ``schemes.yaml`` and so on.
    approved
        Approved symbols by species; symbols are not checked without it.
    renamed
        Former symbols by species, to name the current symbol of an unapproved one.
    translate
        `cafsc.genes.translate`; coverage of the two species is not checked without it and ``approved``.
    allow_uncovered
        Count review claims that no entry answers, but do not report them. For work in progress.

    Raises
    ------
    CatalogueError
        If the folder holds no ``papers/``.
    """
    root = Path(catalogue_dir)
    if not (root / "papers").is_dir():
        raise CatalogueError(f"{root}: not a catalogue", expected="a folder that holds papers/")
    files = read_files(root)
    findings = [Finding(name, "schema", str(error)) for name, error in files.errors.items()]
    for rule in RULES:
        findings += rule(files)
    answered = files.answers()
    uncovered = [claim for number, claim in files.review_claims.items() if number not in answered]
    for claim in () if allow_uncovered else uncovered:
        text = f"nothing answers {claim.id} ({claim.kind}: {claim.gist})"
        findings.append(Finding(paths.REVIEW_CLAIMS, "uncovered-review-claim", text))
    coverage: tuple[SpeciesCoverage, ...] = ()
    if approved is not None and translate is not None:
        coverage = tuple(species_coverage(files, approved, translate))
    for row in coverage:
        for species in _OTHER:
            if row.share(species) < LEAST_COVERAGE and species not in row.not_for:
                text = f"{row.id}: {row.share(species):.0%} of its genes have a {species} symbol"
                advice = f"write not_for: {{{species}: <why>}}, or correct the genes"
                findings.append(Finding(row.file, "species-coverage", f"{text}; {advice}"))
    named = [*genes_named(files)]
    genes = {(species, gene) for _, species, gene in named}
    n_approved = None
    if approved is not None:
        n_approved = sum(gene in approved[species] for species, gene in genes)
        for name, species, gene in named:
            if gene not in approved[species]:
                today = (renamed or {}).get(species, {}).get(gene)
                hint = f"; it is {today} today" if today else ""
                findings.append(Finding(name, "gene", f"{gene!r} is not an approved {species} symbol{hint}"))
    try:
        both_sides = conflicts(joined(files))
    except CatalogueError:  # two files with one paper: a finding already
        both_sides = ()
    return LintReport(
        findings=tuple(sorted(set(findings))),
        conflicts=both_sides,
        n_sets=sum(len(paper.sets) for paper in files.papers.values()),
        n_claims=sum(len(paper.claims) for paper in files.papers.values()),
        n_papers=len(files.papers),
        n_programs=len(files.programs),
        n_genes=len(genes),
        n_approved=n_approved,
        n_records={kind: len(entries) for kind, entries in files.records.items()},
        n_review_claims=len(files.review_claims),
        uncovered=tuple(claim.id for claim in uncovered),
        coverage=coverage,
    )


def species_coverage(
    files: CatalogueFiles, approved: Mapping[Species, Iterable[str]], translate: Translate
) -> Iterator[SpeciesCoverage]:
    """Coverage of every set and programme, in its own species by symbol, in the other by ortholog."""
    symbols = {species: frozenset(names) for species, names in approved.items()}
    named: list[tuple[str, str, Species, model.GeneSet | model.Program]] = []
    for name, paper in files.papers.items():
        key = paper.paper.key
        named += [(f"{key}/{own}", name, entry.species, entry) for own, entry in paper.sets.items()]
    named += [(f"program:{one.id}", name, "human", one) for name, one in files.programs.items()]
    for subject, name, species, entry in named:
        genes, other = entry.genes, _OTHER[species]
        n = {species: sum(gene in symbols[species] for gene in genes)}
        n[other] = sum(map(bool, translate(genes, species, other).values()))
        yield SpeciesCoverage(subject, len(genes), n["human"], n["mouse"], tuple(entry.not_for), name)


def _repeated(named: Iterable[tuple[str, str, str, str]]) -> Iterator[Finding]:
    """A finding for every (code, file, place, name) whose name occurred before under this code."""
    seen: dict[tuple[str, str], str] = {}
    for code, file, place, name in named:
        if (code, name) in seen:
            yield Finding(file, code, f"{place}: {name} is also in {seen[code, name]}")
        seen.setdefault((code, name), place)


def _absent(
    code: str, what: str, known: Container[str], named: Iterable[tuple[str, str, Iterable[str]]]
) -> Iterator[Finding]:
    """A finding for every name in (file, place, names) that is not known."""
    for file, place, names in named:
        for name in names:
            if name not in known:
                yield Finding(file, code, f"{place}: no {what} {name!r}" if place else f"no {what} {name!r}")


def misnamed_file(files: CatalogueFiles) -> Iterator[Finding]:
    """A file is named after its paper or programme."""
    ids = {name: paper.paper.key for name, paper in files.papers.items()}
    ids |= {name: program.id for name, program in files.programs.items()}
    for name, inner in ids.items():
        if Path(name).stem != inner:
            yield Finding(name, "file-name", f"holds {inner!r}; rename the file or the key")


def duplicate(files: CatalogueFiles) -> Iterator[Finding]:
    """No two papers share a key, DOI, PMID or title; no two programmes or claims an id; no two cancers a name."""
    named: list[tuple[str, str, str, str]] = []
    for name, file in files.papers.items():
        title = " ".join(re.findall(r"\w+", file.paper.title.casefold()))
        keys = {"key": file.paper.key, "doi": file.paper.doi, "pmid": file.paper.pmid, "title": title}
        named += [("duplicate-paper", name, name, f"{what} {key}") for what, key in keys.items() if key]
        named += [("duplicate-claim", name, name, repr(claim.id)) for claim in file.claims]
    named += [("duplicate-program", name, name, repr(program.id)) for name, program in files.programs.items()]
    for code, cancer in files.cancers.items():
        names = {name.casefold() for name in (code, cancer.label, *cancer.aliases)}
        named += [("ambiguous-cancer", "cancers.yaml", code, repr(name)) for name in names]
    yield from _repeated(named)


def unknown_subject(files: CatalogueFiles) -> Iterator[Finding]:
    """Claims, proxies, recipients and subjects without a fixed sign name entries of the catalogue."""
    ids = files.subject_ids()
    named: list[tuple[str, str, str]] = []
    for name, paper in files.papers.items():
        named += [(name, f"claim {claim.id!r}", claim.about) for claim in paper.claims]
    named += [(paths.NO_FIXED_SIGN, "subjects", subject) for subject in files.no_fixed_sign]
    for entry in files.unmeasured.values():
        proxy = entry.proxy or ""
        # Other proxies are plain words.
        if proxy.partition(":")[0] in {"gene", *ids} and " " not in proxy:
            named.append((paths.UNMEASURED, entry.id, proxy))
    for name, where, subject in named:
        if not is_known(subject, ids):
            yield Finding(name, "unknown-subject", f"{where}: {subject!r} does not exist")
    lineages = [(paths.RECIPIENTS, name, [cell.lineage]) for name, cell in files.recipients.cells.items()]
    yield from _absent("unknown-subject", "lineage", files.lineages, lineages)
    footprints = [
        (paths.RECIPIENTS, mechanism, found) for mechanism, found in files.recipients.footprints.items()
    ]
    known = {f"response:{name}" for name in files.recipients.responses}
    known |= {f"program:{name}" for name in ids["program"]}
    yield from _absent("unknown-subject", "programme or response", known, footprints)


def unknown_member(files: CatalogueFiles) -> Iterator[Finding]:
    """Schemes and states name existing sets, each once."""
    groups = [("schemes.yaml", key, scheme.members) for key, scheme in files.schemes.items()]
    groups += [("crosswalk.yaml", key, state.members) for key, state in files.states.items()]
    for file, group, members in groups:
        for member in {member for member in members if members.count(member) > 1}:
            yield Finding(file, "repeated-member", f"{group}: {member!r} occurs twice")
    yield from _absent("unknown-member", "set", files.sets, groups)


def unknown_paper(files: CatalogueFiles) -> Iterator[Finding]:
    """Every source is a paper of the catalogue."""
    named: list[tuple[str, str, Iterable[str]]] = []
    named += [("schemes.yaml", key, [scheme.paper]) for key, scheme in files.schemes.items()]
    named += [(name, "", program.sources) for name, program in files.programs.items()]
    named += [("lineages.yaml", key, panel.sources) for key, panel in _panels(files).items()]
    named += [(name, entry.id, entry.sources) for name, _, entry in files.recorded()]
    named += [(paths.RECIPIENTS, key, cell.sources) for key, cell in files.recipients.cells.items()]
    named += [(paths.RECIPIENTS, key, found.sources) for key, found in files.recipients.responses.items()]
    named += [(paths.INDEPENDENCE, key, group.papers) for key, group in files.groups.items()]
    papers = {paper.paper.key for paper in files.papers.values()}
    yield from _absent("unknown-paper", "paper", papers, named)


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
    yield from _absent("unknown-cancer", "cancer", {*files.cancers, PAN}, used)


def identical_sets(files: CatalogueFiles) -> Iterator[Finding]:
    """Two members of one scheme differ in their genes."""
    sets = files.sets
    for scheme_id, scheme in files.schemes.items():
        seen: dict[object, str] = {}
        for member in [member for member in scheme.members if member in sets]:
            entry = sets[member]
            content = (*map(frozenset, (entry.up, entry.down, entry.levels.items())), entry.species)
            if (first := seen.setdefault(content, member)) != member:
                text = f"{scheme_id}: {first} and {member} are the same"
                yield Finding("schemes.yaml", "identical-sets", text)


def overlapping_groups(files: CatalogueFiles) -> Iterator[Finding]:
    """A paper is in one group of dependent papers only, and no group has the key of a paper."""
    papers = {source.paper.key for source in files.papers.values()}
    for group_id in papers & {*files.groups}:
        yield Finding(paths.INDEPENDENCE, "group-is-paper", f"{group_id!r} is the key of a paper")
    grouped = [(key, name) for key, group in files.groups.items() for name in group.papers]
    yield from _repeated(("two-groups", paths.INDEPENDENCE, key, name) for key, name in grouped)


def unrecoverable_list(files: CatalogueFiles) -> Iterator[Finding]:
    """The published list can be recovered: kept and dropped genes, under their printed names."""
    for name, paper in files.papers.items():
        for key, entry in paper.sets.items():
            held = {*entry.genes, *entry.dropped}
            for printed, today in entry.renamed.items():
                if today not in held or printed in held:
                    text = f"{printed!r} is renamed; only {today!r} must be in the lists or dropped"
                    yield Finding(name, "original-list", f"set {key}: {text}")
            for gene, reason in entry.dropped.items():
                if not reason.strip():
                    yield Finding(name, "original-list", f"set {key}: {gene!r} is dropped without a reason")


def signed_without_context(files: CatalogueFiles) -> Iterator[Finding]:
    """A subject without a fixed sign is called pro or anti in a named cancer only, never in all."""
    sets = files.sets
    unsigned = {subject.casefold() for subject in files.no_fixed_sign}
    signed: list[tuple[str, list[str], Claim | Pair]] = []
    for name, paper in files.papers.items():
        for claim in paper.claims:
            kind, _, about = claim.about.partition(":")
            genes = sets[about].up if kind == "set" and about in sets else []
            signed.append((name, [f"gene:{gene}" for gene in genes] or [claim.about], claim))
    signed += [(paths.PAIRS, [f"gene:{gene}" for gene in pair.ligand], pair) for pair in files.pairs.values()]
    for name, subjects, entry in signed:
        is_unsigned = all(subject.casefold() in unsigned for subject in subjects)
        if entry.effect != "context" and PAN in entry.cancer and is_unsigned:
            advice = f"name the cancer instead of 'pan', or call it context, not {entry.effect}"
            said = f"{entry.id}: {', '.join(subjects)} has no fixed sign"
            yield Finding(name, "fixed-sign", f"{said}; {advice}")


def unknown_review_claim(files: CatalogueFiles) -> Iterator[Finding]:
    """Numbers of review claims are those of the table, if there is one."""
    for name, subject, number in files.covering():
        if files.review_claims and number not in files.review_claims:
            yield Finding(name, "unknown-review-claim", f"{subject}: no {number!r} in {paths.REVIEW_CLAIMS}")


RULES: tuple[Callable[[CatalogueFiles], Iterator[Finding]], ...] = (
    misnamed_file, duplicate, unknown_subject, unknown_member, unknown_paper, unknown_cancer, identical_sets,
    overlapping_groups, unrecoverable_list, signed_without_context, unknown_review_claim,
)  # fmt: skip
"""Rules that need nothing but the files."""


def genes_named(files: CatalogueFiles) -> Iterator[tuple[str, Species, str]]:
    """File, species and symbol of every gene that the catalogue uses; not of dropped and printed names."""
    for name, paper in files.papers.items():
        for entry in paper.sets.values():
            yield from ((name, entry.species, gene) for gene in distinct(entry.genes, entry.renamed.values()))
        for claim in paper.claims:
            kind, _, gene = claim.about.partition(":")
            if kind == "gene" and gene:
                yield name, "human" if "human" in claim.species else "mouse", gene
    human = [(name, program.genes) for name, program in files.programs.items()]
    human += [("lineages.yaml", distinct(panel.core, panel.excludes)) for panel in _panels(files).values()]
    human += [
        (paths.RECIPIENTS, distinct(cell.core, cell.excludes)) for cell in files.recipients.cells.values()
    ]
    human += [(paths.RECIPIENTS, found.genes) for found in files.recipients.responses.values()]
    human += [(name, distinct(entry.genes)) for name, _, entry in files.recorded()]
    for name, genes in human:
        yield from ((name, "human", gene) for gene in genes)
