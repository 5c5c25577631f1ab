"""What a run found, in counts and words, as plain JSON types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from cafsc import genes
from cafsc._config import Config
from cafsc._keys import CALLS, FIBROBLAST, KEPT, Keys
from cafsc._version import __version__
from cafsc.data.simulate import SIMULATED_KEY
from cafsc.pp.check.findings import Finding, warning
from cafsc.pp.normalize import symbol_columns
from cafsc.tl.gate.panels import lineage_panels

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

    from cafsc._options import RunOptions
    from cafsc.pp import CheckReport
    from cafsc.sig import Catalogue

_MIN_FIBROBLAST_MARKERS = 5
_MANY_LOW = 0.2
_ENOUGH = 0.5
_FEW_FIBROBLASTS = 20


def summarise(
    adata: AnnData,
    report: CheckReport,
    catalogue: Catalogue,
    options: RunOptions,
    keys: Keys,
    file: str | None,
) -> dict[str, Any]:
    """Counts, findings and the one-line message of a run with settled options."""
    cancer = options.cancer
    gate, calls = _counted(adata.obs[keys.gate]), _counted(adata.obs[keys.call])
    clusters = adata.uns[keys.uns]["clusters"]
    evidence = adata.uns[keys.uns]["evidence"]
    states = [name for name in dict.fromkeys(clusters["subtype"]) if name in catalogue.states]
    return {
        "version": __version__,
        "input": {
            "file": file or "",
            "n_cells": int(adata.n_obs),
            "n_genes": int(adata.n_vars),
            "matrix": report.matrix,
            "species": str(adata.uns[keys.uns]["species"]),
            "identifiers": report.identifiers,
            "findings": [finding.to_dict() for finding in report.findings],
        },
        "cancer": cancer,
        "cancer_label": catalogue.cancers[cancer].label if cancer else None,
        "gate": {"kept": gate.pop(KEPT, 0), "refused": gate},
        "lineages": _counted(adata.obs[keys.lineage]),
        "n_clusters": len(clusters),
        "message": _no_cluster_message(adata, catalogue, keys) if not len(clusters) else "",
        "calls": calls,
        "states": {name: {"meaning": catalogue.states[name].meaning} for name in states},
        "samples": _in_samples(adata, options.sample_key, keys.subtype, keys),
        "tumour": shares(
            {name: calls.get(name, 0) for name in CALLS},
            Config.of(options.config).verdict.n_resamples,
            options.seed,
            [*_in_samples(adata, options.sample_key, keys.call, keys).values()],
        ),
        "simulated": SIMULATED_KEY in adata.uns,
        "catalogue_sha256": catalogue.sha256,
        "n_claims": int(evidence["claim"].nunique()),
        "n_papers": int(evidence["paper"].nunique()),
    }


def shares(
    calls: Mapping[str, int], n_resamples: int, seed: int, samples: Sequence[Mapping[str, int]] = ()
) -> dict[str, dict[str, float]]:
    """Share of cells with each call, with 95% intervals over resampled cells and, from two on, resampled samples.

    `calls` and each of the `samples` give the cells of each call. Returns for each call ``share``, ``low``, ``high``
    (over cells) and ``low_samples``, ``high_samples``, each 0..1; nothing without cells.
    """
    names = sorted(calls)
    count = np.array([calls[name] for name in names], dtype=np.float64)
    if count.sum() == 0:
        return {}
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(int(count.sum()), count / count.sum(), size=n_resamples)
    columns = {"share": count / count.sum()}
    columns["low"], columns["high"] = np.quantile(drawn / count.sum(), [0.025, 0.975], axis=0)
    table = np.array([[sample.get(name, 0) for name in names] for sample in samples], dtype=np.float64)
    table = table[table.sum(axis=1) > 0] if len(table) else table
    if len(table) >= 2:
        sums = table[rng.integers(0, len(table), size=(n_resamples, len(table)))].sum(axis=1)
        drawn = sums / sums.sum(axis=1, keepdims=True)
        columns["low_samples"], columns["high_samples"] = np.quantile(drawn, [0.025, 0.975], axis=0)
    return {name: {key: float(of[index]) for key, of in columns.items()} for index, name in enumerate(names)}


def _no_cluster_message(adata: AnnData, catalogue: Catalogue, keys: Keys) -> str:
    """Why there is no CAF cluster, in one line."""
    species = str(adata.uns[keys.uns]["species"])
    symbols = symbol_columns(adata, key_added=keys.key_added)
    found = len(lineage_panels(catalogue, symbols, species)[FIBROBLAST])
    known = len(catalogue.lineages[FIBROBLAST].core)
    if found < _MIN_FIBROBLAST_MARKERS:
        return f"no CAF cluster: only {found} of {known} fibroblast markers are in the data, too few to tell"
    low = int((adata.obs[keys.gate] == "low_quality").sum())
    if 2 * low > adata.n_obs:
        return f"no CAF cluster: {low} of {adata.n_obs} cells are of low quality"
    most = adata.obs[keys.lineage].value_counts().index[0]
    best = float(adata.obsm[keys.lineage_scores][FIBROBLAST].max())
    return (
        f"no CAF cluster: no group of cells expresses the fibroblast markers "
        f"(best panel score {best:.2f}; most cells are {most})"
    )


def _counted(values: pd.Series[str]) -> dict[str, int]:
    """Cells with each value, the most frequent first."""
    return {str(value): int(n) for value, n in values.value_counts().items() if n}


def _in_samples(adata: AnnData, sample_key: str | None, column: str, keys: Keys) -> dict[str, dict[str, int]]:
    """Fibroblasts of each sample by their value in a column."""
    if sample_key is None:
        return {}
    samples = adata.obs[sample_key].astype(str)
    kept = adata.obs[column].astype(str)[adata.obs[keys.gate] == KEPT]
    return {name: _counted(kept[samples[kept.index] == name]) for name in sorted(samples.unique())}


def outcome_findings(adata: AnnData, catalogue: Catalogue, keys: Keys) -> list[Finding]:
    """Findings of a finished run: poor cells, few fibroblasts, and what is odd about the user's own sets."""
    species: Any = adata.uns[keys.uns]["species"]
    own = {
        name: genes.translate(entry.definition.genes, entry.species, species)
        for name, entry in catalogue.sets.items()
        if set(entry.schemes) & set(catalogue.own_schemes)
    }
    return [
        *_cell_findings(adata, keys),
        *_second_opinions(adata.uns[keys.uns]["clusters"]),
        *(warning("own_signatures", text) for text in catalogue.notes),
        *own_set_findings(own, symbol_columns(adata, key_added=keys.key_added)),
    ]


def _second_opinions(clusters: pd.DataFrame) -> list[Finding]:
    """Findings on names that gseapy's ranking of the cluster's genes does not support."""
    doubted = clusters[(~clusters["enriched_agrees"].astype("boolean")).fillna(False)]
    return [
        warning(
            "second_opinion",
            f"cluster {row['cluster']} is named {row['subtype']}, but its ranked genes are enriched most in "
            f"{row['enriched_state']} (gseapy prerank)",
            1,
            fix="look at its genes: cafsc.get.markers(adata), cafsc.pl.dotplot(adata)",
        )
        for _, row in doubted.iterrows()
    ]


def _cell_findings(adata: AnnData, keys: Keys) -> list[Finding]:
    """Findings on the cells: many of low quality, few fibroblasts."""
    found = []
    poor = adata.obs[f"{keys.key_added}_low_quality"]
    foreign = f"{keys.key_added}_pct_counts_foreign"
    # The check has reported the cells of another species.
    low = int((poor & (adata.obs[foreign] <= 50.0)).sum() if foreign in adata.obs else poor.sum())
    if low > _MANY_LOW * adata.n_obs:
        text = f"{low:,} of {adata.n_obs:,} cells have too few genes to be named (low quality)"
        found.append(warning("low_quality", text, low, fix="filter empty droplets upstream"))
    kept = int((adata.obs[keys.gate] == KEPT).sum())
    if 0 < kept < _FEW_FIBROBLASTS:
        text = f"only {kept} fibroblasts, too few for reliable clusters"
        found.append(warning("few_fibroblasts", text, kept, fix="pool samples of the same tumour"))
    return found


def own_set_findings(
    sets: Mapping[str, Mapping[str, Collection[str]]], measured: Collection[str]
) -> list[Finding]:
    """Findings on the user's sets: for each gene of a set, the symbols that show it in the sample's species."""
    found = []
    for name, wanted in sorted(sets.items()):
        missing = [gene for gene, symbols in wanted.items() if not any(one in measured for one in symbols)]
        times = Counter(chain.from_iterable(wanted.values()))
        shown = times.keys() & set(measured)
        if len(shown) > _ENOUGH * len(measured) > 0:
            text = f"your set {name} holds {len(shown):,} of the {len(measured):,} genes measured"
            text += ": no background is left to compare it with"
            fix = "give the genes that set these cells apart, not all that were measured"
            found.append(warning("set_is_large", text, len(shown), fix=fix))
        twice = [symbol for symbol, n in times.items() if n > 1]
        if twice:
            text = f"your set {name} names {len(twice)} gene(s) under two names; each counts once"
            found.append(warning("set_names_twice", text, len(twice), twice, "keep the approved symbol"))
        present = len(wanted) - len(missing)
        if present < _ENOUGH * len(wanted):
            text = f"your set {name}: {present or 'none'} of its {len(wanted)} genes found in the data"
            text += "" if present else "; it cannot be scored"
            fix = "check the gene symbols, their case and the species of the set"
            found.append(warning("set_not_measured", text, len(missing), missing, fix))
    return found
