"""A small AnnData with every slot that ``cafsc.annotate`` fills, built by hand for get, pl, report, browser.

Strings that come from users or files are hostile here: markup, terminal escapes, mathtext, hidden marks.
"""

from __future__ import annotations

import json
from typing import Any

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from cafsc._keys import Keys

HOSTILE_CLUSTER = '<script>alert("x")</script>'
HOSTILE_FILE = "tumour\x1b[31m<img src=x onerror=alert(1)>\u202e.h5ad"
HOSTILE_LINK = "javascript:alert(document.domain)"

CLUSTERS = (
    # cluster, cells, subtype, support, reason, call, why, score, pro, anti, sensitive_to, genes
    ("0", 40, "myCAF", 0.97, "", "pro", "", 0.62, 3, 1, "", "COL1A1, POSTN, CTHRC1, MMP11"),
    ("1", 25, "iCAF", 0.94, "", "mixed", "sensitive_to_one_source", 0.08, 1, 1, "Wu 2020", "CXCL12, C3, DPT, IL6"),
    ("2", 15, "vCAF", 0.71, "", "anti", "", -0.4, 0, 2, "", "MCAM, NOTCH3"),
    ("10", 8, "unresolved", np.nan, "mixed:myCAF+iCAF", "undetermined", "unresolved", 0.0, 0, 0, "", ""),
    (HOSTILE_CLUSTER, 5, "unresolved", np.nan, "too_few_cells", "undetermined", "unresolved", 0.0, 0, 0, "",
     "FAP"),
)  # fmt: skip
LINEAGES = ("endothelial", "epithelial", "t_nk", "pericyte")
GENES = ("COL1A1", "POSTN", "CTHRC1", "MMP11", "CXCL12", "C3", "DPT", "IL6", "MCAM", "NOTCH3", "FAP", "KRT8")
SETS = (
    ("elyada2019/myCAF", "myCAF", "subtype", "elyada"),
    ("elyada2019/iCAF", "iCAF", "subtype", "elyada"),
    ("elyada2019/apCAF", "apCAF", "subtype", "elyada"),
    ("kieffer2020/ecm-myCAF", "ecm-myCAF", "subtype", "kieffer"),
    ("kieffer2020/detox-iCAF", "detox-iCAF", "subtype", "kieffer"),
    ("tgfb_response", "TGF-β response", "program", ""),
    ("inflammatory_secretome", "Inflammatory secretome", "program", ""),
)
CLAIMS = (
    # cluster, claim, effect, side, weight, level, paper, citation, doi, pmid, link, verified, statement
    ("0", "costa2018-s1-treg", "pro", "for", 0.9, "in_vitro", "costa2018", "Costa 2018 Cancer Cell",
     "10.1016/j.ccell.2018.01.011", "29455927", "https://doi.org/10.1016/j.ccell.2018.01.011", "abstract",
     "CAF-S1 draws in regulatory T cells and lengthens their survival."),
    ("0", "kieffer2020-ecm", "pro", "for", 1.4, "patients", "kieffer2020", "Kieffer 2020 Cancer Discov",
     "10.1158/2159-8290.cd-19-1384", "", "https://doi.org/10.1158/2159-8290.cd-19-1384", "read",
     "Samples rich in ecm-myCAF rarely answer to checkpoint blockade."),
    ("0", "kieffer2020-wound", "pro", "for", 0.3, "in_vitro+patients", "kieffer2020",
     "Kieffer 2020 Cancer Discov", "10.1158/2159-8290.cd-19-1384", "",
     "https://doi.org/10.1158/2159-8290.cd-19-1384", "read",
     "ecm-myCAF and regulatory T cells call each other."),
    ("0", "feig2013-fap", "pro", "for", 1.4, "in_vivo", "feig2013", "Feig 2013 PNAS",
     "10.1073/pnas.1320318110", "", "https://doi.org/10.1073/pnas.1320318110", "abstract",
     "Removing FAP+ cells uncovers the effect of checkpoint blockade."),
    ("0", "ozdemir2014-depletion", "anti", "against", 0.7, "in_vivo", "ozdemir2014",
     "Özdemir 2014 Cancer Cell", "10.1016/j.ccr.2014.04.005", "",
     "https://doi.org/10.1016/j.ccr.2014.04.005", "abstract",
     "Depleting cells with alpha-SMA shortens survival of mice."),
    ("0", "mechanics", "context", "context", 0.2, "review", "review003", "Review 2023 J",
     "", "123456", "https://pubmed.ncbi.nlm.nih.gov/123456/", "listed", "Stiffness depends on the stage."),
    ("1", "icaf-pro", "pro", "pro", 0.6, "in_vitro", "wu2020", "Wu 2020 EMBO J",
     "10.15252/embj.2019104063", "", "https://doi.org/10.15252/embj.2019104063", "abstract",
     "iCAF supports evasion."),
    ("1", "icaf-anti", "anti", "anti", 0.5, "patients", "hostile2024", "<b>Hostile</b> 2024 $J$",
     "not a doi\"><script>alert(2)</script>", "", HOSTILE_LINK, "listed",
     "<script>alert(3)</script> = 1+1\x1b]0;t\x07"),
    ("2", "brechbuhl2017-cd146", "anti", "for", 0.8, "in_vitro", "brechbuhl2017",
     "Brechbuhl 2017 Clin Cancer Res", "10.1158/1078-0432.ccr-15-2851", "",
     "https://doi.org/10.1158/1078-0432.ccr-15-2851", "abstract",
     "CD146+ fibroblasts keep oestrogen receptor signalling going."),
)  # fmt: skip


# Of two claims of one paper on one side the heavier votes; context never does.
VOTES = frozenset(claim for _, claim, effect, *_ in CLAIMS if effect != "context") - {"kieffer2020-wound"}


def annotated(key_added: str = "caf") -> ad.AnnData:
    """The annotated tumour: 93 kept fibroblasts of 160 cells, five clusters."""
    keys = Keys(key_added)
    draw = np.random.default_rng(7)
    cluster = np.concatenate([np.repeat(name, n) for name, n, *_ in CLUSTERS])
    n_kept = len(cluster)
    n_cells = 160
    lineage = np.array(["fibroblast"] * (n_kept + 7) + [LINEAGES[i % 4] for i in range(n_cells - n_kept - 7)])
    gate = np.array(
        ["kept"] * n_kept
        + ["doublet:fibroblast+t_nk"] * 7
        + [f"not_fibroblast:{x}" for x in lineage[n_kept + 7 :]]
    )
    order = draw.permutation(n_cells)
    counts = draw.poisson(1.5, (n_cells, len(GENES))).astype(np.float32)
    for i, (_, n, *_rest, genes) in enumerate(CLUSTERS):
        start = sum(c[1] for c in CLUSTERS[:i])
        for gene in genes.split(", "):
            if gene:
                counts[start : start + n, GENES.index(gene)] += 6
    facts = {name: (subtype, support, call) for name, _, subtype, support, _, call, *_ in CLUSTERS}
    per_cell = [facts[c] for c in cluster] + [(None, np.nan, None)] * (n_cells - n_kept)
    pca = np.full((n_cells, 5), np.nan, dtype=np.float32)
    pca[:n_kept] = draw.normal(size=(n_kept, 5)) + 3 * np.unique(cluster, return_inverse=True)[1][:, None]
    obs = pd.DataFrame(
        {
            keys.lineage: pd.Categorical(lineage),
            keys.gate: pd.Categorical(gate),
            keys.cluster: pd.Categorical([*cluster, *[None] * (n_cells - n_kept)]),
            keys.subtype: pd.Categorical([s for s, _, _ in per_cell]),
            keys.cell_subtype: pd.Categorical([s for s, _, _ in per_cell]),
            keys.confidence: [c for _, c, _ in per_cell],
            keys.call: pd.Categorical([c for _, _, c in per_cell]),
        },
        index=[f"cell{i:03d}" for i in range(n_cells)],
    )
    var = pd.DataFrame({keys.symbol: list(GENES)}, index=[f"ENSG{i:011d}" for i in range(len(GENES))])
    adata = ad.AnnData(sparse.csr_matrix(counts), obs=obs, var=var)
    adata.layers["counts"] = sparse.csr_matrix(counts)
    adata.obsm[keys.pca] = pca
    adata = adata[order].copy()
    adata.uns[keys.uns] = {
        "matrix": "counts",
        "summary": json.dumps(summary(gate, lineage, cluster)),
        "provenance": json.dumps(
            {"cafsc": "0.1.0", "seed": 0, "parameters": {"resolution": 1.0}, "input": {"file": HOSTILE_FILE}}
        ),
        "clusters": cluster_table(),
        "evidence": evidence_table(),
        "scores": score_table(draw),
        "cancers": cancer_table(),
    }
    return adata


def summary(gate: Any, lineage: Any, cluster: Any) -> dict[str, Any]:
    refused = pd.Series(gate[gate != "kept"]).value_counts().to_dict()
    calls: dict[str, int] = {}
    for _, n, *_mid, call, _why, _score, _pro, _anti, _hangs, _genes in CLUSTERS:
        calls[call] = calls.get(call, 0) + n
    return {
        "version": "0.1.0",
        "input": {
            "file": HOSTILE_FILE,
            "n_cells": len(gate),
            "n_genes": len(GENES),
            "matrix": "counts",
            "species": "human",
            "identifiers": "ensembl",
            "findings": [
                {
                    "code": "few_genes",
                    "severity": "warning",
                    "message": "only 12 genes <b>found</b>",
                    "fix": "use all",
                }
            ],
        },
        "cancer": "breast",
        "gate": {"kept": len(cluster), "refused": {str(k): int(v) for k, v in refused.items()}},
        "lineages": {str(k): int(v) for k, v in pd.Series(lineage).value_counts().items()},
        "n_clusters": len(CLUSTERS),
        "message": "",
        "calls": calls,
        "tumour": {
            call: {"share": n / len(cluster), "low": n / len(cluster) - 0.05, "high": n / len(cluster) + 0.05}
            for call, n in calls.items()
        },
        "simulated": True,
        "catalogue_sha256": "ab" * 32,
        "n_claims": 120,
        "n_papers": 40,
    }


def cluster_table() -> pd.DataFrame:
    names = "cluster n_cells subtype support reason call call_reason verdict_score n_pro n_anti sensitive_to top_genes"
    table = pd.DataFrame(CLUSTERS, columns=names.split())
    papers = {c[0]: " ".join(c[7].split()[:2]) for c in CLAIMS if c[2] != "context"}
    mycaf, first = table["subtype"] == "myCAF", table["cluster"] == "0"
    table = table.assign(
        fraction=table["n_cells"] / table["n_cells"].sum(),
        runner_up=np.where(mycaf, "iCAF", ""),
        margin=np.where(mycaf, 4.2, np.nan),
        verdict_low=(table["verdict_score"] - 0.3).clip(lower=-1),
        verdict_high=(table["verdict_score"] + 0.3).clip(upper=1),
        prognosis=np.where(first, "worse", ""),
        therapy_response=np.where(first, "better", ""),
        leading=table["cluster"].map(papers).fillna(""),
        scheme_elyada=table["subtype"].where(table["subtype"].isin(["myCAF", "iCAF"]), "unresolved"),
        scheme_kieffer=np.where(mycaf, "ecm-myCAF", "unresolved"),
    )
    # Not in natural order: the getter has to put them there.
    return table[::-1].rename(index=str)


def cancer_table() -> pd.DataFrame:
    """Calls in three cancers: the given one, another in which papers studied such cells, and one without any."""
    labels = {"breast": "breast cancer", "pancreas": "pancreatic <i>cancer</i>", "thyroid": "thyroid cancer"}
    rows = [
        {
            "cluster": name,
            "cancer": code,
            "cancer_label": label,
            "call": call if code == "breast" else "mixed",
            "score": score if code == "breast" else -score,
            "n_pro": pro,
            "n_anti": anti,
            "n_own": {"breast": 2, "pancreas": 3, "thyroid": 0}[code],
            "sensitive_to": "",
            "call_reason": why if code == "breast" else "both_sides",
            "chosen": code == "breast",
        }
        for name, _n, _subtype, _support, _reason, call, why, score, pro, anti, _hangs, _genes in CLUSTERS[
            ::-1
        ]
        for code, label in labels.items()
    ]
    return pd.DataFrame(rows)


def evidence_table() -> pd.DataFrame:
    names = (
        "cluster claim effect side weight evidence paper citation doi pmid link verified statement".split()
    )
    table = pd.DataFrame(CLAIMS, columns=names)
    facts = {name: (subtype, call) for name, _, subtype, _, _, call, *_ in CLUSTERS}
    heavy = table["claim"] == "kieffer2020-ecm"
    table = table.assign(
        subtype=[facts[cluster][0] for cluster in table["cluster"]],
        call=[facts[cluster][1] for cluster in table["cluster"]],
        about=[f"state:{facts[cluster][0]}" for cluster in table["cluster"]],
        counted=table["claim"].isin(VOTES),
        presence=0.9,
        cancer="breast",
        species="human",
        mechanism="treg_recruitment",
        prognosis=np.where(heavy, "worse", ""),
        therapy_response=np.where(heavy, "none", ""),
        group=table["paper"].replace(["costa2018", "kieffer2020"], "mechta-grigoriou"),
    )
    return table[::-1].rename(index=str)


def score_table(draw: np.random.Generator) -> pd.DataFrame:
    rows = [(name, *one, subtype in one[1]) for name, _, subtype, *_ in CLUSTERS for one in SETS]
    table = pd.DataFrame(rows, columns=["cluster", "set", "label", "kind", "scheme", "own"])
    effect = draw.normal(size=len(table)) + 6.0 * table.pop("own")
    strong = effect > 3
    table = table.assign(
        mean=effect / 10,
        ucell=0.3,
        effect=effect,
        error=1.0,
        p=np.where(strong, 0.001, 0.5),
        fdr=np.where(strong, 0.004, 0.8),
        n_found=9,
        n_genes=12,
    )
    return table[::-1].rename(index=str)


def without_clusters() -> ad.AnnData:
    """A sample in which no fibroblast was found: blood, say."""
    keys = Keys()
    adata = annotated()
    adata.obs[keys.gate] = pd.Categorical(["not_fibroblast:t_nk"] * adata.n_obs)
    adata.obs[keys.lineage] = pd.Categorical(["t_nk"] * adata.n_obs)
    adata.obs = adata.obs[[keys.lineage, keys.gate]]
    del adata.obsm[keys.pca]
    stored = adata.uns[keys.uns]
    for name in ("clusters", "evidence", "scores", "cancers"):
        stored[name] = stored[name].iloc[:0]
    record = json.loads(stored["summary"])
    record |= {
        "gate": {"kept": 0, "refused": {"not_fibroblast:t_nk": adata.n_obs}},
        "lineages": {"t_nk": adata.n_obs},
        "n_clusters": 0,
        "message": "no fibroblast cluster: 0 of 160 cells passed the gate",
        "calls": {},
        "tumour": {},
        "simulated": False,
        "cancer": None,
    }
    stored["summary"] = json.dumps(record)
    return adata


@pytest.fixture
def adata() -> ad.AnnData:
    return annotated()


@pytest.fixture
def empty() -> ad.AnnData:
    return without_clusters()
