"""10x Genomics inputs: the HDF5 file and the folder of three text files, checked here and read by scanpy."""

from __future__ import annotations

import csv
import gzip
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from cafsc.errors import InputError
from cafsc.io.files import head
from cafsc.io.hdf5 import SPARSE_PARTS, cause, damaged, inspect_sparse, missing_chunks
from cafsc.io.limits import refuse_oversized

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

_GENE_EXPRESSION = "Gene Expression"
_GZIP_MOST_PACKED = 1032


def tenx_groups(file: h5py.File) -> list[str]:
    """Matrix groups: one ``matrix`` of Cell Ranger 3 and later, one a genome of Cell Ranger 2."""
    groups = {name: file[name] for name in file if isinstance(file.get(name), h5py.Group)}
    return [name for name, g in groups.items() if "barcodes" in g and ("features" in g or "genes" in g)]


def inspect_tenx_h5(path: Path, file: h5py.File) -> None:
    """Raise `InputError` where a Cell Ranger file has several genomes, or parts that are missing or do not fit."""
    groups = tenx_groups(file)
    if len(groups) > 1:
        raise InputError(
            f"{path}: holds {len(groups)} genomes: {', '.join(groups)}",
            expected="one genome",
            fix="read one of them with scanpy.read_10x_h5(genome=...) and write it as h5ad",
        )
    group = file[groups[0]]
    modern = ["features/id", "features/name", "features/feature_type"]
    names = modern if "features" in group else ["genes", "gene_names"]
    vectors = {}
    for name in (*SPARSE_PARTS, "shape", "barcodes", *names):
        if name not in group:
            raise damaged(path, f"10x matrix without {name}")
        vectors[name] = group[name]
        if not isinstance(vectors[name], h5py.Dataset) or len(vectors[name].shape or ()) != 1:
            raise damaged(path, f"10x matrix: {name} is not a list of values")
    n_features, n_cells = (int(n) for n in vectors["shape"][:2])
    for name, n, what in [("barcodes", n_cells, "columns"), *((name, n_features, "rows") for name in names)]:
        if vectors[name].shape[0] != n:
            raise damaged(path, f"{n:,} {what} in the matrix, but {vectors[name].shape[0]:,} {name}")
    # Features x cells by column is cells x features by row.
    found = [vectors[name] for name in SPARSE_PARTS]
    inspect_sparse(path, "10x matrix", found, (n_cells, n_features), missing_chunks)


def read_tenx_h5(path: Path) -> AnnData:
    """Read a Cell Ranger HDF5 file that `inspect_tenx_h5` has passed; its gene expression features."""
    import scanpy

    with warnings.catch_warnings():
        # Names are made unique below.
        warnings.simplefilter("ignore", UserWarning)
        return _gene_expression(path, scanpy.read_10x_h5(path, gex_only=False))


def _gene_expression(path: Path, adata: AnnData) -> AnnData:
    """Gene expression features alone, with unique names beside the plain symbols."""
    if "feature_types" in adata.var:
        keep = (adata.var["feature_types"] == _GENE_EXPRESSION).to_numpy()
        if not keep.any():
            found = ", ".join(sorted(set(adata.var["feature_types"]))[:5])
            raise InputError(
                f"{path}: has no {_GENE_EXPRESSION} features, only {found}",
                expected="gene expression counts",
                fix="give the gene expression matrix of the same run",
            )
        if not keep.all():
            adata = adata[:, keep].copy()
    adata.X.sum_duplicates()
    adata.var["gene_symbols"] = adata.var_names.to_numpy()
    adata.var_names_make_unique()
    return adata


def mtx_folder_files(folder: Path) -> list[Path] | None:
    """Matrix, features and barcodes of a 10x mtx folder; None without a matrix, `InputError` if one is missing."""
    matrices = sorted(folder.glob("*matrix.mtx")) + sorted(folder.glob("*matrix.mtx.gz"))
    prefixes = sorted({item.name.partition("matrix.mtx")[0] for item in matrices})
    if not matrices:
        return None
    if len(prefixes) > 1:
        raise InputError(
            f"{folder}: holds {len(prefixes)} matrices: {', '.join(f'{name}matrix.mtx' for name in prefixes[:4])}",
            expected="one sample a folder",
            fix="put each sample's three files into a folder of its own",
        )
    found = [matrices[0]]
    for stems in (("features.tsv", "genes.tsv"), ("barcodes.tsv",)):
        names = [f"{prefixes[0]}{stem}{suffix}" for stem in stems for suffix in ("", ".gz")]
        there = [folder / name for name in names if (folder / name).exists()]
        if not there:
            raise InputError(
                f"{folder}: has a matrix.mtx, but no {names[0]}",
                expected="matrix.mtx, features.tsv (or genes.tsv) and barcodes.tsv, each also as .gz",
                fix="put the missing file into the folder",
            )
        found.append(there[0])
    return found


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file that a parser stumbles over."""
    try:
        yield
    except (ValueError, OSError, EOFError, OverflowError, zlib.error) as error:
        raise damaged(path, cause(error)) from error


def _read_list(folder: Path, path: Path, n: int, what: str, kind: str) -> pd.DataFrame:
    """Lines of a list, split at tabs: one for each of the `n` rows or columns of the matrix."""
    import pandas as pd

    head(path)
    with _named(path):
        table = pd.read_csv(
            path, sep="\t", header=None, dtype=str, nrows=n + 1, quoting=csv.QUOTE_NONE,
            keep_default_na=False, encoding="utf-8-sig", encoding_errors="replace",
        )  # fmt: skip
    if len(table) != n:
        count = f"more than {n:,}" if len(table) > n else f"{len(table):,}"
        raise InputError(
            f"{folder}: {n:,} {what}, but {count} {kind} in {path.name}",
            expected="one line a row (feature) and a column (barcode), and no header",
            fix="take the three files of one and the same run",
        )
    return table


def _read_mtx_header(path: Path) -> tuple[int, int]:
    """Rows and columns that a matrix declares; `InputError` where its file cannot hold the entries it declares."""
    is_packed = head(path).startswith(b"\x1f\x8b")
    opener = gzip.open if is_packed else open
    with _named(path), opener(path, "rt", encoding="utf-8", errors="replace") as file:
        words = file.readline(1024).lower().split()
        line = file.readline(65536)
        while line.startswith("%") or (line and not line.strip()):
            line = file.readline(65536)
    if len(words) < 5 or words[0] != "%%matrixmarket" or words[2] != "coordinate":
        raise damaged(path, "is not a sparse (coordinate) Matrix Market file")
    if words[3] not in ("integer", "real", "pattern"):
        raise damaged(path, f"its entries are {words[3]}, not numbers")
    sizes = line.split()
    if len(sizes) != 3 or not all(word.isdecimal() for word in sizes):
        raise damaged(path, "the line with its size is not three whole numbers")
    n_rows, n_columns, entries = map(int, sizes)
    size = path.stat().st_size * (_GZIP_MOST_PACKED if is_packed else 1)
    if entries * len("1 1\n") > size:
        raise damaged(path, f"it claims {entries:,} entries, more than a file of its size can hold")
    refuse_oversized(path, "the matrix", entries * 16, size)
    return n_rows, n_columns


def read_tenx_mtx(folder: Path, matrix: Path, features: Path, barcodes: Path) -> AnnData:
    """Read the gene expression of a 10x mtx folder; `InputError` where a file is damaged or the three do not fit."""
    import scanpy

    # One by one: `scanpy.read_10x_mtx` knows fewer of the names that folders come with.
    n_features, n_cells = _read_mtx_header(matrix)
    var = _read_list(folder, features, n_features, f"rows in {matrix.name}", "features")
    obs = _read_list(folder, barcodes, n_cells, f"columns in {matrix.name}", "barcodes")
    with _named(matrix):
        adata = scanpy.read_mtx(matrix).T
    adata.X = adata.X.tocsr().astype(np.float32)
    adata.obs_names = obs[0].to_numpy(dtype=object)
    adata.var_names = var[min(1, var.shape[1] - 1)].to_numpy(dtype=object)
    adata.var["gene_ids"] = var[0].to_numpy(dtype=object)
    if var.shape[1] > 2:
        adata.var["feature_types"] = var[2].to_numpy(dtype=object)
    return _gene_expression(folder, adata)
