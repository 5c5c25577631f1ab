"""Gene names: which kind and species they are, their approved symbols, and orthologs."""

from __future__ import annotations

from cafsc.genes.names import Identifiers, foreign_genes, identify, is_mitochondrial, strip_genome_prefix
from cafsc.genes.symbols import symbols
from cafsc.genes.tables import aliases, approved, translate

__all__ = [
    "Identifiers",
    "aliases",
    "approved",
    "foreign_genes",
    "identify",
    "is_mitochondrial",
    "strip_genome_prefix",
    "symbols",
    "translate",
]
