"""Read a cohort's expression, and find which side of the table holds the genes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from cafsc import genes, io
from cafsc.bulk.table import ACCEPTED, read_table
from cafsc.errors import InputError
from cafsc.io.files import head
from cafsc.io.limits import refuse_oversized

NOTES = "cafsc_notes"
"""Key in ``DataFrame.attrs``: what was found while reading."""
_ANNOTATION = frozenset(
    "length start end strand chr chrom chromosome entrez entrezid entrez_id entrezgene_id gene_length "
    "effective_length eff_length width gc".split()
)
_MANY = 5000


def read(path: Path | str) -> pd.DataFrame:
    """Read a table of expression, genes x samples or samples x genes.

    Parameters
    ----------
    path
        Tab-, comma- or semicolon-separated text, gzip-compressed or not; or ``.h5ad`` (its ``X``). The format is
        decided by the content, not by the suffix.

    Returns
    -------
    DataFrame, samples x genes, float64, values and gene names as in the file. The side whose names are known as genes
    (`cafsc.genes.identify`) becomes the columns. ``attrs["cafsc_notes"]`` (list of str) says what was found, and
    which columns were left out.

    Raises
    ------
    InputError
        The file is not such a table, no genes are recognised, a cell holds text, or it does not fit in memory.

    Examples
    --------
    >>> cafsc.bulk.read("cohort.tsv").shape  # doctest: +SKIP
    (178, 19962)
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder", expected=ACCEPTED, fix="give the file itself")
    head(path)
    if h5py.is_hdf5(path):
        return _from_h5ad(path)
    table = read_table(path)
    if table.shape[1] < 2:
        found = f"{path}: is not a table: it has one column"
        raise InputError(found, expected=ACCEPTED, fix="give names and values")
    return oriented(table, path.name)


def gene_axis(frame: pd.DataFrame, source: str) -> int:
    """0 where the index of a numeric frame holds the genes, 1 where its columns do."""
    in_rows, in_columns = _share(frame.index), _share(frame.columns)
    if max(in_rows, in_columns) == 0:
        raise _no_genes(source, frame.columns, frame.index)
    return int(in_columns >= in_rows)


def oriented(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Samples x genes of a table as `cafsc.bulk.table.read_table` gives it; see `read`."""
    names = [str(name) for name in frame.columns]
    places = range(len(names))
    texts = [place for place in places if _is_text(frame.iloc[:, place])]
    shares = {place: _share(frame.iloc[:, place]) for place in texts}
    best = max(texts, key=lambda place: shares[place], default=0)
    in_columns = _share(names)
    genes_in_rows = shares.get(best, 0) > in_columns
    if not genes_in_rows and in_columns == 0:
        raise _no_genes(source, names[1:], frame.iloc[:, 0])
    if genes_in_rows:
        # The numbers right of the gene names are samples.
        label: int | None = best
        other = [p for p in places if p in texts or p < best or names[p].casefold() in _ANNOTATION]
    else:
        # The first column names the samples, unless it is itself a gene.
        label = 0 if 0 in texts or _share(names[:1]) == 0 else None
        other = [place for place in texts if place]
    dropped = [place for place in other if place != label]
    kept = [place for place in places if place != label and place not in dropped]
    rows = [str(n + 1) for n in range(len(frame))] if label is None else _texts(frame.iloc[:, label])
    values = _numbers(frame.iloc[:, kept].set_axis([names[place] for place in kept], axis=1), rows, source)
    values = values.T if genes_in_rows else values
    notes = [_sides(values, "columns", "rows") if genes_in_rows else _sides(values, "rows", "columns")]
    if label is None:
        notes.append("the samples have no names; they are numbered from 1")
    if dropped:
        shown = ", ".join(names[place] or "(no name)" for place in dropped[:5])
        notes.append(f"columns that are not expression left out: {shown}{' ...' if len(dropped) > 5 else ''}")
    return _framed(values, notes, source)


def _from_h5ad(path: Path) -> pd.DataFrame:
    adata = io.read(path)
    if adata.X is None:
        raise InputError(f"{path}: has no X", expected="expression in X", fix="copy the layer to X")
    refuse_oversized(path, "X as a full table", adata.n_obs * adata.n_vars * 8 * 2, path.stat().st_size)
    frame = adata.to_df().astype(np.float64)
    in_columns = 0 in frame.shape or gene_axis(frame, path.name) == 1
    frame = frame if in_columns else frame.T
    notes = [_sides(frame, *(("obs", "var") if in_columns else ("var", "obs")))]
    if len(frame) > _MANY:
        fix = "sum them by sample first, or use cafsc annotate"
        notes.append(f"{len(frame):,} rows look like single cells, not samples: {fix}")
    return _framed(frame, notes, path.name)


def _sides(frame: pd.DataFrame, samples: str, genes_: str) -> str:
    return f"samples in {samples} ({len(frame):,}), genes in {genes_} ({frame.shape[1]:,})"


def _framed(frame: pd.DataFrame, notes: list[str], source: str) -> pd.DataFrame:
    if 0 in frame.shape:
        missing = "samples" if len(frame) == 0 else "genes"
        raise InputError(f"{source}: has 0 {missing}", expected="samples and genes", fix="check the table")
    out = frame.set_axis(pd.Index(frame.index.astype(str), dtype=object), axis=0)
    out.columns = pd.Index(out.columns.astype(str), dtype=object)
    out.attrs[NOTES] = notes
    return out


def _texts(column: Iterable[object]) -> list[str]:
    return [str(name).strip() for name in pd.Series(list(column), dtype=object).fillna("")]


def _share(names: Iterable[object]) -> float:
    """Share of the names that are known as genes; 0 where too few are known to tell."""
    found = genes.identify(_texts(names))
    return 0.0 if found.kind == "unknown" else found.share


def _is_text(column: pd.Series) -> bool:
    """Whether at least half of a column is text."""
    if column.dtype.kind in "iufb":
        return False
    return bool(pd.to_numeric(column.dropna(), errors="coerce").isna().mean() >= 0.5)


def _numbers(frame: pd.DataFrame, rows: list[str], source: str) -> pd.DataFrame:
    """The float64 values of a table; refuses text among numbers."""
    numbers: pd.DataFrame = (
        frame.apply(pd.to_numeric, errors="coerce").astype(np.float64).set_axis(rows, axis=0)
    )
    bad = np.argwhere((numbers.isna().to_numpy() & frame.notna().to_numpy()).T)
    if len(bad):
        place, row = bad[0]
        raise InputError(
            f"{source}: text where a number should be: {str(frame.iloc[row, place])[:40]!r} in row "
            f"{rows[row][:40]!r}, column {frame.columns[place][:40]!r} ({sum(bad[:, 0] == place):,} in this column)",
            expected="numbers only, decimals with a point",
            fix="correct these cells, or drop the column",
        )
    return numbers


def _no_genes(source: str, columns: Iterable[object], rows: Iterable[object]) -> InputError:
    shown = [", ".join(repr(name[:30]) for name in _texts(names)[:3]) for names in (columns, rows)]
    return InputError(
        f"{source}: no genes recognised, neither in the header ({shown[0]} ...) nor beside the rows "
        f"({shown[1]} ...)",
        expected="human or mouse gene symbols or Ensembl gene IDs on one side, samples on the other",
        fix="translate probe or Entrez identifiers to gene symbols first",
    )
