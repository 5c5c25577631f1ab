"""Scores of the catalogue's sets in the kept fibroblasts."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc import tl
from cafsc.errors import InputError, OptionError
from cafsc.pp.embed import embed, neighbor_graph
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.score.catalogue import centred, column_name, expand, set_id
from cafsc.tl.score.pool import pooled_lognorm

NO_LEVELS = ReferenceLevels({}, {})


def test_kept_cells_have_scores_and_the_others_none(scored: AnnData) -> None:
    kept = (scored.obs["caf_gate"] == "kept").to_numpy()
    for slot in ("caf_scores", "caf_ucell"):
        table = scored.obsm[slot]
        assert table.index.equals(scored.obs_names)
        assert table[~kept].isna().all(axis=None)
        covered = table.columns[table[kept].notna().all()]
        assert len(covered) > 20
    assert scored.obsm["caf_scores"][kept].notna().all(axis=None)
    ranks = scored.obsm["caf_ucell"][kept].to_numpy()
    assert np.nanmin(ranks) >= 0
    assert np.nanmax(ranks) <= 1
    assert np.isnan(scored.obsm["X_caf_pca"][~kept]).all()
    assert np.isfinite(scored.obsm["X_caf_pca"][kept]).all()


def test_neighbours_are_among_the_kept(scored: AnnData) -> None:
    kept = (scored.obs["caf_gate"] == "kept").to_numpy()
    graph = scored.obsp["caf_neighbors"]
    assert graph.shape == (scored.n_obs, scored.n_obs)
    assert set(graph.data) == {1.0}
    np.testing.assert_array_equal(graph.diagonal(), kept.astype(float))
    assert graph[~kept].nnz == graph[:, ~kept].nnz == 0


@pytest.mark.parametrize("state", ["myCAF", "iCAF"])
def test_each_state_scores_highest_in_its_own_cells(scored: AnnData, state: str) -> None:
    truth = scored.obs["simulated_type"].astype(str)
    scores = scored.obsm["caf_scores"][f"elyada2019:{state}"]
    other = {"myCAF": "iCAF", "iCAF": "myCAF"}[state]
    mine, theirs = scores[truth == state].dropna(), scores[truth == other].dropna()
    assert np.quantile(mine, 0.1) > np.quantile(theirs, 0.9)


def test_the_reference_level_is_subtracted_set_by_set(gated: AnnData) -> None:
    plain = gated.copy()
    tl.score(plain, levels=ReferenceLevels({}, {}, profiles=reference_levels().profiles))
    tl.score(gated)
    kept = (gated.obs["caf_gate"] == "kept").to_numpy()
    difference = (plain.obsm["caf_scores"] - gated.obsm["caf_scores"])[kept]
    for name in difference:
        np.testing.assert_allclose(
            difference[name], reference_levels().sets.get(set_id(name), 0.0), atol=1e-6
        )
    assert np.ptp(difference.to_numpy()) > 0.1


def test_no_column_nests_in_a_file(scored: AnnData) -> None:
    for column in scored.obsm["caf_scores"]:
        assert "/" not in column
        assert column_name(set_id(column)) == column


def test_a_set_without_a_level_stays_as_it_is() -> None:
    scores = np.array([[1.0, 2.0]])
    levels = ReferenceLevels({}, {"a": 0.25})
    np.testing.assert_allclose(centred(scores, ["a", "b"], levels), [[0.75, 2.0]])


def test_counts_of_neighbours_are_pooled() -> None:
    counts = sparse.csr_matrix([[1.0, 0.0, 3.0], [0.0, 2.0, 0.0], [4.0, 0.0, 0.0]])
    graph = sparse.csr_matrix([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    expected = np.log1p(np.array([[1 / 6, 2 / 6, 3 / 6], [4 / 6, 2 / 6, 0], [1, 0, 0]]) * 1e4)
    np.testing.assert_allclose(pooled_lognorm(counts, graph).toarray(), expected)
    # A cell outside the sample brings its own counts.
    own = sparse.csr_matrix([[0.0, 0.0, 0.0], [0.0, 0.0, 6.0], [0.0, 0.0, 0.0]])
    expected[1] = np.log1p(np.array([4 / 12, 2 / 12, 6 / 12]) * 1e4)
    np.testing.assert_allclose(pooled_lognorm(counts, graph, own=own).toarray(), expected)


def test_neighbours_share_the_state(scored: AnnData) -> None:
    kept = scored[scored.obs["caf_gate"] == "kept"]
    truth = kept.obs["simulated_type"].astype(str).to_numpy()
    edges = kept.obsp["caf_neighbors"].tocoo()
    assert (truth[edges.row] == truth[edges.col]).mean() > 0.95


def test_a_batch_shift_does_not_part_neighbours(gated: AnnData) -> None:
    kept = (gated.obs["caf_gate"] == "kept").to_numpy()
    counts = gated.layers["counts"][kept].toarray().astype(float)
    random = np.random.default_rng(0)
    batch = random.choice(np.array(["one", "two"], dtype=object), len(counts))
    factor = random.lognormal(0, 0.3, counts.shape[1])
    counts[batch == "two"] = np.rint(counts[batch == "two"] * factor)
    shares = []
    for given in (None, batch):
        how = {"n_top_genes": 1000, "n_pcs": 10, "variable": False, "seed": 0}
        embedding = embed(sparse.csr_matrix(counts), batch=given, **how)
        edges = neighbor_graph(embedding.scores, 25).tocoo()
        other = edges.row != edges.col
        shares.append((batch[edges.row[other]] == batch[edges.col[other]]).mean())
    assert shares[0] > 0.85
    assert shares[1] < shares[0] - 0.1


def test_expanding_a_graph_keeps_its_edges() -> None:
    graph = sparse.csr_matrix([[1.0, 1.0], [0.0, 1.0]])
    found = expand(graph, np.array([4, 1]), 6)
    assert sorted(zip(*found.nonzero(), strict=True)) == [(1, 1), (4, 1), (4, 4)]


@pytest.mark.parametrize("n_kept", [0, 1])
def test_too_few_fibroblasts_to_score(gated: AnnData, n_kept: int) -> None:
    reason = np.full(gated.n_obs, "unknown_lineage", dtype=object)
    reason[:n_kept] = "kept"
    gated.obs["caf_gate"] = reason
    tl.score(gated)
    assert gated.obsm["caf_scores"].isna().all(axis=None)
    assert gated.obsp["caf_neighbors"].nnz == 0


def test_the_gate_comes_first(small: AnnData) -> None:
    with pytest.raises(InputError, match=r"cafsc\.tl\.gate"):
        tl.score(small)


def test_an_unknown_batch_column(gated: AnnData) -> None:
    with pytest.raises(OptionError, match="nothing"):
        tl.score(gated, batch_key="nothing")
