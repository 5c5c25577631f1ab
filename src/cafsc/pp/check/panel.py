"""Which part of the catalogue a dataset can show: whole transcriptome, gene panel, or variable genes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cafsc import genes, sig
from cafsc.pp.check.findings import Finding, note, warning
from cafsc.sig.model import Species

if TYPE_CHECKING:
    import pandas as pd

_WHOLE_TRANSCRIPTOME = 8_000
_ENOUGH = 0.75
_LEAST_KNOWN = 0.05


def _in_species(wanted: Sequence[str], species: Species) -> list[set[str]]:
    """For each human symbol the symbols that would show it in a species."""
    if species == "human":
        return [{gene} for gene in wanted]
    orthologs = genes.translate(wanted, "human", species)
    return [set(orthologs.get(gene, ())) for gene in wanted]


def panel_findings(table: pd.DataFrame, species: Species, known: float) -> list[Finding]:
    """Findings on a dataset that measures only a part of the genes.

    Parameters
    ----------
    table
        Result of `cafsc.genes.symbols` for the genes of the dataset.
    species
        ``human`` or ``mouse``.
    known
        Share of the names that are known genes, 0 to 1.
    """
    if known < _LEAST_KNOWN or len(table) >= _WHOLE_TRANSCRIPTOME:
        return []
    measured = set(table["symbol"].astype(str))
    thin = []
    n_found = n_wanted = 0
    for panel in sig.load().lineages.values():
        core = [options for options in _in_species(panel.core, species) if options]
        found = sum(bool(options & measured) for options in core)
        n_found, n_wanted = n_found + found, n_wanted + len(core)
        if found < len(core) / 2:
            thin.append(f"{panel.label} ({found} of {len(core)})")
    share = n_found / max(1, n_wanted)
    text = f"only {len(table):,} genes: a panel or variable genes only; {share:.0%} of lineage genes measured"
    if share >= _ENOUGH and not thin:
        return [note("few_genes", text, len(table))]
    if thin:
        text += f"; too few to tell {', '.join(thin[:4])}{' and others' if len(thin) > 4 else ''}"
    fix = "give all genes, not only the variable ones (HVG)"
    return [warning("few_genes", text, len(table), fix=fix)]
