"""The data of a run: an AnnData, with the file behind it where there is one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cafsc import io
from cafsc.io.files import unchanged
from cafsc.pp.check.findings import Finding, warning

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True)
class Input:
    """Cells x genes, the name and hash of the file, and what was left out in reading it."""

    adata: AnnData
    file: str | None = None
    sha256: str | None = None
    findings: tuple[Finding, ...] = ()


def read_input(path: Path, *, backed: bool | None = None, hashed: bool = True) -> Input:
    """Read a file. Parts that cannot be read become findings, where `cafsc.io.read` warns of them."""
    with unchanged(path), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        adata = io.read(path, backed=backed)
        sha256 = io.sha256(path) if hashed else None
    texts = [str(item.message).removeprefix(f"{path}: ") for item in said if item.category is UserWarning]
    findings = tuple(warning("skipped_part", text) for text in dict.fromkeys(texts))
    return Input(adata, path.name, sha256, findings)
