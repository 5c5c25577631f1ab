"""What people do today: scores of published sets, and the highest score wins."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from anndata import AnnData
from numpy.typing import NDArray

from cafsc import sig

Labels = NDArray[np.object_]
Sets = Mapping[str, list[str]]

MURAL_PANEL = ("pericyte", "smooth_muscle")


def published(scheme: str) -> dict[str, list[str]]:
    """Sets of a scheme as printed (curation undone), named by state, with a pericyte set for mural cells."""
    catalogue = sig.load()
    wanted = {
        "elyada": {"iCAF": ["elyada2019/iCAF"], "myCAF": ["elyada2019/myCAF"]},
        "kieffer": {
            "iCAF": ["kieffer2020/detox-iCAF", "kieffer2020/IL-iCAF"],
            "myCAF": ["kieffer2020/ecm-myCAF", "kieffer2020/TGFb-myCAF"],
        },
        "cords": {"iCAF": ["cords2023/iCAF"], "myCAF": ["cords2023/mCAF"]},
    }[scheme]
    out: dict[str, list[str]] = {}
    for state, names in wanted.items():
        genes: list[str] = []
        for name in names:
            definition = catalogue.sets[name].definition
            genes += [*definition.up, *definition.dropped]
        out[state] = list(dict.fromkeys(genes))
    out["mural"] = list(catalogue.lineages["pericyte"].core)
    return out


def score_genes(adata: AnnData, sets: Sets) -> pd.DataFrame:
    """scanpy.tl.score_genes with its defaults."""
    import scanpy as sc

    out = {}
    for name, genes in sets.items():
        here = [gene for gene in genes if gene in adata.var_names]
        sc.tl.score_genes(adata, here, score_name="_score", random_state=0)
        out[name] = adata.obs.pop("_score").to_numpy()
    return pd.DataFrame(out, index=adata.obs_names)


def _net(sets: Sets) -> pd.DataFrame:
    return pd.DataFrame(
        [(name, gene, 1.0) for name, genes in sets.items() for gene in genes],
        columns=["source", "target", "weight"],
    )


def _decoupler(method: str) -> Callable[[AnnData, Sets], pd.DataFrame]:
    def run(adata: AnnData, sets: Sets) -> pd.DataFrame:
        import decoupler as dc

        frame = pd.DataFrame(adata.X.toarray(), index=adata.obs_names, columns=adata.var_names)
        found = getattr(dc.mt, method)(frame, _net(sets), tmin=3)
        scores = found[0] if isinstance(found, tuple) else found
        return scores[list(sets)]

    return run


def ucell(adata: AnnData, sets: Sets) -> pd.DataFrame:
    """pyUCell with its defaults."""
    import pyucell

    copy = adata.copy()
    pyucell.compute_ucell_scores(copy, signatures={name: list(genes) for name, genes in sets.items()})
    return pd.DataFrame({name: copy.obs[f"{name}_UCell"].to_numpy() for name in sets}, index=adata.obs_names)


METHODS: dict[str, Callable[[AnnData, Sets], pd.DataFrame]] = {
    "scanpy score_genes": score_genes,
    "decoupler ulm": _decoupler("ulm"),
    "decoupler zscore": _decoupler("zscore"),
    "decoupler aucell": _decoupler("aucell"),
    "pyUCell": ucell,
}


def per_cell(scores: pd.DataFrame) -> Labels:
    """The highest score wins."""
    return scores.columns.to_numpy(dtype=object)[scores.to_numpy().argmax(axis=1)]


def per_cluster(scores: pd.DataFrame, clusters: NDArray[np.object_]) -> Labels:
    """The highest mean score of a cluster wins for all its cells."""
    means = scores.groupby(clusters).mean()
    winner = dict(zip(means.index, per_cell(means), strict=True))
    return np.array([winner[cluster] for cluster in clusters], dtype=object)
