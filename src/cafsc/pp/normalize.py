"""Counts kept, symbols mapped, depth normalised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc import genes
from cafsc._keys import COUNTS_LAYER, Keys
from cafsc.errors import InputError
from cafsc.pp.blocks import CountRows, canonical, is_backed
from cafsc.pp.check.matrix import COUNT_KINDS, LINEAR
from cafsc.pp.check.report import CheckReport, check

if TYPE_CHECKING:
    from anndata import AnnData

TARGET_SUM = 1e4
"""Counts a cell is scaled to before log1p; the unit of the reference levels, and scanpy's habit."""
PSEUDO_DEPTH = 5e3
"""Counts a cell is taken to have where the input holds no counts (TPM, logged values)."""


def scale_depth(matrix: sparse.csr_matrix, target_sum: float) -> sparse.csr_matrix:
    """Scale every row to ``target_sum`` (float64 CSR; column indices may share memory); an empty row stays empty."""
    x = sparse.csr_matrix(matrix, dtype=np.float64)
    depth = np.asarray(x.sum(axis=1)).ravel()
    scaled = x.data * np.repeat(target_sum / np.where(depth > 0, depth, 1.0), np.diff(x.indptr))
    return sparse.csr_matrix((scaled, x.indices, x.indptr), shape=x.shape)


def log1p_depth(matrix: sparse.csr_matrix, target_sum: float = TARGET_SUM) -> sparse.csr_matrix:
    """log1p (natural) of depth-scaled counts, float64 CSR, without explicit zeros."""
    x = scale_depth(matrix, target_sum)
    if not (x.has_sorted_indices and x.data.all()):
        x = x.copy()
        x.eliminate_zeros()
        x.sort_indices()
    np.log1p(x.data, out=x.data)
    return x


def linear(matrix: sparse.csr_matrix, kind: str) -> sparse.csr_matrix:
    """Undo the logarithm of ``log1p``, ``log2``, ``log10`` and ``log1p_twice`` values; others stay. float64 CSR."""
    x = sparse.csr_matrix(matrix, dtype=np.float64, copy=True)
    if kind in LINEAR:
        x.data = LINEAR[kind](x.data)
    return x


def normalize(
    adata: AnnData,
    report: CheckReport | None = None,
    *,
    key_added: str = "caf",
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

    Notes
    -----
    Writes ``layers["counts"]`` where the input holds raw counts, else ``layers["<key_added>_input"]``, and there too
    where ``layers["counts"]`` holds other values than those in use: the values as they came, CSR where they were in
    memory (of the same dtype but for float16, which becomes float32), and the stored matrix itself where it is in a
    file. Also ``var["<key_added>_symbol"]`` (approved symbol; of two columns that mean one gene, the one with more
    counts carries the symbol, the other its own name) and ``uns["cafsc"]["matrix"]``, ``["layer"]``, ``["species"]``.
    In a dataset of two species also ``var["<key_added>_foreign"]`` (bool, genes of the other species).

    Raises
    ------
    InputError
        If the matrix cannot be used, or the report asks for ``.raw``, whose genes are not those of ``adata``.
    """
    keys = Keys(key_added)
    report = report or check(adata)
    report.raise_for_errors()
    if report.use == "raw":
        raise InputError(
            "the usable values are in .raw, which has other genes than X",
            fix="call cafsc.annotate, or start from adata.raw.to_adata()",
        )
    used = adata.X if report.use == "X" else adata.layers[report.use.removeprefix("layer:")]
    is_counts = report.matrix in COUNT_KINDS
    if used.dtype == np.float16 and not is_backed(used):
        # scipy has no sparse matrix of half precision; wider is exact.
        used = used.astype(np.float32)
    layer = COUNTS_LAYER if is_counts and _is_free(adata, used) else keys.input
    if report.use != f"layer:{layer}":
        # A copy: users go on to change X in place.
        adata.layers[layer] = used if is_backed(used) else canonical(sparse.csr_matrix(used, copy=True))
    if not isinstance(adata.uns.get(keys.uns), dict):
        # Whatever else stood there under our name was reported by the check.
        adata.uns[keys.uns] = {}
    species = report.species or "human"
    matrix = "counts" if is_counts else report.matrix
    adata.uns[keys.uns].update(matrix=matrix, layer=layer, species=species)
    names = adata.var_names if report.gene_names == "var_names" else adata.var[report.gene_names]
    rows = count_rows(adata, key_added=key_added)
    adata.var[keys.symbol] = unique_symbols(list(names), species, rows.gene_sums)
    if keys.foreign in adata.var:
        del adata.var[keys.foreign]
    foreign = genes.foreign_genes(list(names), species)
    if foreign.any():
        adata.var[keys.foreign] = foreign


def _is_free(adata: AnnData, used: Any) -> bool:
    """Whether the layer of counts can hold these: it is not there yet, or holds the same."""
    if COUNTS_LAYER not in adata.layers or adata.layers[COUNTS_LAYER] is used:
        return True
    pairs = zip(CountRows(adata.layers[COUNTS_LAYER]).blocks(), CountRows(used).blocks(), strict=True)
    return all((there != given).nnz == 0 for (_, there), (_, given) in pairs)


def unique_symbols(
    names: Sequence[object], species: str, total: Callable[[], NDArray[np.float64]]
) -> list[str]:
    """Approved symbols, each carried by the column with the largest total; the others keep their name.

    A column whose own name is taken gets a number behind it, so that every name stands for one column. The totals
    are asked for only where two columns claim one symbol.
    """
    out = [str(name) for name in names]
    symbol: list[str] = genes.symbols(out, species)["symbol"].tolist()
    if len(set(symbol)) == len(symbol):
        return symbol
    taken: set[str] = set()
    others = []
    for column in np.argsort(-total(), kind="stable"):
        if symbol[column] in taken:
            others.append(column)
        else:
            taken.add(symbol[column])
            out[column] = symbol[column]
    for column in others:
        free = (name for n in count() if (name := f"{out[column]}-{n}" if n else out[column]) not in taken)
        out[column] = next(free)
        taken.add(out[column])
    return out


def count_rows(adata: AnnData, *, key_added: str = "caf") -> CountRows:
    """Counts of the normalised AnnData, cells x genes, to be read in blocks of rows.

    Where the input held no counts, the linear values scaled to a modest depth stand in for them, so that the
    likelihoods do not take TPM for molecules.

    Raises
    ------
    InputError
        If `cafsc.pp.normalize` has not run.
    """
    keys = Keys(key_added)
    block = adata.uns.get(keys.uns)
    known = block if isinstance(block, Mapping) else {}
    kind, layer = str(known.get("matrix", "")), str(known.get("layer", COUNTS_LAYER))
    if not kind or layer not in adata.layers:
        raise InputError(
            f"the AnnData is not prepared: uns[{keys.uns!r}] or layers[{layer!r}] is missing",
            fix="run cafsc.pp.normalize(adata) before this step",
        )
    return CountRows(adata.layers[layer], None if kind == "counts" else partial(_pseudo_counts, kind=kind))


def _pseudo_counts(values: sparse.csr_matrix, kind: str) -> sparse.csr_matrix:
    """Values of any kind as if they were counts: linear, each row scaled to the same depth; float64 CSR."""
    return scale_depth(linear(values, kind), PSEUDO_DEPTH)


def count_matrix(adata: AnnData, *, key_added: str = "caf") -> sparse.csr_matrix:
    """All of `count_rows` in memory: float64 CSR, cells x genes."""
    return count_rows(adata, key_added=key_added).take(np.arange(adata.n_obs))


def lognorm_matrix(adata: AnnData, *, key_added: str = "caf") -> sparse.csr_matrix:
    """Natural log1p of counts per ten thousand: float64 CSR, cells x genes."""
    return log1p_depth(count_matrix(adata, key_added=key_added), TARGET_SUM)


def symbol_columns(adata: AnnData, *, key_added: str = "caf") -> Mapping[str, int]:
    """Column of each symbol."""
    return {str(symbol): column for column, symbol in enumerate(adata.var[Keys(key_added).symbol])}
