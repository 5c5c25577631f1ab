"""The only caller of liana, of the extra ``crosstalk``."""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from cafsc.errors import OptionError
from cafsc.tl.score.controls import Index

CITATION = "Dimitrov 2022 Nat Commun"
DOI = "10.1038/s41467-022-30755-0"
"""The paper of liana and its consensus resource."""
RANKS = ("magnitude_rank", "specificity_rank")


def require_liana() -> Any:
    """Import liana.

    Raises
    ------
    OptionError
        If it is not installed; says how to install it, and how to do without.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("liana")
    except ImportError as error:
        raise OptionError(
            "the consensus resource needs the package liana, which is not installed",
            expected='the extra "crosstalk" of cafsc',
            fix='pip install "cafsc[crosstalk]", or use the pairs of the catalogue alone (--resource catalogue)',
        ) from error


def consensus() -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Ligand and receptor of every pair of liana's consensus resource, as tuples of human subunits, sorted."""
    table = require_liana().rs.select_resource("consensus")
    return sorted(
        {
            (tuple(str(ligand).split("_")), tuple(str(receptor).split("_")))
            for ligand, receptor in zip(table["ligand"], table["receptor"], strict=True)
        }
    )


def rank_aggregate(
    lognorm: sparse.csr_matrix,
    symbols: Sequence[str],
    labels: Sequence[str],
    pairs: Sequence[tuple[tuple[str, ...], tuple[str, ...]]],
    directions: Sequence[tuple[str, str]],
    *,
    expr_prop: float,
    min_cells: int,
    n_perms: int,
    seed: int,
) -> pd.DataFrame:
    """Rank pairs by the agreement of liana's methods (doi:10.1038/s41467-022-30755-0).

    Parameters
    ----------
    lognorm
        Cells x genes, natural log1p.
    symbols
        Name of each column.
    labels
        Group of each cell.
    pairs
        Subunits of ligand and receptor, in the names of the columns; each expressed in one direction at least, since
        liana cannot rank nothing.
    directions
        Sender and receiver group of each direction wanted.

    Returns
    -------
    Indexed by source, target, ligand and receptor (subunits joined by ``_``): ``magnitude_rank`` and
    ``specificity_rank``, robust rank aggregates in 0..1, small is strong.
    """
    liana = require_liana()
    from anndata import AnnData

    resource = pd.DataFrame(
        [("_".join(ligand), "_".join(receptor)) for ligand, receptor in pairs], columns=["ligand", "receptor"]
    ).drop_duplicates()
    used = {gene for ligand, receptor in pairs for gene in (*ligand, *receptor)}
    columns = _columns(symbols, used)
    adata = AnnData(
        sparse.csr_matrix(lognorm[:, columns], dtype=np.float32),
        obs=pd.DataFrame({"group": pd.Categorical(list(labels))}, index=[str(n) for n in range(len(labels))]),
        var=pd.DataFrame(index=[symbols[column] for column in columns]),
    )
    keys = ["source", "target", "ligand_complex", "receptor_complex"]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        table: pd.DataFrame = liana.mt.rank_aggregate(
            adata,
            groupby="group",
            resource=resource,
            groupby_pairs=pd.DataFrame(directions, columns=["source", "target"]),
            expr_prop=expr_prop,
            min_cells=min_cells,
            aggregate_method="rra",
            use_raw=False,
            n_perms=n_perms,
            seed=seed,
            n_jobs=1,
            inplace=False,
            verbose=False,
        )
    return table[[*keys, *RANKS]].drop_duplicates(keys).set_index(keys).sort_index()


def _columns(symbols: Sequence[str], used: set[str]) -> Index:
    return np.array([column for column, symbol in enumerate(symbols) if symbol in used], dtype=np.int64)
