"""Score a cohort: every signature of the catalogue, and the net verdict, per sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from cafsc import sig
from cafsc._config import ScoreConfig, VerdictConfig
from cafsc.bulk.levels import Levels, levels
from cafsc.bulk.net import net_verdict
from cafsc.bulk.subjects import CONTENT, Subject, subjects
from cafsc.errors import OptionError
from cafsc.sig import Catalogue
from cafsc.sig.user import OwnSignatures, WeightsLike, listed, own_weights
from cafsc.tl.score.controls import N_BINS, Array, control_corrected, expression_bins

_GENES_PER_BIN = 20


@dataclass(frozen=True)
class BulkResult:
    """Scores of a cohort.

    Attributes
    ----------
    scores
        Samples x subjects, float64: control-corrected mean, log2 units.
    ssgsea
        Samples x subjects, float64: the second method; None where it was left out.
    subjects
        One row per subject: ``id`` (the column of `scores`, as in claims), ``kind`` (state, set, program, lineage,
        gene, biomarker), ``label``, ``n_found``, ``n_genes``, ``agreement`` (Spearman correlation of both methods
        over the cohort), ``in_verdict``.
    verdict
        One row per sample: ``sample``, ``call``, ``verdict_score`` (-1..1), ``verdict_low`` and ``verdict_high``
        (lowest and highest with any one independent source left out), ``sensitive_to`` (the source whose removal
        changes the sign, or ""), ``contrast`` (standard deviations), ``pro`` and ``anti`` (0..1). ``hangs_on`` is the
        old name of ``sensitive_to``.
    evidence
        One row per claim that counted: ``claim``, ``about``, ``read_by`` (a column of `scores`), ``effect``,
        ``weight``, ``attribution``, ``share`` of its side, and the paper.
    summary
        Input, cancer, weights of claims, and counts of the calls; plain JSON types.
    """

    scores: pd.DataFrame
    ssgsea: pd.DataFrame | None
    subjects: pd.DataFrame
    verdict: pd.DataFrame
    evidence: pd.DataFrame
    summary: dict[str, Any]


def score(
    expression: pd.DataFrame,
    *,
    cancer: str | None = None,
    species: Literal["auto", "human", "mouse"] = "auto",
    signatures: OwnSignatures = (),
    ssgsea: bool = True,
    exclude_papers: Sequence[str] = (),
    catalogue: Catalogue | None = None,
    weights: WeightsLike | None = None,
    config: ScoreConfig | None = None,
    verdict_config: VerdictConfig | None = None,
    source: str = "the expression table",
) -> BulkResult:
    """Score every sample of a bulk or pseudobulk cohort by the catalogue.

    Parameters
    ----------
    expression
        Samples x genes or genes x samples (found by the gene names): counts, TPM, FPKM, log2, or microarray
        intensities (found by the values); symbols or Ensembl IDs, human or mouse. From `cafsc.bulk.read`, or yours.
    cancer
        Name or code of the cancer; claims about it weigh more. None weighs all cancers alike.
    species
        ``auto`` finds it by the gene names.
    signatures
        Your own signatures, as in `cafsc.sig.load`.
    ssgsea
        Whether to score with gseapy's ssGSEA too.
    exclude_papers
        Keys of papers to leave out: their sets, their parts of programmes and states, and their claims.
    catalogue
        Instead of the shipped one and `signatures`.
    weights
        Weights of claims in place of those of ``signatures/weights.yaml``, as in `cafsc.annotate`.
    config
        Not used: none of its thresholds applies to bulk samples.
    verdict_config
        Its ``min_papers``: independent sources that a call needs.
    source
        Name of the input, for messages.

    Returns
    -------
    BulkResult

    Raises
    ------
    InputError
        The table cannot be scored; says why.
    OptionError
        A cancer or paper is not known.

    Notes
    -----
    A set's score is the mean log2 expression of its genes minus that of all genes of similar mean expression over the
    cohort (Tirosh 2016, doi:10.1126/science.aad0501, with whole expression bins). A state's score is the mean of its
    sets' scores. The verdict compares the samples of this cohort: ``verdict_score`` is the weighted mean presence of
    the tumour-promoting signatures minus that of the restraining ones, at the sample's amount of fibroblasts;
    ``docs/bulk.md`` gives every step. ``call`` is ``undetermined`` below an absolute score of 0.1 or where a side has
    no source, and ``mixed`` where one source decides the sign.

    Examples
    --------
    >>> result = cafsc.bulk.score(cafsc.bulk.read("cohort.tsv"), cancer="pancreas")  # doctest: +SKIP
    >>> result.verdict[["sample", "call", "verdict_score"]]  # doctest: +SKIP
    """
    if catalogue is None:
        catalogue = sig.load(*listed(signatures))
    elif signatures:
        raise OptionError("both catalogue and signatures are given", fix="give one of them")
    if weights is not None:
        catalogue = replace(catalogue, weights=own_weights(catalogue.weights, weights))
    code = catalogue.cancer(cancer) if cancer is not None else None
    cohort = levels(expression, species, source)
    found = subjects(catalogue, cohort.species, cohort.symbols, exclude_papers)
    scores = _scores(cohort, found)
    second = _ssgsea(cohort, found) if ssgsea else None
    verdict, evidence, n_papers = net_verdict(
        scores,
        scores[CONTENT].to_numpy(dtype=np.float64),
        found,
        catalogue,
        cancer=code,
        species=cohort.species,
        exclude_papers=exclude_papers,
        min_papers=(verdict_config or VerdictConfig()).min_papers,
    )
    its = [(it.kind, it.label, it.columns.n_found, it.columns.n_genes) for it in found.values()]
    table = pd.DataFrame(its, columns="kind label n_found n_genes".split())
    table.insert(0, "id", list(found))
    table["agreement"] = np.nan if second is None else scores.rank().corrwith(second.rank()).to_numpy()
    table["in_verdict"] = table["id"].isin(evidence["read_by"])
    summary = {
        "input": {
            "file": source,
            "n_samples": len(cohort.samples),
            "n_genes": len(cohort.symbols),
            "scale": cohort.scale,
            "species": cohort.species,
            "notes": list(cohort.notes),
        },
        "cancer": code,
        "exclude_papers": sorted(exclude_papers),
        "weights": catalogue.weights.model_dump(mode="json", exclude={"why"}),
        "n_claims": len(evidence),
        "n_papers": n_papers,
        "calls": {str(call): int(n) for call, n in verdict["call"].value_counts().sort_index().items()},
        "catalogue_sha256": catalogue.sha256,
    }
    return BulkResult(scores, second, table, verdict, evidence, summary)


def _scores(cohort: Levels, found: Mapping[str, Subject]) -> pd.DataFrame:
    """Samples x subjects, log2 units; single genes as their level minus that of their bin."""
    n_bins = max(1, min(N_BINS, len(cohort.symbols) // _GENES_PER_BIN))
    bins = expression_bins(cohort.values.mean(axis=0), n_bins)
    values = control_corrected(sparse.csr_matrix(cohort.values), bins, [it.columns for it in found.values()])
    return _with_states(values, cohort, found)


def _ssgsea(cohort: Levels, found: Mapping[str, Subject]) -> pd.DataFrame:
    """Samples x subjects: single-sample enrichment by gseapy, that of down genes subtracted.

    The area between the running sums with weight 0.25 (Barbie 2009, doi:10.1038/nature08460), without the division
    by the range over all sets that some tools add.
    """
    import gseapy

    halves = {
        f"{sign}{name}": [cohort.symbols[column] for column in columns]
        for name, subject in found.items()
        if not subject.members
        for sign, columns in (("+", subject.columns.up), ("-", subject.columns.down))
        if columns.size
    }
    numbers = [f"s{number}" for number in range(len(cohort.samples))]
    long = gseapy.ssgsea(
        data=pd.DataFrame(cohort.values.T, index=list(cohort.symbols), columns=numbers),
        gene_sets=halves,
        outdir=None,
        sample_norm_method="rank",
        min_size=1,
        max_size=len(cohort.symbols),
        weight=0.25,
        threads=1,
        no_plot=True,
        verbose=False,
    ).res2d
    wide = long.astype({"ES": float}).pivot_table(index="Name", columns="Term", values="ES").reindex(numbers)
    half = {sign: wide.reindex(columns=[f"{sign}{name}" for name in found], fill_value=0.0) for sign in "+-"}
    return _with_states(half["+"].to_numpy() - half["-"].to_numpy(), cohort, found)


def _with_states(values: Array, cohort: Levels, found: Mapping[str, Subject]) -> pd.DataFrame:
    """Samples x subjects as a table, the score of each state being the mean of its sets' scores."""
    scores = pd.DataFrame(values, index=list(cohort.samples), columns=list(found))
    states = {name: list(it.members) for name, it in found.items() if it.members}
    return scores.assign(**{name: scores[sets].mean(axis=1) for name, sets in states.items()})
