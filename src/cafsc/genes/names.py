"""Taking a gene name apart: genome prefix, Ensembl ID, version, joined names, numbered repeats."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cafsc.sig.model import Species

_HUMAN_GENOMES = "GRCh37|GRCh38|hg19|hg38"
_MOUSE_GENOMES = "GRCm38|GRCm39|mm10|mm39"
_PREFIX = re.compile(rf"(?:(?P<human>{_HUMAN_GENOMES})|(?P<mouse>{_MOUSE_GENOMES}))_+(?=.)", re.IGNORECASE)
_ENSEMBL = re.compile(r"(?P<id>ENS(?P<mouse>MUS)?G\d{11})(?P<version>\.\d+)?(?:_PAR_Y)?")
_JOINT = re.compile(r"[|_:;]")
_REPEAT = re.compile(r"(?P<stem>.+)[-.]\d+")


@dataclass(frozen=True)
class NameParts:
    """What a gene name holds."""

    core: str
    """The name without genome prefix and, where it was joined to one, without the Ensembl ID."""
    prefix: Species | None = None
    """Species of the genome prefix (``GRCh38_``, ``mm10___``), as multi-genome references write it."""
    ensembl: str | None = None
    """Ensembl gene ID without version."""
    ensembl_species: Species | None = None
    version: bool = False
    """Whether the name was an Ensembl ID with a version."""


def is_bare(name: str) -> bool:
    """Whether there is nothing to take apart: no genome prefix, which ends in ``_``, and no Ensembl ID."""
    return "_" not in name and "ENS" not in name


def split_name(name: str) -> NameParts:
    """Take apart ``ENSG..``, ``ENSG...12``, ``ENSG..|NAME``, ``NAME_ENSG..`` and ``GRCh38_NAME``."""
    prefix: Species | None = None
    core = name
    if is_bare(name):
        return NameParts(name)
    if (match := _PREFIX.match(name)) is not None:
        prefix = "human" if match["human"] else "mouse"
        core = name[match.end() :]
    if "ENS" not in core:
        return NameParts(core, prefix)
    whole = _ENSEMBL.fullmatch(core)
    if whole is not None:
        return NameParts(
            core, prefix, whole["id"], "mouse" if whole["mouse"] else "human", whole["version"] is not None
        )
    pieces = [piece for piece in _JOINT.split(core) if piece]
    for position, piece in enumerate(pieces):
        found = _ENSEMBL.fullmatch(piece)
        if found is not None:
            others = pieces[:position] + pieces[position + 1 :]
            symbol = next((other for other in others if not _ENSEMBL.fullmatch(other)), core)
            return NameParts(symbol, prefix, found["id"], "mouse" if found["mouse"] else "human")
    return NameParts(core, prefix)


def without_repeat(name: str) -> str | None:
    """``name`` without the ``-1`` or ``.1`` that tools append to repeated names; None if it has none."""
    match = _REPEAT.fullmatch(name)
    return match["stem"] if match else None
