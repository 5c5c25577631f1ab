"""Read an input in any of the accepted forms, without trusting it."""

from __future__ import annotations

import warnings
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from cafsc.errors import InputError, UserError
from cafsc.io.backed import is_large, read_backed, require_memory
from cafsc.io.files import ACCEPTED, has_hdf5_signature, head, not_hdf5, stat_input, unchanged
from cafsc.io.hdf5 import cause, damaged, open_hdf5
from cafsc.io.tenx import is_tenx_h5, mtx_folder_files, read_tenx_h5, read_tenx_mtx
from cafsc.io.watched import Inspection
from cafsc.io.zarr_store import is_zarr, open_store

if TYPE_CHECKING:
    from anndata import AnnData


def read(path: Path | str, *, backed: bool | None = False) -> AnnData:
    """Read a single-cell data set.

    Parameters
    ----------
    path
        ``.h5ad``; 10x ``.h5`` (Cell Ranger 2 and later); a folder with ``matrix.mtx``, ``features.tsv`` (or
        ``genes.tsv``) and ``barcodes.tsv``, each also as ``.gz`` and with one common prefix; or a ``.zarr``
        store of anndata. The content decides, not the suffix.
    backed
        Leave ``X``, ``layers`` and the matrix of ``raw`` in the file, which may be larger than the memory then. They
        are sparse datasets of anndata, or dense datasets of h5py or zarr; `cafsc.io.read_rows` gives their rows, and
        `cafsc.io.close` closes the file. The rest is in memory. A 10x ``.h5`` is turned into a temporary file, in the
        folder that ``TMPDIR`` names; a folder with ``matrix.mtx`` is refused. None: if they would take more than a
        quarter of the memory, and can be left.

    Returns
    -------
    AnnData, cells x genes. Of 10x inputs the gene expression features are kept, as CSR; their symbols
    become ``var_names``, made unique with a numbered suffix, and their identifiers ``var["gene_ids"]``
    and plain symbols ``var["gene_symbols"]``.
    Repeated names of an h5ad or zarr stay as they are: `cafsc.pp.check` reports them. Repeated entries of a
    sparse matrix in memory are summed. Parts of ``uns`` that cannot be decoded are left out with a `UserWarning`.

    Raises
    ------
    InputError
        It is not there, cannot be read, is damaged or of another kind, needs more memory than there is, or
        refers to other files. The message names the file, the cause and what to do.
    """
    path = Path(path)
    try:
        stat_input(path)
        with unchanged(path):
            return _read_folder(path, backed) if path.is_dir() else _read_file(path, backed)
    except UserError:
        raise
    except MemoryError as error:
        raise InputError(
            f"{path}: does not fit in memory",
            fix="split the file by sample, or use a machine with more memory",
        ) from error
    except RecursionError as error:
        raise damaged(path, "its groups are nested too deep to be read") from error
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        # h5py and scipy throw these at damaged bytes.
        raise damaged(path, cause(error)) from error


def _read_file(path: Path, backed: bool | None) -> AnnData:
    first = head(path)
    if not has_hdf5_signature(path, first):
        raise not_hdf5(path, first)
    _inspect(path)
    with open_hdf5(path) as file:
        if backed is None:
            backed = is_large(file)
        if is_tenx_h5(file):
            if not backed:
                require_memory(path, file, backed=False)
            return read_tenx_h5(path, file, backed=backed)
        _require_anndata(path, file)
        require_memory(path, file, backed=backed)
    return _read_anndata(path, zarr=False, backed=backed)


def _inspect(path: Path) -> None:
    """Look through an input in a process of its own, and import meanwhile what will read it."""
    with closing(Inspection(path)) as inspection:
        import anndata  # noqa: F401

        inspection.answer()


def _read_folder(path: Path, backed: bool | None) -> AnnData:
    if is_zarr(path):
        _inspect(path)
        root = open_store(path)
        if backed is None:
            backed = is_large(root)
        require_memory(path, root, backed=backed)
        return _read_anndata(path, zarr=True, backed=backed)
    files = mtx_folder_files(path)
    if files is not None:
        if backed:
            raise InputError(
                f"{path}: a folder with matrix.mtx is text, and cannot be read in parts",
                expected="an .h5ad file, a 10x .h5 file or a .zarr store, with --backed",
                fix="give the .h5 file of the same run, or write the counts as h5ad first",
            )
        return read_tenx_mtx(path, files)
    raise InputError(
        f"{path}: is a folder (directory) without matrix.mtx and not a zarr store",
        expected=ACCEPTED,
        fix="give the file itself, or the folder that holds matrix.mtx, features.tsv and barcodes.tsv",
    )


def _read_anndata(path: Path, *, zarr: bool, backed: bool) -> AnnData:
    import anndata

    from cafsc.io.elements import read_modern_h5ad, read_modern_zarr

    with warnings.catch_warnings():
        # Repeated names and old layouts are findings of pp.check, worded for the user.
        warnings.simplefilter("ignore")
        try:
            if backed:
                adata, dropped = read_backed(path)
            else:
                adata, dropped = read_modern_zarr(path) if zarr else read_modern_h5ad(path)
            if adata is None:
                adata = anndata.read_zarr(open_store(path)) if zarr else anndata.read_h5ad(path)
        except (MemoryError, RecursionError, UserError):
            raise
        except Exception as error:
            # Whatever anndata and the libraries below it throw at an input is about the input.
            raise InputError(
                f"{path}: cannot be read as AnnData, it may be damaged: {cause(error)}",
                expected="a whole file as anndata writes it",
                fix="write it again with a current anndata, without the part that is named; or copy it again",
            ) from error
    for name in dropped:
        warnings.warn(
            f"{path}: skipped {name}: its encoding or nesting cannot be read, and it is not needed",
            stacklevel=3,
        )
    return _canonical(adata)


def _canonical(adata: AnnData) -> AnnData:
    """Sum the repeated entries of sparse matrices, which no later step has to know of then."""
    from scipy import sparse

    for matrix in (adata.X, *adata.layers.values()):
        if sparse.issparse(matrix) and matrix.format in ("csr", "csc"):
            matrix.sum_duplicates()
    return adata


def _n_rows(table: h5py.Group | h5py.Dataset) -> int | None:
    """Rows of a stored obs or var, None where it does not say."""
    if isinstance(table, h5py.Dataset):
        return int(table.shape[0]) if table.shape else None
    index = table.get(table.attrs.get("_index", "_index"))
    if isinstance(index, h5py.Group):
        index = index.get("values", index.get("codes"))
    return int(index.shape[0]) if isinstance(index, h5py.Dataset) and index.shape else None


def _shape(matrix: h5py.Group | h5py.Dataset) -> tuple[int, ...] | None:
    if isinstance(matrix, h5py.Dataset):
        return tuple(matrix.shape or ())
    shape = matrix.attrs.get("shape", matrix.attrs.get("h5sparse_shape"))
    return None if shape is None else tuple(int(n) for n in shape)


def _require_anndata(path: Path, file: h5py.File) -> None:
    """Refuse an HDF5 file of another kind, and an h5ad whose parts do not fit together."""
    if "mod" in file:
        raise InputError(
            f"{path}: is a MuData file (h5mu) with several modalities, not an h5ad",
            expected=ACCEPTED,
            fix="write its RNA modality as h5ad with muon or mudata first",
        )
    if "row_attrs" in file and "matrix" in file:
        raise InputError(
            f"{path}: is a loom file, not an h5ad",
            expected=ACCEPTED,
            fix="convert it with anndata.io.read_loom first",
        )
    missing = [part for part in ("obs", "var") if part not in file]
    if missing:
        raise InputError(
            f"{path}: is HDF5, but not an AnnData h5ad: {' and '.join(missing)} missing"
            f"{'' if 'X' in file else ' (and no X)'}",
            expected="an h5ad with obs (cells), var (genes) and X or layers",
            fix="write it again with anndata, or give the original file",
        )
    version = file.attrs.get("encoding-version")
    if file.attrs.get("encoding-type") == "anndata" and version not in (None, "0.1.0"):
        raise InputError(
            f"{path}: was written by a newer anndata (format version {version})",
            expected="format version 0.1.0",
            fix="update cafsc and anndata, or write the file with an older anndata",
        )
    n_obs, n_vars = _n_rows(file["obs"]), _n_rows(file["var"])
    for name, matrix in [
        ("X", file.get("X")),
        *((f"layers/{key}", item) for key, item in file.get("layers", {}).items()),
    ]:
        if matrix is None:
            continue
        shape = _shape(matrix)
        if shape is None:
            continue
        if len(shape) != 2:
            raise damaged(path, f"{name} has {len(shape)} dimensions, and a matrix has 2")
        if isinstance(matrix, h5py.Dataset) and matrix.dtype.kind not in "biuf":
            raise damaged(path, f"{name} has dtype {_dtype_word(matrix)}, which is not numeric")
        for axis, have, what in ((0, n_obs, "cells in obs"), (1, n_vars, "genes in var")):
            if have is not None and shape[axis] != have:
                raise damaged(
                    path, f"lengths differ: {name} has shape {shape[0]:,} x {shape[1]:,}, but {have:,} {what}"
                )


def _dtype_word(dataset: h5py.Dataset) -> str:
    return "string" if h5py.check_string_dtype(dataset.dtype) else str(dataset.dtype)
