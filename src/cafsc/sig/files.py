"""Read the files of a catalogue folder: text, to plain data, to checked models."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ValidationError, create_model

from cafsc.errors import CafscError, CatalogueError
from cafsc.sig import model, records
from cafsc.sig._yaml import YamlError, line_of, loads
from cafsc.sig.model import LineagePanel, Slug

PAIRS = "axes/ligand_receptor.yaml"
UNMEASURED = "not_measurable.yaml"
NO_FIXED_SIGN = "no_fixed_sign.yaml"
INDEPENDENCE = "independence.yaml"
RECIPIENTS = "recipients.yaml"
REVIEW_CLAIMS = "review_claims.tsv"

Model = TypeVar("Model", bound=BaseModel)
Entry = TypeVar("Entry", bound=records.Record)


def _distinct_ids(entries: list[Entry]) -> list[Entry]:
    ids = [entry.id for entry in entries]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"duplicate id {', '.join(twice)}")
    return entries


def _file(name: str, **keys: Any) -> type[BaseModel]:
    """Schema of a file that holds these keys."""
    return create_model(name, __base__=model.Strict, **keys)


Records = Annotated[list[Entry], AfterValidator(_distinct_ids)]

FILES: Mapping[str, type[BaseModel]] = {
    "papers/<key>.yaml": model.PaperFile,
    "programs/<id>.yaml": model.Program,
    "lineages.yaml": _file(
        "Lineages", lineages=(dict[Slug, LineagePanel], ...), activation=(LineagePanel | None, None)
    ),
    "schemes.yaml": _file("Schemes", schemes=(dict[Slug, model.Scheme], ...)),
    "crosswalk.yaml": _file("Crosswalk", states=(dict[Slug, model.State], ...)),
    "cancers.yaml": _file("Cancers", cancers=(dict[Slug, model.CancerType], ...)),
    "weights.yaml": model.EvidenceWeights,
    PAIRS: _file("Pairs", pairs=(Records[records.Pair], ...)),
    "axes/exosome.yaml": _file("ExosomeAxes", axes=(Records[records.ExosomeAxis], ...)),
    "agents.yaml": _file("Agents", agents=(Records[records.Agent], ...)),
    "biomarkers.yaml": _file("Biomarkers", biomarkers=(Records[records.Biomarker], ...)),
    UNMEASURED: _file("UnmeasuredFile", unmeasured=(Records[records.Unmeasured], ...)),
    NO_FIXED_SIGN: _file("NoFixedSign", subjects=(dict[str, str], ...)),
    INDEPENDENCE: _file("Independence", groups=(dict[Slug, model.SourceGroup], ...)),
    RECIPIENTS: records.Recipients,
}
"""Schema of each YAML file of a catalogue."""

RECORDS = {
    "axis": ("pairs", PAIRS),
    "exosome": ("exosome_axes", "axes/exosome.yaml"),
    "agent": ("agents", "agents.yaml"),
    "biomarker": ("biomarkers", "biomarkers.yaml"),
    "unmeasured": ("unmeasured", UNMEASURED),
}
"""Kind of record -> attribute of `Knowledge`, and file."""
OPTIONAL = (*(file for _, file in RECORDS.values()), NO_FIXED_SIGN, INDEPENDENCE, RECIPIENTS)
"""Files that a catalogue may lack."""
_ATTRIBUTES = {"axes": "exosome_axes", "subjects": "no_fixed_sign"}
"""Key in a file -> attribute of `Knowledge`, where they differ."""

MAX_BYTES = 20 * 1024 * 1024  # of a file that is read
MAX_PROBLEMS = 4  # of a file in one error, which must stay within eight lines
MAX_SHOWN = 200  # characters of one problem


def signatures_dir() -> Path:
    """Folder of the signature files: inside the package of a wheel, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    places = [package / "_signatures"]
    if package.parent.name == "src":
        places.append(package.parents[1] / "signatures")
    for place in places:
        if (place / "papers").is_dir():
            return place
    looked = ", ".join(str(place) for place in places)
    raise CafscError(f"the signature files of cafsc are missing (looked in {looked}); install cafsc again")


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """Content of the files that hold one kind of entry each, by id; empty where a file is missing."""

    lineages: Mapping[str, model.LineagePanel] = field(default_factory=dict)
    activation: model.LineagePanel | None = None
    """Markers of tumour fibroblasts that fibroblasts of normal tissue lack."""
    schemes: Mapping[str, model.Scheme] = field(default_factory=dict)
    states: Mapping[str, model.State] = field(default_factory=dict)
    cancers: Mapping[str, model.CancerType] = field(default_factory=dict)
    weights: model.EvidenceWeights = field(default_factory=model.EvidenceWeights.model_construct)
    pairs: Mapping[str, records.Pair] = field(default_factory=dict)
    exosome_axes: Mapping[str, records.ExosomeAxis] = field(default_factory=dict)
    agents: Mapping[str, records.Agent] = field(default_factory=dict)
    biomarkers: Mapping[str, records.Biomarker] = field(default_factory=dict)
    unmeasured: Mapping[str, records.Unmeasured] = field(default_factory=dict)
    recipients: records.Recipients = field(default_factory=records.Recipients)
    no_fixed_sign: Mapping[str, str] = field(default_factory=dict)
    """Subject that promotes one tumour and restrains another -> reason."""
    groups: Mapping[str, model.SourceGroup] = field(default_factory=dict)
    """Papers of one laboratory or dataset, which count as one independent source."""
    review_claims: Mapping[str, records.ReviewClaim] = field(default_factory=dict)

    @property
    def records(self) -> dict[str, Mapping[str, records.Record]]:
        """Records by kind of subject and id."""
        return {kind: getattr(self, attribute) for kind, (attribute, _) in RECORDS.items()}


@dataclass(frozen=True, kw_only=True)
class CatalogueFiles(Knowledge):
    """Content of one catalogue folder, not yet joined; papers and programmes by relative path."""

    root: Path
    papers: Mapping[str, model.PaperFile]
    programs: Mapping[str, model.Program]
    errors: Mapping[str, CatalogueError]
    """Files that could not be read, each with the reason."""

    @property
    def sets(self) -> dict[str, model.GeneSet]:
        """Every set by its id ``<paper>/<set>``."""
        papers = self.papers.values()
        return {f"{paper.paper.key}/{name}": found for paper in papers for name, found in paper.sets.items()}

    def recorded(self) -> Iterator[tuple[str, str, records.Record]]:
        """File, subject and content of every record."""
        for kind, entries in self.records.items():
            yield from ((RECORDS[kind][1], f"{kind}:{entry.id}", entry) for entry in entries.values())

    def subject_ids(self) -> dict[str, set[str]]:
        """Ids that a claim can be about, by kind of subject; genes are open."""
        programs = {program.id for program in self.programs.values()}
        ids = {"set": {*self.sets}, "state": {*self.states}, "program": programs}
        return ids | {kind: {*entries} for kind, entries in self.records.items()}

    def covering(self) -> Iterator[tuple[str, str, str]]:
        """File, subject and review claim of every entry that answers one; ``claim:<id>`` for claims."""
        for name, paper in self.papers.items():
            for claim in paper.claims:
                yield from ((name, f"claim:{claim.id}", number) for number in claim.review_claims)
        for name, subject, entry in self.recorded():
            yield from ((name, subject, number) for number in entry.review_claims)

    def answers(self) -> dict[str, tuple[str, ...]]:
        """Subjects that answer each review claim."""
        found: dict[str, list[str]] = {}
        for _, subject, number in self.covering():
            found.setdefault(number, []).append(subject)
        return {number: model.distinct(subjects) for number, subjects in found.items()}


def is_known(about: str, ids: Mapping[str, Container[str]]) -> bool:
    """Whether ``about`` names an entry of `CatalogueFiles.subject_ids`, a gene, or CAFs as a whole."""
    kind, _, name = about.partition(":")
    if kind == "gene":
        return bool(name)
    return about == model.ALL_CAF or name in ids.get(kind, ())


def read_files(root: Path) -> CatalogueFiles:
    """Read every file of a catalogue folder; files that break the schema end up in ``errors``."""
    errors: dict[str, CatalogueError] = {}

    def read(name: str, schema: type[Model]) -> Model | None:
        try:
            return read_model(root / name, schema)
        except CatalogueError as error:
            errors[name] = error
            return None

    def read_folder(folder: str, schema: type[Model]) -> dict[str, Model]:
        names = [path.relative_to(root).as_posix() for path in sorted((root / folder).glob("*.y*ml"))]
        return {name: content for name in names if (content := read(name, schema)) is not None}

    parts: dict[str, Any] = {}
    for name, schema in FILES.items():
        if "<" in name or (name in OPTIONAL and not (root / name).exists()):
            continue
        content = read(name, schema)
        if name in ("weights.yaml", RECIPIENTS) and content is not None:
            parts[Path(name).stem] = content
        elif content is not None:
            parts |= {_ATTRIBUTES.get(key, key): getattr(content, key) for key in schema.model_fields}
    try:
        parts["review_claims"] = _review_claims(root / REVIEW_CLAIMS)
    except CatalogueError as error:
        errors[REVIEW_CLAIMS] = error
    for name, part in parts.items():
        if isinstance(part, list | dict):
            parts[name] = MappingProxyType(part if isinstance(part, dict) else {one.id: one for one in part})
    papers, programs = read_folder("papers", model.PaperFile), read_folder("programs", model.Program)
    return CatalogueFiles(root=root, papers=papers, programs=programs, errors=errors, **parts)


def _review_claims(path: Path) -> dict[str, records.ReviewClaim]:
    """Numbered assertions of the reviews by id; none without the table."""
    columns = [*records.ReviewClaim.__dataclass_fields__]
    found: dict[str, records.ReviewClaim] = {}
    for number, line in enumerate(read_text(path).splitlines() if path.exists() else (), start=1):
        row, where = line.split("\t"), f"{path} line {number}"
        if len(row) != len(columns) or not all(row) or (number == 1 and row != columns):
            expected = f"the columns {', '.join(columns)}, each filled"
            raise CatalogueError(f"{where}: wrong columns or no value", expected=expected)
        if row[0] in found:
            raise CatalogueError(f"{where}: duplicate id {row[0]!r}", fix="remove one")
        if number > 1:
            found[row[0]] = records.ReviewClaim(*row)
    return found


def read_text(path: Path) -> str:
    """UTF-8 text of a regular file of limited size, without its byte order mark."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "not a regular file but a pipe, socket or device"
        raise CatalogueError(f"{path}: is {kind}", expected="a file", fix="give the path of a file")
    try:
        size, most = path.stat().st_size / 2**20, MAX_BYTES / 2**20
        if size > most:
            found, fix = f"{path}: {size:.0f} MiB is too large", "keep only the sets you need"
            raise CatalogueError(found, expected=f"at most {most:.0f} MiB", fix=fix)
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        problem = (error.strerror or "cannot be read").lower()
        raise CatalogueError(f"{path}: {problem}", fix="check the path and its permissions") from None
    except UnicodeDecodeError as error:
        found, fix = f"{path}: not UTF-8 text (byte {error.start + 1})", "save the file as UTF-8 (not UTF-16)"
        raise CatalogueError(found, expected="UTF-8 encoding", fix=fix) from None


def read_data(path: Path, expected: str) -> Any:
    """Read one YAML file as plain data; ``expected`` describes the content in the error for an empty file."""
    try:
        data = loads(read_text(path))
    except YamlError as error:
        where = "" if error.line is None else f" line {error.line}, column {error.column}"
        raise CatalogueError(f"{path}{where}: {_short(error.problem)}", fix=error.fix) from None
    if data is None:
        raise CatalogueError(f"{path}: the file is empty", expected=expected, fix="fill it or leave it out")
    return data


def read_model(path: Path, schema: type[Model]) -> Model:
    """Read one YAML file into a model; errors name the file, the line, the problem and the fix."""
    keys = ", ".join(schema.model_fields)
    data = read_data(path, f"a mapping with the keys {keys}")
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
    text = read_text(path)
    said = [_described(path, text, dict(problem)) for problem in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        said.append(f"... and {len(problems) - MAX_PROBLEMS} more")
    kinds = {problem["type"] for problem in problems}
    fix = "correct these values"
    if "string_type" in kinds:
        fix = "put text in quotes: a bare number or an empty value is not a string"
    elif kinds & {"extra_forbidden", "missing"}:
        fix = f"use the keys of the file: {keys}"
    raise CatalogueError("\n".join(said), fix=fix)


def _described(path: Path, text: str, problem: dict[str, Any]) -> str:
    """One problem of a file with its line, its place and the value."""
    place = tuple(part for part in problem["loc"] if part != "[key]")
    message = str(problem["msg"]).removeprefix("Value error, ")
    value = problem["input"]
    if not isinstance(value, dict | list) and problem["type"] != "missing" and repr(value) not in message:
        message = f"{message}, found {value!r}"
    where = ".".join(str(part) for part in place)
    said = _short(f"{where}: {message}" if where else message)
    return f"{path} line {line_of(text, place)}: {said}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}..."
