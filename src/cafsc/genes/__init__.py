"""Gene names: which kind and species they are, their approved symbols, and orthologs."""

from __future__ import annotations

from cafsc.genes.identify import Identifiers, identify
from cafsc.genes.orthologs import translate
from cafsc.genes.symbols import symbols
from cafsc.genes.tables import aliases, approved

__all__ = ["Identifiers", "aliases", "approved", "identify", "symbols", "translate"]
