"""Score gene sets of one's own in every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cafsc.engine.means import control_corrected_mean, control_weights
from cafsc.engine.ucell import ucell
from cafsc.errors import InputError, OptionError
from cafsc.pp.blocks import CountRows
from cafsc.tl.score.controls import SetColumns, expression_bins
from cafsc.tl.score.set_columns import column_name

if TYPE_CHECKING:
    from anndata import AnnData

METHODS = ("mean", "ucell")
_N_BINS = 25
_MOST_NAMED = 5


def score_sets(
    adata: AnnData,
    gene_sets: Mapping[str, Sequence[str]],
    *,
    method: str = "mean",
    layer: str | None = None,
    key_added: str | None = None,
    max_rank: int = 1500,
) -> None:
    """Score gene sets in every cell, all of them at once.

    Parameters
    ----------
    adata
        Cells x genes, log-normalised; for ``ucell`` counts do as well. In memory or backed, sparse or dense. What is
        in a file is read a block of cells at a time, for ``mean`` twice.
    gene_sets
        Names of genes, as in ``adata.var_names``, by the name of the set. A gene that is named twice counts once.
    method
        - ``mean``: mean of the set's genes minus the mean of all genes in the same of 25 bins of mean expression
          (after doi:10.1126/science.aad0501), so that nothing is drawn at random. Natural log units. Genes that
          ``adata`` lacks are left out.
        - ``ucell``: what pyUCell gives with its defaults (doi:10.1016/j.csbj.2021.06.043), 0..1. Genes that ``adata``
          lacks count as ranked last.

        For other methods use decoupler (``decoupler.mt.ulm``, ``decoupler.mt.aucell``) or
        ``scanpy.tl.score_genes``.
    layer
        Layer of ``adata`` to score; ``X`` if not given.
    key_added
        Slot to write; ``"<method>_scores"`` if not given.
    max_rank
        Of ``ucell``: ranks beyond count as this one.

    Notes
    -----
    Writes ``obsm[key_added]`` (DataFrame, cells x sets, float64), with one column a set; a slash in its name becomes
    a colon, since a slash would nest it in an h5ad.

    Raises
    ------
    OptionError
        If the method is unknown, there are no sets or two of one name, no gene of a set is in ``adata``, or a set has
        more genes than ``ucell`` ranks.
    InputError
        If the layer is not there, gene names are repeated, or a value is infinite, not a number or, for ``ucell``,
        negative.

    Examples
    --------
    >>> cafsc.tl.score_sets(adata, {"mine": list_of_symbols})  # doctest: +SKIP
    >>> adata.obsm["mean_scores"]["mine"]  # doctest: +SKIP
    """
    if method not in METHODS:
        raise OptionError(
            f"method {method!r}",
            expected=f"one of {', '.join(METHODS)}",
            fix="use decoupler.mt or scanpy.tl.score_genes for other methods",
        )
    rows = CountRows(_matrix(adata, layer))
    sets = _columns(adata, gene_sets)
    members = list(sets.values())
    scores = np.empty((adata.n_obs, len(sets)))
    if method == "ucell":
        _refuse_longer(sets, max_rank)
        for here, values in rows.blocks():
            scores[here] = ucell(values, members, max_rank, zeros_tied=False, missing_last=True)
    else:
        weights = control_weights(expression_bins(_gene_means(rows), _N_BINS), members)
        for here, values in rows.blocks():
            scores[here] = control_corrected_mean(values, weights)
    adata.obsm[key_added or f"{method}_scores"] = pd.DataFrame(
        scores, index=adata.obs_names, columns=list(sets)
    )


def _gene_means(rows: CountRows) -> np.ndarray[Any, np.dtype[np.float64]]:
    sums = rows.gene_sums()
    if not np.isfinite(sums).all():
        raise InputError(
            "the matrix has values that are infinite or not a number",
            expected="finite values",
            fix="take these cells or genes out, or set the values to 0",
        )
    return sums / max(rows.shape[0], 1)


def _matrix(adata: AnnData, layer: str | None) -> Any:
    if layer is not None and layer not in adata.layers:
        there = ", ".join(map(str, adata.layers)) or "none"
        raise InputError(f"layer {layer!r} is not in the AnnData", expected=f"one of its layers: {there}")
    matrix = adata.X if layer is None else adata.layers[layer]
    if matrix is None:
        raise InputError("the AnnData has no X", expected="log-normalised expression", fix="name a layer")
    return matrix


def _columns(adata: AnnData, gene_sets: Mapping[str, Sequence[str]]) -> dict[str, SetColumns]:
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
    found: dict[str, SetColumns] = {}
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
        up = np.sort(columns[columns >= 0]).astype(np.int64)
        found[column] = SetColumns(up, np.zeros(0, dtype=np.int64), len(named))
    absent = [name for name, members in found.items() if not members.n_found]
    if absent:
        raise OptionError(
            f"no gene of these sets is measured: {_some(absent)}",
            expected=f"names as in adata.var_names, such as {', '.join(map(str, adata.var_names[:3]))}",
            fix="translate the names, or leave these sets out",
        )
    return found


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


def _refuse_longer(sets: Mapping[str, SetColumns], max_rank: int) -> None:
    longer = [name for name, members in sets.items() if members.n_genes > max_rank]
    if longer:
        raise OptionError(
            f"set {longer[0]} has {sets[longer[0]].n_genes} genes, more than max_rank",
            expected=f"at most {max_rank}",
            fix="raise max_rank, or leave the set out",
        )
