"""Which side of a table holds the genes, and which columns are values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cafsc import genes
from cafsc.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

MIN_GENES = 50
"""Genes that must be recognised before anything is scored."""
NOTES = "cafsc_notes"
"""Key in ``DataFrame.attrs``: what was said while reading."""
_ANNOTATION = frozenset(
    "length start end strand chr chrom chromosome entrez entrezid entrez_id entrezgene_id gene_length "
    "effective_length eff_length width gc".split()
)
_SHOWN = 3


def oriented(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Samples x genes of a table as `cafsc.bulk.table.read_table` gives it.

    Parameters
    ----------
    frame
        Names of one side in a column, those of the other side as column names.
    source
        Name of the file, for messages.

    Returns
    -------
    float64 values; index the samples' names, columns the genes' names as they are in the file, repeats
    included; ``attrs["cafsc_notes"]`` says what was found and dropped.

    Raises
    ------
    InputError
        Neither side has gene names, a cell holds text, or there is nothing to score.
    """
    texts = _text_columns(frame)
    in_columns = _share([str(name) for name in frame.columns])
    shares = {position: _share(_names(frame, position)) for position in texts}
    best = max(shares, key=lambda position: shares[position], default=None)
    if best is not None and shares[best] > in_columns:
        return _from_rows(frame, best, texts, source)
    if in_columns > 0:
        return _from_columns(frame, texts, source)
    first = [str(name) for name in frame.iloc[:_SHOWN, 0]]
    raise no_genes(source, [str(name) for name in frame.columns[1 : _SHOWN + 1]], first)


def no_genes(source: str, columns: Sequence[str], rows: Sequence[str]) -> InputError:
    """The error for a table whose names are no genes."""
    shown = [", ".join(repr(name[:30]) for name in names[:_SHOWN]) for names in (columns, rows)]
    return InputError(
        f"{source}: no genes recognised, neither in the header ({shown[0]} ...) nor beside the rows "
        f"({shown[1]} ...)",
        expected="human or mouse gene symbols or Ensembl gene IDs on one side, samples on the other",
        fix="translate probe or Entrez identifiers to gene symbols first",
    )


def _share(names: Sequence[str]) -> float:
    """Share of the names that are known as genes; 0 if too few to tell."""
    found = genes.identify(names)
    return 0.0 if found.kind == "unknown" else found.share


def gene_axis(frame: pd.DataFrame, source: str) -> int:
    """0 where the index of a frame of numbers holds the genes, 1 where its columns do."""
    shares = [_share([str(name) for name in axis]) for axis in (frame.index, frame.columns)]
    if max(shares) == 0:
        raise no_genes(source, [str(n) for n in frame.columns[:3]], [str(n) for n in frame.index[:3]])
    return int(shares[1] >= shares[0])


def _names(frame: pd.DataFrame, position: int) -> list[str]:
    return [str(name).strip() for name in frame.iloc[:, position].fillna("")]


def _text_columns(frame: pd.DataFrame) -> list[int]:
    """Columns of which at least half is text."""
    import pandas as pd

    found = []
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if column.dtype.kind in "iufb":
            continue
        given = column.dropna()
        if pd.to_numeric(given, errors="coerce").isna().mean() >= 0.5:
            found.append(position)
    return found


def _from_rows(frame: pd.DataFrame, names_at: int, texts: list[int], source: str) -> pd.DataFrame:
    """Genes x samples: numbers right of the gene names are samples."""
    columns = [str(name) for name in frame.columns]
    left_out = [
        position
        for position in range(frame.shape[1])
        if position != names_at
        and (position in texts or position < names_at or columns[position].casefold() in _ANNOTATION)
    ]
    kept = [p for p in range(frame.shape[1]) if p != names_at and p not in left_out]
    names = _names(frame, names_at)
    values = _numbers(frame, kept, names, source)
    samples = [columns[position] for position in kept]
    said = [f"genes in rows ({len(names):,}), samples in columns ({len(kept):,})"]
    return _framed(values.T, samples, names, said + _dropped(columns, left_out), source)


def _from_columns(frame: pd.DataFrame, texts: list[int], source: str) -> pd.DataFrame:
    """Samples x genes: the first column names the samples, unless it is a gene itself."""
    columns = [str(name) for name in frame.columns]
    named = 0 in texts or genes.identify(columns[:1]).kind == "unknown"
    left_out = [position for position in texts if position]
    kept = [p for p in range(1 if named else 0, frame.shape[1]) if p not in left_out]
    samples = _names(frame, 0) if named else [str(n + 1) for n in range(len(frame))]
    values = _numbers(frame, kept, samples, source)
    said = [f"samples in rows ({len(samples):,}), genes in columns ({len(kept):,})"]
    if not named:
        said.append("the samples have no names; they are numbered from 1")
    return _framed(values, samples, [columns[p] for p in kept], said + _dropped(columns, left_out), source)


def _dropped(columns: list[str], left_out: list[int]) -> list[str]:
    if not left_out:
        return []
    names = ", ".join(columns[position] or "(no name)" for position in left_out[:5])
    return [f"columns that are not expression left out: {names}{' ...' if len(left_out) > 5 else ''}"]


def _numbers(
    frame: pd.DataFrame, columns: list[int], rows: list[str], source: str
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """float64 values of some columns; refuses text among numbers."""
    import pandas as pd

    values = np.empty((len(frame), len(columns)))
    for place, position in enumerate(columns):
        column = frame.iloc[:, position]
        numbers = pd.to_numeric(column, errors="coerce")
        bad = np.flatnonzero(numbers.isna() & column.notna())
        if bad.size:
            raise InputError(
                f"{source}: text where a number should be: {str(column.iloc[bad[0]])[:40]!r} in row "
                f"{rows[bad[0]][:40]!r}, column {str(frame.columns[position])[:40]!r} ({bad.size:,} in this column)",
                expected="numbers only, decimals with a point",
                fix="correct these cells, or drop the column",
            )
        values[:, place] = numbers.to_numpy(dtype=np.float64)
    return values


def _framed(
    values: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    samples: list[str],
    names: list[str],
    notes: list[str],
    source: str,
) -> pd.DataFrame:
    import pandas as pd

    if not samples or not names:
        missing = "samples" if not samples else "genes"
        raise InputError(f"{source}: has 0 {missing}", expected="samples and genes", fix="check the table")
    frame = pd.DataFrame(values, index=pd.Index(samples, dtype=object), columns=pd.Index(names, dtype=object))
    frame.attrs[NOTES] = notes
    return frame
