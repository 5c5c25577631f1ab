"""Who talks to whom: the CAF clusters and the other cells of a tissue, as groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from cafsc import genes
from cafsc._keys import KEPT, Keys
from cafsc.errors import InputError
from cafsc.pp.normalize import lognorm_matrix, symbol_columns
from cafsc.tl.gate.mixture import one_hot
from cafsc.tl.score.controls import Array, Index, SetColumns
from cafsc.tl.score.set_columns import set_columns

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue

CAF = "caf"
ANY = "any"
OTHER_CELLS = "not_fibroblast:"
"""How the gate's code of a cell of another lineage starts."""


@dataclass(frozen=True)
class Group:
    """Cells that send or receive as one.

    Attributes
    ----------
    name
        ``caf:<cluster>``, or the kind of cell.
    lineage
        ``caf``, or the lineage of the gate.
    cluster, state, call
        Of a CAF cluster; empty for other cells.
    """

    name: str
    lineage: str
    cluster: str = ""
    state: str = ""
    call: str = ""


@dataclass(frozen=True)
class Groups:
    """The groups of one dataset with their expression.

    Attributes
    ----------
    groups
        CAF clusters first, then other cells by name.
    codes
        Group of each cell; -1 where a cell is in none (doublets, unknown cells, refused fibroblasts).
    lognorm
        Cells x genes, natural log1p of counts per ten thousand.
    columns
        Column of each symbol of the data.
    species
        ``human`` or ``mouse``.
    """

    groups: tuple[Group, ...]
    codes: Index
    lognorm: sparse.csr_matrix
    columns: Mapping[str, int]
    species: str

    @cached_property
    def size(self) -> Index:
        """Cells in each group."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.groups)).astype(np.int64)

    @cached_property
    def membership(self) -> Array:
        """Cells x groups, 0 or 1."""
        return one_hot(self.codes, len(self.groups))

    @cached_property
    def mean(self) -> Array:
        """Groups x genes: mean log-expression."""
        return self._per_group(self.lognorm)

    @cached_property
    def fraction(self) -> Array:
        """Groups x genes: share of cells in which a gene is detected."""
        return self._per_group(self.lognorm > 0)

    def _per_group(self, values: sparse.csr_matrix) -> Array:
        sums = np.asarray((values.T @ self.membership).T, dtype=np.float64)
        return np.asarray(sums / np.maximum(self.size, 1)[:, None])

    @property
    def cafs(self) -> tuple[int, ...]:
        """Indices of the CAF clusters."""
        return tuple(index for index, group in enumerate(self.groups) if group.lineage == CAF)

    @property
    def others(self) -> tuple[int, ...]:
        """Indices of all other groups."""
        return tuple(index for index, group in enumerate(self.groups) if group.lineage != CAF)

    def column(self, gene: str) -> int | None:
        """Column of a human gene, or of its best ortholog in the data; None where the data lack it."""
        return self._columns_of.setdefault(gene, self._find(gene))

    @cached_property
    def _columns_of(self) -> dict[str, int | None]:
        return {}

    def _find(self, gene: str) -> int | None:
        if gene in self._columns_of:
            return self._columns_of[gene]
        orthologs = genes.translate([gene], "human", self.species)[gene]
        return next((self.columns[name] for name in orthologs if name in self.columns), None)

    def matching(self, word: str, catalogue: Catalogue) -> tuple[int, ...]:
        """Indices of the groups that a kind of cell of the catalogue means; none where they are not told apart."""
        if word == CAF:
            return self.cafs
        if word == ANY:
            return tuple(range(len(self.groups)))
        cell = catalogue.recipients.cells.get(word)  # type: ignore[call-overload]
        if cell is None:
            return ()
        return tuple(
            index
            for index, group in enumerate(self.groups)
            if (group.name == word if cell.core else group.lineage == cell.lineage)
        )


def split_kinds(lognorm: sparse.csr_matrix, panels: Sequence[SetColumns]) -> Index:
    """Kind of each cell of one lineage by the markers that it shows.

    Parameters
    ----------
    lognorm
        Cells x genes.
    panels
        Markers (``up``) and what speaks against (``down``) of each kind.

    Returns
    -------
    Index of the panel of which a cell shows the largest share, less the share of what speaks against it; the
    first panel on a tie, and so for a cell that shows none.
    """
    seen = sparse.csc_matrix(lognorm > 0, dtype=np.float64)
    score = np.zeros((lognorm.shape[0], len(panels)))
    for index, panel in enumerate(panels):
        for sign, members in ((1.0, panel.up), (-1.0, panel.down)):
            if members.size:
                score[:, index] += sign * np.asarray(seen[:, members].mean(axis=1)).ravel()
    return np.asarray(score.argmax(axis=1), dtype=np.int64)


def cell_groups(adata: AnnData, catalogue: Catalogue, key_added: str) -> Groups:
    """Groups of an annotated AnnData.

    Raises
    ------
    InputError
        If `cafsc.annotate` has not run.
    """
    keys = Keys(key_added)
    table = adata.uns.get(keys.uns, {}).get("clusters")
    if table is None or keys.cluster not in adata.obs:
        raise InputError(
            f"the AnnData has no result in uns[{keys.uns!r}]",
            expected=f"an AnnData annotated with key_added={key_added!r}",
            fix="run cafsc.annotate first",
        )
    lognorm = lognorm_matrix(adata, key_added=key_added)
    columns = symbol_columns(adata, key_added=key_added)
    species = str(adata.uns[keys.uns]["species"])
    label, lineage_of = _labels(adata, catalogue, keys, lognorm, columns, species)
    cafs = [
        Group(f"{CAF}:{row.cluster}", CAF, str(row.cluster), str(row.subtype), str(row.call))
        for row in table.sort_values("cluster", kind="stable").itertuples()
    ]
    found = (*cafs, *(Group(name, lineage_of[name]) for name in sorted(lineage_of)))
    code = {group.name: index for index, group in enumerate(found)}
    codes = np.array([code.get(name, -1) for name in label], dtype=np.int64)
    return Groups(found, codes, lognorm, columns, species)


def _labels(
    adata: AnnData,
    catalogue: Catalogue,
    keys: Keys,
    lognorm: sparse.csr_matrix,
    columns: Mapping[str, int],
    species: str,
) -> tuple[Array, dict[str, str]]:
    gate = adata.obs[keys.gate].astype(str).to_numpy(dtype=object)
    lineage = adata.obs[keys.lineage].astype(str).to_numpy(dtype=object)
    cluster = adata.obs[keys.cluster].astype(object).to_numpy()
    label = np.full(adata.n_obs, "", dtype=object)
    kept = (gate == KEPT) & ~pd.isna(cluster)
    label[kept] = [f"{CAF}:{name}" for name in cluster[kept]]
    other = np.array([code.startswith(OTHER_CELLS) for code in gate], dtype=bool)
    label[other] = lineage[other]
    lineage_of = {str(name): str(name) for name in set(label[other])}
    for name in sorted(lineage_of):
        kinds = [
            (word, cell)
            for word, cell in catalogue.recipients.cells.items()
            if cell.lineage == name and cell.core
        ]
        if not kinds:
            continue
        rows = np.flatnonzero(other & (lineage == name))
        panels = [set_columns(cell.core, cell.excludes, "human", species, columns) for _, cell in kinds]
        for row, kind in zip(rows, split_kinds(lognorm[rows], panels), strict=True):
            label[row] = kinds[kind][0]
        del lineage_of[name]
        lineage_of |= {word: name for word, _ in kinds if word in set(label[rows])}
    return label, lineage_of
