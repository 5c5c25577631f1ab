"""One signature file at a time: bytes, to plain data, to a checked model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from cafsc.errors import CatalogueError
from cafsc.sig._yaml import Place, YamlError, loads
from cafsc.sig.model import (
    Cancers,
    CancerType,
    Crosswalk,
    EvidenceWeights,
    Independence,
    LineagePanel,
    Lineages,
    NoFixedSign,
    PaperFile,
    Program,
    Scheme,
    Schemes,
    State,
    WitnessGroup,
)
from cafsc.sig.recipients import Recipients
from cafsc.sig.records import (
    Agent,
    Agents,
    Biomarker,
    Biomarkers,
    ExosomeAxes,
    ExosomeAxis,
    Pair,
    Pairs,
    Unmeasured,
    UnmeasuredFile,
)

PAIRS = "axes/ligand_receptor.yaml"
EXOSOMES = "axes/exosome.yaml"
AGENTS = "agents.yaml"
BIOMARKERS = "biomarkers.yaml"
UNMEASURED = "not_measurable.yaml"
NO_FIXED_SIGN = "no_fixed_sign.yaml"
INDEPENDENCE = "independence.yaml"
RECIPIENTS = "recipients.yaml"

FILES: Mapping[str, type[BaseModel]] = {
    "papers/<key>.yaml": PaperFile,
    "programs/<id>.yaml": Program,
    "lineages.yaml": Lineages,
    "schemes.yaml": Schemes,
    "crosswalk.yaml": Crosswalk,
    "cancers.yaml": Cancers,
    "weights.yaml": EvidenceWeights,
    PAIRS: Pairs,
    EXOSOMES: ExosomeAxes,
    AGENTS: Agents,
    BIOMARKERS: Biomarkers,
    UNMEASURED: UnmeasuredFile,
    NO_FIXED_SIGN: NoFixedSign,
    INDEPENDENCE: Independence,
    RECIPIENTS: Recipients,
}
"""The schema of each file of a catalogue."""

MAX_PROBLEMS = 4
"""Problems of one file that an error prints; it must stay within eight lines."""
MAX_SHOWN = 200

Model = TypeVar("Model", bound=BaseModel)


@dataclass
class CatalogueFiles:
    """What the files of one catalogue folder say, before anything is joined; keys are relative paths."""

    root: Path
    papers: dict[str, PaperFile] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    lineages: Mapping[str, LineagePanel] = field(default_factory=dict)
    activation: LineagePanel | None = None
    schemes: Mapping[str, Scheme] = field(default_factory=dict)
    states: Mapping[str, State] = field(default_factory=dict)
    cancers: Mapping[str, CancerType] = field(default_factory=dict)
    weights: EvidenceWeights | None = None
    pairs: list[Pair] = field(default_factory=list)
    exosome_axes: list[ExosomeAxis] = field(default_factory=list)
    agents: list[Agent] = field(default_factory=list)
    biomarkers: list[Biomarker] = field(default_factory=list)
    unmeasured: list[Unmeasured] = field(default_factory=list)
    no_fixed_sign: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, WitnessGroup] = field(default_factory=dict)
    recipients: Recipients = field(default_factory=Recipients)
    errors: dict[str, CatalogueError] = field(default_factory=dict)
    """Files that could not be read, each with the reason."""


def read_files(root: Path) -> CatalogueFiles:
    """Read every file of a catalogue folder; files that break the schema end up in ``errors``.

    The files of `cafsc.sig.records` may be missing; a catalogue then holds no such records.
    """
    files = CatalogueFiles(root)
    for path in sorted((root / "papers").glob("*.y*ml")):
        name = path.relative_to(root).as_posix()
        if (paper := _read(files, name, PaperFile)) is not None:
            files.papers[name] = paper
    for path in sorted((root / "programs").glob("*.y*ml")):
        name = path.relative_to(root).as_posix()
        if (program := _read(files, name, Program)) is not None:
            files.programs[name] = program
    if (lineages := _read(files, "lineages.yaml", Lineages)) is not None:
        files.lineages = lineages.lineages
        files.activation = lineages.activation
    if (schemes := _read(files, "schemes.yaml", Schemes)) is not None:
        files.schemes = schemes.schemes
    if (crosswalk := _read(files, "crosswalk.yaml", Crosswalk)) is not None:
        files.states = crosswalk.states
    if (cancers := _read(files, "cancers.yaml", Cancers)) is not None:
        files.cancers = cancers.cancers
    files.weights = _read(files, "weights.yaml", EvidenceWeights)
    _read_records(files)
    return files


def _read_records(files: CatalogueFiles) -> None:
    if (pairs := _read_if_there(files, PAIRS, Pairs)) is not None:
        files.pairs = pairs.pairs
    if (exosomes := _read_if_there(files, EXOSOMES, ExosomeAxes)) is not None:
        files.exosome_axes = exosomes.axes
    if (agents := _read_if_there(files, AGENTS, Agents)) is not None:
        files.agents = agents.agents
    if (biomarkers := _read_if_there(files, BIOMARKERS, Biomarkers)) is not None:
        files.biomarkers = biomarkers.biomarkers
    if (unmeasured := _read_if_there(files, UNMEASURED, UnmeasuredFile)) is not None:
        files.unmeasured = unmeasured.unmeasured
    if (two_faced := _read_if_there(files, NO_FIXED_SIGN, NoFixedSign)) is not None:
        files.no_fixed_sign = two_faced.subjects
    if (independence := _read_if_there(files, INDEPENDENCE, Independence)) is not None:
        files.groups = independence.groups
    if (recipients := _read_if_there(files, RECIPIENTS, Recipients)) is not None:
        files.recipients = recipients


def _read(files: CatalogueFiles, name: str, model: type[Model]) -> Model | None:
    try:
        return read_model(files.root / name, model)
    except CatalogueError as error:
        files.errors[name] = error
        return None


def _read_if_there(files: CatalogueFiles, name: str, model: type[Model]) -> Model | None:
    return _read(files, name, model) if (files.root / name).exists() else None


def read_text(path: Path) -> str:
    """UTF-8 text of a file, a byte order mark removed.

    Raises
    ------
    CatalogueError
        If the file is missing, unreadable, or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise CatalogueError(f"{path}: no such file", fix="check the path") from None
    except OSError as error:
        raise CatalogueError(
            f"{path}: cannot be read ({error.strerror})", fix="check the path and its rights"
        ) from None
    except UnicodeDecodeError as error:
        raise CatalogueError(
            f"{path}: not UTF-8 text (byte {error.start + 1})",
            expected="UTF-8 encoding",
            fix="save the file as UTF-8 (not UTF-16 or 'Unicode')",
        ) from None


def read_data(path: Path, expected: str) -> object:
    """Read one YAML file as plain data; ``expected`` words the error for an empty one.

    Raises
    ------
    CatalogueError
        Naming the file, the line, what stands there and how to mend it.
    """
    try:
        data = loads(read_text(path))
    except YamlError as error:
        where = "" if error.line is None else f" line {error.line}, column {error.column}"
        raise CatalogueError(f"{path}{where}: {_short(error.problem)}", fix=error.fix) from None
    if data is None:
        raise CatalogueError(f"{path}: the file is empty", expected=expected, fix="fill it or leave it out")
    return data


def read_model(path: Path, model: type[Model]) -> Model:
    """Read one YAML file into ``model``.

    Raises
    ------
    CatalogueError
        Naming the file, the line, what stands there and how to mend it.
    """
    data = read_data(path, _expected(model))
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _schema_error(path, model, error) from None


def _expected(model: type[BaseModel]) -> str:
    return f"a mapping with the keys {', '.join(model.model_fields)}"


def _schema_error(path: Path, model: type[BaseModel], error: ValidationError) -> CatalogueError:
    lines: dict[Place, int] = {}
    loads(read_text(path), lines)
    problems = error.errors(include_url=False, include_context=False)
    said = [_said(path, dict(problem), lines) for problem in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        said.append(f"... and {len(problems) - MAX_PROBLEMS} more")
    kinds = {problem["type"] for problem in problems}
    if "string_type" in kinds:
        fix = "quote it, if it is meant as text: a bare number or empty value is not a string"
    elif "extra_forbidden" in kinds or "missing" in kinds:
        fix = f"the keys of the file are: {', '.join(model.model_fields)}"
    else:
        fix = "mend the values named above"
    return CatalogueError("\n".join(said), fix=fix)


def _said(path: Path, problem: dict[str, Any], lines: Mapping[Place, int]) -> str:
    place: Place = tuple(part for part in problem["loc"] if part != "[key]")
    known = place
    while known and known not in lines:
        known = known[:-1]
    message = str(problem["msg"]).removeprefix("Value error, ")
    value = problem["input"]
    if not isinstance(value, dict | list) and problem["type"] != "missing" and repr(value) not in message:
        message = f"{message}, found {value!r}"
    where = ".".join(str(part) for part in place)
    return f"{path} line {lines.get(known, 1)}: {_short(f'{where}: {message}' if where else message)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else f"{line[:MAX_SHOWN]}..."
