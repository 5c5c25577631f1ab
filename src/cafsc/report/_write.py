"""Put the report on disk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cafsc.io import write_text
from cafsc.report._build import build

if TYPE_CHECKING:
    from anndata import AnnData


def write(adata: AnnData, path: str | Path, force: bool = False, *, key_added: str = "caf") -> None:
    """Write the report of a run to one HTML file, whole or not at all.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    path
        File to write, ``.html``.
    force
        Replace an existing file.
    key_added
        The ``key_added`` of the run.

    Raises
    ------
    cafsc.InputError
        The AnnData holds no result under ``key_added``.
    cafsc.OutputError
        The file exists and ``force`` is false, or it cannot be written.
    """
    write_text(Path(path), build(adata, key_added), force=force)
