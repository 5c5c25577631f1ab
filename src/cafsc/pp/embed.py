"""Embed and cluster cells with scanpy, scikit-learn and leidenalg: functions on arrays.

Every function here works on a sample of at most ``max_cells`` cells, so that neighbours can be exact.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc._threads import one_thread
from cafsc.pp.normalize import TARGET_SUM

if TYPE_CHECKING:
    from anndata import AnnData

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Names = NDArray[np.object_]

# scanpy's habit: a gene far above its mean in one cell shall not make a component by itself.
_MAX_SCALED = 10.0
_MIN_CELLS = 3
# Seurat's pruning: weaker overlaps of neighbourhoods are chance.
_MIN_JACCARD = 1 / 15
# scanpy's coming default; more iterations take long and move few cells.
_LEIDEN_ITERATIONS = 2
# Fewer cells are shown by their first two components. More epochs change a map by eye no longer.
_MIN_MAPPED, _MAX_MAPPED, _UMAP_EPOCHS = 50, 5000, 200
# Cells that are made dense at a time when others are placed.
_ROWS = 2048


@dataclass(frozen=True)
class Embedding:
    """Principal components of scaled genes, with what places other cells among them.

    Attributes
    ----------
    scores
        Cells x components, float64; corrected by Harmony where batches were given.
    genes
        Columns used.
    mean, deviation
        Of the log-expression of each of these genes.
    centre
        Components: what a cell of mean expression scores before centring.
    loadings
        Genes x components.
    uncorrected
        `scores` before Harmony; the same array without batches.
    """

    scores: Array
    genes: Index
    mean: Array
    deviation: Array
    centre: Array
    loadings: Array
    uncorrected: Array

    def place(self, lognorm: sparse.csr_matrix) -> Array:
        """Where other cells lie: cells x components.

        With batches, a cell is moved as its nearest neighbour among the embedded cells was.
        """
        columns = lognorm[:, self.genes]
        out = np.empty((lognorm.shape[0], self.loadings.shape[1]))
        with one_thread():
            for start in range(0, len(out), _ROWS):
                block = (columns[start : start + _ROWS].toarray() - self.mean) / self.deviation
                out[start : start + _ROWS] = (
                    np.clip(block, -_MAX_SCALED, _MAX_SCALED) @ self.loadings - self.centre
                )
        if self.scores is not self.uncorrected and len(out):
            near = nearest(out, self.uncorrected, 1)[:, 0]
            out += (self.scores - self.uncorrected)[near]
        return out


def embed(
    counts: sparse.csr_matrix, *, n_top_genes: int, n_pcs: int, variable: bool, batch: Names | None, seed: int
) -> Embedding:
    """Principal components of the log-expression of chosen genes, each scaled to unit variance.

    Genes are the most `variable` ones (`scanpy.pp.highly_variable_genes`), or else those detected in most cells, which
    carry the states of one lineage in shallow data, where dispersion picks noise. With the batch of each cell, Harmony
    corrects the components (doi:10.1038/s41592-019-0619-0).
    """
    import scanpy as sc

    adata = _lognorm(counts)
    genes = _variable_genes(adata, n_top_genes) if variable else most_detected(counts, n_top_genes)
    chosen = adata[:, genes].copy()
    chosen.X = chosen.X.toarray()
    sc.pp.scale(chosen, max_value=_MAX_SCALED)
    n_components = min(n_pcs, min(chosen.shape) - 1)
    if n_components < 1:
        none, one = np.zeros((counts.shape[0], 1)), np.ones(genes.size)
        return Embedding(none, genes, 0.0 * one, one, np.zeros(1), np.zeros((genes.size, 1)), none)
    with one_thread():
        sc.pp.pca(chosen, n_comps=n_components, random_state=seed)
    loadings = np.asarray(chosen.varm["PCs"], dtype=np.float64)
    # The sign of a component is arbitrary: its largest entry is made positive.
    scores = np.asarray(chosen.obsm["X_pca"], dtype=np.float64)
    sign = np.where(scores[np.abs(scores).argmax(axis=0), np.arange(scores.shape[1])] < 0, -1.0, 1.0)
    scores, loadings = scores * sign, loadings * sign
    corrected = scores if batch is None else _harmonised(scores, batch, seed)
    mean, deviation = (chosen.var[name].to_numpy(dtype=np.float64) for name in ("mean", "std"))
    # Clipping moves the means of scaled genes off zero; PCA centres once more.
    centre = chosen.X.mean(axis=0, dtype=np.float64) @ loadings
    return Embedding(
        corrected, genes, mean, np.where(deviation > 0, deviation, 1.0), centre, loadings, scores
    )


def _lognorm(counts: sparse.csr_matrix) -> AnnData:
    import scanpy as sc
    from anndata import AnnData

    adata = AnnData(counts.astype(np.float32))
    sc.pp.normalize_total(adata, target_sum=TARGET_SUM)
    sc.pp.log1p(adata)
    return adata


def _variable_genes(adata: AnnData, n_top_genes: int) -> Index:
    import scanpy as sc

    detected = np.flatnonzero(adata.X.getnnz(axis=0) >= min(_MIN_CELLS, adata.n_obs))
    if detected.size <= n_top_genes:
        return detected.astype(np.int64)
    found = sc.pp.highly_variable_genes(adata[:, detected], n_top_genes=n_top_genes, inplace=False)
    return np.asarray(detected[found["highly_variable"].to_numpy(dtype=bool)], dtype=np.int64)


def most_detected(counts: sparse.csr_matrix, n_top_genes: int) -> Index:
    """Columns of the genes detected in most cells, sorted; ties go to the gene with more counts."""
    detected = (counts > 0).sum(axis=0).A1
    order = np.lexsort((-counts.sum(axis=0).A1, -detected))[:n_top_genes]
    return np.sort(order[detected[order] > 0]).astype(np.int64)


def _harmonised(scores: Array, batch: Names, seed: int) -> Array:
    import harmonypy

    meta = pd.DataFrame({"batch": batch.astype(str)})
    if meta["batch"].nunique() < 2:
        return scores
    with one_thread():
        found = harmonypy.run_harmony(scores, meta, "batch", random_state=seed, verbose=False)
    return np.asarray(found.Z_corr, dtype=np.float64).reshape(scores.shape)


def nearest(queries: Array, points: Array, n_neighbors: int) -> Index:
    """Positions of the nearest points of each query, the nearest first: queries x neighbours, exact."""
    from sklearn.neighbors import NearestNeighbors

    n_neighbors = min(n_neighbors, len(points))
    if not len(queries) or not n_neighbors:
        return np.empty((len(queries), n_neighbors), dtype=np.int64)
    with one_thread():
        index = NearestNeighbors(n_neighbors=n_neighbors, algorithm="brute").fit(points)
        return np.asarray(index.kneighbors(queries, return_distance=False), dtype=np.int64)


def neighbor_graph(scores: Array, n_neighbors: int) -> sparse.csr_matrix:
    """Cells x cells, 1 for the cell itself and each of its nearest cells, ``n_neighbors`` in all."""
    n_cells = len(scores)
    found = nearest(scores, scores, n_neighbors)
    # Of many copies of one cell, others may come first.
    itself = np.arange(n_cells)
    missing = (found != itself[:, None]).all(axis=1)
    found[missing, -1] = itself[missing]
    starts = np.arange(0, found.size + 1, max(found.shape[1], 1))
    return sparse.csr_matrix(
        (np.ones(found.size), np.sort(found, axis=1).ravel(), starts), shape=(n_cells, n_cells)
    )


def shared_neighbors(graph: sparse.csr_matrix) -> sparse.csr_matrix:
    """Jaccard overlap of neighbourhoods: cells x cells, symmetric, weak edges left out.

    Shared-neighbour graphs follow Jarvis and Patrick 1973 (doi:10.1109/T-C.1973.223640).
    """
    shared = (graph @ graph.T).tocoo()
    size = np.asarray(graph.sum(axis=1)).ravel()
    weight = shared.data / (size[shared.row] + size[shared.col] - shared.data)
    keep = (shared.row != shared.col) & (weight > _MIN_JACCARD)
    edges = np.round(weight[keep], 6), (shared.row[keep], shared.col[keep])
    return sparse.csr_matrix(edges, shape=shared.shape)


def leiden(edges: sparse.csr_matrix, resolution: float, seed: int, flavor: str = "leidenalg") -> Index:
    """Leiden communities (doi:10.1038/s41598-019-41695-z), numbered from the largest down."""
    import scanpy as sc
    from anndata import AnnData

    n_cells = edges.shape[0]
    if n_cells < 2 or not edges.nnz:
        return np.arange(n_cells, dtype=np.int64)
    cells = AnnData(obs=pd.DataFrame(index=pd.RangeIndex(n_cells).astype(str)))
    with warnings.catch_warnings():
        # scanpy announces another default flavour, whichever is named.
        warnings.simplefilter("ignore", FutureWarning)
        sc.tl.leiden(
            cells,
            resolution=resolution,
            adjacency=edges,
            random_state=seed,
            flavor=flavor,
            n_iterations=_LEIDEN_ITERATIONS,
            directed=False,
        )
    return by_size(cells.obs["leiden"].cat.codes.to_numpy(dtype=np.int64))


def by_size(labels: Index) -> Index:
    """Renumber labels 0, 1, ... from the largest group down; ties go to the group seen first."""
    _, first, inverse, size = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty_like(first)
    rank[np.lexsort((first, -size))] = np.arange(first.size)
    return rank[inverse].astype(np.int64)


def umap(scores: Array, seed: int) -> Array:
    """UMAP of embedded cells on exact neighbours (doi:10.21105/joss.00861): cells x 2.

    Of more than 5,000 cells a random sample is laid out, and a cell outside it lies amid its five nearest in it.
    """
    import scanpy as sc
    from anndata import AnnData

    if len(scores) < _MIN_MAPPED:
        flat = np.zeros((len(scores), 2))
        flat[:, : min(scores.shape[1], 2)] = scores[:, :2]
        return flat
    if len(scores) > _MAX_MAPPED:
        drawn = np.random.default_rng(seed).permutation(len(scores))[:_MAX_MAPPED]
        known = umap(scores[drawn], seed)
        layout: Array = known[nearest(scores, scores[drawn], 5)].mean(axis=1)
        layout[drawn] = known
        return layout
    cells = AnnData(obs=pd.DataFrame(index=pd.RangeIndex(len(scores)).astype(str)), obsm={"X_pca": scores})
    how: dict[str, Any] = {"use_rep": "X_pca", "method": "gauss", "transformer": "sklearn"}
    with one_thread():
        sc.pp.neighbors(cells, random_state=seed, **how)
        # scanpy logs a warning for any other kernel; the Gaussian one is deliberate, as umap's compiles for seconds.
        cells.uns["neighbors"]["params"]["method"] = "umap"
        sc.tl.umap(cells, maxiter=_UMAP_EPOCHS, random_state=seed)
    return np.asarray(cells.obsm["X_umap"], dtype=np.float64)


def sketch_rows(usable: NDArray[np.bool_], max_cells: int, seed: int) -> Index:
    """Row numbers, sorted, of the cells that stand for all: all rows if they are no more than ``max_cells``.

    Of more, usable cells are drawn without replacement and with equal chances, so that shares stay what they are.
    """
    if usable.size <= max_cells:
        return np.arange(usable.size)
    candidates = np.flatnonzero(usable) if usable.any() else np.arange(usable.size)
    if candidates.size <= max_cells:
        return candidates
    return np.sort(np.random.default_rng(seed).choice(candidates, size=max_cells, replace=False))
