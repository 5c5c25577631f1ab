"""Control-corrected mean: the mean of a set's genes minus the mean of all genes of like expression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cafsc.engine import GeneSet, membership

Array = NDArray[np.float64]


class ControlWeights(NamedTuple):
    """A row of values times ``genes`` times ``sums`` gives the scores.

    Attributes
    ----------
    genes
        Genes x (bins, then up sides, then down sides of the sets), sparse, 1.0 for a member.
    sums
        (Bins, up sides, down sides) x sets: weight of each sum in the score of a set.
    """

    genes: sparse.csr_matrix
    sums: Array


def control_weights(bins: NDArray[np.int64], sets: Sequence[GeneSet]) -> ControlWeights:
    """Weights of the control-corrected mean.

    Parameters
    ----------
    bins
        Expression bin of each gene, (n_genes,), from 0.
    sets
        Columns of each set. A side without genes adds 0.
    """
    n_genes, n_bins = bins.size, int(bins.max(initial=-1)) + 1
    in_bin = sparse.csr_matrix((np.ones(n_genes), (np.arange(n_genes), bins)), shape=(n_genes, n_bins))
    bin_size = np.bincount(bins, minlength=n_bins)[:, None]
    sides, controls, own = [], np.zeros((n_bins, len(sets))), []
    for side, sign in (("up", 1.0), ("down", -1.0)):
        members = membership(sets, side, n_genes)
        share = sign / np.maximum(members.sum(axis=0).A1, 1.0)
        controls -= (in_bin.T @ members).toarray() / np.maximum(bin_size, 1) * share
        own.append(np.diag(share))
        sides.append(members)
    return ControlWeights(sparse.hstack([in_bin, *sides], format="csr"), np.vstack([controls, *own]))


def control_corrected_mean(lognorm: Any, weights: ControlWeights) -> Array:
    """Mean of each set's up genes minus the mean of all genes of the same bins; minus the same of its down genes.

    Parameters
    ----------
    lognorm
        Cells x genes, CSR or dense, natural log1p of depth-normalised counts.
    weights
        See `control_weights`.

    Returns
    -------
    Cells x sets, float64, natural log units. After Tirosh 2016 (doi:10.1126/science.aad0501), with the whole bin as
    control, so that nothing is drawn at random.
    """
    sums = sparse.csr_matrix(lognorm) @ weights.genes
    return np.asarray(sums @ weights.sums, dtype=np.float64)
