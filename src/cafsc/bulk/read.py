"""Read a cohort's expression from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from cafsc import io
from cafsc.bulk.orientation import NOTES, gene_axis, oriented
from cafsc.bulk.table import ACCEPTED, read_table
from cafsc.errors import InputError
from cafsc.io.files import has_hdf5_signature, head
from cafsc.io.limits import refuse_oversized

if TYPE_CHECKING:
    import pandas as pd

_MANY = 5000


def read(path: Path | str) -> pd.DataFrame:
    """Read a table of expression, genes x samples or samples x genes.

    Parameters
    ----------
    path
        Tab-, comma- or semicolon-separated text, gzip-compressed or not; or ``.h5ad`` (its ``X``). The content
        decides, not the suffix.

    Returns
    -------
    DataFrame, samples x genes, float64, values and gene names as they are in the file. The side that looks like
    genes (`cafsc.genes.identify`) becomes the columns. ``attrs["cafsc_notes"]`` (list of str) says what was
    found, and which columns were left out.

    Raises
    ------
    InputError
        It is no such table, no genes are recognised, a cell holds text, or it does not fit in memory.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder", expected=ACCEPTED, fix="give the file itself")
    first = head(path)
    if has_hdf5_signature(path, first):
        return _from_h5ad(path)
    table = read_table(path)
    if table.shape[1] < 2:
        raise InputError(
            f"{path}: is not a table: it has one column", expected=ACCEPTED, fix="give names and values"
        )
    return oriented(table, path.name)


def _from_h5ad(path: Path) -> pd.DataFrame:
    import pandas as pd

    adata = io.read(path)
    if adata.X is None:
        raise InputError(f"{path}: has no X", expected="expression in X", fix="copy the layer to X")
    refuse_oversized(path, "X as a full table", adata.n_obs * adata.n_vars * 8 * 2, path.stat().st_size)
    dense = adata.X.toarray() if sparse.issparse(adata.X) else np.asarray(adata.X)
    frame = pd.DataFrame(
        np.asarray(dense, dtype=np.float64),
        index=pd.Index(adata.obs_names.astype(str), dtype=object),
        columns=pd.Index(adata.var_names.astype(str), dtype=object),
    )
    if 0 in frame.shape:
        what = "samples" if frame.shape[0] == 0 else "genes"
        raise InputError(f"{path.name}: has 0 {what}", expected="samples and genes", fix="check the file")
    in_columns = gene_axis(frame, path.name)
    frame = frame if in_columns else frame.T
    places = ("obs", "var") if in_columns else ("var", "obs")
    frame.attrs[NOTES] = [
        f"samples in {places[0]} ({len(frame):,}), genes in {places[1]} ({frame.shape[1]:,})"
    ]
    if len(frame) > _MANY:
        frame.attrs[NOTES].append(
            f"{len(frame):,} rows look like single cells, not samples: sum them by sample first, or use "
            "cafsc annotate"
        )
    return frame
