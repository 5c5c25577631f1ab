"""The user's own signature files: ``.yaml`` in the form of a paper file, or ``.gmt``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from cafsc._errors import CatalogueError
from cafsc.sig.files import read_model, read_text
from cafsc.sig.model import Context, GeneSet, Paper, PaperFile, Scheme, Species

MAX_BYTES = 20 * 1024 * 1024
FEW_GENES = 5
"""A set below this many genes is named in the notes: its score is mostly dropout."""
MANY_GENES = 1000
"""A set above this many genes is named in the notes: it leaves few genes to compare with."""

_DOI = re.compile(r"10\.\d{4,9}/[-._;()/:a-z0-9]*[a-z0-9]")
_MOUSE = re.compile(r"[A-Z][a-z0-9-]*[a-z][a-z0-9-]*")
_NOT_SLUG = re.compile(r"[^A-Za-z0-9_+.-]+")


class OwnPaper(Paper):
    """Stands where the paper of a set would, for sets that a user brings without one."""

    year: int = 0

    def _opens(self) -> OwnPaper:  # type: ignore[override]
        return self

    @property
    def citation(self) -> str:
        """Says plainly that there is no paper."""
        return f"own file {self.title}"

    @property
    def link(self) -> str:
        """Where the DOI of the file opens, if it names one; else empty."""
        return f"https://doi.org/{self.doi}" if self.doi else ""


@dataclass(frozen=True)
class UserFile:
    """One file of the user, in the form of a paper file, with the scheme made of its sets."""

    path: Path
    scheme_id: str
    file: PaperFile
    scheme: Scheme
    notes: tuple[str, ...]


def slugged(name: str) -> str:
    """``name`` as an id: other characters become ``-``; may be empty."""
    return _NOT_SLUG.sub("-", name).strip("-._+")


def read_user_file(path: Path) -> UserFile:
    """Read a file of the user.

    Raises
    ------
    CatalogueError
        If the file is missing, too large, of another kind, breaks the schema, or holds no usable set.
    """
    suffix = path.suffix.lower()
    if suffix not in (".yaml", ".yml", ".gmt"):
        raise CatalogueError(
            f"{path}: not a signature file", expected=".yaml, .yml or .gmt", fix="convert or rename the file"
        )
    if path.is_dir():
        raise CatalogueError(f"{path}: is a folder", expected="a file", fix="name the files one by one")
    if path.exists() and path.stat().st_size > MAX_BYTES:
        raise CatalogueError(
            f"{path}: {path.stat().st_size / 2**20:.0f} MiB is too large for a signature file",
            expected=f"at most {MAX_BYTES // 2**20} MiB",
            fix="keep only the sets you need",
        )
    scheme_id = slugged(path.stem)
    if not scheme_id:
        raise CatalogueError(f"{path}: the file name gives no id", fix="use letters or digits in the name")
    notes: list[str] = []
    file = _from_gmt(path, scheme_id, notes) if suffix == ".gmt" else read_model(path, PaperFile)
    if not file.sets:
        raise CatalogueError(f"{path}: no signatures in it", expected="at least one set with genes")
    notes += _size_notes(path, file)
    only_levels = all(entry.levels and not (entry.up or entry.down) for entry in file.sets.values())
    scheme = Scheme(
        label=path.stem,
        paper=file.paper.key,
        method="levels" if only_levels else "scores",
        members=[f"{file.paper.key}/{name}" for name in file.sets],
        note="sets of the user",
    )
    return UserFile(path, scheme_id, file, scheme, tuple(notes))


def _from_gmt(path: Path, key: str, notes: list[str]) -> PaperFile:
    sets: dict[str, GeneSet] = {}
    species: list[Species] = []
    dois: set[str] = set()
    lines = read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        fields = [part.strip() for part in line.split("\t")]
        name, where = slugged(fields[0]), f"{path} line {number}"
        if not name:
            raise CatalogueError(f"{where}: the set has no usable name", expected="letters or digits")
        if name in sets:
            raise CatalogueError(
                f"{where}: duplicate set {name!r}", expected="every name once", fix="rename or remove one"
            )
        if len(fields) < 3:
            raise CatalogueError(
                f"{where}: {len(fields)} column(s)",
                expected="name, description and genes, separated by tabs",
                fix="save the file as tab-separated text",
            )
        printed = [gene for gene in fields[2:] if gene]
        genes = list(dict.fromkeys(printed))
        if not genes:
            notes.append(f"{path.name}: {name} holds no genes and is left out")
            continue
        if len(genes) < len(printed):
            notes.append(
                f"{path.name}: {name} names {len(printed) - len(genes)} gene(s) twice; each counts once"
            )
        found = _DOI.search(fields[1].lower())
        if found:
            dois.add(found.group())
        species.append(_species_of(genes))
        sets[name] = _gene_set(where, fields, genes, species[-1])
    # Every part is checked already; checking the whole would ask the user's file for a paper.
    return PaperFile.model_construct(
        paper=_own_paper(path, key, dois),
        context=Context(species=sorted(set(species)) or ["human"]),
        sets=sets,
        claims=[],
    )


def _gene_set(where: str, fields: list[str], genes: list[str], species: Species) -> GeneSet:
    try:
        return GeneSet(
            label=fields[0],
            species=species,
            up=genes,
            derivation=fields[1] or "not said",
            seen_in=where,
            verified="listed",
        )
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        message = str(problem["msg"]).removeprefix("Value error, ")
        raise CatalogueError(
            f"{where}: {fields[0]!r}: {message[:200]}",
            expected="gene symbols or Ensembl IDs, one a column",
            fix="correct the line",
        ) from None


def _own_paper(path: Path, key: str, dois: set[str]) -> Paper:
    return OwnPaper(
        key=key,
        first_author="own file",
        journal="",
        title=path.name,
        doi=dois.pop() if len(dois) == 1 else None,
        verified="listed",
    )


def _species_of(genes: list[str]) -> Species:
    """Mouse symbols are written Xxxx, human ones XXXX; Ensembl mouse genes start with ENSMUSG."""
    mouse = sum(bool(_MOUSE.fullmatch(gene)) or gene.startswith("ENSMUSG") for gene in genes)
    return "mouse" if mouse * 2 > len(genes) else "human"


def _size_notes(path: Path, file: PaperFile) -> list[str]:
    notes = []
    for name, entry in file.sets.items():
        n_genes = len(entry.genes)
        if not entry.levels and n_genes < FEW_GENES:
            notes.append(f"{path.name}: {name} has few genes ({n_genes}); its score is mostly dropout")
        elif n_genes > MANY_GENES:
            notes.append(f"{path.name}: {name} is large ({n_genes} genes); little background is left")
    return notes
