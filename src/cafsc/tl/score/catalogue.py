"""Score the catalogue's sets in the kept fibroblasts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from cafsc import sig
from cafsc._config import ScoreConfig
from cafsc._keys import Keys
from cafsc.engine.ucell import ucell as ucell_scores
from cafsc.pp.blocks import CountRows
from cafsc.pp.cluster import batch_labels
from cafsc.pp.embed import sketch_rows
from cafsc.pp.normalize import count_rows, symbol_columns
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.score.controls import N_BINS, Array, Index, SetColumns, control_corrected, expression_bins
from cafsc.tl.score.fibroblasts import Fibroblasts, kept_rows
from cafsc.tl.score.pool import state_space
from cafsc.tl.score.set_columns import scored_sets
from cafsc.tl.score.tissue_level import balanced_level, profiles_in

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue
# Cells of a lineage below which its profile from elsewhere (``lineage_profiles.tsv.gz``) sets the bins.
_MIN_LINEAGE_CELLS = 20


def centred(scores: Array, names: list[str], levels: ReferenceLevels) -> Array:
    """Subtract from each set its level in fibroblasts of any state; a set without one stays as it is."""
    return np.asarray(scores - np.array([levels.sets.get(name, 0.0) for name in names]))


def score(
    adata: AnnData,
    *,
    catalogue: Catalogue | None = None,
    levels: ReferenceLevels | None = None,
    batch_key: str | None = None,
    key_added: str = "caf",
    config: ScoreConfig | None = None,
    seed: int = 0,
) -> None:
    """Score every set of the catalogue in every kept fibroblast.

    Parameters
    ----------
    adata
        After `cafsc.tl.gate`.
    catalogue
        Sets to score; the shipped ones if not given.
    levels
        Reference levels of the sets; the shipped ones if not given.
    batch_key
        ``obs`` column of batches; neighbours are found on genes centred within each.
    seed
        Of more than ``config.max_cells`` fibroblasts a random sample is drawn, in which neighbours are sought.

    Notes
    -----
    Writes ``obsm["<key_added>_scores"]`` (DataFrame, cells x sets ``<paper>:<set>``, float32, NaN where not kept):
    the mean log-expression of a cell pooled with its nearest neighbours, minus that of all genes of like expression
    (after doi:10.1126/science.aad0501), minus the set's reference level in fibroblasts;
    ``var["<key_added>_expression_bin"]`` (int64, which genes are of like expression: each lineage of a tumour has one
    vote, and one the sample lacks votes by its profile in ``signatures/lineage_profiles.tsv.gz``, so that sorted
    fibroblasts and whole tumours score alike);
    ``obsm["<key_added>_ucell"]`` (the same cells, UCell in 0..1, doi:10.1016/j.csbj.2021.06.043);
    ``obsm["X_<key_added>_pca"]`` and ``obsp["<key_added>_neighbors"]`` (cells x cells, 1 for the cell and its
    neighbours) and, where neighbours were sought in a sample only, ``obs["<key_added>_sketch"]`` (bool: the sample).

    Raises
    ------
    InputError
        If the gate has not run.
    """
    config = config or ScoreConfig()
    catalogue = catalogue or sig.load()
    levels = levels or reference_levels()
    keys = Keys(key_added)
    kept = kept_rows(adata, key_added)
    species = str(adata.uns[keys.uns]["species"])
    symbols = symbol_columns(adata, key_added=key_added)
    sets = scored_sets(catalogue, species, symbols)
    names, columns = list(sets), list(sets.values())
    rows = count_rows(adata, key_added=key_added)
    bins = expression_bins(_tissue_level(adata, rows, keys, levels, symbols, species), N_BINS)
    scores = np.full((adata.n_obs, len(names)), np.nan, dtype=np.float32)
    ucell = np.full((adata.n_obs, len(names)), np.nan, dtype=np.float32)
    neighbors = sparse.csr_matrix((adata.n_obs, adata.n_obs))
    components = np.zeros((len(kept), 1))
    sketch = sketch_rows(np.ones(kept.size, dtype=bool), config.max_cells, seed)
    if len(kept) >= 2:
        batch = batch_labels(adata, batch_key)
        _, components, graph = state_space(rows, kept, sketch, config, batch, seed)
        counts = rows.take(kept[sketch])
        cells = Fibroblasts(kept, rows, sketch, counts, graph, bins, symbols, species)
        work = partial(both_scores, bins=bins, sets=columns, max_rank=config.max_rank)
        for here, (above, ranks) in cells.map_pooled(work, np.zeros((kept.size, 0))):
            scores[kept[here]] = centred(above, names, levels)
            ucell[kept[here]] = ranks
        neighbors = expand(graph, kept, adata.n_obs)
    embedding = np.full((adata.n_obs, components.shape[1]), np.nan)
    embedding[kept] = components
    slugs = [column_name(name) for name in names]
    adata.var[keys.expression_bin] = bins
    adata.obsm[keys.scores] = pd.DataFrame(scores, index=adata.obs_names, columns=slugs, copy=False)
    adata.obsm[keys.ucell] = pd.DataFrame(ucell, index=adata.obs_names, columns=slugs, copy=False)
    adata.obsm[keys.pca] = embedding
    adata.obsp[keys.neighbors] = neighbors
    if keys.sketch in adata.obs:
        del adata.obs[keys.sketch]
    if sketch.size < kept.size:
        adata.obs[keys.sketch] = np.isin(np.arange(adata.n_obs), kept[sketch])


def both_scores(
    lognorm: sparse.csr_matrix, beside: object, *, bins: Index, sets: list[SetColumns], max_rank: int
) -> tuple[Array, Array]:
    """Control-corrected scores and UCell of some cells: cells x sets each."""
    return control_corrected(lognorm, bins, sets), ucell_scores(lognorm, sets, max_rank)


def _tissue_level(
    adata: AnnData,
    rows: CountRows,
    keys: Keys,
    levels: ReferenceLevels,
    symbols: Mapping[str, int],
    species: str,
) -> Array:
    """Level of each gene in a tumour of every lineage."""
    lineage = pd.Categorical(adata.obs[keys.lineage].astype(str))
    sums = rows.group_sums(lineage.codes.astype(np.int64), len(lineage.categories))
    return balanced_level(
        sums,
        np.bincount(lineage.codes, minlength=len(lineage.categories)),
        list(lineage.categories),
        profiles_in(levels.profiles, symbols, adata.n_vars, species),
        _MIN_LINEAGE_CELLS,
    )


def column_name(name: str) -> str:
    """Column of a set in ``obsm``: a slash would nest it in an h5ad."""
    return name.replace("/", ":")


def set_id(column: str) -> str:
    """The set of a column in ``obsm``."""
    return column.replace(":", "/")


def expand(graph: sparse.csr_matrix, rows: Index, n_cells: int) -> sparse.csr_matrix:
    """A graph among some cells as one among all."""
    edges = graph.tocoo()
    return sparse.csr_matrix((edges.data, (rows[edges.row], rows[edges.col])), shape=(n_cells, n_cells))
