"""10x Genomics inputs: the HDF5 file and the folder of three text files, checked here and read by scanpy."""

from __future__ import annotations

import gzip
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from cafsc.errors import InputError
from cafsc.io.files import head
from cafsc.io.hdf5 import SPARSE_PARTS, damaged, missing_chunks, sparse_fault
from cafsc.io.limits import refuse_oversized

if TYPE_CHECKING:
    from anndata import AnnData

_GENE_EXPRESSION = "Gene Expression"
_GZIP_MOST_PACKED = 1032
_LONGEST_LINE = 100_000


def _groups(file: h5py.File) -> list[str]:
    """Matrix groups: one ``matrix`` of Cell Ranger 3 and later, one a genome of Cell Ranger 2."""
    groups = [name for name in file if isinstance(file.get(name), h5py.Group)]
    return [
        name
        for name in groups
        if "barcodes" in file[name] and ("features" in file[name] or "genes" in file[name])
    ]


def is_tenx_h5(file: h5py.File) -> bool:
    """Whether an open HDF5 file has the layout of Cell Ranger."""
    return bool(_groups(file))


def inspect_tenx_h5(path: Path, file: h5py.File) -> None:
    """Raise `InputError` where a Cell Ranger file has several genomes, or parts that are missing or do not fit."""
    groups = _groups(file)
    if len(groups) > 1:
        raise InputError(
            f"{path}: holds {len(groups)} genomes: {', '.join(groups)}",
            expected="one genome",
            fix="read one of them with scanpy.read_10x_h5(genome=...) and write it as h5ad",
        )
    group = file[groups[0]]
    names = ["features/id", "features/name", "features/feature_type"]
    if "features" not in group:
        names = ["genes", "gene_names"]
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
    for name in SPARSE_PARTS:
        if missing_chunks(vectors[name]):
            raise damaged(path, f"10x matrix: blocks of {name} were never written")
    # Features x cells by column is cells x features by row.
    fault = sparse_fault([vectors[name] for name in SPARSE_PARTS], n_cells, n_features)
    if fault:
        raise damaged(path, f"10x matrix: {fault}")


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


@dataclass(frozen=True)
class MtxFiles:
    """The three files of a 10x mtx folder."""

    matrix: Path
    features: Path
    barcodes: Path


def mtx_folder_files(folder: Path) -> MtxFiles | None:
    """The three files of a 10x mtx folder; None where there is no matrix, `InputError` where one is missing."""
    matrices = [
        item for item in sorted(folder.iterdir()) if item.name.endswith(("matrix.mtx", "matrix.mtx.gz"))
    ]
    if not matrices:
        return None
    plain = {item.name.removesuffix(".gz") for item in matrices}
    if len(plain) > 1:
        raise InputError(
            f"{folder}: holds {len(plain)} matrices: {', '.join(sorted(plain)[:4])}",
            expected="one sample a folder",
            fix="put each sample's three files into a folder of its own",
        )
    prefix = plain.pop().removesuffix("matrix.mtx")
    found = []
    for stems in (("features.tsv", "genes.tsv"), ("barcodes.tsv",)):
        names = [f"{prefix}{stem}{suffix}" for stem in stems for suffix in ("", ".gz")]
        item = next((folder / name for name in names if (folder / name).exists()), None)
        if item is None:
            raise InputError(
                f"{folder}: has a matrix.mtx, but no {prefix}{stems[0]}",
                expected="matrix.mtx, features.tsv (or genes.tsv) and barcodes.tsv, each also as .gz",
                fix="put the missing file into the folder",
            )
        found.append(item)
    return MtxFiles(matrices[0], *found)


def _open_text(path: Path) -> tuple[Any, bool]:
    """A text file that may be compressed, opened, and whether it is."""
    packed = head(path).startswith(b"\x1f\x8b")
    opener = gzip.open if packed else open
    return opener(path, "rt", encoding="utf-8-sig", errors="replace"), packed


def _lines(path: Path, n_most: int) -> list[list[str]]:
    """Lines that are not blank, split at tabs; one more than `n_most` at the most."""
    rows: list[list[str]] = []
    try:
        with _open_text(path)[0] as file:
            # Never the whole of a line that does not end: a small file can unpack to any length.
            while len(rows) <= n_most and (line := file.readline(_LONGEST_LINE)):
                if len(line) == _LONGEST_LINE:
                    raise damaged(path, f"line {len(rows) + 1:,} is longer than {_LONGEST_LINE:,} characters")
                if line.strip():
                    rows.append(line.rstrip("\r\n").split("\t"))
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, f"cannot be decompressed: {error}") from error
    return rows


def _read_mtx_header(path: Path) -> tuple[int, int]:
    """Rows and columns that a matrix declares; `InputError` where its file cannot hold the entries it declares."""
    text, packed = _open_text(path)
    try:
        with text as file:
            words = file.readline(1024).lower().split()
            line = file.readline(65536)
            while line.startswith("%") or (line and not line.strip()):
                line = file.readline(65536)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, f"cannot be decompressed: {error}") from error
    if len(words) < 5 or words[0] != "%%matrixmarket" or words[2] != "coordinate":
        raise damaged(path, "is not a sparse (coordinate) Matrix Market file")
    if words[3] not in ("integer", "real", "pattern"):
        raise damaged(path, f"its entries are {words[3]}, not numbers")
    try:
        n_rows, n_columns, entries = (int(word) for word in line.split())
    except ValueError as error:
        raise damaged(path, "the line with its size is not three whole numbers") from error
    size = path.stat().st_size * (_GZIP_MOST_PACKED if packed else 1)
    if entries < 0 or entries * len("1 1\n") > size:
        raise damaged(path, f"it claims {entries:,} entries, more than a file of its size can hold")
    refuse_oversized(path, "the matrix", entries * 16, size)
    return n_rows, n_columns


def read_tenx_mtx(folder: Path, files: MtxFiles) -> AnnData:
    """Read the gene expression of a 10x mtx folder; `InputError` where a file is damaged or the three do not fit.

    The files are read one by one: `scanpy.read_10x_mtx` knows fewer of the names that folders come with.
    """
    import pandas as pd
    import scanpy

    n_features, n_cells = _read_mtx_header(files.matrix)
    rows, barcodes = _lines(files.features, n_features), _lines(files.barcodes, n_cells)
    for n_declared, found, path, what, kind in (
        (n_features, rows, files.features, "rows", "features"),
        (n_cells, barcodes, files.barcodes, "columns", "barcodes"),
    ):
        if len(found) != n_declared:
            n = f"more than {n_declared:,}" if len(found) > n_declared else f"{len(found):,}"
            raise InputError(
                f"{folder}: {n_declared:,} {what} in {files.matrix.name}, but {n} {kind} in {path.name}",
                expected="one line a row (feature) and a column (barcode), and no header",
                fix="take the three files of one and the same run",
            )
    try:
        adata = scanpy.read_mtx(files.matrix).T
    except (ValueError, OSError, EOFError, OverflowError, zlib.error) as error:
        raise damaged(files.matrix, " ".join(str(error).split())[:200]) from error
    adata.X = adata.X.tocsr().astype(np.float32)
    adata.obs_names = pd.Index([row[0] for row in barcodes], dtype=object)
    adata.var_names = pd.Index([row[min(1, len(row) - 1)] for row in rows], dtype=object)
    adata.var["gene_ids"] = [row[0] for row in rows]
    if rows and all(len(row) > 2 for row in rows):
        adata.var["feature_types"] = [row[2] for row in rows]
    return _gene_expression(folder, adata)
