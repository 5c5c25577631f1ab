"""Accuracy of cafsc and of its peers on public datasets with author labels.

    python benchmarks/accuracy.py [--quick]

Needs the datasets (``CAFSC_DATA_DIR``, or the network). cafsc runs with one set of defaults everywhere, and with
reference levels fitted without the dataset it is judged on. ``--quick`` compares cafsc with scanpy's score_genes only.
Cells that are not named count as wrong.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tools")]

import metrics
import peers
import truth
from fit_reference_levels import reference_without

import cafsc
from cafsc import data
from cafsc.sig.reference import ReferenceLevels

UNNAMED = ("unresolved", "refused")
MURAL = ("not_fibroblast:pericyte", "not_fibroblast:smooth_muscle")


def cafsc_labels(
    adata: AnnData, levels: ReferenceLevels | None, **options: object
) -> tuple[np.ndarray, cafsc.AnnotationResult]:
    """State of each kept cell, ``mural``, ``refused`` or ``unresolved``."""
    result = cafsc.annotate(adata, levels=levels, umap=False, **options)  # type: ignore[arg-type]
    gate = adata.obs["caf_gate"].astype(str).to_numpy()
    out = np.full(adata.n_obs, "refused", dtype=object)
    out[np.isin(gate, MURAL)] = "mural"
    kept = gate == "kept"
    out[kept] = adata.obs["caf_subtype"].astype(str).to_numpy()[kept]
    return out, result


def row(
    task: str,
    method: str,
    sets: str,
    unit: str,
    labels: np.ndarray,
    known: np.ndarray,
    states: tuple[str, ...],
) -> dict:
    inside = np.isin(known, states)
    return {
        "task": task,
        "method": method,
        "sets": sets,
        "unit": unit,
        "macro-F1": metrics.macro_f1(known, labels, states),
        "balanced accuracy": metrics.balanced_accuracy(known, labels, states),
        "unnamed": float(np.isin(labels[inside], UNNAMED).mean()),
    }


def cid4465(quick: bool) -> list[dict]:
    adata = data.load(truth.CID4465)
    known = truth.cid4465(adata)
    ours, _ = cafsc_labels(adata.copy(), reference_without(truth.CID4465), cancer="breast")
    kept = ~np.isin(ours, ("refused", "mural"))
    rows = [row("iCAF / myCAF / mural, stroma", "cafsc", "catalogue", "cell", ours, known, truth.STATES)]
    among = np.where(kept, known, "other")
    rows.append(row("iCAF / myCAF, gated CAFs", "cafsc", "catalogue", "cell", ours, among, truth.STATES[:2]))
    rows += _peer_rows(adata, known, kept, quick)
    caf = np.where(np.isin(known, ("iCAF", "myCAF", "transitioning")), "CAF", "other").astype(object)
    gate = np.where(kept, "CAF", "other").astype(object)
    print(f"CAF gate, CID4465: F1 {metrics.f1(caf, gate, 'CAF'):.3f}, CAFs kept {kept[caf == 'CAF'].mean():.3f}, "
          f"PVL kept {kept[known == 'mural'].mean():.3f}")  # fmt: skip
    return rows


def _peer_rows(adata: AnnData, known: np.ndarray, kept: np.ndarray, quick: bool) -> list[dict]:
    import scanpy as sc

    stroma = adata[np.isin(known, (*truth.STATES, "transitioning"))].copy()
    stroma_known, stroma_kept = known[np.isin(known, (*truth.STATES, "transitioning"))], None
    stroma_kept = kept[np.isin(known, (*truth.STATES, "transitioning"))]
    sc.pp.normalize_total(stroma, target_sum=1e4)
    sc.pp.log1p(stroma)
    clusters = _leiden(stroma)
    rows = []
    for scheme in ("elyada",) if quick else ("elyada", "kieffer", "cords"):
        sets = peers.published(scheme)
        for method, score in list(peers.METHODS.items())[: 1 if quick else None]:
            scores = score(stroma, sets)
            for unit in ("cell", "cluster"):

                def pick(frame: pd.DataFrame) -> np.ndarray:
                    return peers.per_cell(frame) if unit == "cell" else peers.per_cluster(frame, clusters)  # noqa: B023

                rows.append(
                    row(
                        "iCAF / myCAF / mural, stroma",
                        method,
                        scheme,
                        unit,
                        pick(scores),
                        stroma_known,
                        truth.STATES,
                    )
                )
                gated = pick(scores[["iCAF", "myCAF"]])
                three = np.where(stroma_kept, gated, "mural").astype(object)
                rows.append(
                    row(
                        "iCAF / myCAF / mural, stroma",
                        f"{method}, our gate",
                        scheme,
                        unit,
                        three,
                        stroma_known,
                        truth.STATES,
                    )
                )
                among = np.where(stroma_kept, stroma_known, "other")
                rows.append(
                    row("iCAF / myCAF, gated CAFs", method, scheme, unit, gated, among, truth.STATES[:2])
                )
    return rows


def _leiden(adata: AnnData) -> np.ndarray:
    """Leiden clusters as in scanpy's tutorial, on exact neighbours."""
    import scanpy as sc

    stroma = adata.copy()
    sc.pp.highly_variable_genes(stroma, n_top_genes=2000, subset=True)
    sc.pp.scale(stroma, max_value=10)
    sc.pp.pca(stroma, n_comps=30)
    sc.pp.neighbors(stroma, method="gauss", transformer="sklearn")
    sc.tl.leiden(stroma, flavor="leidenalg")
    return stroma.obs["leiden"].astype(str).to_numpy(dtype=object)


def compositions() -> pd.DataFrame:
    """CID4465 with cells left out: what a sorted or lopsided sample would show."""
    adata = data.load(truth.CID4465)
    known = truth.cid4465(adata)
    levels = reference_without(truth.CID4465)
    caf = np.isin(known, ("iCAF", "myCAF", "transitioning"))
    rng = np.random.default_rng(0)
    few = {state: (known != state) | (rng.random(adata.n_obs) < 0.2) for state in truth.STATES[:2]}
    samples = {
        "all cells": np.ones(adata.n_obs, dtype=bool),
        "CAFs and mural cells": caf | (known == "mural"),
        "CAFs": caf,
        "iCAFs": known == "iCAF",
        "myCAFs": known == "myCAF",
        "without iCAFs": known != "iCAF",
        "without myCAFs": known != "myCAF",
        "a fifth of the iCAFs": few["iCAF"],
        "a fifth of the myCAFs": few["myCAF"],
        "CAFs, a fifth of the iCAFs": caf & few["iCAF"],
        "CAFs, a fifth of the myCAFs": caf & few["myCAF"],
        "without CAFs": ~caf,
    }
    rows = []
    for name, cells in samples.items():
        labels, _ = cafsc_labels(adata[cells].copy(), levels)
        truth_here = known[cells]
        kept = ~np.isin(labels, ("refused", "mural"))
        states = tuple(state for state in truth.STATES[:2] if state in truth_here)
        among = np.where(kept, truth_here, "other")
        rows.append(
            {
                "sample": name,
                "cells": int(cells.sum()),
                "CAFs kept": float(kept[caf[cells]].mean()) if caf[cells].any() else float("nan"),
                "others kept": int(kept[~caf[cells]].sum()),
                "macro-F1": metrics.macro_f1(among, labels, states) if states else float("nan"),
                "unresolved": int((labels == "unresolved").sum()),
            }
        )
    return pd.DataFrame(rows)


def gates() -> None:
    """Datasets on which the gate alone is judged."""
    for name in (
        "pdac_lin2020_P01",
        "breast_tnbc_gao2021_302",
        "hnscc_puram2017_180",
        "mouse_gut_mca2018_219",
    ):
        adata = data.load(name)
        _, result = cafsc_labels(adata, reference_without(name))
        kept = (adata.obs["caf_gate"] == "kept").to_numpy()
        if name.startswith("pdac"):
            malignant = (
                truth.detected(adata, "COL1A1")
                & ~truth.detected(adata, "LUM")
                & ~truth.detected(adata, "DCN")
            )
            text = f"{(kept & malignant).sum()} of {malignant.sum()} COL1A1+ LUM- DCN- cells kept"
        elif name.startswith("breast"):
            text = f"{(kept & truth.detected(adata, 'EPCAM')).sum()} EPCAM+ cells kept"
        else:
            column = "celltypes" if name.startswith("hnscc") else "cell_type_annotation"
            fibroblast = adata.obs[column].astype(str).str.contains("Fibroblast").to_numpy()
            found, others = (kept & fibroblast).sum(), (kept & ~fibroblast).sum()
            text = f"{found} of {fibroblast.sum()} fibroblasts kept, {others} others"
        states = result.clusters.set_index("cluster")["subtype"].to_dict()
        print(f"{name}: {kept.sum()} cells kept; {text}; clusters {states}")
    for name in truth.NEGATIVE_CONTROLS:
        adata = data.load(name)
        _, result = cafsc_labels(adata, None)
        print(f"{name}: {result.summary['gate']['kept']} cells kept; {result.summary['message']}")


N_DRAWS = 3


def perturbed(adata: AnnData, seed: int = 0) -> dict[str, tuple[AnnData, np.ndarray, dict[str, object]]]:
    """Name -> the changed dataset, the rows of the original it holds, and options of the run."""
    rng = np.random.default_rng(seed)
    everything = np.arange(adata.n_obs)
    half = np.sort(rng.permutation(adata.n_obs)[: adata.n_obs // 2])
    out: dict[str, tuple[AnnData, np.ndarray, dict[str, object]]] = {
        "half the cells": (adata[half].copy(), half, {})
    }
    thin = adata.copy()
    thin.X = sparse.csr_matrix(adata.X).copy()
    thin.X.data = rng.binomial(thin.X.data.astype(int), 0.5).astype(np.float32)
    out["half the counts"] = (thin, everything, {})
    genes = np.sort(rng.permutation(adata.n_vars)[: int(0.9 * adata.n_vars)])
    out["10% of genes dropped"] = (adata[:, genes].copy(), everything, {})
    soup = np.asarray(adata.X.sum(axis=0)).ravel().astype(np.float64)
    depth = np.asarray(adata.X.sum(axis=1)).ravel()
    added = np.vstack([rng.multinomial(round(0.1 * n), soup / soup.sum()) for n in depth])
    ambient = adata.copy()
    ambient.X = sparse.csr_matrix(adata.X + sparse.csr_matrix(added.astype(np.float32)))
    out["10% ambient added"] = (ambient, everything, {})
    out["resolution halved"] = (adata.copy(), everything, {"resolution": 0.25})
    out["resolution doubled"] = (adata.copy(), everything, {"resolution": 1.0})
    for number in range(1, 6):
        out[f"seed {number}"] = (adata.copy(), everything, {"seed": number})
    return out


def stability() -> pd.DataFrame:
    rows = []
    for name in (truth.CID4465, "pdac_lin2020_P01", "hnscc_puram2017_180"):
        adata = data.load(name)
        levels = reference_without(name)
        base, _ = cafsc_labels(adata.copy(), levels)
        is_counts = name != "hnscc_puram2017_180"
        draws = [
            (change, *what) for seed in range(N_DRAWS) for change, what in perturbed(adata, seed).items()
        ]
        for number, (change, other, cells, options) in enumerate(draws):
            repeated = change.startswith(("resolution", "seed")) and number >= len(draws) // N_DRAWS
            if repeated or (not is_counts and ("counts" in change or "ambient" in change)):
                continue
            labels, _ = cafsc_labels(other, levels, **options)
            share, n = metrics.flips(base[cells], labels, (*UNNAMED, "mural"))
            gate, _ = metrics.flips(
                np.isin(base[cells], (*UNNAMED[1:], "mural")), np.isin(labels, (*UNNAMED[1:], "mural")), ()
            )
            rows.append(
                {
                    "dataset": name,
                    "change": change,
                    "draws": 1,
                    "flips": share,
                    "highest": share,
                    "cells named twice": n,
                    "gate flips": gate,
                }
            )
    how = {
        "draws": "sum",
        "flips": "mean",
        "highest": "max",
        "cells named twice": "mean",
        "gate flips": "mean",
    }
    return pd.DataFrame(rows).groupby(["dataset", "change"], sort=False).agg(how).reset_index()


def main() -> None:
    warnings.filterwarnings("ignore")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    table = pd.DataFrame(cid4465(options.quick)).sort_values(["task", "macro-F1"], ascending=[False, False])
    print(table.to_string(index=False, float_format="%.3f"))
    gates()
    print(compositions().to_string(index=False, float_format="%.3f"))
    if options.quick:
        return
    print(stability().to_string(index=False, float_format="%.3f"))


if __name__ == "__main__":
    main()
