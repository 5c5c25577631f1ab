"""The catalogue: every set, claim, programme and panel, joined and looked up by id."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cafsc.errors import CatalogueError, OptionError
from cafsc.sig import model
from cafsc.sig.files import CatalogueFiles, Knowledge, is_known, read_files, signatures_dir
from cafsc.sig.records import Record
from cafsc.sig.user import OwnSource, UserSets, read_user_sets


@dataclass(frozen=True)
class CatalogueSet:
    """A gene set with its paper, schemes and states."""

    id: str
    """``<paper>/<set>``."""
    paper: model.Paper
    context: model.Context
    definition: model.GeneSet
    schemes: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name of the set in its paper."""
        return self.definition.label

    @property
    def species(self) -> model.Species:
        """Species of the gene symbols."""
        return self.definition.species

    @property
    def cancer(self) -> tuple[str, ...]:
        """Cancer codes of the set, else of its paper."""
        return tuple(self.definition.cancer or self.context.cancer)


@dataclass(frozen=True)
class CatalogueClaim:
    """A claim with its paper."""

    claim: model.Claim
    paper: model.Paper
    context: model.Context


@dataclass(frozen=True, kw_only=True)
class Catalogue(Knowledge):
    """Content of the signature files, read-only."""

    papers: Mapping[str, model.Paper]
    sets: Mapping[str, CatalogueSet]
    claims: tuple[CatalogueClaim, ...]
    programs: Mapping[str, model.Program]
    sha256: str
    """Hash of the paths and bytes of all catalogue files, then of the user's sets."""
    root: Path
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Review claim -> entries that answer it: ``claim:<id>``, ``axis:<id>``, ``exosome:<id>`` and so on."""
    own_schemes: tuple[str, ...] = ()
    """Schemes of the user's sets."""
    notes: tuple[str, ...] = ()
    """Remarks on the user's sets, to be shown."""

    def cancer(self, name: str) -> str:
        """Code of a cancer named by code, label or alias, in any case.

        Raises
        ------
        OptionError
            If the name is unknown; lists the known names, the closest first.
        """
        wanted = _folded(name)
        names = {
            _folded(known): code
            for code, cancer in self.cancers.items()
            for known in (code, cancer.label, *cancer.aliases)
        }
        if wanted in names:
            return names[wanted]
        close = [names[match] for match in difflib.get_close_matches(wanted, names, n=3, cutoff=0.6)]
        ordered = dict.fromkeys([*close, *self.cancers])
        raise OptionError(
            f"cancer {name!r} is not known",
            expected=", ".join(f"{code} ({self.cancers[code].label})" for code in ordered),
            fix=f"did you mean {close[0]!r}?" if close else "use one of these, or leave the cancer out",
        )

    def group_of(self, paper: str) -> str:
        """Independent source of a paper: the id of its group, or its own key."""
        return next((name for name, group in self.groups.items() if paper in group.papers), paper)

    def claims_about(self, subject: str) -> tuple[CatalogueClaim, ...]:
        """Claims about exactly this subject, such as ``state:iCAF``; see `cafsc.sig.model.Claim.about`."""
        return tuple(claim for claim in self.claims if claim.claim.about == subject)

    def genes_of(self, subject: str) -> tuple[str, ...]:
        """Every gene of a subject (``set:..``, ``state:..``, ``program:..`` ...); empty if it names none."""
        kind, _, name = subject.partition(":")
        if kind == "gene":
            return (name,)
        return model.distinct(*(found.genes for found in self._about(kind, name)))

    def up_genes(self, subject: str) -> tuple[str, ...]:
        """Genes whose presence supports a subject: those of `genes_of` without the down genes."""
        kind, _, name = subject.partition(":")
        if kind == "gene":
            return (name,)
        sided = (found for found in self._about(kind, name) if not isinstance(found, Record))
        return model.distinct(*(found.up for found in sided))

    def _about(self, kind: str, name: str) -> list[model.GeneSet | model.Program | Record]:
        """The set, programme or record; for a state its sets."""
        entries: Mapping[str, Any] = {"program": self.programs, **self.records}.get(kind, {})
        if name in entries:
            return [entries[name]]
        members = [name] if kind == "set" else []
        if kind == "state" and name in self.states:
            members = self.states[name].members
        return [self.sets[member].definition for member in members if member in self.sets]

    def sets_in_scheme(self, scheme: str) -> tuple[CatalogueSet, ...]:
        """Sets of a scheme, in its order.

        Raises
        ------
        OptionError
            If there is no such scheme.
        """
        if scheme not in self.schemes:
            raise OptionError(
                f"scheme {scheme!r} is not known",
                expected=", ".join(self.schemes),
                fix="use one of these names, or none to use all",
            )
        return tuple(self.sets[member] for member in self.schemes[scheme].members if member in self.sets)


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
    pro: dict[str, list[str]] = defaultdict(list)
    anti: dict[str, list[str]] = defaultdict(list)
    for subject, found in sorted(effects.items()):
        if len(found) == 1:
            side = pro if found == {"pro"} else anti
            for gene in catalogue.up_genes(subject):
                side[gene].append(subject)
    return tuple(Conflict(gene, tuple(pro[gene]), tuple(anti[gene])) for gene in sorted({*pro} & {*anti}))


def load(*extra: OwnSource) -> Catalogue:
    """Load the catalogue that ships with cafsc, together with the user's own sets.

    Parameters
    ----------
    extra
        Own sets: a ``.gmt`` file (name, description, genes; tab-separated), a ``.yaml`` file in the form of
        ``signatures/papers``, or a dict of set name to a list of genes or to ``{"up": [...], "down": [...]}``.
        Each file becomes a scheme with its name; the sets of a dict become the scheme ``own``.

    Returns
    -------
    The catalogue; the same object for every call without ``extra``.

    Raises
    ------
    CatalogueError
        If a file or a set breaks the rules.

    Examples
    --------
    >>> import cafsc
    >>> genes = cafsc.sig.load().up_genes("state:myCAF")
    >>> cafsc.sig.load({"my set": genes}).sets["own/my-set"].species
    'human'
    """
    return read(signatures_dir(), extra) if extra else _shipped()


@lru_cache(maxsize=1)
def _shipped() -> Catalogue:
    return read(signatures_dir())


def read(root: Path, extra: Iterable[OwnSource] = ()) -> Catalogue:
    """Read a catalogue folder afresh; see `load`."""
    files = read_files(root)
    if files.errors:
        raise next(iter(files.errors.values()))
    own: list[UserSets] = []
    for source in extra:
        sets = read_user_sets(source)
        if sets.scheme_id in files.schemes or sets.scheme_id in {other.scheme_id for other in own}:
            raise CatalogueError(
                f"{sets.path}: a scheme called {sets.scheme_id!r} is already there",
                expected="one scheme per file name, and one dict",
                fix="rename the file, or put all sets into one dict",
            )
        own.append(sets)
    return joined(files, own)


def joined(files: CatalogueFiles, own: Sequence[UserSets] = ()) -> Catalogue:
    """Files of a folder and the user's sets as one catalogue."""
    schemes = {**files.schemes, **{user.scheme_id: user.scheme for user in own}}
    schemes_of, states_of = _memberships(schemes), _memberships(files.states)
    papers: dict[str, model.Paper] = {}
    sets: dict[str, CatalogueSet] = {}
    claims: list[CatalogueClaim] = []
    by_doi = {source.paper.doi: source.paper for source in files.papers.values() if source.paper.doi}
    sources: list[tuple[str, model.PaperFile, Mapping[str, model.Paper]]]
    sources = [(name, source, {}) for name, source in files.papers.items()]
    sources += [(str(user.path), user.file, user.sources) for user in own]
    for name, source, own_papers in sources:
        key, context = source.paper.key, source.context
        if key in papers:
            message = f"{name}: a paper with the key {key!r} is already in the catalogue"
            raise CatalogueError(message, fix="choose another key")
        # A paper of the catalogue stays one independent source when a user cites it again.
        paper_of = {set_name: by_doi.get(paper.doi or "", paper) for set_name, paper in own_papers.items()}
        papers |= {paper.key: paper for paper in paper_of.values()} or {key: source.paper}
        for set_name, definition in source.sets.items():
            set_id, paper = f"{key}/{set_name}", paper_of.get(set_name, source.paper)
            groups = schemes_of.get(set_id, ()), states_of.get(set_id, ())
            sets[set_id] = CatalogueSet(set_id, paper, context, definition, *groups)
        claims += [CatalogueClaim(claim, source.paper, context) for claim in source.claims]
    _check_user_claims(own, {**files.subject_ids(), "set": {*sets}}, {*files.cancers, model.PAN})
    parts: dict[str, Any] = {part.name: getattr(files, part.name) for part in fields(Knowledge)}
    parts["schemes"] = MappingProxyType(schemes)
    return Catalogue(
        papers=MappingProxyType(papers),
        sets=MappingProxyType(sets),
        claims=tuple(claims),
        programs=MappingProxyType({program.id: program for program in files.programs.values()}),
        sha256=_sha256(files.root, own),
        root=files.root,
        answers=MappingProxyType(files.answers()),
        own_schemes=tuple(user.scheme_id for user in own),
        notes=tuple(note for user in own for note in user.notes),
        **parts,
    )


def _memberships(groups: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Schemes or states of each set."""
    found: dict[str, tuple[str, ...]] = {}
    for group_id, group in groups.items():
        for member in dict.fromkeys(group.members):
            found[member] = (*found.get(member, ()), group_id)
    return found


def _check_user_claims(own: Sequence[UserSets], ids: Mapping[str, set[str]], cancers: set[str]) -> None:
    """A user's claims are about known entries and cancers."""
    for user in own:
        for claim in user.file.claims:
            where = f"{user.path}: claim {claim.id!r}"
            if not is_known(claim.about, ids):
                expected = "set:<paper>/<set>, state:<state>, gene:<SYMBOL>, program:<id> or another entry"
                raise CatalogueError(f"{where}: {claim.about!r} is not known", expected=expected)
            if unknown := [code for code in claim.cancer if code not in cancers]:
                known = ", ".join(sorted(cancers))
                raise CatalogueError(f"{where}: the cancer {unknown[0]!r} is not known", expected=known)


def _sha256(root: Path, own: Sequence[UserSets]) -> str:
    paths = [path for path in root.rglob("*") if path.name.endswith((".yaml", ".yml", ".tsv", ".tsv.gz"))]
    named = sorted((path.relative_to(root).as_posix(), path.read_bytes()) for path in paths)
    named += [(f"user:{user.path.name}", user.content) for user in own]
    digest = hashlib.sha256()
    for name, content in named:
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.casefold())
