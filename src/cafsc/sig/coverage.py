"""How much of a set a dataset measures."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cafsc.sig.model import GeneSet


@dataclass(frozen=True)
class Coverage:
    """Genes of one set that are among the measured symbols, and those that are not."""

    found: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def n_found(self) -> int:
        """Number of genes found."""
        return len(self.found)

    @property
    def n_genes(self) -> int:
        """Number of genes in the set."""
        return len(self.found) + len(self.missing)

    @property
    def share(self) -> float:
        """Found genes as a share of the set, 0 to 1."""
        return self.n_found / self.n_genes if self.n_genes else 0.0


def coverage(definition: GeneSet, symbols: Collection[str]) -> Coverage:
    """Genes of a set (up, down and levels) that ``symbols`` holds.

    Parameters
    ----------
    definition
        The set.
    symbols
        Measured gene symbols, in the species of the set; hand over a set when asking for many sets.
    """
    measured = symbols if isinstance(symbols, set | frozenset | dict) else set(symbols)
    genes = definition.genes
    return Coverage(
        found=tuple(gene for gene in genes if gene in measured),
        missing=tuple(gene for gene in genes if gene not in measured),
    )
