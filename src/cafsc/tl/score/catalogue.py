"""Score the catalogue's sets in the kept fibroblasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from cafsc import sig
from cafsc._config import ScoreConfig
from cafsc._keys import Keys
from cafsc.engine.ucell import ucell
from cafsc.pp.blocks import CountRows
from cafsc.pp.cluster import batch_labels
from cafsc.pp.embed import sketch_rows, umap
from cafsc.pp.normalize import count_rows, symbol_columns
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.score.controls import N_BINS, Array, Index, SetColumns, control_corrected, expression_bins
from cafsc.tl.score.fibroblasts import Fibroblasts, kept_rows, neighbourhoods
from cafsc.tl.score.set_columns import column_name, scored_sets
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
    map_cells: bool = True,
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
        ``obs`` column of batches; the components in which neighbours are found are corrected by Harmony.
    map_cells
        Also make a UMAP of the fibroblasts for people to look at; no later step reads it.
    key_added
        Prefix of the slots written.
    config
        Numbers of genes, components and neighbours.
    seed
        Of the sketch of more than ``config.max_cells`` fibroblasts in which neighbours are sought, PCA and UMAP.

    Notes
    -----
    Writes ``obsm["<key_added>_scores"]`` (DataFrame, cells x sets ``<paper>:<set>``, float32, NaN where not kept):
    the mean log-expression of a cell pooled with its nearest neighbours, minus that of all genes of like expression
    (after doi:10.1126/science.aad0501), minus the set's reference level in fibroblasts;
    ``obsm["<key_added>_ucell"]`` (the same cells, UCell in 0..1, doi:10.1016/j.csbj.2021.06.043);
    ``var["<key_added>_expression_bin"]`` (int64, which genes are of like expression). Each lineage of a tumour has one
    vote on the bins. A lineage that the sample lacks votes by its profile in
    ``signatures/lineage_profiles.tsv.gz``, so that sorted fibroblasts and whole tumours score alike.
    Also writes ``obsm["X_<key_added>_pca"]``, ``obsm["X_<key_added>_umap"]`` (cells x 2, NaN where not kept) and
    ``obsp["<key_added>_neighbors"]`` (cells x cells, 1 for the cell and its neighbours) and, where neighbours were
    sought in a sketch only, ``obs["<key_added>_sketch"]`` (bool).

    Raises
    ------
    InputError
        If the gate has not run.

    Examples
    --------
    >>> cafsc.tl.score(adata)  # doctest: +SKIP
    >>> adata.obsm["caf_scores"]["elyada2019:iCAF"]  # doctest: +SKIP
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
    ranks = np.full((adata.n_obs, len(names)), np.nan, dtype=np.float32)
    graph, components = sparse.csr_matrix((kept.size, kept.size)), np.zeros((kept.size, 1))
    sketch = sketch_rows(np.ones(kept.size, dtype=bool), config.max_cells, seed)
    if kept.size >= 2:
        components, graph = neighbourhoods(rows, kept, sketch, config, batch_labels(adata, batch_key), seed)
        counts = rows.take(kept[sketch])
        cells = Fibroblasts(kept, rows, sketch, counts, graph, bins, symbols, species)
        for here, lognorm in cells.pooled():
            above, ranked = both_scores(lognorm, bins, columns, config.max_rank)
            scores[kept[here]] = centred(above, names, levels)
            ranks[kept[here]] = ranked
        if map_cells:
            layout = cells.spread(umap(components[sketch], seed))
            adata.obsm[keys.umap] = _everywhere(layout, kept, adata.n_obs)
    slugs = [column_name(name) for name in names]
    adata.var[keys.expression_bin] = bins
    adata.obsm[keys.scores] = pd.DataFrame(scores, index=adata.obs_names, columns=slugs)
    adata.obsm[keys.ucell] = pd.DataFrame(ranks, index=adata.obs_names, columns=slugs)
    adata.obsm[keys.pca] = _everywhere(components, kept, adata.n_obs)
    edges = graph.tocoo()
    adata.obsp[keys.neighbors] = sparse.csr_matrix(
        (edges.data, (kept[edges.row], kept[edges.col])), shape=(adata.n_obs, adata.n_obs)
    )
    if keys.sketch in adata.obs:
        del adata.obs[keys.sketch]
    if sketch.size < kept.size:
        adata.obs[keys.sketch] = np.isin(np.arange(adata.n_obs), kept[sketch])


def both_scores(
    lognorm: sparse.csr_matrix, bins: Index, sets: list[SetColumns], max_rank: int
) -> tuple[Array, Array]:
    """Control-corrected scores and UCell of some cells: cells x sets each."""
    return control_corrected(lognorm, bins, sets), ucell(lognorm, sets, max_rank)


def _everywhere(values: Array, rows: Index, n_rows: int) -> Array:
    out = np.full((n_rows, values.shape[1]), np.nan)
    out[rows] = values
    return out


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
    return balanced_level(
        rows.group_sums(lineage.codes.astype(np.int64), len(lineage.categories)),
        np.bincount(lineage.codes, minlength=len(lineage.categories)),
        list(lineage.categories),
        profiles_in(levels.profiles, symbols, adata.n_vars, species),
        _MIN_LINEAGE_CELLS,
    )
