"""Read an input in any of the accepted forms, without trusting it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from cafsc.errors import InputError, UserError
from cafsc.io import files
from cafsc.io.hdf5 import MAX_DEPTH, SPARSE_PARTS, cause, damaged, open_hdf5
from cafsc.io.inspect_child import inspect_input
from cafsc.io.limits import memory, refuse_oversized
from cafsc.io.tenx import inspect_tenx_h5, mtx_folder_files, read_tenx_h5, read_tenx_mtx, tenx_groups
from cafsc.io.zarr_store import open_store

if TYPE_CHECKING:
    from anndata import AnnData

BLOCK = 2048
"""Cells in a block of a backed matrix."""
LARGE_SHARE = 0.25
"""Share of the memory; larger matrices stay in their file where nobody says what to do."""
_NOT_NEEDED = ("uns", "obsm", "varm", "obsp", "varp", "layers")
_SMALLER = "keep the matrix in its file (backed=True), store it as sparse (CSR), or split the file by sample"
_OTHER_HDF5 = (
    ("mod", "a MuData file (h5mu) of several modalities", "write its RNA modality as h5ad with mudata first"),
    ("row_attrs", "a loom file", "convert it with anndata.io.read_loom first"),
)


def read(path: Path | str, *, backed: bool | None = False) -> AnnData:
    """Read a single-cell data set.

    Parameters
    ----------
    path
        ``.h5ad``; 10x ``.h5`` (Cell Ranger 2 and later); a folder with ``matrix.mtx``, ``features.tsv`` (or
        ``genes.tsv``) and ``barcodes.tsv``, each also as ``.gz`` and with one common prefix; or a ``.zarr``
        store of anndata. The content decides, not the suffix.
    backed
        Keep ``X``, ``layers`` and ``raw.X`` in the file: they become dask arrays of 2,048 cells a block, dense or
        CSR, and everything else is in memory. Only for h5ad and zarr whose matrices are dense or CSR. None: if they
        would take more than a quarter of the memory, and can be kept there.

    Returns
    -------
    AnnData, cells x genes. Of 10x inputs the gene expression features are kept, as CSR; their symbols
    become ``var_names``, made unique with a numbered suffix, and their identifiers ``var["gene_ids"]``
    and plain symbols ``var["gene_symbols"]``.
    Repeated names of an h5ad or zarr stay as they are: `cafsc.pp.check` reports them. Repeated entries of a
    sparse matrix are summed. Parts of ``uns`` that cannot be decoded are left out with a `UserWarning`.

    Raises
    ------
    InputError
        It is not there, cannot be read, is damaged or of another kind, needs more memory than there is, or
        refers to other files. The message names the file, the cause and what to do.
    """
    path = Path(path)
    try:
        files.stat_input(path)
        with files.unchanged(path):
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
    except Exception as error:
        # Whatever anndata, scanpy and the libraries below them throw at an input is about the input.
        raise InputError(
            f"{path}: cannot be read, it may be damaged: {cause(error)}",
            expected="a whole file as anndata or Cell Ranger writes it",
            fix="write it again with a current anndata, without the part that is named; or copy it again",
        ) from error


def _read_file(path: Path, backed: bool | None) -> AnnData:
    first = files.head(path)
    # The signature stands at the start, or behind a block of a user.
    if not (first.startswith(files.HDF5_SIGNATURE) or h5py.is_hdf5(path)):
        raise files.not_hdf5(path, first)
    inspect_input(path)
    with open_hdf5(path) as file:
        if not tenx_groups(file):
            _require_anndata(path, file)
            return _read_anndata(path, file, backed)
        inspect_tenx_h5(path, file)
        command = f"import scanpy; scanpy.read_10x_h5('{path}').write_h5ad('counts.h5ad')"
        if backed:
            raise _cannot_stay(path, "a 10x .h5 file", command)
        _require_memory(path, file, fix=_converted(command))
    return read_tenx_h5(path)


def _read_folder(path: Path, backed: bool | None) -> AnnData:
    if files.is_zarr(path):
        inspect_input(path)
        return _read_anndata(path, open_store(path), backed)
    found = mtx_folder_files(path)
    if found is None:
        what = "is a folder (directory) without matrix.mtx and not a zarr store"
        fix = "give the file itself, or the folder that holds matrix.mtx, features.tsv and barcodes.tsv"
        raise files.not_accepted(path, what, fix)
    if backed:
        command = f"import cafsc; cafsc.io.write_h5ad(cafsc.io.read('{path}'), 'counts.h5ad')"
        raise _cannot_stay(path, "a folder with matrix.mtx", command)
    return read_tenx_mtx(path, *found)


def _converted(command: str) -> str:
    return f'convert it where there is memory for it: python -c "{command}"'


def _cannot_stay(path: Path, what: str, command: str) -> InputError:
    return InputError(
        f"{path}: {what} cannot be read in blocks of cells, as backed=True asks",
        expected="dense matrices or CSR, in an .h5ad file or a .zarr store",
        fix=_converted(command),
    )


def _read_anndata(path: Path, root: Any, backed: bool | None) -> AnnData:
    import anndata

    matrices = {n: a for n, a in _arrays(root) if _is_matrix(n) or _is_matrix(n.rpartition("/")[0])}
    is_modern = root.attrs.get("encoding-type") == "anndata"
    names = ["X", "raw/X", *(f"layers/{name}" for name in root.get("layers", {}))]
    by_column = [n for n in names if n in root and root[n].attrs.get("encoding-type") == "csc_matrix"]
    if backed and not is_modern:
        raise _cannot_stay(path, "a file of an anndata before 0.8", _to_csr(path))
    if backed and by_column:
        raise _cannot_stay(path, f"{by_column[0]}, stored by column (CSC),", _to_csr(path, *by_column))
    if backed is None:
        n_bytes = sum(array.nbytes for array in matrices.values())
        backed = is_modern and not by_column and n_bytes > LARGE_SHARE * memory()
    fix = _converted(_to_csr(path, *by_column)) if by_column else _SMALLER
    _require_memory(path, root, fix=fix, skip=tuple(matrices) if backed else ())
    with warnings.catch_warnings():
        # Repeated names and old layouts are findings of pp.check, worded for the user.
        warnings.simplefilter("ignore")
        if not is_modern:
            return anndata.read_zarr(root) if path.is_dir() else anndata.read_h5ad(path)
        adata, dropped = _read_parts(path.absolute(), root, backed=backed)
    for name in dropped:
        why = "its encoding or nesting cannot be read, and it is not needed"
        warnings.warn(f"{path}: skipped {name}: {why}", stacklevel=4)
    return adata


def _to_csr(path: Path, *names: str) -> str:
    """Python that writes a data set anew, with some of its matrices by row."""
    kind = "zarr" if path.is_dir() else "h5ad"
    steps = [f"a = anndata.read_{kind}('{path}')"]
    for name in names:
        part = "a.X" if name == "X" else f"a.layers['{name.removeprefix('layers/')}']"
        steps.append("del a.raw" if name == "raw/X" else f"{part} = {part}.tocsr()")
    return f"import anndata; {'; '.join(steps)}; a.write_{kind}('csr.{kind}')"


def _arrays(root: Any) -> Iterator[tuple[str, Any]]:
    """Name and array of each part of an open file or store."""
    found: list[tuple[str, Any]] = []
    if isinstance(root, h5py.Group):
        root.visititems(lambda name, item: found.append((name, item)))
    else:
        found.extend(root.members(max_depth=None))
    return ((name, item) for name, item in found if getattr(item, "shape", None))


def _is_matrix(name: str) -> bool:
    """Whether a part holds a value for each cell and gene."""
    return name in ("X", "raw/X") or (name.startswith("layers/") and name.count("/") == 1)


def _require_memory(path: Path, root: Any, *, fix: str, skip: tuple[str, ...] = ()) -> None:
    """Raise `InputError` where a part that will be loaded is larger than the memory."""
    for name, array in _arrays(root):
        if name not in skip:
            refuse_oversized(path, name, int(array.nbytes), int(array.nbytes), fix=fix)


def _read_parts(path: Path, root: Any, *, backed: bool) -> tuple[AnnData, list[str]]:
    """An AnnData of anndata 0.8 or later, and the names of parts that were left out."""
    from anndata.experimental import read_dispatched

    before, dropped = files.version(path, deep=False), []

    def read_part(read: Any, name: str, part: Any, iospec: Any) -> Any:
        kind, name = iospec.encoding_type, name.strip("/")
        if _is_matrix(name) and backed:
            return _lazy(part, path, before)
        if kind in ("csr_matrix", "csc_matrix"):
            return _sparse(part, kind)
        if kind == "array" and _is_matrix(name):
            return _plain(read(part))
        if kind == "dict" and name.split("/")[0] in _NOT_NEEDED:
            return read_those_that_can(part)
        return read(part)

    def read_those_that_can(part: Any) -> dict[str, Any]:
        kept = {}
        for key in sorted(part):
            try:
                if _is_too_deep(part[key]):
                    raise ValueError("nested too deep")
                kept[key] = read_dispatched(part[key], read_part)
            except (MemoryError, RecursionError):
                raise
            except Exception:
                # anndata's errors here have no public class. None of these parts is needed, and a layer that
                # a user names is missed by the check.
                dropped.append(f"{part.name}/{key}")
        return kept

    return read_dispatched(root, read_part), dropped


def _is_too_deep(part: Any) -> bool:
    """Whether groups are nested deeper than was looked into, as below ``uns``."""
    level = [part] if isinstance(part, h5py.Group) else []
    for _ in range(MAX_DEPTH - 2):
        level = [child for group in level for child in group.values() if isinstance(child, h5py.Group)]
    return bool(level)


def _sparse(part: Any, kind: str) -> Any:
    """A stored sparse matrix in memory; anndata and scipy have none of half precision or foreign byte order."""
    from scipy import sparse

    data, indices, indptr = (np.asarray(part[name][...]) for name in SPARSE_PARTS)
    build = sparse.csr_matrix if kind == "csr_matrix" else sparse.csc_matrix
    wider = np.float32 if data.dtype == np.float16 else data.dtype.newbyteorder("=")
    return _plain(build((data.astype(wider, copy=False), indices, indptr), shape=tuple(part.attrs["shape"])))


def _plain(matrix: Any) -> Any:
    """The same values in this machine's byte order, each entry of a sparse matrix once."""
    if hasattr(matrix, "sum_duplicates"):
        matrix.sum_duplicates()
        return matrix
    return np.asarray(matrix).astype(matrix.dtype.newbyteorder("="), copy=False)


def _lazy(part: Any, path: Path, before: files.Version) -> Any:
    """A stored matrix as a dask array of blocks of cells."""
    from anndata.experimental import read_elem_lazy
    from scipy import sparse

    is_dense = hasattr(part, "shape")
    shape = part.shape if is_dense else part.attrs["shape"]
    stored = read_elem_lazy(part, chunks=(BLOCK, int(shape[1])))
    dtype = stored.dtype.newbyteorder("=")
    meta = np.empty((0, 0), dtype) if is_dense else sparse.csr_matrix((0, 0), dtype=dtype)
    return stored.map_blocks(_block, path=path, before=before, dtype=dtype, meta=meta)


def _block(block: Any, path: Path, before: files.Version) -> Any:
    """A block of a backed matrix; `InputError` where its file is not the one that was opened."""
    files.refuse_changed(path, before, deep=False)
    return _plain(block)


def _require_anndata(path: Path, file: h5py.File) -> None:
    """Raise `InputError` for an HDF5 file of another kind, or of an anndata to come."""
    for part, what, fix in _OTHER_HDF5:
        if part in file:
            raise files.not_accepted(path, f"is {what}, not an h5ad", fix)
    missing = [part for part in ("obs", "var") if part not in file]
    if missing:
        raise InputError(
            f"{path}: is HDF5, but not an AnnData h5ad: {' and '.join(missing)} missing"
            f"{'' if 'X' in file else ' (and no X)'}",
            expected="an h5ad with obs (cells), var (genes) and X or layers",
            fix="write it again with anndata, or give the original file",
        )
    newer = file.attrs.get("encoding-version")
    if file.attrs.get("encoding-type") == "anndata" and newer not in (None, "0.1.0"):
        raise InputError(
            f"{path}: was written by a newer anndata (format version {newer})",
            expected="format version 0.1.0",
            fix="update cafsc and anndata, or write the file with an older anndata",
        )
