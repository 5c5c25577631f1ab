"""Every AnnData slot that cafsc writes, and the words it writes there, once.

All names start with ``key_added`` (default ``caf``), so that two runs can stand side by side in one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cafsc.errors import InputError

if TYPE_CHECKING:
    from anndata import AnnData

COUNTS_LAYER = "counts"
UNS_KEY = "cafsc"

FIBROBLAST = "fibroblast"
DOUBLET = "doublet"
UNKNOWN = "unknown"
KEPT = "kept"
UNRESOLVED = "unresolved"

PRO = "pro"
ANTI = "anti"
MIXED = "mixed"
UNDETERMINED = "undetermined"
CALLS = (PRO, ANTI, MIXED, UNDETERMINED)


class Keys:
    """Slot names for one value of ``key_added``: for each, where it stands and what it holds."""

    def __init__(self, key_added: str = "caf") -> None:
        self.key_added = key_added
        # ``uns``: provenance, summary and result tables.
        self.uns = UNS_KEY if key_added == "caf" else f"{UNS_KEY}_{key_added}"
        # ``var``: approved gene symbol of the sample's species.
        self.symbol = f"{key_added}_symbol"
        # ``var``: whether a gene is of the other species; only in a dataset of two species.
        self.foreign = f"{key_added}_foreign"
        # ``layers``: the values that were used, as they came, where ``counts`` cannot hold them.
        self.input = f"{key_added}_input"
        # ``obs``: lineage of each cell, categorical.
        self.lineage = f"{key_added}_lineage"
        # ``obs``: ``kept``, or the reason code why not, categorical.
        self.gate = f"{key_added}_gate"
        # ``obs``: cluster among the kept fibroblasts, categorical, missing elsewhere.
        self.cluster = f"{key_added}_cluster"
        # ``obs``: cluster among all cells, categorical.
        self.tissue_cluster = f"{key_added}_tissue_cluster"
        # ``obs``: harmonised state, ``unresolved``, or missing where not kept, categorical.
        self.subtype = f"{key_added}_subtype"
        # ``obs``: the state of the cell by itself, beside its cluster's.
        self.cell_subtype = f"{key_added}_cell_subtype"
        # ``obs``: share of resamples in which the cell takes its own state, float in 0..1.
        self.cell_support = f"{key_added}_cell_support"
        # ``obs``: ``pro``, ``anti``, ``mixed`` or ``undetermined``, categorical.
        self.call = f"{key_added}_call"
        # ``obs``: support of the subtype, float in 0..1, missing where not kept.
        self.confidence = f"{key_added}_confidence"
        # ``obsm``: cells x sets, DataFrame, missing (NaN) where not kept.
        self.scores = f"{key_added}_scores"
        # ``obsm``: cells x sets, UCell in 0..1, DataFrame, missing (NaN) where not kept.
        self.ucell = f"{key_added}_ucell"
        # ``obsp``: cells x cells, 1 for a kept fibroblast and each of its neighbours.
        self.neighbors = f"{key_added}_neighbors"
        # ``obs``: whether a kept cell is one of those that neighbours are; only where not all of them are.
        self.sketch = f"{key_added}_sketch"
        # ``var``: counts per ten thousand in the tissue's component that expresses a gene most.
        self.reference_level = f"{key_added}_reference_level"
        # ``var``: bin of a gene's level in a tumour of every lineage; genes of one bin are controls of each other.
        self.expression_bin = f"{key_added}_expression_bin"
        # ``obsm``: cells x programmes, DataFrame, missing (NaN) where not kept.
        self.programs = f"{key_added}_programs"
        # ``obsm``: cells x lineages, DataFrame.
        self.lineage_scores = f"{key_added}_lineage_scores"
        # ``obsm``: principal components of the kept fibroblasts.
        self.pca = f"X_{key_added}_pca"
        # ``obsm``: principal components of all cells.
        self.tissue_pca = f"X_{key_added}_tissue_pca"
        # ``obsm``: UMAP of the kept fibroblasts, cells x 2, missing (NaN) where not kept.
        self.umap = f"X_{key_added}_umap"
        # ``obsm``: UMAP of all cells, cells x 2.
        self.tissue_umap = f"X_{key_added}_tissue_umap"
        # ``obs``: counts of each cell, float.
        self.total_counts = f"{key_added}_total_counts"
        # ``obs``: whether a cell has too few genes for a name, or most counts of another species, bool.
        self.low_quality = f"{key_added}_low_quality"

    def scheme(self, scheme: str) -> str:
        """``obs``: the label in one published scheme, categorical."""
        return f"{self.key_added}_{scheme}"


def require(adata: AnnData, keys: Keys, needed: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Results of earlier steps in ``uns``; `InputError` where one is missing, with the step to run.

    ``needed`` maps a place (a slot, or ``clusters`` for a column of that table) and a name to the step that writes it.
    """
    slot = adata.uns.get(keys.uns)
    found: dict[str, Any] = dict(slot) if isinstance(slot, Mapping) else {}
    places: dict[str, Any] = {"uns": found}
    places |= {"obs": adata.obs, "var": adata.var, "obsm": adata.obsm, "obsp": adata.obsp}
    for (place, name), step in needed.items():
        if name not in places.get(place, found.get(place, ())):
            where = place if place in ("obs", "var", "obsm", "obsp") else f"uns[{keys.uns!r}]"
            raise InputError(
                f"the AnnData has no {name!r} in {where}",
                fix=f"run cafsc.annotate(adata) first, or the single step cafsc.{step}(adata)",
            )
    return found
