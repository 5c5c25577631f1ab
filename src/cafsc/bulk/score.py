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
from cafsc.bulk.enrichment import ssgsea as enrichment
from cafsc.bulk.levels import Levels, levels
from cafsc.bulk.net import NetVerdict, net_verdict
from cafsc.bulk.subjects import CONTENT, Subject, subjects
from cafsc.errors import OptionError
from cafsc.sig import Catalogue
from cafsc.sig.user import OwnSignatures, listed
from cafsc.sig.weights import WeightsLike, own_weights
from cafsc.tl.score.controls import SetColumns, control_corrected, expression_bins

_GENES_A_BIN = 20


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
        One row a subject: ``id`` (the column of `scores`, as claims write it), ``kind`` (state, set, program,
        lineage, gene, biomarker), ``label``, ``n_found``, ``n_genes``, ``agreement`` (Spearman correlation of
        both methods over the cohort), ``in_verdict``.
    verdict
        One row a sample: ``sample``, ``call``, ``verdict_score`` (-1..1), ``verdict_low`` and ``verdict_high``
        (lowest and highest with any one paper left out), ``hangs_on`` (paper, or group of papers, whose removal
        turns the sign, or ""), ``contrast`` (standard deviations), ``pro`` and ``anti`` (0..1).
    evidence
        One row a claim that spoke: ``claim``, ``about``, ``read_by`` (a column of `scores`), ``effect``,
        ``weight``, ``attribution``, ``share`` of its side, and the paper.
    summary
        What came in and what was used; plain JSON types.
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
        Samples x genes or genes x samples (told by the gene names): counts, TPM, FPKM, log2, or microarray
        intensities (told by the values); symbols or Ensembl IDs, human or mouse. From `cafsc.bulk.read`, or yours.
    cancer
        Name or code of the cancer; claims about it weigh more. None weighs all cancers alike.
    species
        ``auto`` reads it from the gene names.
    signatures
        Your own signatures, as in `cafsc.sig.load`.
    ssgsea
        Whether to score with gseapy's ssGSEA too.
    exclude_papers
        Keys of papers to leave out altogether: their sets, their parts of programmes and states, and their
        claims. For judging the verdict by the calls of one of them.
    catalogue
        Instead of the shipped one and `signatures`.
    weights
        Weights of claims in place of those of ``signatures/weights.yaml``, as in `cafsc.annotate`.
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
        A cancer or paper is not known, or gseapy is not installed.

    Notes
    -----
    A set's score in a sample is the mean log2 expression of its genes minus that of all genes of like mean
    expression over the cohort (Tirosh 2016, doi:10.1126/science.aad0501, with whole expression bins); a state's
    is the mean of its sets' scores.

    The verdict says where a sample's fibroblasts stand in this cohort, not in the world. Each signature's score
    is freed of what the amount of fibroblasts explains (least squares on the score of the fibroblast panel) and
    put in standard deviations z over the cohort; its presence is Phi(z), 0..1. A claim about a set that
    describes a harmonised state is read by the state's score. Claims weigh as in `cafsc.tl.verdict` (evidence x
    cancer x species x subject), times the attribution of the signature: its correlation with the fibroblast
    content over the cohort, since what does not rise with the fibroblasts is other cells'. A paper, or papers
    of one laboratory or dataset, has one vote a side, with the weight of its strongest claim, shared out over
    its subjects by weight. ``pro`` and ``anti`` are the weighted means of presence over the papers of each
    side, the cohort's middle (0.5) among them with a weight of 0.5, so that a side on which little speaks stays
    near it; ``verdict_score`` is their difference, ``contrast`` the same difference of z. Means, not sums: the
    side that has been studied more would always win. Only signatures of at least three genes speak: in bulk,
    one gene may come from any cell. ``call`` is ``undetermined`` below an absolute score of 0.1 or where a side
    is silent, and ``mixed`` where one paper decides the sign.
    """
    config = config or ScoreConfig()
    if catalogue is None:
        catalogue = sig.load(*listed(signatures))
    elif signatures:
        raise OptionError("both catalogue and signatures are given", fix="give one of them")
    if weights is not None:
        catalogue = replace(catalogue, weights=own_weights(catalogue.weights, weights))
    code = catalogue.cancer(cancer) if cancer is not None else None
    cohort = levels(expression, species, source)
    found = subjects(catalogue, cohort.species, cohort.symbols, exclude_papers)
    scores = _scores(cohort, found, config)
    second = enrichment(cohort, found) if ssgsea else None
    net = net_verdict(
        scores,
        scores[CONTENT].to_numpy(dtype=np.float64),
        found,
        catalogue,
        cancer=code,
        species=cohort.species,
        exclude_papers=exclude_papers,
        config=verdict_config,
    )
    return BulkResult(
        scores=scores,
        ssgsea=second,
        subjects=_subject_table(found, scores, second, set(net.evidence["read_by"])),
        verdict=net.samples,
        evidence=net.evidence,
        summary=_summary(cohort, net, catalogue, source, code, exclude_papers),
    )


def _scores(cohort: Levels, found: Mapping[str, Subject], config: ScoreConfig) -> pd.DataFrame:
    """Samples x subjects, log2 units; single genes as their level minus that of their bin."""
    n_bins = max(1, min(config.n_bins, len(cohort.symbols) // _GENES_A_BIN))
    bins = expression_bins(cohort.values.mean(axis=0), n_bins)
    sets: list[SetColumns] = [subject.columns for subject in found.values()]
    values = control_corrected(sparse.csr_matrix(cohort.values), bins, sets)
    out = pd.DataFrame(values, index=list(cohort.samples), columns=list(found))
    for name, subject in found.items():
        if subject.members:
            out[name] = out[list(subject.members)].mean(axis=1)
    return out


def _subject_table(
    found: Mapping[str, Subject], scores: pd.DataFrame, second: pd.DataFrame | None, speaking: set[str]
) -> pd.DataFrame:
    agreement = scores.rank().corrwith(second.rank()) if second is not None else pd.Series(dtype=float)
    return pd.DataFrame(
        {
            "id": list(found),
            "kind": [subject.kind for subject in found.values()],
            "label": [subject.label for subject in found.values()],
            "n_found": [subject.columns.n_found for subject in found.values()],
            "n_genes": [subject.columns.n_genes for subject in found.values()],
            "agreement": [float(agreement.get(name, np.nan)) for name in found],
            "in_verdict": [name in speaking for name in found],
        }
    )


def _summary(
    cohort: Levels,
    net: NetVerdict,
    catalogue: Catalogue,
    source: str,
    cancer: str | None,
    exclude_papers: Sequence[str],
) -> dict[str, Any]:
    calls = net.samples["call"].value_counts()
    return {
        "input": {
            "file": source,
            "n_samples": len(cohort.samples),
            "n_genes": len(cohort.symbols),
            "scale": cohort.scale,
            "species": cohort.species,
            "notes": list(cohort.notes),
        },
        "cancer": cancer,
        "exclude_papers": sorted(exclude_papers),
        "n_claims": len(net.evidence),
        "n_papers": {"pro": net.n_pro, "anti": net.n_anti},
        "calls": {str(call): int(calls[call]) for call in sorted(calls.index)},
        "catalogue_sha256": catalogue.sha256,
    }
