"""The senders and receivers of a tissue: CAF clusters and kinds of other cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from cafsc import sig
from cafsc._config import CrosstalkConfig
from cafsc._keys import KEPT, Keys, require
from cafsc.pp.normalize import lognorm_matrix, symbol_columns
from cafsc.tl.gate.mixture import one_hot
from cafsc.tl.score.controls import Array, Index, SetColumns
from cafsc.tl.score.fibroblasts import tissue_bins
from cafsc.tl.score.set_columns import columns_of, set_columns

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc.sig import Catalogue
    from cafsc.tl.crosstalk.table import Row

CAF = "caf"
ANY = "any"
OTHER_CELLS = "not_fibroblast:"
"""Prefix of the gate's code for a cell of another lineage."""


@dataclass(frozen=True)
class Group:
    """Cells that send or receive together.

    The name is ``caf:<cluster>`` or the kind of cell, the lineage ``caf`` or that of the gate. Cluster, state and call
    are empty for other cells.
    """

    name: str
    lineage: str
    cluster: str = ""
    state: str = ""
    call: str = ""


@dataclass(frozen=True)
class Groups:
    """The groups of one dataset with their expression, the catalogue and the thresholds.

    CAF clusters are the first of the `groups`, then other cells by name. `codes` is the group of each cell, -1 for
    doublets, unknown cells and refused fibroblasts. `lognorm` is cells x genes, natural log1p of counts per ten
    thousand; `columns` the column of each symbol; `bins` the expression bin of each gene over the tissue.
    """

    groups: tuple[Group, ...]
    codes: Index
    lognorm: sparse.csr_matrix
    columns: Mapping[str, int]
    species: str
    bins: Index
    catalogue: Catalogue
    config: CrosstalkConfig

    @cached_property
    def size(self) -> Index:
        """Cells in each group."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.groups)).astype(np.int64)

    @property
    def is_large(self) -> NDArray[np.bool_]:
        """Whether each group has enough cells to send or to receive."""
        return self.size >= self.config.min_cells

    @cached_property
    def membership(self) -> Array:
        """Cells x groups, 0 or 1."""
        return one_hot(self.codes, len(self.groups))

    @cached_property
    def mean(self) -> Array:
        """Groups x genes: mean log-expression."""
        return self.per_group(self.lognorm)

    @cached_property
    def fraction(self) -> Array:
        """Groups x genes: share of cells in which a gene is detected."""
        return self.per_group(self.lognorm > 0)

    def per_group(self, values: sparse.csr_matrix) -> Array:
        """Mean over the cells of each group: groups x genes."""
        return np.asarray((values.T @ self.membership).T / np.maximum(self.size, 1)[:, None])

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
        return next(iter(columns_of([gene], "human", self.species, self.columns)), None)

    def set_columns(self, up: Sequence[str], down: Sequence[str] = ()) -> SetColumns:
        """Columns of a set of human genes."""
        return set_columns(up, down, "human", self.species, self.columns)

    def matching(self, word: str) -> tuple[int, ...]:
        """Indices of the groups of a kind of cell of the catalogue; empty for kinds that the groups do not separate."""
        if word == CAF:
            return self.cafs
        if word == ANY:
            return tuple(range(len(self.groups)))
        cell = self.catalogue.recipients.cells.get(word)  # type: ignore[call-overload]
        if cell is None:
            return ()
        kinds = [(group.name, word) if cell.core else (group.lineage, cell.lineage) for group in self.groups]
        return tuple(index for index, (kind, wanted) in enumerate(kinds) if kind == wanted)

    def side(
        self, side: str, index: int, columns: Sequence[int] = (), pick: Callable[..., Any] = np.min
    ) -> Row:
        """Columns of a row that describe one group as its ``source`` or ``target``.

        Level and fraction are those of the gene in `columns`; of several those that `pick` picks, by default the
        scarcest.
        """
        group = self.groups[index]
        row: Row = {side: group.name, f"{side}_state": group.state}
        if side == "source":
            row["source_call"] = group.call
        if len(columns):
            row[f"{side}_level"] = float(pick(self.mean[index, list(columns)]))
            row[f"{side}_fraction"] = float(pick(self.fraction[index, list(columns)]))
        return row


def split_kinds(lognorm: sparse.csr_matrix, panels: Sequence[SetColumns]) -> Index:
    """Kind of each cell (cells x genes) of one lineage: the panel with most of its markers and fewest excluded genes.

    Shares of detected genes count. The first panel on a tie, and for a cell without any marker.
    """
    detected = sparse.csc_matrix(lognorm > 0, dtype=np.float64)

    def share(members: Index) -> Array:
        return np.asarray(detected[:, members].sum(axis=1)).ravel() / max(members.size, 1)

    score = np.column_stack([share(panel.up) - share(panel.down) for panel in panels])
    return np.asarray(score.argmax(axis=1), dtype=np.int64)


def cell_groups(
    adata: AnnData, catalogue: Catalogue | None, key_added: str, config: CrosstalkConfig | None
) -> Groups:
    """Groups of an annotated AnnData; an InputError says which earlier step has not run."""
    catalogue, config = catalogue or sig.load(), config or CrosstalkConfig()
    keys = Keys(key_added)
    needed = dict.fromkeys([("uns", "clusters"), ("obs", keys.cluster)], "tl.label")
    needed |= {("clusters", "call"): "tl.verdict", ("var", keys.symbol): "pp.normalize"}
    needed |= dict.fromkeys([("obs", keys.gate), ("obs", keys.lineage)], "tl.gate")
    slot = require(adata, keys, needed)
    lognorm = lognorm_matrix(adata, key_added=key_added)
    columns = symbol_columns(adata, key_added=key_added)
    species = str(slot["species"])
    gate = adata.obs[keys.gate].astype(str)
    lineage = adata.obs[keys.lineage].astype(str).to_numpy(dtype=object)
    cluster = adata.obs[keys.cluster].astype(object).to_numpy()
    kept = (gate == KEPT).to_numpy() & ~pd.isna(cluster)
    other = gate.str.startswith(OTHER_CELLS).to_numpy()
    label = np.where(other, lineage, "")
    label[kept] = [f"{CAF}:{name}" for name in cluster[kept]]
    lineage_of: dict[str, str] = {}
    for name in sorted(set(lineage[other])):
        rows = np.flatnonzero(other & (lineage == name))
        kinds = {
            word: set_columns(cell.core, cell.excludes, "human", species, columns)
            for word, cell in catalogue.recipients.cells.items()
            if cell.lineage == name and cell.core
        }
        if kinds:
            label[rows] = np.array([*kinds], dtype=object)[split_kinds(lognorm[rows], list(kinds.values()))]
        lineage_of |= dict.fromkeys(label[rows], name)
    cafs = [
        Group(f"{CAF}:{row.cluster}", CAF, str(row.cluster), str(row.subtype), str(row.call))
        for row in slot["clusters"].sort_values("cluster", kind="stable").itertuples()
    ]
    groups = (*cafs, *(Group(name, lineage_of[name]) for name in sorted(lineage_of)))
    code = {group.name: index for index, group in enumerate(groups)}
    codes = np.array([code.get(name, -1) for name in label], dtype=np.int64)
    bins = tissue_bins(adata, key_added)
    return Groups(groups, codes, lognorm, columns, species, bins, catalogue, config)
