"""Lineages as people call them."""

from __future__ import annotations

_LINEAGES = {
    "fibroblast": "fibroblasts",
    "pericyte": "pericytes",
    "smooth_muscle": "smooth muscle",
    "endothelial": "endothelium",
    "epithelial": "epithelial or malignant cells",
    "t_nk": "T and NK cells",
    "b_plasma": "B and plasma cells",
    "myeloid": "myeloid cells",
    "mast": "mast cells",
    "schwann": "Schwann cells",
    "mesothelial": "mesothelium",
    "adipocyte": "adipocytes",
    "erythrocyte": "red blood cells",
    "doublet": "doublets",
    "unknown": "no clear lineage",
}


def lineage_name(code: str) -> str:
    """``t_nk`` to ``T and NK cells``; an unknown code with its underscores opened."""
    return _LINEAGES.get(code, code.replace("_", " "))
