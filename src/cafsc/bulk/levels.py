"""Make a cohort ready for scoring: log2 expression by approved symbol, each gene once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cafsc import genes
from cafsc.bulk.read import NOTES, gene_axis
from cafsc.errors import InputError
from cafsc.tl.score.controls import Array

Scale = Literal["counts", "tpm", "linear", "intensities", "log2", "log1p", "log2_intensities"]

MIN_SAMPLES = 3
"""A sample is judged against its cohort; fewer samples are no cohort."""
MIN_GENES = 50
"""Genes that must be recognised before anything is scored."""
FEW_SAMPLES = 20
FEW_GENES = 5000
_WORDS: dict[Scale, str] = {
    "counts": "raw counts; scaled to one million per sample, then log2(x + 1)",
    "tpm": "TPM or CPM (the same total in every sample); log2(x + 1)",
    "linear": "FPKM or expected counts (fractions, totals differ); scaled to one million, then log2(x + 1)",
    "intensities": "microarray intensities (no zeros); log2(x + 1)",
    "log2": "log2 of RNA-seq; used as they are",
    "log1p": "natural logarithm of RNA-seq; divided by ln 2",
    "log2_intensities": "log2 of microarray intensities (no zeros); used as they are",
}
_PER_MILLION = 1e6
_HIGHEST_LOG = 50.0
"""No logarithm of an expression value is larger."""


@dataclass(frozen=True)
class Levels:
    """Log2 expression of a cohort."""

    values: Array
    """Samples x genes, log2."""
    samples: tuple[str, ...]
    symbols: tuple[str, ...]
    """Approved symbols, each once."""
    scale: Scale
    """What the values were."""
    species: str
    notes: tuple[str, ...]
    """What was found and done, for the user."""


def levels(expression: pd.DataFrame, species: str, source: str) -> Levels:
    """Check and prepare a cohort, samples x genes or genes x samples; `source` names it in messages."""
    notes = list(expression.attrs.get(NOTES, ()))
    if gene_axis(expression, source) == 0:
        expression = expression.T
        notes.append("genes in rows, samples in columns")
    samples = expression.index.astype(str)
    if len(samples) < MIN_SAMPLES:
        raise InputError(
            f"{source}: has " + ("a single sample" if len(samples) == 1 else f"{len(samples)} samples"),
            expected=f"a cohort of at least {MIN_SAMPLES} samples, each judged against the others",
            fix="put the samples of the cohort into one table",
        )
    repeated = samples[samples.duplicated()]
    if len(repeated):
        raise InputError(
            f"{source}: {len(repeated):,} sample names are there twice, such as {repeated[0]!r}",
            expected="one name per sample",
            fix="rename or drop the duplicates",
        )
    values = _finite(expression, source)
    known, species, note = _symbols([str(name) for name in expression.columns], species, source)
    scale = scale_of(values, source)
    notes += [note, f"values: {_WORDS[scale]}"]
    values, symbols, said = _once(log2_levels(values, scale), known)
    notes += said
    if len(samples) < FEW_SAMPLES:
        notes.append(f"only {len(samples)} samples: the rank of a sample in this cohort is imprecise")
    if len(symbols) < FEW_GENES:
        notes.append(f"only {len(symbols):,} genes: sets are scored by those of their genes that are present")
    return Levels(values, tuple(samples), symbols, scale, species, tuple(notes))


def _finite(expression: pd.DataFrame, source: str) -> Array:
    try:
        values = expression.to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{source}: holds text where numbers should be: {str(error)[:80]}",
            expected="numbers only",
            fix="correct or drop these columns",
        ) from error
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        what = "missing (NaN or empty)" if np.isnan(values[row, column]) else "infinite"
        raise InputError(
            f"{source}: {len(bad):,} values are missing or infinite: {str(expression.columns[column])[:40]!r} in "
            f"sample {str(expression.index[row])[:40]!r} is {what}",
            expected="a number in every cell",
            fix="drop these genes or samples, or impute them; write 0 only where 0 was measured",
        )
    return values


def _symbols(names: list[str], species: str, source: str) -> tuple[list[str], str, str]:
    """Approved symbol of each name, the species, and a note."""
    found = genes.identify(names)
    if species == "auto":
        if found.species is None:
            raise InputError(
                f"{source}: the gene names fit human and mouse alike",
                expected="symbols as the species writes them, or Ensembl IDs",
                fix="give the species: species='human', or --species human",
            )
        species = found.species
    table = genes.symbols(names, species)
    known = int((table["how"] != "unknown").sum())
    if known < MIN_GENES:
        raise InputError(
            f"{source}: only {known:,} of {len(names):,} names are {species} genes",
            expected=f"at least {MIN_GENES} genes",
            fix="give the whole expression table; check the species",
        )
    kind = {"ensembl": "Ensembl IDs", "mixed": "symbols and Ensembl IDs"}.get(found.kind, "symbols")
    note = f"{species} {kind}, {known:,} of {len(names):,} names known"
    return [str(symbol) for symbol in table["symbol"]], species, note


def _once(values: Array, symbols: list[str]) -> tuple[Array, tuple[str, ...], list[str]]:
    """Each gene once, by its highest mean; genes that never vary are left out."""
    by_mean = pd.Series(symbols).iloc[np.argsort(-values.mean(axis=0), kind="stable")]
    columns = np.sort(by_mean.drop_duplicates().index.to_numpy())
    said = []
    if n_repeats := len(symbols) - len(columns):
        said.append(f"{n_repeats:,} genes are there more than once; the row with the highest mean is kept")
    varying = np.ptp(values[:, columns], axis=0) > 0
    if not varying.all():
        said.append(f"{int((~varying).sum()):,} genes are the same in all samples and left out")
    columns = columns[varying]
    return values[:, columns], tuple(symbols[column] for column in columns), said


def log2_levels(values: Array, scale: Scale) -> Array:
    """Values of a known scale as log2; counts and FPKM per million of their sample."""
    if scale in ("log2", "log2_intensities"):
        return values
    if scale == "log1p":
        return np.asarray(values / np.log(2))
    if scale in ("counts", "linear"):
        values = values / values.sum(axis=1, keepdims=True) * _PER_MILLION
    return np.asarray(np.log2(values + 1))


def scale_of(values: Array, source: str) -> Scale:
    """What finite values (samples x genes) are, by their numbers; refuses centred genes and empty samples."""
    high = float(values.max())
    if values.min() < 0:
        return _negative(values, high, source)
    n_empty = int((values.max(axis=1) == 0).sum())
    if n_empty:
        raise InputError(
            f"{source}: {n_empty:,} samples are empty: all their values are zero",
            expected="expression in every sample",
            fix="drop these samples",
        )
    nonzero = values[values != 0]
    if float((nonzero == np.rint(nonzero)).mean()) >= 0.99:
        return "counts"
    has_zeros = float((values == 0).mean()) >= 0.005
    if high > _HIGHEST_LOG:
        # Quantile-normalised arrays have equal totals too, but no zeros.
        return "intensities" if not has_zeros else "tpm" if _same_totals(values) else "linear"
    if not has_zeros:
        return "log2_intensities"
    if _same_totals(np.exp2(values) - 1):
        return "log2"
    natural = np.expm1(values)
    # A total far above one million per million is impossible: then the logarithm was to base 2.
    possible = float(np.median(natural.sum(axis=1))) <= 1.05 * _PER_MILLION
    return "log1p" if possible or _same_totals(natural) else "log2"


def _same_totals(values: Array) -> bool:
    totals = values.sum(axis=1)
    middle = float(np.median(totals))
    return middle > 0 and float(np.mean(np.abs(totals - middle) < 0.01 * middle)) > 0.9


def _negative(values: Array, high: float, source: str) -> Scale:
    """Logarithms of small numbers can be negative; centred genes have lost their level."""
    if high > _HIGHEST_LOG:
        raise InputError(
            f"{source}: negative values ({values.min():.3g}) among large ones ({high:.3g})",
            expected="counts, TPM, or log2 values",
            fix="give the values before background subtraction or scaling",
        )
    spread = values.std(axis=0)
    varying = spread > 0
    centred = np.abs(np.median(values[:, varying], axis=0)) < 0.5 * spread[varying]
    if float(centred.mean()) > 0.9:
        raise InputError(
            f"{source}: the genes were centred or scaled (z-scores): their level is lost",
            expected="counts, TPM, or log2 values",
            fix="give the values before centring: controls are matched by expression level",
        )
    return "log2"
