"""Check what a dataset holds before anything is computed from it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import sparse

from cafsc import genes
from cafsc._keys import COUNTS_LAYER
from cafsc.errors import InputError, OptionError
from cafsc.pp.blocks import is_backed
from cafsc.pp.check.findings import SEVERITIES, Finding, error, note, warning
from cafsc.pp.check.matrix_kind import COUNT_KINDS, MatrixKind, MatrixStats, matrix_kind, matrix_stats
from cafsc.pp.check.names import cell_findings, choose_gene_names, gene_findings, looks_transposed
from cafsc.pp.check.panel import panel_findings
from cafsc.pp.check.values import (
    copy_findings,
    depth_findings,
    kind_findings,
    mitochondrial_findings,
    size_findings,
    value_errors,
)

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

SpeciesOption = Literal["auto", "human", "mouse"]

_KIND_WORDS: dict[MatrixKind, str] = {
    "counts": "raw counts",
    "corrected_counts": "counts with fractions",
    "log1p": "log-normalised values",
    "log2": "log2-normalised values",
    "log10": "log10-normalised values",
    "log1p_twice": "values logged twice",
    "normalized": "normalised values that are not logged",
    "scaled": "scaled values",
    "empty": "nothing but zeros",
    "unknown": "values of an unknown kind",
}


@dataclass(frozen=True)
class CheckReport:
    """What a check found, and which matrix and names the later steps shall use."""

    findings: tuple[Finding, ...]
    """Errors first, then warnings, then notes."""
    matrix: MatrixKind
    """What the matrix in use holds."""
    use: str
    """``X``, ``raw`` or ``layer:<name>``: where that matrix is."""
    gene_names: str
    """``var_names``, or the column of ``var`` (of ``raw.var`` where `use` is ``raw``) with the symbols."""
    species: str | None
    """``human`` or ``mouse``; None where the names do not tell."""
    identifiers: str
    """``symbol``, ``ensembl``, ``mixed`` or ``unknown``."""
    n_obs: int
    n_vars: int
    """Cells and genes of the matrix in use."""
    source: str

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that make the dataset unusable."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that a user has to know of."""
        return tuple(finding for finding in self.findings if finding.severity == "warning")

    def raise_for_errors(self) -> None:
        """Raise one `InputError` that names the source and every error found.

        Raises
        ------
        InputError
            There is at least one finding of severity ``error``.
        """
        errors = self.errors
        if not errors:
            return
        shown = [f"{error.message}{_such_as(error)}" for error in errors[:3]]
        if len(errors) > 3:
            shown.append(f"and {len(errors) - 3} more: {', '.join(error.code for error in errors[3:])}")
        fixes = list(dict.fromkeys(error.fix for error in errors if error.fix))
        raise InputError(f"{self.source}: " + "\n  ".join(shown), fix="; ".join(fixes[:2]))

    def with_findings(self, findings: tuple[Finding, ...]) -> CheckReport:
        """The same report, with other findings: those of the object that these values were taken from."""
        return replace(self, findings=findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain form for JSON."""
        return {
            "source": self.source,
            "n_obs": self.n_obs,
            "n_vars": self.n_vars,
            "matrix": self.matrix,
            "use": self.use,
            "gene_names": self.gene_names,
            "species": self.species,
            "identifiers": self.identifiers,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def to_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.to_dict(), indent=1)


def _such_as(finding: Finding) -> str:
    return f" (such as {', '.join(finding.examples)})" if finding.examples else ""


@dataclass(frozen=True)
class _Candidate:
    """A matrix that could be used."""

    use: str
    matrix: Any
    kind: MatrixKind
    stats: MatrixStats
    var: pd.DataFrame

    @property
    def is_counts(self) -> bool:
        return (
            self.kind in COUNT_KINDS and not self.stats.n_negative and not self.stats.n_nan + self.stats.n_inf
        )

    @property
    def words(self) -> str:
        return ".raw" if self.use == "raw" else self.use.replace("layer:", "layer ")


def _numeric(matrix: Any) -> bool:
    return getattr(matrix, "dtype", np.dtype(object)).kind in "biuf"


def _candidate(use: str, matrix: Any, var: pd.DataFrame, source: str) -> _Candidate:
    if not (sparse.issparse(matrix) or isinstance(matrix, np.ndarray) or is_backed(matrix)):
        raise InputError(
            f"{source}: {use} is of a kind that is not read ({type(matrix).__name__})",
            expected="a numpy array, a scipy sparse matrix, or a dask array of one of them",
            fix="load it: adata = adata.to_memory(), or open its file with cafsc.io.read(path, backed=True)",
        )
    if not _numeric(matrix):
        raise InputError(
            f"{source}: {use} has dtype {matrix.dtype}, which is not numeric",
            expected="counts, as integers or floats",
            fix="convert the matrix to numbers, and write the file again",
        )
    stats = matrix_stats(matrix)
    return _Candidate(use, matrix, matrix_kind(matrix, stats), stats, var)


def _raw(adata: AnnData, source: str) -> _Candidate | None:
    if adata.raw is None or not _numeric(adata.raw.X) or 0 in adata.raw.shape:
        return None
    return _candidate("raw", adata.raw.X, adata.raw.var, source)


def _named_layer(adata: AnnData, layer: str, source: str) -> _Candidate:
    if layer not in adata.layers:
        have = ", ".join(sorted(adata.layers)) or "none"
        raise OptionError(
            f"{source}: has no layer {layer!r}", expected=f"one of the layers: {have}", fix="check --layer"
        )
    return _candidate(f"layer:{layer}", adata.layers[layer], adata.var, source)


def _choose(adata: AnnData, layer: str | None, source: str) -> tuple[_Candidate, list[Finding]]:
    """The matrix to use, and what has to be said about the choice."""
    if layer is not None:
        return _named_layer(adata, layer, source), []
    counts = _named_layer(adata, COUNTS_LAYER, source) if COUNTS_LAYER in adata.layers else None
    if adata.X is None:
        found = counts or _raw(adata, source)
        if found is None:
            raise InputError(
                f"{source}: has no matrix: X is empty, and there is neither layers['counts'] nor .raw",
                expected="counts in X",
                fix="put the counts into X, or name their layer with --layer",
            )
        return found, [note("no_x", f"there is no X; {found.words} is used")]
    main = _candidate("X", adata.X, adata.var, source)
    if main.is_counts:
        return main, []
    if counts is not None and counts.is_counts:
        text = f"X holds {_KIND_WORDS[main.kind]}; the counts in layer counts are used"
        return counts, [note("counts_in_layer", text)]
    raw = _raw(adata, source)
    if raw is not None and _better(raw, main):
        text = f"X holds {_KIND_WORDS[main.kind]}; .raw is used instead, which holds {_KIND_WORDS[raw.kind]}"
        fix = "put the matrix that you want used into X, or name a layer with --layer"
        return raw, [warning("raw_used", text, fix=fix)]
    return main, []


def _better(raw: _Candidate, main: _Candidate) -> bool:
    if raw.kind in ("scaled", "empty", "unknown") or raw.stats.n_nan + raw.stats.n_inf:
        return False
    return main.kind in ("scaled", "unknown") or raw.is_counts or raw.matrix.shape[1] > main.matrix.shape[1]


def check(
    adata: AnnData, layer: str | None = None, species: SpeciesOption = "auto", source: str = "the AnnData"
) -> CheckReport:
    """Find out what a dataset holds and everything that is wrong with it.

    Parameters
    ----------
    adata
        Cells x genes. It is not changed.
    layer
        Layer to use; None for ``X``, or, where ``X`` does not hold counts, ``layers["counts"]`` or ``.raw``
        if that is better. That choice is always reported.
    species
        ``human`` or ``mouse`` if known.
    source
        How messages name the dataset; the file's name.

    Returns
    -------
    CheckReport with all findings at once. Nothing is raised for what is found:
    call `CheckReport.raise_for_errors`.

    Raises
    ------
    InputError
        There is no matrix, or it is not numeric, or of a kind that is not read.
    OptionError
        The layer or the species is unknown.

    Notes
    -----
    Repeated names of cells and genes are reported and left as they are.
    """
    if species not in ("auto", "human", "mouse"):
        raise OptionError(f"species={species!r}", expected="auto, human or mouse", fix="check --species")
    if 0 in adata.shape:
        sizes = tuple(size_findings(adata.n_obs, adata.n_vars))
        return CheckReport(
            sizes, "empty", "X", "var_names", None, "unknown", adata.n_obs, adata.n_vars, source
        )
    chosen, found = _choose(adata, layer, source)
    n_obs, n_vars = chosen.matrix.shape
    stats, kind = chosen.stats, chosen.kind
    found += size_findings(n_obs, n_vars) + value_errors(stats, kind) + kind_findings(stats, kind)
    found += depth_findings(stats, kind) + copy_findings(stats)

    named = choose_gene_names(chosen.var)
    found += mitochondrial_findings(chosen.matrix, named.names, stats, kind)
    used_species = named.identifiers.species if species == "auto" else species
    found += named.findings
    if looks_transposed(adata.obs_names, named.identifiers.share):
        text = "the matrix is transposed: its rows (obs) are genes and its columns (var) are cells"
        found.append(error("transposed", text, n_obs, adata.obs_names, "give it with cells as rows: adata.T"))
    else:
        table = genes.symbols(named.names, used_species) if used_species is not None else None
        found += gene_findings(named, species, used_species, table)
        if table is not None and used_species is not None:
            found += panel_findings(table, used_species, named.identifiers.share)
    found += cell_findings([str(name) for name in adata.obs_names])
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return CheckReport(
        findings=tuple(found),
        matrix=kind,
        use=chosen.use,
        gene_names=named.column,
        species=used_species,
        identifiers=named.identifiers.kind,
        n_obs=n_obs,
        n_vars=n_vars,
        source=source,
    )
