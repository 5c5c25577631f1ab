"""What the values of a cohort are, told from the numbers, and the way to log2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cafsc.errors import InputError
from cafsc.tl.score.controls import Array

Scale = Literal["counts", "tpm", "linear", "intensities", "log2", "log1p", "log2_intensities"]

WORDS: dict[Scale, str] = {
    "counts": "raw counts; scaled to one million a sample, then log2(x + 1)",
    "tpm": "TPM or CPM (the same total in every sample); log2(x + 1)",
    "linear": "FPKM or expected counts (fractions, totals differ); scaled to one million, then log2(x + 1)",
    "intensities": "microarray intensities (no zeros); log2(x + 1)",
    "log2": "log2 of RNA-seq; taken as they are",
    "log1p": "natural logarithm of RNA-seq; divided by ln 2",
    "log2_intensities": "log2 of microarray intensities (no zeros); taken as they are",
}
_PER_MILLION = 1e6
_HIGHEST_LOGGED = 50.0
_WHOLE = 0.99
_SAME_TOTAL = 0.01
_NO_ZEROS = 0.005
_CENTRED = 0.1


@dataclass(frozen=True)
class Logged:
    """Expression on a log2 scale.

    Attributes
    ----------
    values
        Samples x genes.
    scale
        What the values were.
    """

    values: Array
    scale: Scale


def logged(values: Array, source: str) -> Logged:
    """Tell what values are and bring them to log2.

    Parameters
    ----------
    values
        Samples x genes, finite.
    source
        Name of the file, for messages.

    Raises
    ------
    InputError
        The values were centred or scaled gene by gene, are negative on a linear scale, or a sample is empty.
    """
    scale = scale_of(values, source)
    if scale in ("log2", "log2_intensities"):
        return Logged(values, scale)
    if scale == "log1p":
        return Logged(values / np.log(2), scale)
    if scale in ("counts", "linear"):
        total = values.sum(axis=1, keepdims=True)
        return Logged(np.log2(values / total * _PER_MILLION + 1), scale)
    return Logged(np.log2(values + 1), scale)


def scale_of(values: Array, source: str) -> Scale:
    """What the values are; see `logged`."""
    high = float(values.max())
    if values.min() < 0:
        return _negative(values, high, source)
    if high == 0 or (values.max(axis=1) == 0).any():
        n_empty = int((values.max(axis=1) == 0).sum())
        raise InputError(
            f"{source}: {n_empty:,} samples are empty: all their values are zero",
            expected="expression in every sample",
            fix="drop these samples",
        )
    nonzero = values[values != 0]
    if float((nonzero == np.rint(nonzero)).mean()) >= _WHOLE:
        return "counts"
    has_zeros = float((values == 0).mean()) >= _NO_ZEROS
    return _linear(values, has_zeros) if high > _HIGHEST_LOGGED else _logarithm(values, has_zeros)


def _linear(values: Array, has_zeros: bool) -> Scale:
    # Quantile-normalised arrays have the same total too, but no zeros.
    if not has_zeros:
        return "intensities"
    return "tpm" if _same_totals(values) else "linear"


def _logarithm(values: Array, has_zeros: bool) -> Scale:
    if not has_zeros:
        return "log2_intensities"
    if _same_totals(np.exp2(values) - 1):
        return "log2"
    natural = np.expm1(values)
    # More than a million per million is not possible: then the logarithm was to base 2.
    if _same_totals(natural) or float(np.median(natural.sum(axis=1))) <= _PER_MILLION * 1.05:
        return "log1p"
    return "log2"


def _same_totals(values: Array) -> bool:
    totals = values.sum(axis=1)
    middle = float(np.median(totals))
    return middle > 0 and float(np.mean(np.abs(totals - middle) < _SAME_TOTAL * middle)) > 0.9


def _negative(values: Array, high: float, source: str) -> Scale:
    """Logarithms of small numbers may be negative; centred genes say nothing of their level."""
    if high > _HIGHEST_LOGGED:
        raise InputError(
            f"{source}: negative values ({values.min():.3g}) among large ones ({high:.3g})",
            expected="counts, TPM, or log2 values",
            fix="give the values before background subtraction or scaling",
        )
    spread = values.std(axis=0)
    varying = spread > 0
    centred = np.abs(np.median(values[:, varying], axis=0)) < 0.5 * spread[varying]
    if float(centred.mean()) > 1 - _CENTRED:
        raise InputError(
            f"{source}: the genes were centred or scaled (z-scores): their level is lost",
            expected="counts, TPM, or log2 values",
            fix="give the values before centring: controls are matched by expression level",
        )
    return "log2"
