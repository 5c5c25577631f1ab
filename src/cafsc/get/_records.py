"""What a run left in ``adata.uns``: found or refused; its summary and its provenance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cafsc._keys import Keys
from cafsc.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

RUN_AGAIN = "run cafsc.annotate again; the slots of a result are not meant to be edited"
_SUMMARY = (
    "version input cancer gate lineages n_clusters message calls tumour simulated catalogue_sha256 "
    "n_claims n_papers"
).split()


def results(adata: AnnData, key_added: str) -> Mapping[str, Any]:
    """Everything that one run left in ``uns``."""
    slot = Keys(key_added).uns
    stored = adata.uns.get(slot)
    if stored is None:
        raise InputError(
            f"the AnnData has no result in uns[{slot!r}]",
            expected=f"an AnnData annotated with key_added={key_added!r}",
            fix="run cafsc.annotate first",
        )
    if not isinstance(stored, Mapping):
        raise InputError(f"uns[{slot!r}] is a {type(stored).__name__}", expected="a result", fix=RUN_AGAIN)
    return stored


def part(adata: AnnData, key_added: str, name: str, step: str = "cafsc.annotate") -> Any:
    """One part of a result; `step` is the function that writes it."""
    stored = results(adata, key_added)
    if name not in stored:
        raise InputError(f"uns[{Keys(key_added).uns!r}] has no {name!r}", fix=f"run {step} first")
    return stored[name]


def summary(adata: AnnData, key_added: str = "caf") -> dict[str, Any]:
    """The run in numbers: input, gate, lineages, calls.

    Returns
    -------
    dict with ``version`` (str), ``input`` (dict: ``file``, ``n_cells``, ``n_genes``, ``matrix``, ``species``,
    ``identifiers``, ``findings``), ``cancer`` (code or None), ``gate`` (dict: ``kept`` in cells, ``refused`` as
    reason -> cells), ``lineages`` (lineage -> cells), ``n_clusters`` (int), ``message`` (why there is no cluster,
    or ``""``), ``calls`` (call -> cells), ``tumour`` (call -> ``share`` of the kept fibroblasts, ``low`` and
    ``high`` over resampled cells and, given several samples, ``low_samples`` and ``high_samples`` over resampled
    samples), ``simulated`` (bool), ``catalogue_sha256`` (str), ``n_claims`` and ``n_papers`` (int).

    Examples
    --------
    >>> cafsc.get.summary(adata)["gate"]["kept"]
    371
    """
    record = _record(adata, key_added, "summary")
    missing = [name for name in _SUMMARY if name not in record]
    if missing:
        raise InputError(
            f"uns[{Keys(key_added).uns!r}]['summary'] has no {', '.join(missing)}",
            expected=f"the entries {', '.join(_SUMMARY)}",
            fix=RUN_AGAIN,
        )
    return record


def provenance(adata: AnnData, key_added: str = "caf") -> dict[str, Any]:
    """How the run was made: versions, parameters, seed, hashes of the input and of the catalogue.

    Examples
    --------
    >>> cafsc.get.provenance(adata)["seed"]
    0
    """
    return _record(adata, key_added, "provenance")


def _record(adata: AnnData, key_added: str, name: str) -> dict[str, Any]:
    """A record that is stored as a JSON object."""
    where = f"uns[{Keys(key_added).uns!r}][{name!r}]"
    text = part(adata, key_added, name)
    try:
        record = json.loads(str(text))
    except ValueError as error:
        raise InputError(f"{where} is not JSON: {error}", fix=RUN_AGAIN) from error
    if not isinstance(record, dict):
        raise InputError(f"{where} holds a {type(record).__name__}", expected="a JSON object", fix=RUN_AGAIN)
    return record
