"""Score gene sets of one's own in every cell."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cafsc import engine, io
from cafsc.errors import InputError, OptionError
from cafsc.tl.score.catalogue import column_name
from cafsc.tl.score.controls import Array, expression_bins

if TYPE_CHECKING:
    from anndata import AnnData

METHODS = ("bin_mean", "score_genes", "ucell", "aucell", "ulm")
_N_BINS = 25
_MOST_NAMED = 5


def score_sets(
    adata: AnnData,
    gene_sets: Mapping[str, Sequence[str]],
    *,
    method: str = "bin_mean",
    layer: str | None = None,
    key_added: str | None = None,
    max_rank: int = 1500,
    threads: int = 1,
) -> None:
    """Score gene sets in every cell, all of them in one pass over the matrix.

    Parameters
    ----------
    adata
        Cells x genes, log-normalised; for ``ucell`` and ``aucell`` counts do as well. In memory or backed, sparse or
        dense; what is in a file is read 256 cells at a time. ``bin_mean``, ``score_genes``, ``aucell`` and ``ulm``
        go through it once before, for the means of the genes or for those that no cell has.
    gene_sets
        Names of genes, as in ``adata.var_names``, by the name of the set. Genes that are not there are left out (see
        ``ucell``), and a gene that is named twice counts once.
    method
        - ``bin_mean``: mean of the set's genes minus the mean of all genes in the same of 25 bins of mean expression
          (after doi:10.1126/science.aad0501), so that nothing is drawn at random. Natural log units.
        - ``score_genes``: what ``scanpy.tl.score_genes`` gives with its defaults, for all sets at once: the same
          control genes, and the same scores to 1e-12 (scanpy 1.11 sums a float32 matrix in float32, which can move a
          gene to the next interval; newer ones do not).
        - ``ucell``: what pyUCell gives with its defaults (doi:10.1016/j.csbj.2021.06.043), 0..1: genes of a set that
          are not there count as ranked last.
        - ``aucell``: share of the area under the recovery curve over the first twentieth of the genes
          (doi:10.1038/nmeth.4463), 0..1; tied genes count as they do in the mean of all their orders.
        - ``ulm``: t statistic of a line through expression on membership (doi:10.1093/bioadv/vbac016), as decoupler's.

        ``aucell`` and ``ulm`` leave out genes that no cell has, as decoupler does.
    layer
        Layer of ``adata`` to score; ``X`` if not given.
    key_added
        Slot to write; ``"<method>_scores"`` if not given.
    max_rank
        Of ``ucell``: ranks beyond count as this.
    threads
        Threads that score; no score depends on their number. ``score_genes`` takes one.

    Notes
    -----
    Writes ``obsm[key_added]`` (DataFrame, cells x sets, float64), with one column a set; a slash in its name becomes
    a colon, since a slash would nest it in an h5ad. NaN where a score is not defined: ``ulm`` in a cell whose genes
    are all alike.

    Raises
    ------
    OptionError
        If the method is unknown, there are no sets or two of one name, no gene of a set is in ``adata``, a set has
        more genes than ``ucell`` ranks, ``score_genes`` finds no genes to compare a set with, or there are no threads.
    InputError
        If the layer is not there, gene names are repeated, or a value is infinite, not a number or, where values are
        ranked, negative.
    """
    if method not in METHODS:
        near = difflib.get_close_matches(method, METHODS, n=1)
        fix = f"did you mean {near[0]!r}?" if near else None
        raise OptionError(f"method {method!r}", expected=f"one of {', '.join(METHODS)}", fix=fix)
    if threads < 1:
        raise OptionError(f"threads={threads}", expected="1 or more", fix="leave it out for one thread")
    matrix = _matrix(adata, layer)
    genes_used = np.ones(adata.n_vars, dtype=np.bool_)
    if method in ("aucell", "ulm"):
        genes_used = engine.detected_genes(matrix)
    sets = _columns(adata, gene_sets, genes_used)
    n_values = engine.n_stored(matrix)
    options: dict[str, Any] = {"n_detected": int(genes_used.sum())}
    if method == "score_genes":
        scores = _score_genes(matrix, sets, n_values)
    else:
        if method == "bin_mean":
            options["bins"] = expression_bins(engine.gene_means(matrix, n_values=n_values), _N_BINS)
        elif method == "ucell":
            _refuse_longer(sets, max_rank)
            options |= {"max_rank": max_rank, "zeros_tied": False, "missing_last": True}
        scorer = engine.Scorer(adata.n_vars, list(sets.values()), (method,), n_values=n_values, **options)
        scores = scorer.score(matrix, threads=threads)[method]
    adata.obsm[key_added or f"{method}_scores"] = pd.DataFrame(
        scores, index=adata.obs_names, columns=list(sets)
    )


def _matrix(adata: AnnData, layer: str | None) -> Any:
    if layer is not None and layer not in adata.layers:
        there = ", ".join(map(str, adata.layers)) or "none"
        raise InputError(f"layer {layer!r} is not in the AnnData", expected=f"one of its layers: {there}")
    matrix = adata.X if layer is None else adata.layers[layer]
    if matrix is None:
        raise InputError("the AnnData has no X", expected="log-normalised expression", fix="name a layer")
    return _Stored(matrix) if io.is_on_disk(matrix) else matrix


class _Stored:
    """A matrix in a file, of which blocks of rows are read the quick way."""

    def __init__(self, matrix: Any) -> None:
        self._matrix = matrix
        self.shape = tuple(matrix.shape)
        self.dtype = matrix.dtype
        if hasattr(matrix, "group"):
            self.group, self.format = matrix.group, matrix.format

    def __getitem__(self, rows: slice) -> Any:
        return io.read_rows(self._matrix, rows.start, rows.stop)


def _columns(
    adata: AnnData, gene_sets: Mapping[str, Sequence[str]], used: np.ndarray[Any, np.dtype[np.bool_]]
) -> dict[str, engine.Members]:
    if not gene_sets:
        raise OptionError("no gene sets", expected="at least one", fix="give a mapping of names to genes")
    text = [name for name, genes in gene_sets.items() if isinstance(genes, str)]
    if text:
        raise OptionError(
            f"set {text[0]!r} is text", expected="a list of genes", fix="put the gene in a list"
        )
    if not adata.var_names.is_unique:
        example = adata.var_names[adata.var_names.duplicated()][0]
        raise InputError(
            f"gene names are repeated, for example {example!r}",
            expected="each gene once",
            fix="adata.var_names_make_unique()",
        )
    found: dict[str, engine.Members] = {}
    absent: list[str] = []
    silent: list[str] = []
    for name, genes in gene_sets.items():
        column = column_name(str(name))
        if column in found:
            raise OptionError(
                f"two sets are named {column!r} in the result",
                expected="one name a set, as text and with a colon for a slash",
                fix="rename one of them",
            )
        named = list(dict.fromkeys(genes))
        columns = adata.var_names.get_indexer(pd.Index(named, dtype=object))
        columns = columns[columns >= 0]
        found[column] = engine.Members(np.sort(columns[used[columns]]).astype(np.int64), len(named))
        if not found[column].up.size:
            (silent if columns.size else absent).append(column)
    if absent:
        raise OptionError(
            f"no gene of these sets is measured: {_some(absent)}",
            expected=f"names as in adata.var_names, such as {', '.join(map(str, adata.var_names[:3]))}",
            fix="translate the names, or leave these sets out",
        )
    if silent:
        raise OptionError(
            f"no cell has any gene of these sets: {_some(silent)}",
            expected="a gene that some cell has",
            fix="leave these sets out",
        )
    return found


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


def _refuse_longer(sets: Mapping[str, engine.Members], max_rank: int) -> None:
    longer = [name for name, members in sets.items() if members.n_genes > max_rank]
    if longer:
        raise OptionError(
            f"set {longer[0]} has {sets[longer[0]].n_genes} genes, more than max_rank",
            expected=f"at most {max_rank}",
            fix="raise max_rank, or leave the set out",
        )


def _score_genes(matrix: Any, sets: Mapping[str, engine.Members], n_values: int) -> Array:
    means = engine.gene_means(matrix, n_values=n_values)
    combination = engine.score_genes_combination(means, list(sets.values()))
    parts = [combination.scores(rows, n_values) for _, rows in engine.row_blocks(matrix)]
    return np.vstack(parts)
