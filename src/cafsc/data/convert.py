"""Turn the authors' files into AnnData."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from cafsc.errors import DatasetError
from cafsc.io.tenx import mtx_folder_files, read_tenx_mtx

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.data.registry import Dataset


@dataclass(frozen=True)
class RMatrix:
    """An expression matrix out of an R object."""

    values: Any
    """Genes x cells, CSC."""
    genes: list[str] | None
    cells: list[str] | None


def convert(dataset: Dataset, files: Sequence[Path]) -> AnnData:
    """Convert downloaded files, and hold the result against what is registered.

    Raises
    ------
    DatasetError
        The files cannot be converted, or give other numbers of cells or genes, or other columns, than
        registered.
    """
    if dataset.upstream.converter == "tenx_mtx":
        adata = _from_tenx(dataset, files[0].parent)
    else:
        adata = from_r(read_r(files[0]), dataset.name)
    if adata.shape != (dataset.cells, dataset.genes):
        raise DatasetError(
            f"{dataset.name}: converted to {adata.n_obs:,} cells x {adata.n_vars:,} genes",
            expected=f"{dataset.cells:,} cells x {dataset.genes:,} genes",
            fix="update cafsc; the conversion does not fit the file",
        )
    missing = [column for column in dataset.obs if column not in adata.obs.columns]
    if "barcode" in missing:
        adata.obs["barcode"] = adata.obs_names.to_numpy()
        missing.remove("barcode")
    if missing:
        raise DatasetError(
            f"{dataset.name}: converted without the columns {', '.join(missing)}",
            expected=f"obs with {', '.join(dataset.obs)}",
            fix="update cafsc; the conversion does not fit the file",
        )
    adata.obs = adata.obs[list(dataset.obs)]
    adata.uns["source"] = dataset.source
    return adata


def _from_tenx(dataset: Dataset, folder: Path) -> AnnData:
    files = mtx_folder_files(folder)
    if files is None:
        raise DatasetError(f"{dataset.name}: no matrix among the downloaded files", fix="update cafsc")
    adata = read_tenx_mtx(folder, files)
    upstream = dataset.upstream
    adata.obs_names = [f"{upstream.cell_prefix}{name}" for name in adata.obs_names]
    for column, value in upstream.obs_values.items():
        adata.obs[column] = value
    columns = {"gene_symbols": "gene_symbol", "gene_ids": "ensembl_id"}
    adata.var = adata.var.rename(columns=columns)[list(columns.values())]
    total = np.asarray(adata.X.sum(axis=1, dtype=np.float64)).ravel()
    mitochondrial = np.asarray(
        adata.var["gene_symbol"].astype(str).str.startswith(upstream.mitochondrial_prefix)
    )
    adata.obs["n_umi"] = total.astype(np.int64)
    adata.obs["n_genes"] = adata.X.getnnz(axis=1).astype(np.int64)
    share = np.asarray(adata.X[:, np.flatnonzero(mitochondrial)].sum(axis=1, dtype=np.float64)).ravel()
    adata.obs["pct_mito"] = 100 * share / np.maximum(total, 1)
    return adata


def read_r(path: Path) -> Any:
    """Read an R data file in pure Python; S4 objects become namespaces of their slots."""
    import rdata

    with warnings.catch_warnings():
        # rdata warns of every class without a constructor; their slots are all that is needed.
        warnings.simplefilter("ignore")
        return rdata.read_rda(path, default_encoding="utf-8")


def from_r(content: Any, name: str) -> AnnData:
    """Make an AnnData of what an R data file holds.

    Parameters
    ----------
    content
        Result of `read_r`: the objects of the file by name. One of them must be a SingleCellExperiment, a
        Seurat object, a matrix (dense or dgCMatrix, genes x cells, with dimnames), or a list of a matrix
        and a data frame.
    name
        The dataset's, for messages.

    Raises
    ------
    DatasetError
        No such object is there.
    """
    from anndata import AnnData

    objects = list(content.values()) if isinstance(content, Mapping) else [content]
    for candidate in objects:
        found = _matrix_and_cells(candidate)
        if found is not None:
            break
    else:
        found = _matrix_and_cells(content)
    if found is None:
        raise DatasetError(
            f"{name}: holds no known expression matrix: {', '.join(type(item).__name__ for item in objects)}",
            expected="a SingleCellExperiment, a Seurat object or a matrix",
            fix="update cafsc; the conversion does not fit the file",
        )
    matrix, obs = found
    n_genes, n_cells = matrix.values.shape
    cells = matrix.cells or ([str(label) for label in obs.index] if obs is not None else None)
    if matrix.genes is None or cells is None or len(matrix.genes) != n_genes or len(cells) != n_cells:
        raise DatasetError(f"{name}: its matrix has no names of genes or cells", fix="update cafsc")
    index = pd.Index([str(cell) for cell in cells], dtype=object)
    if obs is None:
        obs = pd.DataFrame(index=index)
    elif len(obs) != n_cells:
        raise DatasetError(
            f"{name}: {n_cells:,} cells, but {len(obs):,} rows of annotation", fix="update cafsc"
        )
    else:
        obs = obs.set_axis(index, axis=0)
    values = sparse.csr_matrix(matrix.values.T).astype(np.float32)
    values.eliminate_zeros()
    values.sort_indices()
    var = pd.DataFrame(index=pd.Index([str(gene) for gene in matrix.genes], dtype=object))
    return AnnData(X=values, obs=obs, var=var)


def _slot(value: Any, *names: str) -> Any:
    """Follow slots or list entries by name; None where one is missing."""
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if value is None:
            return None
    return value


def _names(value: Any) -> list[str] | None:
    return None if value is None or len(value) == 0 else [str(item) for item in value]


def _matrix(value: Any) -> RMatrix | None:
    """A dgCMatrix, a labelled or a plain array, or a data frame of numbers."""
    if all(_slot(value, name) is not None for name in ("i", "p", "x", "Dim")):
        shape = tuple(int(n) for n in value.Dim)
        values = sparse.csc_matrix((value.x, np.asarray(value.i), np.asarray(value.p)), shape=shape)
        names = list(_slot(value, "Dimnames") or (None, None))
        return RMatrix(values, _names(names[0]), _names(names[1]))
    if isinstance(value, pd.DataFrame):
        if not all(dtype.kind in "biuf" for dtype in value.dtypes):
            return None
        return RMatrix(sparse.csc_matrix(value.to_numpy()), _names(value.index), _names(value.columns))
    if getattr(value, "ndim", 0) == 2 and value.dtype.kind in "biuf":
        if isinstance(value, np.ndarray):
            return RMatrix(sparse.csc_matrix(value), None, None)
        # rdata gives an xarray.DataArray where a matrix has dimnames.
        labels = [_names(value.coords[dim].to_numpy()) if dim in value.coords else None for dim in value.dims]
        return RMatrix(sparse.csc_matrix(value.to_numpy()), *labels)
    return None


def _frame(value: Any) -> pd.DataFrame | None:
    """A data.frame, or a DFrame of Bioconductor."""
    if isinstance(value, pd.DataFrame):
        return value
    columns = _slot(value, "listData")
    if not isinstance(columns, Mapping):
        return None
    index = _names(_slot(value, "rownames"))
    plain = {
        key: np.asarray(item) if not isinstance(item, pd.Categorical) else item
        for key, item in columns.items()
    }
    return pd.DataFrame(plain, index=index)


def _first_assay(assays: Any) -> RMatrix | None:
    """Counts, or the first assay, of the `assays` slot in its old (environment) and new (list) forms."""
    for path in (("data", "listData"), (".xData", "data", "listData"), ("listData",)):
        found = _slot(assays, *path)
        if isinstance(found, Mapping) and found:
            return _matrix(found.get("counts", next(iter(found.values()))))
    return None


def _sce_genes(value: Any) -> list[str] | None:
    for path in (("rowRanges", "partitioning", "NAMES"), ("rowRanges", "ranges", "NAMES"), ("NAMES",)):
        found = _names(_slot(value, *path))
        if found:
            return found
    return _names(_slot(value, "elementMetadata", "rownames"))


def _matrix_and_cells(value: Any) -> tuple[RMatrix, pd.DataFrame | None] | None:
    """Expression matrix and annotation of the cells, if the object is one that has them."""
    matrix = _matrix(value)
    if matrix is not None:
        return matrix, None
    if isinstance(value, SimpleNamespace) and hasattr(value, "colData"):
        matrix, obs = _first_assay(value.assays), _frame(value.colData)
        if matrix is None:
            return None
        cells = matrix.cells or (_names(obs.index) if obs is not None else None)
        return RMatrix(matrix.values, matrix.genes or _sce_genes(value), cells), obs
    if isinstance(value, SimpleNamespace) and hasattr(value, "meta.data"):
        assay = _slot(value, "assays", "RNA")
        matrix = _matrix(_slot(assay, "counts"))
        return None if matrix is None else (matrix, _frame(getattr(value, "meta.data")))
    if isinstance(value, Mapping):
        matrices = [found for item in value.values() if (found := _matrix(item)) is not None]
        frames = [item for item in value.values() if isinstance(item, pd.DataFrame)]
        if matrices:
            return matrices[0], frames[0] if frames else None
    return None
