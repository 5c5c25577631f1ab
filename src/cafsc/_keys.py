"""Every AnnData slot that cafsc writes, and the words it writes there, once.

All names start with ``key_added`` (default ``caf``), so that two runs can stand side by side in one object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Keys:
    """Slot names for one value of ``key_added``."""

    key_added: str = "caf"

    @property
    def uns(self) -> str:
        """``uns``: provenance, summary and result tables."""
        return UNS_KEY if self.key_added == "caf" else f"{UNS_KEY}_{self.key_added}"

    @property
    def symbol(self) -> str:
        """``var``: approved gene symbol of the sample's species."""
        return f"{self.key_added}_symbol"

    @property
    def foreign(self) -> str:
        """``var``: whether a gene is of the other species; only in a dataset of two species."""
        return f"{self.key_added}_foreign"

    @property
    def input(self) -> str:
        """``layers``: the values that were used, as they came, where ``counts`` cannot hold them."""
        return f"{self.key_added}_input"

    @property
    def lineage(self) -> str:
        """``obs``: lineage of each cell, categorical."""
        return f"{self.key_added}_lineage"

    @property
    def gate(self) -> str:
        """``obs``: ``kept``, or the reason code why not, categorical."""
        return f"{self.key_added}_gate"

    @property
    def cluster(self) -> str:
        """``obs``: cluster among the kept fibroblasts, categorical, missing elsewhere."""
        return f"{self.key_added}_cluster"

    @property
    def tissue_cluster(self) -> str:
        """``obs``: cluster among all cells, categorical."""
        return f"{self.key_added}_tissue_cluster"

    @property
    def subtype(self) -> str:
        """``obs``: harmonised state, ``unresolved``, or missing where not kept, categorical."""
        return f"{self.key_added}_subtype"

    @property
    def cell_subtype(self) -> str:
        """``obs``: the state of the cell by itself, beside its cluster's."""
        return f"{self.key_added}_cell_subtype"

    @property
    def cell_support(self) -> str:
        """``obs``: share of resamples in which the cell takes its own state, float in 0..1."""
        return f"{self.key_added}_cell_support"

    @property
    def call(self) -> str:
        """``obs``: ``pro``, ``anti``, ``mixed`` or ``undetermined``, categorical."""
        return f"{self.key_added}_call"

    @property
    def confidence(self) -> str:
        """``obs``: support of the subtype, float in 0..1, missing where not kept."""
        return f"{self.key_added}_confidence"

    @property
    def scores(self) -> str:
        """``obsm``: cells x sets, DataFrame, missing (NaN) where not kept."""
        return f"{self.key_added}_scores"

    @property
    def ucell(self) -> str:
        """``obsm``: cells x sets, UCell in 0..1, DataFrame, missing (NaN) where not kept."""
        return f"{self.key_added}_ucell"

    @property
    def neighbors(self) -> str:
        """``obsp``: cells x cells, 1 for a kept fibroblast and each of its neighbours."""
        return f"{self.key_added}_neighbors"

    @property
    def sketch(self) -> str:
        """``obs``: whether a kept cell is one of those that neighbours are; only where not all of them are."""
        return f"{self.key_added}_sketch"

    @property
    def reference_level(self) -> str:
        """``var``: counts per ten thousand in the tissue's component that expresses a gene most."""
        return f"{self.key_added}_reference_level"

    @property
    def expression_bin(self) -> str:
        """``var``: bin of a gene's level in a tumour of every lineage; genes of one bin are controls of each other."""
        return f"{self.key_added}_expression_bin"

    @property
    def programs(self) -> str:
        """``obsm``: cells x programmes, DataFrame, missing (NaN) where not kept."""
        return f"{self.key_added}_programs"

    @property
    def lineage_scores(self) -> str:
        """``obsm``: cells x lineages, DataFrame."""
        return f"{self.key_added}_lineage_scores"

    @property
    def pca(self) -> str:
        """``obsm``: principal components of the kept fibroblasts."""
        return f"X_{self.key_added}_pca"

    @property
    def tissue_pca(self) -> str:
        """``obsm``: principal components of all cells."""
        return f"X_{self.key_added}_tissue_pca"

    @property
    def umap(self) -> str:
        """``obsm``: UMAP of the kept fibroblasts, cells x 2, missing (NaN) where not kept."""
        return f"X_{self.key_added}_umap"

    @property
    def tissue_umap(self) -> str:
        """``obsm``: UMAP of all cells, cells x 2."""
        return f"X_{self.key_added}_tissue_umap"

    @property
    def total_counts(self) -> str:
        """``obs``: counts of each cell, float."""
        return f"{self.key_added}_total_counts"

    @property
    def low_quality(self) -> str:
        """``obs``: whether a cell has too few genes for a name, or most counts of another species, bool."""
        return f"{self.key_added}_low_quality"

    def scheme(self, scheme: str) -> str:
        """``obs``: the label in one published scheme, categorical."""
        return f"{self.key_added}_{scheme}"


def require(adata: AnnData, keys: Keys, needed: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """Results of earlier steps in ``uns``.

    Parameters
    ----------
    needed
        Place (``uns``, ``obs``, ``var``, ``obsm``, or ``clusters`` for a column of that table) and name -> step that
        writes it, such as ``tl.label``.

    Raises
    ------
    InputError
        If one is missing; says which step to run.
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
