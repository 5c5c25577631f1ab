"""Check what a dataset holds before anything is computed from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc import genes
from cafsc._keys import COUNTS_LAYER
from cafsc.errors import InputError, OptionError
from cafsc.genes.names import state_species
from cafsc.pp.blocks import is_backed
from cafsc.pp.check import matrix as values
from cafsc.pp.check import names
from cafsc.pp.check.findings import Finding, by_severity, error, note, warning
from cafsc.pp.check.matrix import COUNT_KINDS, KIND_WORDS, MatrixKind, MatrixStats

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

SpeciesOption = Literal["auto", "human", "mouse"]


@dataclass(frozen=True)
class CheckReport:
    """What a check found, and which matrix and names the later steps use."""

    source: str
    n_obs: int
    n_vars: int
    """Cells and genes of the matrix in use."""
    matrix: MatrixKind = "empty"
    """What the matrix in use holds."""
    use: str = "X"
    """``X``, ``raw`` or ``layer:<name>``: where that matrix is."""
    gene_names: str = "var_names"
    """``var_names``, or the column of ``var`` (of ``raw.var`` where `use` is ``raw``) with the symbols."""
    species: str | None = None
    """``human`` or ``mouse``; None where the names do not show it."""
    identifiers: str = "unknown"
    """``symbol``, ``ensembl``, ``mixed`` or ``unknown``."""
    findings: tuple[Finding, ...] = ()
    """Errors first, then warnings, then notes."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that make the dataset unusable."""
        return tuple(item for item in self.findings if item.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Findings that a user has to know of."""
        return tuple(item for item in self.findings if item.severity == "warning")

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
        such_as = [f" (such as {', '.join(item.examples)})" if item.examples else "" for item in errors]
        shown = [item.message + more for item, more in zip(errors[:3], such_as, strict=False)]
        if len(errors) > 3:
            shown.append(f"and {len(errors) - 3} more: {', '.join(item.code for item in errors[3:])}")
        fixes = list(dict.fromkeys(item.fix for item in errors if item.fix))
        raise InputError(f"{self.source}: " + "\n  ".join(shown), fix="; ".join(fixes[:2]))

    def with_findings(self, findings: tuple[Finding, ...]) -> CheckReport:
        """The same report with other findings."""
        return replace(self, findings=findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain form for JSON."""
        return {**asdict(self), "findings": [finding.to_dict() for finding in self.findings]}

    def to_json(self) -> str:
        """The report as JSON text."""
        return json.dumps(self.to_dict(), indent=1)


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
        return self.kind in COUNT_KINDS and not self.stats.n_negative and self.stats.is_finite


def _candidate(use: str, matrix: Any, var: pd.DataFrame, source: str) -> _Candidate:
    """A matrix with what it holds."""
    if not (sparse.issparse(matrix) or isinstance(matrix, np.ndarray) or is_backed(matrix)):
        raise InputError(
            f"{source}: {use} cannot be read ({type(matrix).__name__})",
            expected="a numpy array, a scipy sparse matrix, or a dask array of one of them",
            fix="load it: adata = adata.to_memory(), or open its file with cafsc.io.read(path, backed=True)",
        )
    if matrix.dtype.kind not in "biuf":
        raise InputError(
            f"{source}: {use} has dtype {matrix.dtype}, which is not numeric",
            expected="counts, as integers or floats",
            fix="convert the matrix to numbers, and write the file again",
        )
    stats = values.matrix_stats(matrix)
    return _Candidate(use, matrix, values.matrix_kind(matrix, stats), stats, var)


def _raw(adata: AnnData, source: str) -> _Candidate | None:
    """``.raw``, if it holds numbers."""
    raw = adata.raw
    if raw is None or 0 in raw.shape or np.dtype(getattr(raw.X, "dtype", object)).kind not in "biuf":
        return None
    return _candidate("raw", raw.X, raw.var, source)


def _choose(adata: AnnData, layer: str | None, source: str) -> tuple[_Candidate, list[Finding]]:
    """The matrix to use, and what has to be said about the choice."""
    if layer is not None:
        if layer not in adata.layers:
            raise OptionError(
                f"{source}: there is no layer {layer!r}",
                expected=f"one of the layers: {', '.join(sorted(adata.layers)) or 'none'}",
                fix="check layer=",
            )
        return _candidate(f"layer:{layer}", adata.layers[layer], adata.var, source), []
    main = None if adata.X is None else _candidate("X", adata.X, adata.var, source)
    if main is not None and main.is_counts:
        return main, []
    counts = None
    if COUNTS_LAYER in adata.layers:
        counts = _candidate(f"layer:{COUNTS_LAYER}", adata.layers[COUNTS_LAYER], adata.var, source)
    if main is None:
        found = counts or _raw(adata, source)
        if found is None:
            raise InputError(
                f"{source}: has no matrix: X is empty, and there is neither layers['counts'] nor .raw",
                expected="counts in X",
                fix="put the counts into X, or name their layer with layer=",
            )
        return found, [note("no_x", f"there is no X; {'.raw' if found.use == 'raw' else found.use} is used")]
    if counts is not None and counts.is_counts:
        text = f"X holds {KIND_WORDS[main.kind]}; the counts in layer counts are used"
        return counts, [note("counts_in_layer", text)]
    raw = _raw(adata, source)
    if raw is not None and _better(raw, main):
        text = f"X holds {KIND_WORDS[main.kind]}; .raw is used instead, which holds {KIND_WORDS[raw.kind]}"
        fix = "put the matrix that you want used into X, or name a layer with layer="
        return raw, [warning("raw_used", text, fix=fix)]
    return main, []


def _better(raw: _Candidate, main: _Candidate) -> bool:
    """Whether ``.raw`` serves better than an X without counts."""
    if raw.kind in ("scaled", "empty", "unknown") or not raw.stats.is_finite:
        return False
    return main.kind in ("scaled", "unknown") or raw.is_counts or raw.matrix.shape[1] > main.matrix.shape[1]


def _species_in_use(
    chosen: _Candidate, named: names.GeneNames, species: SpeciesOption
) -> tuple[str | None, NDArray[np.bool_]]:
    """The species to use (of two that the names state: the one with more counts), and the genes of the other one."""
    used = named.identifiers.species if species == "auto" else species
    mouse = genes.foreign_genes(named.names, "human")
    if species == "auto" and mouse.any() and state_species(named.names):
        counts = values.cell_shares(values.row_blocks(chosen.matrix), mouse) * chosen.stats.cell_sums
        used = "mouse" if counts.sum() > chosen.stats.cell_sums.sum() / 2 else "human"
    return used, mouse if used != "mouse" else genes.foreign_genes(named.names, "mouse")


def check(
    adata: AnnData, layer: str | None = None, species: SpeciesOption = "auto", source: str = "the AnnData"
) -> CheckReport:
    """Find out what a dataset holds and everything that is wrong with it.

    Parameters
    ----------
    adata
        Cells x genes, in memory or as dask arrays. It is not changed.
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

    Examples
    --------
    >>> report = cafsc.pp.check(adata)
    >>> report.matrix, report.species
    ('counts', 'human')
    """
    if species not in get_args(SpeciesOption):
        raise OptionError(f"species={species!r}", expected="auto, human or mouse", fix="use one of these")
    n_obs, n_vars = adata.shape
    if 0 in adata.shape:
        return CheckReport(source, n_obs, n_vars, findings=tuple(values.size_findings(n_obs, n_vars)))
    chosen, found = _choose(adata, layer, source)
    stats, kind, (n_obs, n_vars) = chosen.stats, chosen.kind, chosen.matrix.shape
    found += values.size_findings(n_obs, n_vars)
    found += values.value_findings(stats, kind)
    found += values.depth_findings(stats, kind)

    named = names.choose_gene_names(chosen.var)
    used, foreign = _species_in_use(chosen, named, species)
    found += named.findings
    symbols, cells = named.names, list(map(str, adata.obs_names))
    if names.looks_transposed(cells, named.identifiers.share):
        text = "the matrix is transposed: its rows (obs) are genes and its columns (var) are cells"
        found.append(error("transposed", text, n_obs, adata.obs_names, "give it with cells as rows: adata.T"))
    else:
        found += names.gene_findings(named, used, given=species != "auto", mixed=bool(foreign.any()))
        if used is not None:
            table = genes.symbols(named.names, used)
            symbols = table["symbol"].tolist()
            found += names.translation_notes(table)
            found += names.panel_findings(table, used, named.identifiers.share)
            if foreign.any():
                shares = values.cell_shares(values.row_blocks(chosen.matrix), foreign)
                found.append(names.foreign_finding(foreign, shares, used))
    found += values.mitochondrial_findings(chosen.matrix, genes.is_mitochondrial(symbols), stats, kind)
    found += names.cell_findings(cells)
    identifiers = named.identifiers.kind
    return CheckReport(
        source, n_obs, n_vars, kind, chosen.use, named.column, used, identifiers, by_severity(found)
    )
