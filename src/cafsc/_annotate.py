"""The story of a run: the steps in their order, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from html import escape
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cafsc import _provenance, get, pp, tl
from cafsc._config import Config, ConfigLike
from cafsc._input import Input, read_input
from cafsc._keys import Keys
from cafsc._options import RunOptions, Species, documented
from cafsc._summary import outcome_findings, summarise
from cafsc.errors import OptionError
from cafsc.pp.blocks import is_backed
from cafsc.pp.check.columns import with_columns
from cafsc.pp.check.findings import by_severity
from cafsc.sig.user import OwnSignatures, WeightsLike, listed

if TYPE_CHECKING:
    from anndata import AnnData
    from distributed import Client

    from cafsc.sig.reference import ReferenceLevels

Progress = Callable[[str, int, int], None]
_STEPS = 11


@dataclass(frozen=True)
class AnnotationResult:
    """What a run found, as tables; everything is also in the slots of `adata`.

    Attributes
    ----------
    adata
        The annotated object: the one that was given, or, where the usable values were in ``.raw``, a new one.
    clusters, cells, evidence, scores, markers
        See `cafsc.get`.
    summary
        Counts, findings and the one-line message of the run.
    """

    adata: AnnData
    clusters: pd.DataFrame
    cells: pd.DataFrame
    evidence: pd.DataFrame
    scores: pd.DataFrame
    markers: pd.DataFrame
    summary: dict[str, Any]

    def _repr_html_(self) -> str:
        columns = ["cluster", "n_cells", "subtype", "support", "call", "n_pro", "n_anti", "leading"]
        table = self.clusters[columns].round(2).to_html(index=False, border=0)
        kept, refused = self.summary["gate"]["kept"], sum(self.summary["gate"]["refused"].values())
        text = self.summary["message"] or f"kept {kept:,} fibroblasts; refused {refused:,} other cells"
        return f"<p>{escape(text)}</p>{table}"

    def __repr__(self) -> str:
        return (
            f"AnnotationResult: {len(self.clusters)} fibroblast clusters, "
            f"{self.summary['gate']['kept']} of {self.adata.n_obs} cells kept, {len(self.evidence)} claims"
        )


@documented
def annotate(
    adata: AnnData | str | Path,
    *,
    cancer: str | None = None,
    species: Species = "auto",
    layer: str | None = None,
    sample_key: str | None = None,
    batch_key: str | None = None,
    cluster_key: str | None = None,
    signatures: OwnSignatures = (),
    schemes: Sequence[str] | None = None,
    weights: WeightsLike | None = None,
    resolution: float | None = None,
    umap: bool = True,
    seed: int = 0,
    key_added: str = "caf",
    config: ConfigLike | None = None,
    levels: ReferenceLevels | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
    threads: int | None = None,
) -> AnnotationResult:
    """Name the fibroblasts of a tumour and call them pro- or anti-tumour, with the papers behind each call.

    Parameters
    ----------
    adata
        Cells x genes of a whole tumour, raw counts if possible; written to in place. A path is read by
        `cafsc.io.read`.
    {options}
    levels
        Reference levels; the shipped ones if not given. A benchmark on a dataset gives levels fitted without it.
    progress
        Called with the step's name, its number and the number of steps.
    client
        Of a dask cluster: work on blocks of cells goes to its workers, which must see the file that ``X`` or the
        layer of counts lies in (``cafsc.io.read(path, backed=True)``). The result is the same.
    threads
        Accepted for one release and not used: no result depends on the number of threads.

    Returns
    -------
    AnnotationResult

    Raises
    ------
    InputError
        If the data cannot be used; says what was found and what to do.
    OptionError
        If an option names something that is not there, or a client is given for a matrix in memory.
    CatalogueError
        If a signature file breaks the rules.

    Examples
    --------
    >>> import cafsc
    >>> adata = cafsc.data.simulated_tumour()
    >>> result = cafsc.annotate(adata, cancer="breast")  # doctest: +SKIP
    >>> result.clusters[["cluster", "subtype", "call"]]  # doctest: +SKIP
    """
    options = RunOptions(
        cancer=cancer,
        species=species,
        layer=layer,
        sample_key=sample_key,
        batch_key=batch_key,
        cluster_key=cluster_key,
        signatures=listed(signatures),
        schemes=None if schemes is None else tuple(schemes),
        weights=weights,
        resolution=resolution,
        umap=umap,
        seed=seed,
        key_added=key_added,
        config=config,
    )
    given = read_input(Path(adata)) if isinstance(adata, str | Path) else Input(adata)
    return run(given, options, levels=levels, progress=progress, client=client)


def run(
    given: Input,
    options: RunOptions,
    *,
    levels: ReferenceLevels | None = None,
    progress: Progress | None = None,
    client: Client | None = None,
) -> AnnotationResult:
    """Run every step on an input; see `annotate`."""
    catalogue, options = _provenance.settle(options)
    adata, config, seed, key_added = given.adata, Config.of(options.config), options.seed, options.key_added
    keys, numbers = Keys(key_added), count(1)
    shared: dict[str, Any] = {"catalogue": catalogue, "key_added": key_added}

    def step(name: str) -> None:
        if progress is not None:
            progress(name, next(numbers), _STEPS)

    with nullcontext() if client is None else client.as_current():
        step("check")
        report = pp.check(adata, layer=options.layer, species=options.species)
        report.raise_for_errors()
        schemes = catalogue.schemes if options.schemes is None else options.schemes
        report = with_columns(report, adata, options.columns(), config.label.min_cells, key_added, schemes)
        if report.use == "raw":
            adata = _from_raw(adata)
            report = pp.check(adata, species=options.species).with_findings(report.findings)
        if client is not None:
            _require_file(adata, report)
        step("normalise")
        pp.normalize(adata, report, key_added=key_added)
        pp.qc(adata, key_added=key_added, config=config.qc)
        step("cluster the tissue")
        mapped: dict[str, Any] = {"batch_key": options.batch_key, "map_cells": options.umap, "seed": seed}
        pp.cluster(adata, key_added=key_added, config=config.gate.components, **mapped)
        step("gate lineages")
        tl.gate(adata, levels=levels, config=config.gate, seed=seed, **shared)
        step("score the catalogue")
        tl.score(adata, levels=levels, config=config.score, **mapped, **shared)
        step("name states")
        tl.label(
            adata,
            levels=levels,
            schemes=options.schemes,
            cluster_key=options.cluster_key,
            config=config.label,
            score_config=config.score,
            marker_config=config.markers,
            seed=seed,
            **shared,
        )
        step("find markers")
        tl.markers(adata, key_added=key_added)
        tl.second_opinion(adata, seed=seed, **shared)
        step("score programmes")
        tl.programs(adata, config=config.score, **shared)
        step("calibrate")
        tl.calibrate(adata, **shared)
        step("weigh the claims")
        tl.verdict(
            adata,
            cancer=options.cancer,
            config=config.verdict,
            marker_config=config.markers,
            seed=seed,
            **shared,
        )
        step("summarise")
    findings = by_severity([*given.findings, *report.findings, *outcome_findings(adata, catalogue, keys)])
    summary = summarise(adata, report.with_findings(findings), catalogue, options, keys, given.file)
    slot = adata.uns[keys.uns]
    slot["summary"] = json.dumps(summary, sort_keys=True, allow_nan=False)
    slot["provenance"] = _provenance.dumps(_provenance.of_run(options, catalogue, given.file, given.sha256))
    names = ("clusters", "cells", "evidence", "scores", "markers", "summary")
    return AnnotationResult(adata, **{name: getattr(get, name)(adata, key_added) for name in names})


def _require_file(adata: AnnData, report: pp.CheckReport) -> None:
    """Refuse a cluster for values that its workers cannot reach."""
    used = adata.X if report.use == "X" else adata.layers[report.use.removeprefix("layer:")]
    if not is_backed(used):
        raise OptionError(
            f"a cluster is given, and {report.use} is in memory",
            expected="a matrix in a file that the workers can open",
            fix="read it with cafsc.io.read(path, backed=True), or leave the client out",
        )


def _from_raw(adata: AnnData) -> AnnData:
    """The values of ``.raw`` with the cells' annotation; the check has told the user."""
    if is_backed(adata.raw.X):
        from anndata import AnnData

        obsm, obsp = dict(adata.obsm), dict(adata.obsp)
        out = AnnData(adata.raw.X, adata.obs.copy(), adata.raw.var.copy(), obsm=obsm, obsp=obsp)
    else:
        out = adata.raw.to_adata()
    out.uns = dict(adata.uns)
    return out
