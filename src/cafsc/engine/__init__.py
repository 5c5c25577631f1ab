"""Scores of gene sets as functions of arrays: one pass over the stored values of a matrix, a block of rows at a time.

`Scorer` scores by bin mean, UCell, AUCell and ULM at once; `score_genes_combination` as ``scanpy.tl.score_genes`` does.
Loops over values are compiled for a large matrix (`cafsc.engine.loops`) and in NumPy for a small one
(`cafsc.engine.reference`), which give the same bits.
"""

from __future__ import annotations

from cafsc.engine.controls import score_genes_combination
from cafsc.engine.fused import METHODS, Scorer
from cafsc.engine.groups import Columns, Members
from cafsc.engine.means import Combination, bin_mean_combination, detected_genes, gene_means
from cafsc.engine.rows import BLOCK_ROWS, Rows, canonical, n_stored, row_blocks

__all__ = [
    "BLOCK_ROWS",
    "METHODS",
    "Columns",
    "Combination",
    "Members",
    "Rows",
    "Scorer",
    "bin_mean_combination",
    "canonical",
    "detected_genes",
    "gene_means",
    "n_stored",
    "row_blocks",
    "score_genes_combination",
]
