"""Counts kept, symbols mapped, depth normalised."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc import genes
from cafsc._config import NormalizeConfig
from cafsc._errors import InputError
from cafsc._keys import COUNTS_LAYER, Keys
from cafsc.pp.check import CheckReport, check
from cafsc.pp.matrix_kind import COUNT_KINDS

if TYPE_CHECKING:
    from anndata import AnnData


def scale_depth(matrix: sparse.csr_matrix, target_sum: float) -> sparse.csr_matrix:
    """Scale every row to ``target_sum``; an empty row stays empty. Returns float64 CSR."""
    x = sparse.csr_matrix(matrix, dtype=np.float64, copy=True)
    scale_rows(x, target_sum)
    return x


def scale_rows(x: sparse.csr_matrix, target_sum: float) -> None:
    """Scale every row of a float64 matrix to ``target_sum``, in place; an empty row stays empty."""
    depth = np.asarray(x.sum(axis=1)).ravel()
    x.data *= np.repeat(target_sum / np.where(depth > 0, depth, 1.0), np.diff(x.indptr))


def log1p_depth(matrix: sparse.csr_matrix, target_sum: float) -> sparse.csr_matrix:
    """log1p (natural) of depth-scaled counts, float64 CSR, without explicit zeros."""
    x = scale_depth(matrix, target_sum)
    x.eliminate_zeros()
    x.sort_indices()
    np.log1p(x.data, out=x.data)
    return x


def linear(matrix: sparse.csr_matrix, kind: str) -> sparse.csr_matrix:
    """Undo the logarithm of ``log1p``, ``log2``, ``log10`` and ``log1p_twice`` values; others stay. float64 CSR."""
    x = sparse.csr_matrix(matrix, dtype=np.float64, copy=True)
    if kind == "log2":
        x.data = np.exp2(x.data) - 1.0
    elif kind == "log10":
        x.data = np.power(10.0, x.data) - 1.0
    elif kind.startswith("log1p"):
        for _ in range(2 if kind == "log1p_twice" else 1):
            x.data = np.expm1(x.data)
    return x


def normalize(
    adata: AnnData,
    report: CheckReport | None = None,
    *,
    key_added: str = "caf",
    config: NormalizeConfig | None = None,
) -> None:
    """Write the layers and the gene symbols that every later step reads.

    Parameters
    ----------
    adata
        Cells x genes. Its ``X`` is not changed.
    report
        What `cafsc.pp.check` found; made here if it is not given.
    key_added
        Prefix of the slots written.
    config
        Target depth.

    Notes
    -----
    Writes ``layers["counts"]`` (only where the input holds raw counts; same values; the
    same dtype but for float16, which becomes float32),
    ``layers["<key_added>_lognorm"]`` (float32 CSR, natural log1p of counts per ten thousand),
    ``var["<key_added>_symbol"]`` (approved symbol; of two columns that mean one gene, the one with more
    counts carries the symbol, the other its own name) and ``uns["cafsc"]["matrix"]``, ``["species"]``.

    Raises
    ------
    InputError
        If the matrix cannot be used, or the report asks for ``.raw``, whose genes are not those of ``adata``.
    """
    config = config or NormalizeConfig()
    keys = Keys(key_added)
    if report is None:
        report = check(adata)
    report.raise_for_errors()
    if report.use == "raw":
        raise InputError(
            "the usable values are in .raw, which has other genes than X",
            fix="call cafsc.annotate, or start from adata.raw.to_adata()",
        )
    used = adata.X if report.use == "X" else adata.layers[report.use.removeprefix("layer:")]
    if used.dtype == np.float16:
        # scipy has no sparse matrix of half precision; wider is exact.
        used = used.astype(np.float32)
    values = linear(sparse.csr_matrix(used), report.matrix)
    is_counts = report.matrix in COUNT_KINDS
    if is_counts and report.use != f"layer:{COUNTS_LAYER}":
        adata.layers[COUNTS_LAYER] = used.copy()
    adata.layers[keys.lognorm] = log1p_depth(values, config.target_sum).astype(np.float32)
    species = report.species or "human"
    names = adata.var_names if report.gene_names == "var_names" else adata.var[report.gene_names]
    adata.var[keys.symbol] = unique_symbols(list(names), species, np.asarray(values.sum(axis=0)).ravel())
    if not isinstance(adata.uns.get(keys.uns), dict):
        # Whatever else stood there under our name was reported by the check.
        adata.uns[keys.uns] = {}
    adata.uns[keys.uns]["matrix"] = "counts" if is_counts else report.matrix
    adata.uns[keys.uns]["species"] = species


def unique_symbols(names: Sequence[object], species: str, total: NDArray[np.float64]) -> list[str]:
    """Approved symbols, each carried by the column with the largest total; the others keep their name.

    A column whose own name is taken gets a number behind it, so that every name stands for one column.
    """
    symbol = genes.symbols([str(name) for name in names], species)["symbol"].to_numpy(dtype=object)
    taken: set[str] = set()
    out = [str(name) for name in names]
    others = []
    for column in np.lexsort((np.arange(len(total)), -total)):
        if symbol[column] in taken:
            others.append(column)
        else:
            taken.add(symbol[column])
            out[column] = str(symbol[column])
    for column in others:
        free = (name for n in count() if (name := f"{out[column]}-{n}" if n else out[column]) not in taken)
        out[column] = next(free)
        taken.add(out[column])
    return out


def count_matrix(
    adata: AnnData, *, key_added: str = "caf", config: NormalizeConfig | None = None
) -> sparse.csr_matrix:
    """Counts of the normalised AnnData as float64 CSR, cells x genes.

    Where the input held no counts, the linear values scaled to a modest depth stand in for them, so that the
    likelihoods do not take TPM for molecules.
    """
    config = config or NormalizeConfig()
    keys = Keys(key_added)
    if keys.lognorm not in adata.layers:
        raise InputError(
            f"layers[{keys.lognorm!r}] is missing", fix="run cafsc.pp.normalize(adata) before this step"
        )
    if adata.uns[keys.uns]["matrix"] == "counts":
        return sparse.csr_matrix(adata.layers[COUNTS_LAYER], dtype=np.float64)
    values = sparse.csr_matrix(adata.layers[keys.lognorm], dtype=np.float64)
    values.data = np.expm1(values.data)
    return scale_depth(values, config.pseudo_depth)


def symbol_columns(adata: AnnData, *, key_added: str = "caf") -> dict[str, int]:
    """Column of each symbol."""
    return {str(symbol): column for column, symbol in enumerate(adata.var[Keys(key_added).symbol])}
