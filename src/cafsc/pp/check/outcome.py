"""What a run itself brought to light: poor cells, and sets of the user that the data cannot show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from cafsc import genes
from cafsc._keys import KEPT, Keys
from cafsc.pp.check.findings import Finding, warning
from cafsc.pp.normalize import symbol_columns

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

_MANY_LOW = 0.2
_ENOUGH = 0.5
_FEW_FIBROBLASTS = 20


def quality_findings(adata: AnnData, *, key_added: str = "caf") -> list[Finding]:
    """Findings on the quality of the cells, of what `cafsc.pp.qc` wrote."""
    low = int(adata.obs[f"{key_added}_low_quality"].sum())
    if low <= _MANY_LOW * adata.n_obs:
        return []
    text = f"{low:,} of {adata.n_obs:,} cells hold too few genes to be named (low quality)"
    return [warning("low_quality", text, low, fix="filter empty droplets upstream")]


def fibroblast_findings(kept: int) -> list[Finding]:
    """Findings on how many fibroblasts a run is left with."""
    if not 0 < kept < _FEW_FIBROBLASTS:
        return []
    text = f"only {kept} fibroblasts: too few for their clusters to be trusted"
    return [warning("few_fibroblasts", text, kept, fix="pool samples of the same tumour")]


def own_set_findings(
    sets: Mapping[str, Mapping[str, Collection[str]]], measured: Collection[str]
) -> list[Finding]:
    """Findings on the user's sets.

    Parameters
    ----------
    sets
        For each set its genes, and for each gene the symbols that show it in the sample's species.
    measured
        Symbols in the data.
    """
    found = []
    for name, wanted in sorted(sets.items()):
        missing = [
            gene for gene, symbols in wanted.items() if not any(symbol in measured for symbol in symbols)
        ]
        present = len(wanted) - len(missing)
        shown = {symbol for symbols in wanted.values() for symbol in symbols} & set(measured)
        if len(measured) and len(shown) > _ENOUGH * len(measured):
            text = (
                f"your set {name} holds {len(shown):,} of the {len(measured):,} genes measured: no background "
                "is left to compare it with"
            )
            fix = "give the genes that set these cells apart, not all that were measured"
            found.append(warning("set_is_large", text, len(shown), fix=fix))
        twice = [symbol for symbol, n in Counter(chain.from_iterable(wanted.values())).items() if n > 1]
        if twice:
            text = f"your set {name} names {len(twice)} gene(s) under two names; each counts once"
            found.append(warning("set_names_twice", text, len(twice), twice, "keep the approved symbol"))
        if present >= _ENOUGH * len(wanted):
            continue
        text = f"your set {name}: {present or 'none'} of its {len(wanted)} genes found in the data"
        text += "" if present else "; it cannot be scored"
        fix = "check the gene symbols, their case and the species of the set"
        found.append(warning("set_not_measured", text, len(missing), missing, fix))
    return found


def outcome_findings(adata: AnnData, catalogue: Catalogue, keys: Keys) -> list[Finding]:
    """What the run brought to light: poor cells, few fibroblasts, and what is odd about the user's own sets."""
    found = quality_findings(adata, key_added=keys.key_added)
    found += fibroblast_findings(int((adata.obs[keys.gate] == KEPT).sum()))
    found += [warning("own_signatures", text) for text in catalogue.notes]
    species: Any = adata.uns[keys.uns]["species"]
    own = {
        name: genes.translate(entry.definition.genes, entry.species, species)
        for name, entry in catalogue.sets.items()
        if set(entry.schemes) & set(catalogue.own_schemes)
    }
    return found + own_set_findings(own, symbol_columns(adata, key_added=keys.key_added))
