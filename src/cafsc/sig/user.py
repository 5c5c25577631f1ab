"""What a user brings: signatures as a ``.gmt`` file, a paper file or a dict; and weights in place of the shipped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import TypeAlias

from pydantic import ValidationError

from cafsc.errors import CatalogueError, OptionError
from cafsc.sig import model
from cafsc.sig.files import read_data, read_model, read_text
from cafsc.sig.model import EvidenceWeights, GeneSet, PaperFile, Scheme, distinct, slugged
from cafsc.sig.own_list import OwnSignatures as OwnList

OwnSet: TypeAlias = Sequence[str] | Mapping[str, Sequence[str]]
"""Genes that are up, or ``{"up": [...], "down": [...]}``."""
OwnSource: TypeAlias = Path | str | Mapping[str, OwnSet]
"""A file, or sets by name."""
OwnSignatures: TypeAlias = OwnSource | Sequence[OwnSource]

DICT_ID = "own"  # scheme of the sets given as a dict
FEW_GENES = 5  # smaller sets are noted: dropout dominates their score
MANY_GENES = 1000  # larger sets are noted: few background genes remain

WeightsLike: TypeAlias = EvidenceWeights | Mapping[str, object] | Path | str
"""A whole table; or the replaced numbers, in the form of ``signatures/weights.yaml``, as a mapping, file or JSON."""

TABLES = ("evidence", "cancer", "species", "subject")
_EXPECTED = "a mapping such as {evidence: {in_vitro: 0.3}}, with the tables " + ", ".join(TABLES)
_DICT_FORM = "{name: [genes]} or {name: {'up': [genes], 'down': [genes]}}"
_REGISTERED_DOI = re.compile(r"10\.\d{4,9}/[-._;()/:a-z0-9]*[a-z0-9]")
_MOUSE = re.compile(r"[A-Z][a-z0-9-]*[a-z][a-z0-9-]*")


class OwnPaper(model.Paper):
    """Source of a user's set: the file, and the DOI that it names."""

    year: int = 0
    first_author: str = "own file"
    journal: str = ""
    verified: model.Verified = "listed"

    @property
    def short(self) -> str:
        """The file."""
        return self.title

    @property
    def citation(self) -> str:
        """The file and its DOI."""
        return f"own file {self.title}" + (f" (doi {self.doi})" if self.doi else "")


@dataclass(frozen=True)
class UserSets:
    """Signatures of one file or dict, as a paper file and the scheme of its sets."""

    path: Path
    """The file; ``signatures`` for a dict."""
    content: bytes
    """Enters the hash of the catalogue."""
    file: PaperFile
    scheme_id: str
    scheme: Scheme
    notes: tuple[str, ...] = ()
    sources: Mapping[str, model.Paper] = field(default_factory=dict)
    """Paper of each set, where the file itself is no paper."""


def listed(signatures: OwnSignatures) -> tuple[OwnSource, ...]:
    """Signatures as a tuple; a single path or dict becomes a tuple of one."""
    return (signatures,) if isinstance(signatures, str | Path | Mapping) else tuple(signatures)


def plain_form(source: OwnSource) -> object:
    """A source for the provenance: a path, or the genes of each set by side."""
    if not isinstance(source, Mapping):
        return Path(source)
    return {item.label: {side: [*genes] for side, genes in item.genes.items()} for item in _dict_sets(source)}


def read_user_sets(source: OwnSource) -> UserSets:
    """Read the signatures of a user; refuses a file or dict that breaks the schema or holds no usable set."""
    is_dict = isinstance(source, Mapping)
    path = Path("signatures" if isinstance(source, Mapping) else source)
    scheme_id = DICT_ID if is_dict else slugged(path.stem)
    kind = path.suffix.lower()
    sources: dict[str, model.Paper] = {}
    notes: list[str] = []
    if isinstance(source, Mapping):
        file = _own_file(path.name, scheme_id, _dict_sets(source), sources, notes)
    elif kind not in (".yaml", ".yml", ".gmt"):
        expected = ".yaml, .yml or .gmt"
        raise CatalogueError(f"{path}: not a signature file", expected=expected, fix="convert or rename it")
    elif not scheme_id:
        raise CatalogueError(f"{path}: the file name gives no id", fix="use letters or digits in it")
    elif kind == ".gmt":
        file = _own_file(path.name, scheme_id, _gmt_sets(path), sources, notes)
    elif _is_list(path):
        own = read_model(path, OwnList)
        given = (
            _Given(one.id, f"{path}: {one.id}", {"up": one.genes, "down": one.genes_down}, one.doi or "")
            for one in own.signatures
        )
        file = own.with_claims(_own_file(path.name, scheme_id, given, sources, notes))
    else:
        file = read_model(path, PaperFile)
    if not file.sets:
        raise CatalogueError(f"{path}: no signatures in it", expected="at least one set with genes")
    for key, entry in file.sets.items():
        n_genes = len(entry.genes)
        if not entry.levels and n_genes < FEW_GENES:
            notes.append(f"{path.name}: {key} has few genes ({n_genes}); dropout dominates its score")
        elif n_genes > MANY_GENES:
            notes.append(f"{path.name}: {key} is large ({n_genes} genes); few background genes remain")
    scheme = Scheme(
        label=scheme_id if is_dict else path.stem,
        paper=file.paper.key,
        method="scores" if any(entry.up or entry.down for entry in file.sets.values()) else "levels",
        members=[f"{file.paper.key}/{key}" for key in file.sets],
        note="sets of the user",
    )
    # Equal sets in a dict have equal hashes, whatever holds their genes.
    plain = json.dumps({key: [entry.up, entry.down] for key, entry in file.sets.items()})
    content = plain.encode() if is_dict else path.read_bytes()
    return UserSets(path, content, file, scheme_id, scheme, tuple(notes), sources)


def _is_list(path: Path) -> bool:
    data = read_data(path, "a mapping with the key signatures, or with paper, context, sets and claims")
    return isinstance(data, dict) and "signatures" in data and "paper" not in data


@dataclass(frozen=True)
class _Given:
    """One set as the user wrote it."""

    label: str
    where: str
    """File and line, or key; used in errors."""
    genes: Mapping[str, Iterable[str]]
    """By side, ``up`` or ``down``."""
    description: str = ""


def _gmt_sets(path: Path) -> Iterator[_Given]:
    """Sets of a GMT file: gseapy reads the genes, the check before it the descriptions."""
    # Imported for this file only: it takes seconds.
    from gseapy.parser import read_gmt

    text = read_text(path)
    # gseapy leaves a byte order mark in the first name; an id has none.
    genes = {slugged(name): found for name, found in read_gmt(str(path)).items()}
    for number, line in enumerate(StringIO(text, newline=None), start=1):
        where, fields = f"{path} line {number}", [part.strip() for part in line.split("\t")]
        if line.strip() and len(fields) < 3:
            raise CatalogueError(
                f"{where}: {len(fields)} column(s)",
                expected="name, description and genes, separated by tabs",
                fix="save the file as tab-separated text",
            )
        if line.strip():
            yield _Given(fields[0], where, {"up": genes.get(slugged(fields[0]), [])}, fields[1])


def _dict_sets(given: Mapping[str, OwnSet]) -> Iterator[_Given]:
    """Sets of a dict of lists, or of dicts with ``up`` and ``down``."""
    for label, genes in given.items():
        where, sides = f"signatures[{label!r}]", genes if isinstance(genes, Mapping) else {"up": genes}
        if not {*sides} <= {"up", "down"}:
            raise CatalogueError(f"{where}: keys {', '.join(map(str, sides))}", expected=_DICT_FORM)
        yield _Given(str(label), where, sides)


def _own_file(
    title: str, key: str, given: Iterable[_Given], sources: dict[str, model.Paper], notes: list[str]
) -> PaperFile:
    """A paper file around the sets of a user."""
    sets: dict[str, GeneSet] = {}
    for item in given:
        name = slugged(item.label)
        if not name:
            raise CatalogueError(f"{item.where}: the set has no usable name", expected="letters or digits")
        if name in sources:
            message = f"{item.where}: duplicate set {name!r}"
            raise CatalogueError(message, expected="each name once", fix="rename or remove one")
        doi = _REGISTERED_DOI.search(item.description.lower())
        own_key = f"{key}-{slugged(doi.group())}" if doi else key
        sources[name] = OwnPaper(key=own_key, title=title, doi=doi and doi.group())
        where = f"{title}: {name}"
        lists = {side: _tidy(found, item.where, where, notes) for side, found in item.genes.items()}
        if not any(lists.values()):
            notes.append(f"{where} holds no genes and is left out")
            continue
        genes = [gene for found in lists.values() for gene in found]
        # Mouse symbols are written Xxxx or ENSMUSG..., human symbols XXXX.
        n_mouse = sum(bool(_MOUSE.fullmatch(gene)) or gene.startswith("ENSMUSG") for gene in genes)
        try:
            sets[name] = GeneSet(
                label=item.label,
                species="mouse" if n_mouse * 2 > len(genes) else "human",
                up=lists.get("up", []),
                down=lists.get("down", []),
                derivation=item.description or "not said",
                seen_in=item.where,
                verified="listed",
            )
        except ValidationError as error:
            message = str(error.errors(include_url=False)[0]["msg"]).removeprefix("Value error, ")
            raise CatalogueError(
                f"{item.where}: {item.label!r}: {message[:200]}",
                expected="gene symbols or Ensembl IDs, one per column or list item",
            ) from None
    species = sorted({entry.species for entry in sets.values()})
    # The parts are valid; validation of the whole would ask for a published paper.
    context = model.Context(species=species or ["human"])
    paper = OwnPaper(key=key, title=title)
    return PaperFile.model_construct(paper=paper, context=context, sets=sets, claims=[])


def _tidy(printed: Iterable[str], where: str, short: str, notes: list[str]) -> list[str]:
    """Genes without gaps and repeats, in capitals if all are in small letters; notes each change."""
    is_list = isinstance(printed, Iterable) and not isinstance(printed, str | bytes | Mapping)
    items = [*printed] if is_list else []
    wrong = [gene for gene in items if not isinstance(gene, str)] if is_list else [printed]
    if wrong:
        raise CatalogueError(f"{where}: {wrong[0]!r} is not a list of gene symbols", expected=_DICT_FORM)
    named = [gene for item in items if (gene := item.strip())]
    genes = list(distinct(sorted(named) if isinstance(printed, set | frozenset) else named))
    if len(genes) < len(named):
        notes.append(f"{short} names {len(named) - len(genes)} gene(s) twice; each counts once")
    if genes and all(gene == gene.lower() for gene in genes) and any(gene != gene.upper() for gene in genes):
        notes.append(f"{short}: genes in small letters (case matters); read as {genes[0].upper()} and so on")
        genes = [gene.upper() for gene in genes]
    return genes


def own_weights(shipped: EvidenceWeights, given: WeightsLike) -> EvidenceWeights:
    """Weights of claims: the shipped table with the given numbers in place of its own."""
    if isinstance(given, EvidenceWeights):
        return given
    where = "weights"
    try:
        if isinstance(given, Mapping):
            content: object = given
        elif isinstance(given, str) and given.lstrip().startswith("{"):
            content = json.loads(given)
        else:
            where, content = str(given), read_data(Path(given), _EXPECTED)
    except CatalogueError as error:
        raise OptionError(error.found, expected=error.expected or _EXPECTED, fix=error.fix) from error
    except ValueError as error:
        raise OptionError(f"weights: not JSON ({error})", expected=_EXPECTED) from error
    if not isinstance(content, Mapping):
        raise OptionError(f"{where}: not a mapping of tables to numbers", expected=_EXPECTED)
    merged = shipped.model_dump()
    for name, values in content.items():
        if name in TABLES and isinstance(values, Mapping):
            merged[name] |= values
        elif name != "why":
            raise OptionError(f"{where}: {name!r} is not a table of weights", expected=_EXPECTED)
    try:
        return EvidenceWeights.model_validate(merged)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"] if part != "[key]")
        raise OptionError(
            f"{where}: {place} is {problem['input']!r}: {problem['msg']}",
            expected="the words of signatures/weights.yaml, each with a number from 0 to 1",
        ) from None
