"""Scores of the catalogue's sets in the kept fibroblasts."""

from __future__ import annotations

import numpy as np
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc import tl
from cafsc._config import ScoreConfig
from cafsc.errors import InputError, OptionError
from cafsc.pp.embed import embed, nearest, neighbor_graph
from cafsc.sig.reference import ReferenceLevels, reference_levels
from cafsc.tl.score.catalogue import centred
from cafsc.tl.score.fibroblasts import fibroblasts
from cafsc.tl.score.set_columns import column_name, set_id

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


def test_pooled_counts_are_those_of_a_cell_and_its_neighbours(scored: AnnData) -> None:
    cells = fibroblasts(scored, "caf")
    here, lognorm = next(cells.pooled())
    counts = scored.layers["counts"][cells.rows].toarray().astype(np.float64)
    near = scored.obsp["caf_neighbors"][cells.rows[here[0]]].indices
    summed = counts[np.searchsorted(cells.rows, near)].sum(axis=0)
    np.testing.assert_allclose(lognorm[0].toarray().ravel(), np.log1p(summed / summed.sum() * 1e4), atol=1e-9)


def test_a_sketch_pools_every_cell_with_itself(gated: AnnData) -> None:
    tl.score(gated, config=ScoreConfig(max_cells=100), map_cells=False)
    cells = fibroblasts(gated, "caf")
    assert cells.sketch.size == 100 < cells.rows.size
    assert (cells.graph.diagonal() == 1).all()
    assert gated.obsm["caf_scores"].iloc[cells.rows].notna().all(axis=None)
    whole = gated.copy()
    tl.score(whole, map_cells=False)
    one, other = (a.obsm["caf_scores"]["elyada2019:iCAF"].iloc[cells.rows] for a in (gated, whole))
    assert np.corrcoef(one, other)[0, 1] > 0.95


def test_the_map_of_the_fibroblasts_parts_the_states(scored: AnnData) -> None:
    kept = (scored.obs["caf_gate"] == "kept").to_numpy()
    layout = scored.obsm["X_caf_umap"]
    assert np.isfinite(layout[kept]).all()
    assert np.isnan(layout[~kept]).all()
    truth = scored.obs["simulated_type"].astype(str).to_numpy()[kept]
    near = nearest(layout[kept], layout[kept], 6)[:, 1:]
    assert (truth[near] == truth[:, None]).mean() > 0.9
