"""The story of a run: the steps in their order, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cafsc import _provenance, genes, get, pp, sig, tl
from cafsc._config import AnnotateConfig
from cafsc._errors import OptionError
from cafsc._keys import KEPT, Keys
from cafsc._summary import summarise, tumour_shares
from cafsc._threads import limit_threads
from cafsc.pp.columns import column_findings
from cafsc.pp.findings import SEVERITIES, Finding, warning
from cafsc.pp.normalize import symbol_columns
from cafsc.pp.outcome import fibroblast_findings, own_set_findings, quality_findings
from cafsc.sig.weights import WeightsLike, own_weights

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.pp import CheckReport
    from cafsc.sig import Catalogue
    from cafsc.sig.reference import ReferenceLevels

Progress = Callable[[str, int, int], None]
_STEPS = 10


@dataclass(frozen=True)
class AnnotationResult:
    """What a run found, as tables; everything is also in the slots of `adata`.

    Attributes
    ----------
    adata
        The annotated object: the one that was given, or, where the usable values were in ``.raw``, a new one.
    clusters, cells, evidence, scores
        See `cafsc.get`.
    summary
        Counts, findings and the one-line message of the run.
    """

    adata: AnnData
    clusters: pd.DataFrame
    cells: pd.DataFrame
    evidence: pd.DataFrame
    scores: pd.DataFrame
    summary: dict[str, Any]

    def _repr_html_(self) -> str:
        columns = ["cluster", "n_cells", "subtype", "support", "call", "n_pro", "n_anti", "leading"]
        table = self.clusters[columns].round(2).to_html(index=False, border=0)
        gate = self.summary["gate"]
        refused = sum(gate["refused"].values())
        text = (
            self.summary["message"] or f"kept {gate['kept']:,} fibroblasts; refused {refused:,} other cells"
        )
        return f"<p>{escape(text)}</p>{table}"

    def __repr__(self) -> str:
        return (
            f"AnnotationResult: {len(self.clusters)} fibroblast clusters, "
            f"{self.summary['gate']['kept']} of {self.adata.n_obs} cells kept, {len(self.evidence)} claims"
        )


def annotate(
    adata: AnnData,
    *,
    cancer: str | None = None,
    species: str = "auto",
    layer: str | None = None,
    sample_key: str | None = None,
    batch_key: str | None = None,
    cluster_key: str | None = None,
    signatures: Sequence[str | Path] = (),
    schemes: Sequence[str] | None = None,
    weights: WeightsLike | None = None,
    resolution: float | None = None,
    seed: int = 0,
    threads: int | None = None,
    key_added: str = "caf",
    config: AnnotateConfig | None = None,
    levels: ReferenceLevels | None = None,
    progress: Progress | None = None,
) -> AnnotationResult:
    """Name the fibroblasts of a tumour and call them pro- or anti-tumour, with the papers behind each call.

    Parameters
    ----------
    adata
        Cells x genes of a whole tumour, raw counts if possible. Written to in place.
    cancer
        Name or code (``breast``, ``PDAC``, ...); claims about it weigh more.
    species
        ``auto``, ``human`` or ``mouse``.
    layer
        Layer with the counts; None lets `cafsc.pp.check` choose, and say so.
    sample_key
        ``obs`` column of samples; the summary then counts states in each.
    batch_key
        ``obs`` column of batches; genes are centred within each before neighbours are found.
    cluster_key
        ``obs`` column with your clusters, to be named instead of ours.
    signatures
        Files with sets of your own, beside the catalogue.
    schemes
        Published schemes to name clusters in; all if None.
    weights
        Weights of claims in place of those of ``signatures/weights.yaml``: a file, or a mapping such as
        ``{"evidence": {"in_vitro": 0.3}}``. What is not named stays.
    resolution
        Leiden resolution among the fibroblasts of one state; None for the default of the configuration.
    seed
        Seed of everything random.
    threads
        Threads for linear algebra; the result does not depend on it.
    key_added
        Prefix of all slots.
    config
        Every threshold of every step.
    levels
        Reference levels; the shipped ones if not given. A benchmark on a dataset gives levels fitted without it.
    progress
        Called with the step's name, its number and the number of steps.

    Returns
    -------
    AnnotationResult

    Raises
    ------
    InputError
        If the data cannot be used; says what was found and what to do.
    OptionError
        If an option names something that is not there.
    CatalogueError
        If a signature file breaks the rules.
    """
    keys = Keys(key_added)
    catalogue, code, config = _settle(signatures, weights, cancer, config, resolution)
    provenance = _provenance_of(
        catalogue,
        code,
        config,
        species,
        layer,
        sample_key,
        batch_key,
        cluster_key,
        signatures,
        schemes,
        seed,
        key_added,
    )
    step = _stepper(progress)
    with limit_threads(threads):
        step("check")
        report = pp.check(adata, layer=layer, species=_species(species))
        report.raise_for_errors()
        report = with_columns(
            report,
            adata,
            {"sample_key": sample_key, "batch_key": batch_key, "cluster_key": cluster_key},
            config.label.min_cells,
            key_added,
        )
        if report.use == "raw":
            adata = _from_raw(adata)
            report = pp.check(adata, species=_species(species)).with_findings(report.findings)
        step("normalise")
        pp.normalize(adata, report, key_added=key_added, config=config.normalize)
        pp.qc(adata, key_added=key_added, config=config.qc)
        step("cluster the tissue")
        pp.cluster(adata, batch_key=batch_key, key_added=key_added, config=config.gate.components, seed=seed)
        step("gate lineages")
        tl.gate(adata, catalogue=catalogue, levels=levels, key_added=key_added, config=config.gate, seed=seed)
        step("score the catalogue")
        tl.score(
            adata,
            catalogue=catalogue,
            levels=levels,
            batch_key=batch_key,
            key_added=key_added,
            config=config.score,
        )
        step("name states")
        tl.label(
            adata,
            catalogue=catalogue,
            levels=levels,
            schemes=schemes,
            cluster_key=cluster_key,
            key_added=key_added,
            config=config.label,
            score_config=config.score,
            marker_config=config.markers,
            seed=seed,
        )
        step("score programmes")
        tl.programs(adata, catalogue=catalogue, key_added=key_added, config=config.score)
        step("calibrate")
        tl.calibrate(adata, catalogue=catalogue, key_added=key_added, config=config.score, seed=seed)
        step("weigh the claims")
        tl.verdict(
            adata,
            cancer=code,
            catalogue=catalogue,
            key_added=key_added,
            config=config.verdict,
            marker_config=config.markers,
            seed=seed,
        )
        step("summarise")
    report = report.with_findings(_by_severity([*report.findings, *_outcome(adata, catalogue, keys)]))
    summary = summarise(adata, report, catalogue, code, sample_key, keys)
    summary["tumour"] = tumour_shares(adata, sample_key, keys, config.verdict.n_resamples, seed)
    slot = adata.uns[keys.uns]
    slot["summary"] = json.dumps(summary, sort_keys=True, allow_nan=False)
    slot["provenance"] = _provenance.dumps(provenance)
    return AnnotationResult(
        adata,
        get.clusters(adata, key_added),
        get.cells(adata, key_added),
        get.evidence(adata, key_added),
        get.scores(adata, key_added),
        get.summary(adata, key_added),
    )


def _settle(
    signatures: Sequence[str | Path],
    weights: WeightsLike | None,
    cancer: str | None,
    config: AnnotateConfig | None,
    resolution: float | None,
) -> tuple[Catalogue, str | None, AnnotateConfig]:
    """The catalogue with the user's files and weights, the cancer's code, and every threshold."""
    config = config or AnnotateConfig()
    if resolution is not None:
        config = config.model_copy(
            update={"label": config.label.model_copy(update={"resolution": _positive(resolution)})}
        )
    catalogue = sig.load(*signatures)
    if weights is not None:
        catalogue = replace(catalogue, weights=own_weights(catalogue.weights, weights))
    return catalogue, catalogue.cancer(cancer) if cancer is not None else None, config


def _provenance_of(
    catalogue: Catalogue,
    cancer: str | None,
    config: AnnotateConfig,
    species: str,
    layer: str | None,
    sample_key: str | None,
    batch_key: str | None,
    cluster_key: str | None,
    signatures: Sequence[str | Path],
    schemes: Sequence[str] | None,
    seed: int,
    key_added: str = "caf",
) -> dict[str, object]:
    """All that decides a result but for the data."""
    return _provenance.provenance(
        {
            "cancer": cancer,
            "species": species,
            "layer": layer,
            "sample_key": sample_key,
            "batch_key": batch_key,
            "cluster_key": cluster_key,
            "signatures": [Path(path) for path in signatures],
            "schemes": list(schemes) if schemes is not None else None,
            "weights": catalogue.weights.model_dump(exclude={"why"}),
            "seed": seed,
            "key_added": key_added,
            "config": config,
        },
        catalogue_sha256=catalogue.sha256,
    )


def planned_provenance(
    *,
    cancer: str | None,
    species: str,
    layer: str | None,
    sample_key: str | None,
    batch_key: str | None,
    cluster_key: str | None,
    signatures: Sequence[str | Path],
    schemes: Sequence[str] | None,
    weights: WeightsLike | None,
    resolution: float | None,
    seed: int,
) -> dict[str, object]:
    """The provenance that `annotate` would write with these options, before anything is computed."""
    catalogue, code, config = _settle(signatures, weights, cancer, None, resolution)
    return _provenance_of(
        catalogue, code, config, species, layer, sample_key, batch_key, cluster_key, signatures, schemes, seed
    )


def _stepper(progress: Progress | None) -> Callable[[str], None]:
    done = 0

    def step(name: str) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(name, done, _STEPS)

    return step


def _positive(resolution: float) -> float:
    if not 0 < resolution < float("inf"):
        raise OptionError(f"resolution {resolution}", expected="a number above 0", fix="use 0.5, say")
    return resolution


def _species(species: str) -> Any:
    if species not in ("auto", "human", "mouse"):
        raise OptionError(f"species {species!r}", expected="auto, human or mouse", fix="use one of these")
    return species


def _check_columns(adata: AnnData, named: dict[str, str | None]) -> None:
    for option, column in named.items():
        if column is not None and column not in adata.obs:
            raise OptionError(
                f"{option} {column!r}: obs has no such column",
                expected=f"one of {', '.join(map(str, adata.obs.columns)) or 'no column at all'}",
                fix="name an existing column, or leave the option out",
            )


def with_columns(
    report: CheckReport, adata: AnnData, named: dict[str, str | None], min_cells: int, key_added: str = "caf"
) -> CheckReport:
    """The report with what is odd about the columns that a run is told to use; raises if they are of no use."""
    _check_columns(adata, named)
    more = column_findings(adata, named, min_cells=min_cells, key_added=key_added)
    report = report.with_findings(_by_severity([*report.findings, *more]))
    report.raise_for_errors()
    return report


def _by_severity(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity)))


def _outcome(adata: AnnData, catalogue: Catalogue, keys: Keys) -> list[Finding]:
    """What the run brought to light: poor cells, few fibroblasts, and what is odd about the user's own sets."""
    found = quality_findings(adata, key_added=keys.key_added)
    found += fibroblast_findings(int((adata.obs[keys.gate] == KEPT).sum()))
    found += [warning("own_signatures", text) for text in catalogue.notes]
    species: Any = adata.uns[keys.uns]["species"]
    own = {
        name: genes.translate(entry.definition.genes, entry.species, species)
        for name, entry in catalogue.sets.items()
        if set(entry.schemes) & set(catalogue.own_schemes)
    }
    return found + own_set_findings(own, symbol_columns(adata, key_added=keys.key_added))


def _from_raw(adata: AnnData) -> AnnData:
    """The values of ``.raw`` with the cells' annotation; the check has told the user."""
    out = adata.raw.to_adata()
    out.uns = dict(adata.uns)
    return out
