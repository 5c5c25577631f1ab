"""The catalogue: every set, claim, programme and panel, joined and looked up by id."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from cafsc.errors import CatalogueError, OptionError
from cafsc.sig.files import CatalogueFiles, read_files
from cafsc.sig.location import signatures_dir
from cafsc.sig.model import (
    CancerType,
    Claim,
    Context,
    EvidenceWeights,
    GeneSet,
    LineagePanel,
    Paper,
    PaperFile,
    Program,
    Scheme,
    Species,
    State,
    WitnessGroup,
)
from cafsc.sig.recipients import Recipients
from cafsc.sig.records import Agent, Biomarker, ExosomeAxis, Pair, Record, Unmeasured
from cafsc.sig.review import ReviewClaim, answers, read_review_claims
from cafsc.sig.subjects import EXPECTED, PAN, is_known, subject_ids
from cafsc.sig.user import UserFile, read_user_file

if TYPE_CHECKING:
    import pandas as pd

AnyRecord = TypeVar("AnyRecord", bound=Record)


@dataclass(frozen=True)
class CatalogueSet:
    """A gene set with the paper it comes from and the groups it belongs to."""

    id: str
    """``<paper>/<set>``."""
    paper: Paper
    context: Context
    definition: GeneSet
    schemes: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The name the paper gives the set."""
        return self.definition.label

    @property
    def species(self) -> Species:
        """Species whose symbols the set is written in."""
        return self.definition.species

    @property
    def cancer(self) -> tuple[str, ...]:
        """Cancer codes of the set, or else of its paper."""
        return tuple(self.definition.cancer or self.context.cancer)


@dataclass(frozen=True)
class CatalogueClaim:
    """A claim with the paper that makes it."""

    claim: Claim
    paper: Paper
    context: Context


@dataclass(frozen=True)
class Catalogue:
    """Everything the signature files say, read-only."""

    papers: Mapping[str, Paper]
    sets: Mapping[str, CatalogueSet]
    claims: tuple[CatalogueClaim, ...]
    programs: Mapping[str, Program]
    lineages: Mapping[str, LineagePanel]
    activation: LineagePanel | None
    """What tells a fibroblast of a tumour from one of normal tissue."""
    schemes: Mapping[str, Scheme]
    states: Mapping[str, State]
    cancers: Mapping[str, CancerType]
    weights: EvidenceWeights
    sha256: str
    """Over the bytes of all catalogue files, by relative path, and then of the user's files."""
    root: Path
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    """Ligand-receptor pairs, the ``axis:`` of a claim."""
    exosome_axes: Mapping[str, ExosomeAxis] = field(default_factory=dict)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    biomarkers: Mapping[str, Biomarker] = field(default_factory=dict)
    unmeasured: Mapping[str, Unmeasured] = field(default_factory=dict)
    """What single-cell RNA-seq cannot see."""
    recipients: Recipients = field(default_factory=Recipients)
    """Who receives what CAFs send, and where the answer shows."""
    no_fixed_sign: Mapping[str, str] = field(default_factory=dict)
    """Subjects that are good in one tumour and bad in another, each with the reason."""
    groups: Mapping[str, WitnessGroup] = field(default_factory=dict)
    """Papers that are one witness, of one laboratory or on one dataset."""
    review_claims: Mapping[str, ReviewClaim] = field(default_factory=dict)
    """The numbered assertions of the reviews."""
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What answers each review claim: ``claim:<id>``, ``axis:<id>``, ``exosome:<id>`` and so on."""
    own_schemes: tuple[str, ...] = ()
    """Schemes made of the user's own files."""
    notes: tuple[str, ...] = ()
    """What was odd, but not wrong, in the user's own files; for showing."""

    def cancer(self, name: str) -> str:
        """Code of a cancer that a user names by code, label or alias, in any case.

        Raises
        ------
        OptionError
            If the name is unknown; lists the known ones, the closest first.
        """
        wanted = _folded(name)
        names: dict[str, str] = {}
        for code, cancer in self.cancers.items():
            for known in (code, cancer.label, *cancer.aliases):
                names.setdefault(_folded(known), code)
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
        """Id of the group of papers that a paper is one witness with; its own key where it stands alone."""
        return next((name for name, group in self.groups.items() if paper in group.papers), paper)

    def claims_about(self, subject: str) -> tuple[CatalogueClaim, ...]:
        """Claims about exactly this subject, written as in `cafsc.sig.model.Claim.about`."""
        return tuple(claim for claim in self.claims if claim.claim.about == subject)

    def genes_of(self, subject: str) -> tuple[str, ...]:
        """Every gene of a subject (``set:..``, ``state:..``, ``program:..`` ...); empty if it names none."""
        kind, _, name = subject.partition(":")
        if kind == "gene":
            return (name,)
        if kind == "program" and name in self.programs:
            return tuple(dict.fromkeys((*self.programs[name].up, *self.programs[name].down)))
        records: Mapping[str, Mapping[str, Record]] = {
            "axis": self.pairs,
            "exosome": self.exosome_axes,
            "agent": self.agents,
            "biomarker": self.biomarkers,
            "unmeasured": self.unmeasured,
        }
        if kind in records:
            return tuple(records[kind][name].genes) if name in records[kind] else ()
        definitions = [entry.definition for entry in self._sets_of(kind, name)]
        return tuple(dict.fromkeys(gene for definition in definitions for gene in definition.genes))

    def up_genes(self, subject: str) -> tuple[str, ...]:
        """Genes whose presence speaks for a subject; those of `genes_of` without the ones that are low."""
        kind, _, name = subject.partition(":")
        if kind == "program" and name in self.programs:
            return self.programs[name].up
        if kind in ("set", "state"):
            definitions = [entry.definition for entry in self._sets_of(kind, name)]
            return tuple(dict.fromkeys(gene for definition in definitions for gene in definition.up))
        return (name,) if kind == "gene" else ()

    def _sets_of(self, kind: str, name: str) -> list[CatalogueSet]:
        members = self.states[name].members if kind == "state" and name in self.states else [name]
        return (
            [self.sets[member] for member in members if member in self.sets]
            if kind in ("set", "state")
            else []
        )

    def sets_in_scheme(self, scheme: str) -> tuple[CatalogueSet, ...]:
        """Sets that compete in a scheme, in its order.

        Raises
        ------
        OptionError
            If there is no such scheme.
        """
        if scheme not in self.schemes:
            raise OptionError(
                f"scheme {scheme!r} is not known",
                expected=", ".join(self.schemes),
                fix="use one of these names, or leave the option out to use all",
            )
        return tuple(self.sets[member] for member in self.schemes[scheme].members if member in self.sets)

    def to_net(self) -> pd.DataFrame:
        """Network for decoupler 2; see `cafsc.sig.to_net`."""
        from cafsc.sig.export import to_net

        return to_net(self)

    def to_gmt(self) -> str:
        """Gene matrix transposed; see `cafsc.sig.to_gmt`."""
        from cafsc.sig.export import to_gmt

        return to_gmt(self)

    def species_sets(self, species: Species) -> tuple[CatalogueSet, ...]:
        """Sets written in the symbols of one species."""
        return tuple(entry for entry in self.sets.values() if entry.species == species)


def load(*extra: Path | str) -> Catalogue:
    """Load the catalogue that ships with cafsc, and the user's own sets with it.

    Parameters
    ----------
    extra
        Files of the user. ``.gmt`` (name, description, genes; tab-separated); ``.yaml`` in the form of
        ``signatures/papers``; or ``.yaml`` with ``version: 1`` and ``signatures``, a list of ``id``, ``genes``,
        ``genes_down``, ``call`` (pro, anti, context), ``doi`` or ``pmid``, ``evidence`` and ``cancer``. Each file
        becomes a scheme named after it, in which its sets compete.

    Returns
    -------
    The catalogue; the same object for every call without ``extra``.

    Raises
    ------
    CatalogueError
        If a file breaks the rules; says which, where, and what to do.
    """
    if not extra:
        return _shipped()
    return read(signatures_dir(), tuple(Path(path) for path in extra))


@lru_cache(maxsize=1)
def _shipped() -> Catalogue:
    return read(signatures_dir())


def read(root: Path, extra: Iterable[Path] = ()) -> Catalogue:
    """Read a catalogue folder afresh; see `load`."""
    files = read_files(root)
    if files.errors:
        raise next(iter(files.errors.values()))
    if files.weights is None:
        raise CatalogueError(f"{root / 'weights.yaml'}: no weights")
    user_files: list[UserFile] = []
    for path in extra:
        user = read_user_file(path)
        if user.scheme_id in files.schemes or user.scheme_id in {other.scheme_id for other in user_files}:
            raise CatalogueError(
                f"{path}: a scheme called {user.scheme_id!r} is already there",
                expected="a file name of its own, since it names the scheme",
                fix="rename the file",
            )
        user_files.append(user)
    return _joined(files, user_files)


def _joined(files: CatalogueFiles, user_files: list[UserFile]) -> Catalogue:
    schemes = {**files.schemes, **{user.scheme_id: user.scheme for user in user_files}}
    sources: list[tuple[str, PaperFile]] = [*files.papers.items()]
    sources += [(str(user.path), user.file) for user in user_files]
    own_sources = {str(user.path): user.sources for user in user_files}
    schemes_of = _memberships(schemes)
    states_of = _memberships(files.states)
    papers: dict[str, Paper] = {}
    sets: dict[str, CatalogueSet] = {}
    claims: list[CatalogueClaim] = []
    by_doi = {source.paper.doi: source.paper for source in files.papers.values() if source.paper.doi}
    for name, source in sources:
        key = source.paper.key
        if key in papers:
            raise CatalogueError(
                f"{name}: a paper with the key {key!r} is already in the catalogue", fix="choose another key"
            )
        own = own_sources.get(name, {})
        # A paper that the catalogue holds keeps its one vote, also where a user cites it again.
        of_set = {set_name: by_doi.get(paper.doi or "", paper) for set_name, paper in own.items()}
        papers |= {paper.key: paper for paper in of_set.values()} or {key: source.paper}
        for set_name, definition in source.sets.items():
            set_id = f"{key}/{set_name}"
            sets[set_id] = CatalogueSet(
                id=set_id,
                paper=of_set.get(set_name, source.paper),
                context=source.context,
                definition=definition,
                schemes=schemes_of.get(set_id, ()),
                states=states_of.get(set_id, ()),
            )
        for claim in source.claims:
            set_name = claim.about.removeprefix(f"set:{key}/")
            claims.append(CatalogueClaim(claim, of_set.get(set_name, source.paper), source.context))
    programs: dict[str, Program] = {program.id: program for program in files.programs.values()}
    _check_user_claims(user_files, {**subject_ids(files), "set": {*sets}}, {*files.cancers, PAN})
    if files.weights is None:
        raise CatalogueError(f"{files.root / 'weights.yaml'}: no weights")
    return Catalogue(
        papers=MappingProxyType(papers),
        sets=MappingProxyType(sets),
        claims=tuple(claims),
        programs=MappingProxyType(programs),
        lineages=MappingProxyType(dict(files.lineages)),
        activation=files.activation,
        schemes=MappingProxyType(schemes),
        states=MappingProxyType(dict(files.states)),
        cancers=MappingProxyType(dict(files.cancers)),
        weights=files.weights,
        sha256=_sha256(files.root, user_files),
        root=files.root,
        pairs=_by_id(files.pairs),
        exosome_axes=_by_id(files.exosome_axes),
        agents=_by_id(files.agents),
        biomarkers=_by_id(files.biomarkers),
        unmeasured=_by_id(files.unmeasured),
        recipients=files.recipients,
        no_fixed_sign=MappingProxyType(dict(files.no_fixed_sign)),
        groups=MappingProxyType(dict(files.groups)),
        review_claims=MappingProxyType(read_review_claims(files.root)),
        answers=MappingProxyType(answers(files)),
        own_schemes=tuple(user.scheme_id for user in user_files),
        notes=tuple(note for user in user_files for note in user.notes),
    )


def _by_id(records: Iterable[AnyRecord]) -> Mapping[str, AnyRecord]:
    return MappingProxyType({record.id: record for record in records})


def _memberships(groups: Mapping[str, Scheme] | Mapping[str, State]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group_id, group in groups.items():
        for member in dict.fromkeys(group.members):
            found[member] = (*found.get(member, ()), group_id)
    return found


def _check_user_claims(user_files: list[UserFile], ids: Mapping[str, set[str]], cancers: set[str]) -> None:
    for user in user_files:
        for claim in user.file.claims:
            if not is_known(claim.about, ids):
                raise CatalogueError(
                    f"{user.path}: claim {claim.id!r} is about {claim.about!r}, which is not known",
                    expected=EXPECTED,
                    fix="correct the subject of the claim",
                )
            strange = [code for code in claim.cancer if code not in cancers]
            if strange:
                raise CatalogueError(
                    f"{user.path}: claim {claim.id!r} names the cancer {strange[0]!r}, which is not known",
                    expected=", ".join(sorted(cancers)),
                    fix="use one of these codes",
                )


def _sha256(root: Path, user_files: list[UserFile]) -> str:
    digest = hashlib.sha256()
    paths = [path for path in root.rglob("*") if path.name.endswith((".yaml", ".yml", ".tsv", ".tsv.gz"))]
    named = sorted((path.relative_to(root).as_posix(), path) for path in paths)
    named += [(f"user:{user.path.name}", user.path) for user in user_files]
    for name, path in named:
        digest.update(name.encode())
        digest.update(b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.casefold())
