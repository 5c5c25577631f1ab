"""A run whose result is there already has nothing to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cafsc.cli.outputs import Outputs
from cafsc.cli.summary import result_lines
from cafsc.errors import UserError

if TYPE_CHECKING:
    from anndata import AnnData


class _Options(Protocol):
    def deciding(self) -> dict[str, Any]: ...


def finished_before(
    source: Path, outputs: Outputs, options: _Options
) -> tuple[list[str], dict[str, object]] | None:
    """Lines and document of an earlier run with the same input, options, catalogue and versions.

    Returns
    -------
    None where a file of it is missing, or where it was another run; nothing is written either way.
    """
    paths = outputs.all().values()
    if not all(path.is_file() for path in paths) or not (source.is_file() or source.is_dir()):
        return None
    try:
        summary = json.loads(outputs.summary.read_bytes())
        planned = _planned(source, options)
        # The summary is written first and OUT last: a run that was cut off left them from two runs.
        if not isinstance(summary, dict) or summary.pop("provenance", None) != planned:
            return None
        adata = _read_if_of(outputs.h5ad, planned)
    except (OSError, ValueError, UserError):
        return None
    if adata is None:
        return None
    from cafsc import get

    clusters = get.clusters(adata)
    rows = json.loads(clusters.to_json(orient="records", double_precision=15))
    document: dict[str, object] = {
        "summary": summary,
        "clusters": rows,
        "outputs": {name: str(path) for name, path in outputs.all().items()},
    }
    lines = result_lines(summary, clusters, outputs)
    return [*lines, "nothing to do: this very run was made before; --force makes it again"], document


def _planned(source: Path, options: _Options) -> dict[str, object]:
    from cafsc import _provenance, io

    document = _provenance.planned_provenance(**options.deciding())
    planned: dict[str, object] = json.loads(
        _provenance.dumps(_provenance.with_input(document, source.name, io.sha256(source)))
    )
    return planned


def _read_if_of(path: Path, planned: dict[str, object]) -> AnnData | None:
    """The result, if it is that of the planned run."""
    from cafsc import io
    from cafsc._keys import Keys

    adata = io.read(path, backed=None)
    block = adata.uns.get(Keys().uns, {})
    return adata if json.loads(block.get("provenance", "null")) == planned else None
