"""10x Genomics inputs: the HDF5 file and the folder of three text files."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from cafsc.errors import InputError
from cafsc.io.chunks import missing_chunks
from cafsc.io.files import head
from cafsc.io.hdf5 import SPARSE_PARTS, damaged
from cafsc.io.limits import refuse_oversized
from cafsc.io.row_blocks import RowSource
from cafsc.io.sparse import sparse_fault
from cafsc.io.temporary import stored_rows

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

_GENE_EXPRESSION = "Gene Expression"
_VECTORS = ("data", "indices", "indptr", "shape", "barcodes")
_GZIP_MOST_PACKED = 1032
_LONGEST_LINE = 100_000
# Entries in memory at once of what is left on the disk.
_COPIED = 2**21


def _groups(file: h5py.File) -> list[str]:
    """Matrix groups: one ``matrix`` of Cell Ranger 3 and later, one a genome of Cell Ranger 2."""
    return [
        name
        for name in file
        if isinstance(file.get(name), h5py.Group)
        and "barcodes" in file[name]
        and ("features" in file[name] or "genes" in file[name])
    ]


def is_tenx_h5(file: h5py.File) -> bool:
    """Whether an open HDF5 file has the layout of Cell Ranger."""
    return bool(_groups(file))


def read_tenx_h5(path: Path, file: h5py.File, *, backed: bool = False) -> AnnData:
    """Read the gene expression of a Cell Ranger HDF5 file that `cafsc.io.hdf5.inspect` has passed.

    With `backed`, its matrix is written to a temporary file, block by block, and left there.

    Raises
    ------
    InputError
        Parts are missing, contradict each other, or there is more than one genome.
    """
    from anndata.io import sparse_dataset

    groups = _groups(file)
    if len(groups) > 1:
        raise InputError(
            f"{path}: holds {len(groups)} genomes: {', '.join(groups)}",
            expected="one genome",
            fix="read one of them with scanpy.read_10x_h5(genome=...) and write it as h5ad",
        )
    group = file[groups[0]]
    missing = [name for name in _VECTORS if name not in group]
    if missing:
        raise damaged(path, f"10x matrix without {' and '.join(missing)}")
    features = group.get("features", group)
    ids, names = ("id", "name") if "features" in group else ("genes", "gene_names")
    if ids not in features or names not in features:
        raise damaged(path, f"10x matrix without {ids} or {names} of its features")
    for name in (
        *(f"{groups[0]}/{part}" for part in _VECTORS),
        f"{features.name}/{ids}",
        f"{features.name}/{names}",
    ):
        if not isinstance(file[name], h5py.Dataset) or len(file[name].shape or ()) != 1:
            raise damaged(path, f"{name} is not a list of values")
    n_features, n_cells = (int(n) for n in group["shape"][:2])
    for part in SPARSE_PARTS:
        if missing_chunks(group[part]):
            raise damaged(path, f"10x matrix: blocks of {part} were never written")
    # Features x cells by column is cells x features by row: no conversion is needed.
    fault = sparse_fault(group["data"], group["indices"], group["indptr"], n_cells, n_features)
    if fault:
        raise damaged(path, f"10x matrix: {fault}")
    table = _Features(
        ids=_words(features[ids]),
        names=_words(features[names]),
        types=_words(features["feature_type"]) if "feature_type" in features else None,
    )
    tables = _tables(path, (n_cells, n_features), table, _words(group["barcodes"]))
    source = RowSource(group, n_features)
    if not backed:
        return _assemble(source.read(0, n_cells), tables)
    blocks = (tables.gene_expression(source.read(*rows)) for rows in source.stretches(_COPIED))
    return tables.with_matrix(
        sparse_dataset(stored_rows(blocks, (n_cells, int(tables.keep.sum())), np.float32))
    )


def _words(dataset: Any) -> list[str]:
    return [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in dataset[:]]


@dataclass(frozen=True)
class _Features:
    ids: list[str]
    names: list[str]
    types: list[str] | None


@dataclass(frozen=True)
class _Tables:
    """Cells and genes of the gene expression of a 10x input."""

    barcodes: list[str]
    var: pd.DataFrame
    keep: NDArray[np.bool_]
    """Features of the matrix that are gene expression."""

    def gene_expression(self, matrix: Any) -> Any:
        """Of some rows of the matrix, its gene expression."""
        if not self.keep.all():
            matrix = matrix[:, np.flatnonzero(self.keep)]
        matrix.sum_duplicates()
        return matrix.astype(np.float32)

    def with_matrix(self, matrix: Any) -> AnnData:
        import pandas as pd
        from anndata import AnnData

        return AnnData(X=matrix, obs=pd.DataFrame(index=pd.Index(self.barcodes, dtype=object)), var=self.var)


def _tables(path: Path, shape: tuple[int, int], features: _Features, barcodes: list[str]) -> _Tables:
    import pandas as pd
    from anndata.utils import make_index_unique

    n_cells, n_features = shape
    if len(barcodes) != n_cells:
        raise damaged(path, f"{n_cells:,} columns in the matrix, but {len(barcodes):,} barcodes")
    if len(features.ids) != n_features or len(features.names) != n_features:
        raise damaged(path, f"{n_features:,} rows in the matrix, but {len(features.ids):,} features")
    var = pd.DataFrame(
        {"gene_ids": features.ids, "gene_symbols": features.names},
        index=pd.Index(features.names, dtype=object),
    )
    keep = np.ones(n_features, dtype=bool)
    if features.types is not None:
        var["feature_types"] = features.types
        keep = (var["feature_types"] == _GENE_EXPRESSION).to_numpy()
        if not keep.any():
            found = ", ".join(sorted(set(features.types))[:5])
            raise InputError(
                f"{path}: has no {_GENE_EXPRESSION} features, only {found}",
                expected="gene expression counts",
                fix="give the gene expression matrix of the same run",
            )
        var = var.loc[keep]
    var.index = make_index_unique(var.index)
    return _Tables(barcodes, var, keep)


def _assemble(matrix: Any, tables: _Tables) -> AnnData:
    return tables.with_matrix(tables.gene_expression(matrix))


@dataclass(frozen=True)
class MtxFiles:
    """The three files of a 10x mtx folder."""

    matrix: Path
    features: Path
    barcodes: Path


def mtx_folder_files(folder: Path) -> MtxFiles | None:
    """Find the three files of a 10x mtx folder; None where there is no matrix.

    Raises
    ------
    InputError
        There are several matrices, or one of the other two files is missing.
    """
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
    found = {}
    for role, stems in (("features", ("features.tsv", "genes.tsv")), ("barcodes", ("barcodes.tsv",))):
        names = [f"{prefix}{stem}{suffix}" for stem in stems for suffix in ("", ".gz")]
        item = next((folder / name for name in names if (folder / name).exists()), None)
        if item is None:
            raise InputError(
                f"{folder}: has a matrix.mtx, but no {prefix}{stems[0]}",
                expected="matrix.mtx, features.tsv (or genes.tsv) and barcodes.tsv, each also as .gz",
                fix="put the missing file into the folder",
            )
        found[role] = item
    return MtxFiles(matrix=matrices[0], **found)


def _lines(path: Path, n_most: int) -> list[list[str]]:
    """Lines that are not blank, split at tabs; one more than `n_most` at the most."""
    opener = gzip.open if head(path).startswith(b"\x1f\x8b") else open
    rows: list[list[str]] = []
    try:
        with opener(path, "rt", encoding="utf-8-sig", errors="replace") as file:
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
    """Rows and columns that a matrix declares.

    Refuses one that declares more entries than its file can hold, before memory is set aside.
    """
    packed = head(path).startswith(b"\x1f\x8b")
    opener = gzip.open if packed else open
    try:
        with opener(path, "rt", encoding="utf-8", errors="replace") as file:
            banner = file.readline(1024)
            line = file.readline(65536)
            while line.startswith("%") or (line and not line.strip()):
                line = file.readline(65536)
    except (OSError, EOFError, zlib.error) as error:
        raise damaged(path, f"cannot be decompressed: {error}") from error
    words = banner.lower().split()
    if len(words) < 5 or words[0] != "%%matrixmarket" or words[2] != "coordinate":
        raise damaged(path, "is not a sparse (coordinate) Matrix Market file")
    try:
        n_rows, n_columns, entries = (int(word) for word in line.split())
    except ValueError as error:
        raise damaged(path, "the line with its size is not three whole numbers") from error
    shortest = len("1 1\n")
    size = path.stat().st_size * (_GZIP_MOST_PACKED if packed else 1)
    if entries < 0 or entries * shortest > size:
        raise damaged(path, f"it claims {entries:,} entries, more than a file of its size can hold")
    refuse_oversized(path, "the matrix", entries * 16, size)
    return n_rows, n_columns


def read_tenx_mtx(folder: Path, files: MtxFiles) -> AnnData:
    """Read the gene expression of a 10x mtx folder.

    Raises
    ------
    InputError
        A file is damaged, or the three do not fit together.
    """
    from scipy import io as scipy_io
    from scipy import sparse

    n_features, n_cells = _read_mtx_header(files.matrix)
    rows, barcodes = _lines(files.features, n_features), _lines(files.barcodes, n_cells)
    for n_declared, found, path, what in (
        (n_features, rows, files.features, "rows"),
        (n_cells, barcodes, files.barcodes, "columns"),
    ):
        if len(found) != n_declared:
            kind = "features" if path == files.features else "barcodes"
            n = f"more than {n_declared:,}" if len(found) > n_declared else f"{len(found):,}"
            text = f"{folder}: {n_declared:,} {what} in {files.matrix.name}, but {n} {kind} in {path.name}"
            raise InputError(
                text,
                expected="one line a row (feature) and a column (barcode), and no header",
                fix="take the three files of one and the same run",
            )
    try:
        matrix = sparse.csr_matrix(scipy_io.mmread(files.matrix, spmatrix=True).T)
    except (ValueError, OSError, EOFError, OverflowError, zlib.error) as error:
        raise damaged(files.matrix, " ".join(str(error).split())[:200]) from error
    if matrix.dtype.kind not in "biuf":
        raise damaged(files.matrix, f"its entries are {matrix.dtype}, not numbers")
    table = _Features(
        ids=[row[0] for row in rows],
        names=[row[1] if len(row) > 1 else row[0] for row in rows],
        types=[row[2] for row in rows] if rows and all(len(row) > 2 for row in rows) else None,
    )
    return _assemble(matrix, _tables(folder, matrix.shape, table, [row[0] for row in barcodes]))
