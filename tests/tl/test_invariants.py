"""What must not change the answer: order, storage, genes without counts, a factor common to all counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import sparse

from cafsc import data, pp, tl

pytestmark = pytest.mark.slow
# Without shrinking: an example takes a run.
few = settings(max_examples=2, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
seeds = st.integers(0, 2**32 - 1)


@dataclass(frozen=True)
class Answer:
    """What gate, score and label say, by the names of cells, clusters and sets."""

    cells: pd.DataFrame
    clusters: pd.DataFrame
    scores: pd.DataFrame


def tumour() -> AnnData:
    adata = data.simulated_tumour(220, seed=5)
    del adata.uns["cafsc_simulated"]
    # Clusters of our own, so that no part of the answer rests on a search for clusters.
    adata.obs["own"] = pd.Categorical(adata.obs["simulated_type"].astype(str))
    adata.X = sparse.csr_matrix(adata.X)
    return adata


def answer(adata: AnnData) -> Answer:
    pp.normalize(adata, pp.check(adata, species="human"))
    pp.qc(adata)
    tl.gate(adata)
    tl.score(adata)
    tl.label(adata, cluster_key="own")
    cells = adata.obs[["caf_lineage", "caf_gate", "caf_subtype"]].astype(str)
    clusters = adata.uns["cafsc"]["clusters"].set_index("cluster")[["n_cells", "subtype"]].astype(str)
    scores = adata.obsm["caf_scores"].dropna()
    return Answer(cells.sort_index(), clusters.sort_index(), scores.sort_index().sort_index(axis=1))


@pytest.fixture(scope="module")
def plain() -> Answer:
    return answer(tumour())


def same(found: Answer, plain: Answer, *, tolerance: float = 1e-5) -> None:
    pd.testing.assert_frame_equal(found.cells, plain.cells)
    pd.testing.assert_frame_equal(found.clusters, plain.clusters)
    pd.testing.assert_frame_equal(found.scores, plain.scores, rtol=tolerance, atol=tolerance)


def same_but_for_chance(found: Answer, plain: Answer) -> None:
    """Draws that thin counts go by the order of genes: a name near its threshold may go, never become another."""
    columns = ["caf_lineage", "caf_gate"]
    pd.testing.assert_frame_equal(found.cells[columns], plain.cells[columns])
    for one, other in zip(found.clusters["subtype"], plain.clusters["subtype"], strict=True):
        assert one == other or "unresolved" in (one, other)


def test_the_plain_answer_names_something(plain: Answer) -> None:
    """Else nothing could differ below."""
    assert set(plain.cells["caf_gate"]) > {"kept"}
    assert len(set(plain.clusters["subtype"])) > 1
    assert plain.scores.shape[0] > 20
    assert plain.scores.to_numpy().std() > 0.1


@few
@given(seed=seeds)
def test_order_of_cells(plain: Answer, seed: int) -> None:
    adata = tumour()
    same(answer(adata[np.random.default_rng(seed).permutation(adata.n_obs)].copy()), plain)


@few
@given(seed=seeds)
def test_order_of_genes(plain: Answer, seed: int) -> None:
    adata = tumour()
    same(answer(adata[:, np.random.default_rng(seed).permutation(adata.n_vars)].copy()), plain)


LAYOUTS: dict[str, Callable[[sparse.csr_matrix], object]] = {
    "csr": sparse.csr_matrix,
    "csc": sparse.csc_matrix,
    "dense": lambda matrix: matrix.toarray(),
    "columns first": lambda matrix: np.asfortranarray(matrix.toarray()),
}


@few
@given(
    layout=st.sampled_from(sorted(LAYOUTS)),
    dtype=st.sampled_from(["float64", "int64", "uint16", "int32"]),
)
def test_layout_and_dtype(plain: Answer, layout: str, dtype: str) -> None:
    adata = tumour()
    adata.X = LAYOUTS[layout](adata.X.astype(dtype))
    same(answer(adata), plain)


@few
@given(seed=seeds)
def test_an_entry_stored_in_two_parts(plain: Answer, seed: int) -> None:
    adata = tumour()
    same(answer(_with_entries(adata, *_split(adata.X, seed))), plain)


def _split(matrix: sparse.csr_matrix, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The entries of a matrix; of a tenth of those above 1, one count is stored by itself."""
    entries = matrix.tocoo()
    chance = np.random.default_rng(seed).random(entries.nnz) < 0.1
    two = (entries.data > 1) & chance
    values = np.concatenate([entries.data - two, np.ones(two.sum())])
    rows = np.concatenate([entries.row, entries.row[two]])
    return values, rows, np.concatenate([entries.col, entries.col[two]])


def _with_entries(adata: AnnData, values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> AnnData:
    order = np.lexsort((columns, rows))
    pointers = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=adata.n_obs))])
    matrix = sparse.csr_matrix(adata.shape, dtype=np.float32)
    matrix.data, matrix.indices = values[order].astype(np.float32), columns[order].astype(np.int32)
    matrix.indptr = pointers.astype(np.int32)
    assert not matrix.has_canonical_format
    adata.X = matrix
    return adata


@few
@given(seed=seeds)
def test_stored_zeros(plain: Answer, seed: int) -> None:
    adata = tumour()
    random = np.random.default_rng(seed)
    entries = adata.X.tocoo()
    rows, columns = random.integers(0, adata.n_obs, 500), random.integers(0, adata.n_vars, 500)
    adata.X = sparse.csr_matrix(
        (
            np.concatenate([entries.data, np.zeros(500, np.float32)]),
            (np.concatenate([entries.row, rows]), np.concatenate([entries.col, columns])),
        ),
        shape=adata.shape,
    )
    same(answer(adata), plain)


@few
@given(n=st.integers(1, 40), seed=seeds)
def test_genes_without_counts_and_without_meaning(plain: Answer, n: int, seed: int) -> None:
    """Unknown genes that no cell shows, anywhere among the others; the cells keep their lineage and name."""
    adata = tumour()
    extra = AnnData(
        sparse.csr_matrix((adata.n_obs, n), dtype=np.float32),
        obs=adata.obs,
        var=pd.DataFrame(index=[f"unknown{number}" for number in range(n)]),
    )
    wide = anndata.concat([adata, extra], axis=1, merge="first")
    wide = wide[:, np.random.default_rng(seed).permutation(wide.n_vars)].copy()
    same_but_for_chance(answer(wide), plain)


@few
@given(factor=st.integers(2, 5))
def test_a_factor_common_to_all_counts(plain: Answer, factor: int) -> None:
    """Scores are of shares of a cell's counts; what is kept and its names stay with deeper sequencing."""
    adata = tumour()
    adata.X = adata.X * factor
    found = answer(adata)
    assert found.clusters["subtype"].to_dict() == plain.clusters["subtype"].to_dict()
    assert (found.cells["caf_gate"] == plain.cells["caf_gate"]).mean() > 0.95


@few
@given(names=st.lists(st.text(min_size=1, max_size=12), min_size=220, max_size=220, unique=True))
def test_names_of_cells(plain: Answer, names: list[str]) -> None:
    adata = tumour()
    order = list(adata.obs_names)
    adata.obs_names = names
    answer(adata)
    wanted = plain.cells.loc[order]
    assert adata.obs["caf_gate"].astype(str).tolist() == wanted["caf_gate"].tolist()
    assert adata.obs["caf_subtype"].astype(str).tolist() == wanted["caf_subtype"].tolist()
