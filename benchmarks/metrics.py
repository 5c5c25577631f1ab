"""Figures of the benchmarks, as functions on label arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.object_]


def f1(truth: Labels, given: Labels, label: str) -> float:
    """F1 of one label; a cell without a name counts as wrong."""
    both = ((truth == label) & (given == label)).sum()
    total = (truth == label).sum() + (given == label).sum()
    return float(2 * both / total) if total else float("nan")


def macro_f1(truth: Labels, given: Labels, labels: Sequence[str]) -> float:
    """Mean F1 over labels, on the cells whose truth is among them."""
    inside = np.isin(truth, labels)
    return float(np.mean([f1(truth[inside], given[inside], label) for label in labels]))


def balanced_accuracy(truth: Labels, given: Labels, labels: Sequence[str]) -> float:
    """Mean recall over labels."""
    return float(np.mean([(given[truth == label] == label).mean() for label in labels]))


def flips(base: Labels, other: Labels, unnamed: Sequence[str]) -> tuple[float, int]:
    """Share of cells whose name changed, among those named both times, and how many those are."""
    named = ~np.isin(base, unnamed) & ~np.isin(other, unnamed)
    return (float((base[named] != other[named]).mean()), int(named.sum())) if named.any() else (0.0, 0)
