"""Where a sample stands in its cohort, and how far a signature is the fibroblasts' own: functions on arrays."""

from __future__ import annotations

import numpy as np

from cafsc.tl.score.controls import Array

_ROUNDING = 1e-9


def standing(scores: Array, content: Array) -> Array:
    """Where each sample stands in its cohort, without what the amount of fibroblasts explains.

    Parameters
    ----------
    scores
        Samples x subjects.
    content
        Samples; fibroblast content.

    Returns
    -------
    Samples x subjects: residuals of the least-squares line on the content, in standard deviations over the
    cohort; 0 where nothing varies.
    """
    centred = scores - scores.mean(axis=0)
    amount = content - content.mean()
    if amount @ amount > 0:
        centred = centred - np.outer(amount, amount @ centred / (amount @ amount))
    spread = centred.std(axis=0)
    # What rounding leaves of a score that the content explains wholly is no variation.
    varies = spread > _ROUNDING * np.maximum(scores.std(axis=0), _ROUNDING)
    out: Array = np.divide(centred, spread, out=np.zeros_like(centred), where=varies)
    return out


def attribution(scores: Array, content: Array) -> Array:
    """How far each signature is read from fibroblasts in this cohort.

    Parameters
    ----------
    scores
        Samples x subjects.
    content
        Samples; fibroblast content.

    Returns
    -------
    Subjects, 0..1: correlation over the samples with the fibroblast content, 0 where it is negative. In bulk a
    signature that does not rise with the fibroblasts is mostly expressed by other cells.
    """
    centred, amount = scores - scores.mean(axis=0), content - content.mean()
    spread = np.sqrt((centred**2).sum(axis=0) * (amount @ amount))
    found: Array = np.divide(
        amount @ centred, spread, out=np.zeros(scores.shape[1]), where=spread > _ROUNDING
    )
    return np.clip(found, 0.0, 1.0)
