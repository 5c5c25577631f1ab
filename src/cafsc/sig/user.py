"""The user's own signature files: ``.yaml`` in one of two forms, or ``.gmt``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cafsc.errors import CatalogueError
from cafsc.sig._own_gmt import read_gmt
from cafsc.sig._own_list import OwnSignatures, from_list
from cafsc.sig.files import read_data, read_model
from cafsc.sig.model import Paper, PaperFile, Scheme, slugged

MAX_BYTES = 20 * 1024 * 1024
FEW_GENES = 5
"""A set below this many genes is named in the notes: its score is mostly dropout."""
MANY_GENES = 1000
"""A set above this many genes is named in the notes: it leaves few genes to compare with."""


def refuse_special(path: Path) -> None:
    """Refuse what is no regular file: a folder, or a pipe or device, which need not come to an end.

    Raises
    ------
    CatalogueError
        It is there, and is no regular file.
    """
    if path.is_dir():
        raise CatalogueError(f"{path}: is a folder", expected="a file", fix="name the files one by one")
    if path.exists() and not path.is_file():
        raise CatalogueError(
            f"{path}: is not a regular file but a pipe, socket or device",
            expected="a file",
            fix="save it to a file first, then give that file",
        )


@dataclass(frozen=True)
class UserFile:
    """One file of the user, in the form of a paper file, with the scheme made of its sets."""

    path: Path
    scheme_id: str
    file: PaperFile
    scheme: Scheme
    notes: tuple[str, ...]
    sources: Mapping[str, Paper] = field(default_factory=dict)
    """Source of each set, where the sets of the file do not come from one paper."""


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
    refuse_special(path)
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
    sources: Mapping[str, Paper] = {}
    if suffix == ".gmt":
        file, sources = read_gmt(path, scheme_id, notes)
    elif _is_list(path):
        file, sources = from_list(path, scheme_id, read_model(path, OwnSignatures), notes)
    else:
        file = read_model(path, PaperFile)
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
    return UserFile(path, scheme_id, file, scheme, tuple(notes), sources)


def _is_list(path: Path) -> bool:
    data = read_data(path, "a mapping with the key signatures, or with paper, context, sets and claims")
    return isinstance(data, dict) and "signatures" in data and "paper" not in data


def _size_notes(path: Path, file: PaperFile) -> list[str]:
    notes = []
    for name, entry in file.sets.items():
        n_genes = len(entry.genes)
        if not entry.levels and n_genes < FEW_GENES:
            notes.append(f"{path.name}: {name} has few genes ({n_genes}); its score is mostly dropout")
        elif n_genes > MANY_GENES:
            notes.append(f"{path.name}: {name} is large ({n_genes} genes); little background is left")
    return notes
