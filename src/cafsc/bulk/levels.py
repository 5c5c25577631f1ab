"""A cohort made ready for scoring: log2 expression by approved symbol, each gene once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cafsc import genes
from cafsc.bulk.orientation import MIN_GENES, NOTES, gene_axis
from cafsc.bulk.scale import WORDS, Scale, logged
from cafsc.errors import InputError
from cafsc.tl.score.controls import Array

if TYPE_CHECKING:
    import pandas as pd

MIN_SAMPLES = 3
"""A sample is judged against its cohort; below this there is none."""
FEW_SAMPLES = 20
_FEW_GENES = 5000


@dataclass(frozen=True)
class Levels:
    """Log2 expression of a cohort.

    Attributes
    ----------
    values
        Samples x genes, float64, log2.
    samples
        Names of the samples.
    symbols
        Approved symbols, each once.
    scale
        What the values were.
    species
        ``human`` or ``mouse``.
    notes
        What was found and done, for the user.
    """

    values: Array
    samples: tuple[str, ...]
    symbols: tuple[str, ...]
    scale: Scale
    species: str
    notes: tuple[str, ...]


def levels(expression: pd.DataFrame, species: str, source: str) -> Levels:
    """Check and prepare a cohort.

    Parameters
    ----------
    expression
        Samples x genes or genes x samples.
    species
        ``auto``, ``human`` or ``mouse``.
    source
        Name of the file, for messages.

    Raises
    ------
    InputError
        The table cannot be scored; says why.
    """
    notes = list(expression.attrs.get(NOTES, ()))
    if 0 in expression.shape:
        raise InputError(
            f"{source}: has {expression.shape[0]:,} rows and {expression.shape[1]:,} columns",
            expected="samples and genes",
            fix="check the table",
        )
    if gene_axis(expression, source) == 0:
        expression = expression.T
        notes.append("genes in rows, samples in columns")
    samples = [str(name) for name in expression.index]
    _check_samples(samples, source)
    names = [str(name) for name in expression.columns]
    values = _checked(expression, samples, names, source)
    known, species, said = _symbols(names, species, source)
    notes += said
    scaled = logged(values, source)
    notes.append(f"values: {WORDS[scaled.scale]}")
    values, symbols, said = _once(scaled.values, known)
    notes += said
    if len(samples) < FEW_SAMPLES:
        notes.append(f"only {len(samples)} samples: where a sample stands in this cohort is rough")
    if len(symbols) < _FEW_GENES:
        notes.append(f"only {len(symbols):,} genes: sets are scored by those of their genes that are there")
    return Levels(values, tuple(samples), symbols, scaled.scale, species, tuple(notes))


def _check_samples(samples: list[str], source: str) -> None:
    if len(samples) < MIN_SAMPLES:
        one = "a single sample" if len(samples) == 1 else f"{len(samples)} samples"
        raise InputError(
            f"{source}: has {one}",
            expected=f"a cohort of at least {MIN_SAMPLES} samples, each judged against the others",
            fix="put the samples of the cohort into one table",
        )
    seen: set[str] = set()
    repeated = [name for name in samples if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if repeated:
        raise InputError(
            f"{source}: {len(repeated):,} sample names are there twice, such as {repeated[0]!r}",
            expected="one name a sample",
            fix="rename or drop the repeats",
        )


def _checked(expression: pd.DataFrame, samples: list[str], names: list[str], source: str) -> Array:
    try:
        values = expression.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{source}: holds text where numbers should be: {str(error)[:80]}",
            expected="numbers only",
            fix="correct or drop these columns",
        ) from error
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = (int(place[0]) for place in np.nonzero(bad))
        what = "missing (NaN or empty)" if np.isnan(values[row, column]) else "infinite"
        raise InputError(
            f"{source}: {int(bad.sum()):,} values are missing or infinite: {names[column][:40]!r} in sample "
            f"{samples[row][:40]!r} is {what}",
            expected="a number in every cell",
            fix="drop these genes or samples, or impute them; write 0 only where 0 was measured",
        )
    return values


def _symbols(names: list[str], species: str, source: str) -> tuple[list[str], str, list[str]]:
    """Approved symbol of each name, the species, and what there is to say."""
    found = genes.identify(names)
    if species == "auto":
        if found.species is None:
            raise InputError(
                f"{source}: the gene names fit human and mouse alike",
                expected="symbols as the species writes them, or Ensembl IDs",
                fix="say which with --species",
            )
        species = found.species
    table = genes.symbols(names, species)
    known = int((table["how"] != "unknown").sum())
    if known < MIN_GENES:
        raise InputError(
            f"{source}: only {known:,} of {len(names):,} names are {species} genes",
            expected=f"at least {MIN_GENES} genes",
            fix="give the whole expression table; check --species",
        )
    kind = {"ensembl": "Ensembl IDs", "mixed": "symbols and Ensembl IDs"}.get(found.kind, "symbols")
    said = [f"{species} {kind}, {known:,} of {len(names):,} names known"]
    return [str(symbol) for symbol in table["symbol"]], species, said


def _once(values: Array, symbols: list[str]) -> tuple[Array, tuple[str, ...], list[str]]:
    """Each gene once, by its highest mean; genes that never vary are left out."""
    mean = values.mean(axis=0)
    best: dict[str, int] = {}
    for column, symbol in enumerate(symbols):
        if symbol not in best or mean[column] > mean[best[symbol]]:
            best[symbol] = column
    said = []
    n_repeats = len(symbols) - len(best)
    if n_repeats:
        said.append(f"{n_repeats:,} genes were there more than once; the one with the highest mean is kept")
    columns = np.array(sorted(best.values()), dtype=np.int64)
    varying = np.ptp(values[:, columns], axis=0) > 0
    if not varying.all():
        said.append(f"{int((~varying).sum()):,} genes are the same in all samples and left out")
    columns = columns[varying]
    return values[:, columns], tuple(symbols[column] for column in columns), said
