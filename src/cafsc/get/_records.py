"""The two records of a run: its summary and its provenance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from cafsc._keys import Keys
from cafsc.errors import InputError
from cafsc.get._slots import RUN_AGAIN, part

if TYPE_CHECKING:
    from anndata import AnnData

SUMMARY = (
    "version",
    "input",
    "cancer",
    "gate",
    "lineages",
    "n_clusters",
    "message",
    "calls",
    "tumour",
    "simulated",
    "catalogue_sha256",
    "n_claims",
    "n_papers",
)


def summary(adata: AnnData, key_added: str = "caf") -> dict[str, Any]:
    """The run in numbers: input, gate, lineages, calls.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    key_added
        The ``key_added`` of that run.

    Returns
    -------
    dict with ``version`` (str), ``input`` (dict: ``file``, ``n_cells``, ``n_genes``, ``matrix``, ``species``,
    ``identifiers``, ``findings``), ``cancer`` (code or None), ``gate`` (dict: ``kept`` in cells, ``refused``
    as reason -> cells), ``lineages`` (lineage -> cells), ``n_clusters`` (int), ``message`` (why there is no
    cluster, or ``""``), ``calls`` (call -> cells), ``tumour`` (call -> ``share`` of
    the kept fibroblasts, ``low`` and ``high`` over resampled cells and, given several samples, ``low_samples`` and
    ``high_samples`` over resampled samples), ``simulated`` (bool), ``catalogue_sha256`` (str),
    ``n_claims`` and ``n_papers`` (int).

    Raises
    ------
    cafsc.InputError
        The AnnData holds no result under ``key_added``, or one that cannot be read.
    """
    record = _record(adata, key_added, "summary")
    missing = [name for name in SUMMARY if name not in record]
    if missing:
        raise InputError(
            f"uns[{Keys(key_added).uns!r}]['summary'] has no {', '.join(missing)}",
            expected=f"the entries {', '.join(SUMMARY)}",
            fix=RUN_AGAIN,
        )
    return record


def provenance(adata: AnnData, key_added: str = "caf") -> dict[str, Any]:
    """How the run was made: versions, parameters, seed, hashes of the input and of the catalogue.

    Parameters
    ----------
    adata
        AnnData that :func:`cafsc.annotate` has been run on.
    key_added
        The ``key_added`` of that run.

    Returns
    -------
    dict, as recorded.

    Raises
    ------
    cafsc.InputError
        The AnnData holds no result under ``key_added``, or one that cannot be read.
    """
    return _record(adata, key_added, "provenance")


def _record(adata: AnnData, key_added: str, name: str) -> dict[str, Any]:
    text = part(adata, key_added, name)
    where = f"uns[{Keys(key_added).uns!r}][{name!r}]"
    try:
        record = json.loads(str(text))
    except ValueError as error:
        raise InputError(f"{where} is not JSON: {error}", fix=RUN_AGAIN) from error
    if not isinstance(record, dict):
        raise InputError(f"{where} holds a {type(record).__name__}", expected="a JSON object", fix=RUN_AGAIN)
    return record
