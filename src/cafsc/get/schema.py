"""The columns of every result table, declared once: for `cafsc.get`, the TSV files, the report and docs/columns.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Dtype = Literal["str", "category", "int64", "float64", "bool", "boolean"]


@dataclass(frozen=True)
class Column:
    """One column of a result table.

    Attributes
    ----------
    meaning
        One sentence.
    dtype
        Of pandas. ``str`` is object of str, ``""`` where missing; ``boolean`` has a missing value.
    unit
        Unit, or range of the values.
    codes
        Value -> meaning, where values are codes; rows are sorted in this order. A detail may follow a colon.
    alias
        Former name: read from old results, and kept as a copy of the column for one release.
    optional
        Whether a result may lack the column; its values are then missing.
    """

    name: str
    meaning: str
    dtype: Dtype = "str"
    unit: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    alias: str = ""
    optional: bool = False

    def word(self, value: str) -> str:
        """Meaning of a code without its detail after the colon; ``""`` for an unknown code."""
        kind = value.partition(":")[0]
        return next((word for code, word in self.codes.items() if code.partition(":")[0] == kind), "")


@dataclass(frozen=True)
class Table:
    """One result table: what a row is, the step that writes it, columns, order of rows, file of the command.

    ``extra`` is the prefix of further text columns.
    """

    name: str
    row: str
    step: str
    columns: tuple[Column, ...]
    order: tuple[str, ...] = ()
    extra: str = ""
    file: str = ""

    def __getitem__(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


LINEAGES: Final = {
    "fibroblast": "fibroblasts", "pericyte": "pericytes", "smooth_muscle": "smooth muscle",
    "endothelial": "endothelium", "epithelial": "epithelial or malignant cells", "t_nk": "T and NK cells",
    "b_plasma": "B and plasma cells", "myeloid": "myeloid cells", "mast": "mast cells", "schwann": "Schwann cells",
    "mesothelial": "mesothelium", "adipocyte": "adipocytes", "erythrocyte": "red blood cells", "doublet": "doublets",
    "unknown": "no clear lineage",
}  # fmt: skip
_GATE: Final = {
    "kept": "kept as a fibroblast",
    "not_fibroblast:<lineage>": "looks like another lineage",
    "doublet:<lineage>+<lineage>": "looks like two cells in one droplet",
    "unknown_lineage": "no lineage stood out",
    "low_quality": "too few genes were detected, or most counts are of another species",
}
_REASONS: Final = {
    "low_coverage": "Too few genes of the published sets were measured in this data.",
    "too_few_cells": "The cluster has too few cells for a reliable name.",
    "not_activated": "The fibroblasts of this sample lack the expression of tumour fibroblasts; "
    "they resemble normal fibroblasts.",
    "no_evidence": "No published state stands out from random gene sets of the same size and expression.",
    "mixed:<state>+<state>": "The cluster holds cells of more than one state.",
    "low_margin": "The leading state is not clearly ahead of the runner-up.",
    "low_support": "The name changes when cells and counts are resampled.",
    "excluded_gene:<gene>": "The cluster expresses a gene that its leading state lacks: doublets, or other cells.",
}
_EFFECTS: Final = {"pro": "pro-tumour", "anti": "anti-tumour", "context": "depends on circumstances"}
_CALLS: Final = {"pro": "pro-tumour", "anti": "anti-tumour", "mixed": "mixed", "undetermined": "undetermined"}
_CALL_REASONS: Final = {
    "no_claim": "No claim of the catalogue takes a side on what was found in this cluster.",
    "single_source": "Too few independent papers take a side; a call needs more than one, and papers of one "
    "laboratory or dataset count as one.",
    "both_sides": "Papers of weight stand on both sides.",
    "context_dependent": "The strong papers on its side say themselves that it depends on circumstances.",
    "no_clear_side": "The weight of the papers is nearly balanced.",
    "sensitive_to_one_source": "One paper alone, or those of one laboratory, decide the side.",
    "unresolved": "The cluster has no name, and claims are about named fibroblasts.",
}
_OUTCOMES: Final = {"worse": "worse", "better": "better", "mixed": "mixed", "none": "no association"}
_SIDES: Final = {
    "for": "For the call",
    "pro": "For a pro-tumour role",
    "against": "Against the call",
    "anti": "For an anti-tumour role",
    "context": "Context: depends on circumstances",
}
_KINDS: Final = {"state": "harmonised state", "subtype": "published subtype", "program": "programme"}
_EVIDENCE: Final = {
    "in_vivo": "in vivo",
    "patients": "patients",
    "in_vitro": "in culture",
    "review": "review",
}
_VERIFIED: Final = {"read": "full text read", "abstract": "abstract read", "listed": "seen in a list only"}

_CLUSTER: Final = Column("cluster", "Name of the fibroblast cluster.")
_CALL: Final = Column("call", "Direction of the published evidence.", codes=_CALLS)
_CALL_REASON: Final = Column("call_reason", "Why the call takes no side; else empty.", codes=_CALL_REASONS)
_N_PRO: Final = Column("n_pro", "Independent papers on the pro-tumour side.", "int64", "papers")
_N_ANTI: Final = Column("n_anti", "Independent papers on the anti-tumour side.", "int64", "papers")
_SENSITIVE: Final = Column(
    "sensitive_to", "Paper or laboratory whose removal changes the sign of the score.", alias="hangs_on"
)

CLUSTERS: Final = Table(
    "clusters", "fibroblast cluster", "cafsc.tl.label and cafsc.tl.verdict",
    (
        _CLUSTER,
        Column("n_cells", "Kept cells in the cluster.", "int64", "cells"),
        Column("fraction", "Share of the kept fibroblasts.", "float64", "0..1"),
        Column("subtype", "Harmonised state, or `unresolved`."),
        Column("support", "Share of resamples that agree with the leading state.", "float64", "0..1"),
        Column("reason", "Why the cluster is unresolved; empty where it is named.", codes=_REASONS),
        Column("runner_up", "Second-best state; empty where there is none."),
        Column("margin", "Lead of the state over the runner-up.", "float64", "standard errors"),
        _CALL,
        Column("verdict_score", "Balance of the weighted evidence; pro-tumour is positive.", "float64", "-1..1"),
        Column("verdict_low", "Lower end of the score's 95% interval over resampled papers.", "float64", "-1..1"),
        Column("verdict_high", "Upper end of the score's 95% interval over resampled papers.", "float64", "-1..1"),
        _CALL_REASON,
        _N_PRO,
        _N_ANTI,
        Column("prognosis", "Reported course of patients or animals with many of these cells.", codes=_OUTCOMES),
        Column("therapy_response", "Reported response to therapy with many of these cells.", codes=_OUTCOMES),
        Column("leading", "Papers with the largest weight."),
        _SENSITIVE,
        Column("top_genes", "Genes that contributed most to the name, comma-separated, strongest first."),
        Column("enriched_state", "Most enriched state by gseapy's prerank; empty if not run.", optional=True),
        Column("enriched_score", "Normalised enrichment score of that state.", "float64", optional=True),
        Column("enriched_fdr", "False discovery rate of that score.", "float64", "0..1", optional=True),
        Column("enriched_agrees", "Whether `enriched_state` is the `subtype`.", "boolean", optional=True),
    ),
    order=("cluster",),
    extra="scheme_",
    file="clusters.tsv",
)  # fmt: skip

CELLS: Final = Table(
    "cells", "cell of the input", "cafsc.tl.gate and cafsc.tl.label",
    (
        Column("cell", "Name of the cell, from `obs_names`."),
        Column("lineage", "Cell lineage.", "category", codes=LINEAGES),
        Column("gate", "`kept`, or why the cell was refused.", "category", codes=_GATE),
        Column("cluster", "Fibroblast cluster; missing where the cell was refused.", "category", optional=True),
        Column("subtype", "State of the cell's cluster, or `unresolved`.", "category", optional=True),
        Column("cell_subtype", "State of the cell itself.", "category", optional=True),
        Column("confidence", "Support of the cluster's state.", "float64", "0..1", optional=True),
        Column("call", "Call of the cell's cluster.", "category", codes=_CALLS, optional=True),
    ),
    file="cells.tsv.gz",
)  # fmt: skip

EVIDENCE: Final = Table(
    "evidence", "claim and cluster", "cafsc.tl.verdict",
    (
        _CLUSTER,
        Column("subtype", "Harmonised state of the cluster, or `unresolved`."),
        _CALL,
        Column("claim", "Id of the claim in the catalogue."),
        Column("about", "Subject of the claim: `set:<paper>/<set>`, `state:<id>`, `gene:<symbol>` or `program:<id>`."),
        Column("effect", "Role of the subject in the paper.", codes=_EFFECTS),
        Column("side", "Side on which the claim stands.", codes=_SIDES),
        Column("weight", "Evidence level x fit of cancer and species x presence of the subject.", "float64"),
        Column("counted", "Whether this claim, the heaviest of its group on that side, is the group's vote.", "bool"),
        Column("presence", "Confidence that the subject is present in the cluster.", "float64", "0..1"),
        Column("evidence", "Evidence levels of the claim, joined by `+`.", codes=_EVIDENCE),
        Column("cancer", "Cancers that the claim is about, comma-separated."),
        Column("species", "Species that the claim is about, comma-separated."),
        Column("mechanism", "Mechanisms of the claim, comma-separated."),
        Column("prognosis", "Course of patients or animals that the paper reports.", codes=_OUTCOMES),
        Column("therapy_response", "Response to therapy that the paper reports.", codes=_OUTCOMES),
        Column("statement", "The claim in one sentence."),
        Column("paper", "Key of the paper in the catalogue."),
        Column("group", "Laboratory or dataset whose papers share one vote, or the key of a paper that stands alone."),
        Column("citation", "Short citation of the paper."),
        Column("doi", "DOI of the paper."),
        Column("pmid", "PubMed ID of the paper."),
        Column("link", "Address of the paper."),
        Column("verified", "How far the source was read.", codes=_VERIFIED),
    ),
    order=("cluster", "side", "-weight", "claim", "about"),
    file="evidence.tsv",
)  # fmt: skip

SCORES: Final = Table(
    "scores", "cluster and catalogue set", "cafsc.tl.label, cafsc.tl.programs and cafsc.tl.calibrate",
    (
        _CLUSTER,
        Column("set", "Id of the set, programme or state."),
        Column("label", "Name of the set for people."),
        Column("kind", "What the set stands for.", codes=_KINDS),
        Column("scheme", "Published scheme that the set belongs to; empty where none."),
        Column("mean", "Mean of up genes minus down genes, minus matched control genes; for a subtype also minus its "
               "reference level in fibroblasts.", "float64", "natural log units"),
        Column("ucell", "UCell rank score (doi:10.1016/j.csbj.2021.06.043).", "float64", "0..1"),
        Column("effect", "Score before the reference level, against random sets of equal size and expression.",
               "float64", "standard deviations of matched random sets"),
        Column("error", "Standard error of the effect over the cells.", "float64", "as `effect`"),
        Column("p", "One-sided p value of the effect.", "float64", "0..1"),
        Column("fdr", "False discovery rate of the effect over clusters and sets.", "float64", "0..1"),
        Column("n_found", "Genes of the set that are in the data.", "int64", "genes"),
        Column("n_genes", "Genes of the set.", "int64", "genes"),
        Column("depth_rho", "Spearman correlation of cells' score and log depth.", "float64", "-1..1", optional=True),
        Column("stress_rho", "The same with the dissociation programme.", "float64", "-1..1", optional=True),
        Column("mean_adjusted", "Mean score of the cluster after linear regression on depth and stress.",
               "float64", "natural log units", optional=True),
    ),
    order=("cluster", "kind", "scheme", "set"),
)  # fmt: skip

CANCERS: Final = Table(
    "cancers", "cluster and cancer", "cafsc.tl.verdict",
    (
        _CLUSTER,
        Column("cancer", "Code of the cancer."),
        Column("cancer_label", "Name of the cancer for people."),
        _CALL,
        Column("score", "Balance of the evidence weighted for this cancer.", "float64", "-1..1"),
        _N_PRO,
        _N_ANTI,
        Column("n_own", "Independent papers on this very cancer; 0 means a borrowed call.", "int64", "papers"),
        _SENSITIVE,
        _CALL_REASON,
        Column("chosen", "Whether this is the cancer given by the user.", "bool"),
    ),
    order=("cluster", "-n_own", "cancer"),
)  # fmt: skip

MARKERS: Final = Table(
    "markers", "cluster and marker gene", "cafsc.tl.markers",
    (
        _CLUSTER,
        Column("gene", "Approved gene symbol."),
        Column("log_fold_change", "Mean expression in the cluster over the other fibroblasts.", "float64", "log2"),
        Column("share_in", "Share of the cluster's cells that express the gene.", "float64", "0..1"),
        Column("share_out", "Share of the other fibroblasts that express the gene.", "float64", "0..1"),
        Column("score", "Test statistic of scanpy's rank_genes_groups (t-test).", "float64"),
        Column("p_adjusted", "p value adjusted by Benjamini-Hochberg.", "float64", "0..1"),
    ),
    order=("cluster", "-score", "gene"),
    file="markers.tsv",
)  # fmt: skip

TABLES: Final = {t.name: t for t in (CLUSTERS, CELLS, EVIDENCE, SCORES, CANCERS, MARKERS)}


def lineage_name(code: str) -> str:
    """``t_nk`` to ``T and NK cells``; an unknown code with its underscores opened."""
    return LINEAGES.get(code, code.replace("_", " "))
