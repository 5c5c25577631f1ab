"""Scores are those of the packages whose methods they are."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from engine_cases import LARGE, N_CELLS, N_GENES, SMALL, members
from scipy import sparse, stats

from cafsc.engine import Combination, Members, Scorer, gene_means, row_blocks, score_genes_combination
from cafsc.engine.controls import expression_intervals
from cafsc.errors import OptionError

NAMES = np.array([f"g{number}" for number in range(N_GENES)])
MANY_GENES = 2600


def as_adata(matrix: Any) -> AnnData:
    return AnnData(matrix.copy(), var=pd.DataFrame(index=[f"g{n}" for n in range(matrix.shape[1])]))


def applied(combination: Combination, matrix: Any, n_values: int) -> np.ndarray:
    return np.vstack([combination.scores(rows, n_values) for _, rows in row_blocks(matrix)])


@pytest.fixture(scope="module")
def wide() -> sparse.csr_matrix:
    """Enough genes that scanpy draws 50 from each interval; many have a mean of 0, or one that others have too."""
    random = np.random.default_rng(0)
    counts = random.poisson(random.gamma(0.15, 1.0, MANY_GENES), (60, MANY_GENES))
    return sparse.csr_matrix(np.log1p(counts.astype(np.float64)))


@pytest.fixture(scope="module")
def wide_sets() -> list[Members]:
    random = np.random.default_rng(1)
    sizes = [1, 2, 5, 10, 30, 80, 200, 400]
    # In no order: scanpy's choice does not depend on the order of the genes.
    return [members(random.choice(MANY_GENES, size, replace=False).tolist()) for size in sizes]


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
@pytest.mark.parametrize("form", ["csr", "csc", "dense"])
@pytest.mark.parametrize("n_genes", [MANY_GENES, 700, 8])
def test_score_genes_is_that_of_scanpy(
    wide: sparse.csr_matrix, wide_sets: list[Members], n_values: int, form: str, n_genes: int
) -> None:
    scanpy = pytest.importorskip("scanpy")
    few = wide[:, :n_genes]
    sets = [members(found.up[found.up < n_genes].tolist()) for found in wide_sets]
    sets = [found for found in sets if 0 < found.up.size < n_genes // 2]
    matrix = few.toarray() if form == "dense" else few.asformat(form)
    adata = as_adata(matrix)
    for index, found in enumerate(sets):
        scanpy.tl.score_genes(
            adata, adata.var_names[found.up], ctrl_size=50, n_bins=25, random_state=0, use_raw=False,
            score_name=str(index),
        )  # fmt: skip
    expected = adata.obs[[str(index) for index in range(len(sets))]].to_numpy()
    assert expected.shape[1] and np.isfinite(expected).all()
    combination = score_genes_combination(gene_means(matrix, n_values=n_values), sets)
    np.testing.assert_allclose(applied(combination, matrix, n_values), expected, rtol=0, atol=1e-12)


def test_score_genes_has_the_options_of_scanpy(wide: sparse.csr_matrix, wide_sets: list[Members]) -> None:
    scanpy = pytest.importorskip("scanpy")
    adata = as_adata(wide)
    scanpy.tl.score_genes(adata, adata.var_names[wide_sets[5].up], ctrl_size=7, n_bins=11, random_state=3)
    mean = gene_means(wide, n_values=0)
    combination = score_genes_combination(mean, wide_sets[5:6], ctrl_size=7, n_bins=11, seed=3)
    np.testing.assert_allclose(applied(combination, wide, 0)[:, 0], adata.obs["score"], rtol=0, atol=1e-12)
    other = score_genes_combination(mean, wide_sets[5:6], ctrl_size=7, n_bins=11, seed=4)
    assert not np.allclose(applied(other, wide, 0)[:, 0], adata.obs["score"])


def test_score_genes_of_float32_draws_the_genes_of_scanpy_1_11(
    wide: sparse.csr_matrix, wide_sets: list[Members]
) -> None:
    scanpy = pytest.importorskip("scanpy")
    single = wide.astype(np.float32)
    single.data *= np.random.default_rng(4).uniform(0.5, 1.5, single.nnz).astype(np.float32)
    # scanpy 1.12 and newer sum what is stored as float32 in float64.
    old = scanpy_release() < (1, 12)
    mean = gene_means(single, n_values=0, single=old)
    expected = (single if old else single.astype(np.float64)).sum(axis=0, dtype=np.float64) / single.shape[0]
    np.testing.assert_array_equal(mean, np.asarray(expected).ravel())
    adata = as_adata(single)
    found = applied(score_genes_combination(mean, wide_sets), single, LARGE)
    for index, of in enumerate(wide_sets):
        scanpy.tl.score_genes(adata, adata.var_names[of.up])
        # scanpy 1.11 sums the scores in float32 too.
        np.testing.assert_allclose(found[:, index], adata.obs["score"], rtol=0, atol=2e-6 if old else 1e-12)


def scanpy_release() -> tuple[int, int]:
    from importlib.metadata import version

    major, minor = version("scanpy").split(".")[:2]
    return int(major), int(minor)


@pytest.mark.parametrize("genes", [[1], [1, 2], list(range(30)), list(range(20, 30))])
def test_a_set_that_leaves_no_controls_is_refused_as_scanpy_does(genes: list[int]) -> None:
    scanpy = pytest.importorskip("scanpy")
    matrix = np.tile(np.arange(1.0, 31.0), (3, 1))
    adata = as_adata(matrix)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(RuntimeError, match="No control genes"):
            scanpy.tl.score_genes(adata, adata.var_names[genes])
    with pytest.raises(OptionError, match="set number 1 of 1 leaves no genes"):
        score_genes_combination(gene_means(matrix, n_values=0), [members(genes)])


def test_intervals_are_ranks_of_the_mean_with_ties_at_the_lowest() -> None:
    mean = np.random.default_rng(0).integers(0, 40, 300) / 7
    expected = stats.rankdata(mean, method="min") // round(300 / 9)
    np.testing.assert_array_equal(expression_intervals(mean, 10), expected)
    assert (expression_intervals(mean[:4], 25) == 0).all()


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
@pytest.mark.parametrize("max_rank", [60, 150, 390])
def test_ucell_is_that_of_pyucell(
    lognorm: sparse.csr_matrix, sets: list[Members], n_values: int, max_rank: int
) -> None:
    pyucell = pytest.importorskip("pyucell")
    adata = as_adata(lognorm)
    named = {str(index): list(adata.var_names[of.up]) for index, of in enumerate(sets)}
    with_missing = [Members(of.up, of.n_genes + 3) for of in sets]
    for missing, given in (("skip", sets), ("impute", with_missing)):
        asked = {name: [*genes, "absent1", "absent2", "absent3"] for name, genes in named.items()}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pyucell.compute_ucell_scores(adata, asked, max_rank=max_rank, missing_genes=missing, n_jobs=1)
        found = Scorer(
            N_GENES,
            given,
            ("ucell",),
            n_values=n_values,
            max_rank=max_rank,
            zeros_tied=False,
            missing_last=missing == "impute",
        ).score(lognorm)["ucell"]
        for name in named:
            np.testing.assert_allclose(found[:, int(name)], adata.obs[f"{name}_UCell"], rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_ucell_with_zeros_tied_ranks_every_gene(
    lognorm: sparse.csr_matrix, sets: list[Members], n_values: int
) -> None:
    found = Scorer(N_GENES, sets, ("ucell",), n_values=n_values, max_rank=390).score(lognorm)["ucell"]
    ranks = np.minimum(stats.rankdata(-lognorm.toarray(), axis=1), 390)
    for index, of in enumerate(sets):
        least = of.up.size * (of.up.size + 1) / 2
        expected = 1 - (ranks[:, of.up].sum(axis=1) - least) / (of.up.size * 390 - least)
        np.testing.assert_allclose(found[:, index], expected, rtol=0, atol=1e-12)


def decoupler_scores(method: str, matrix: Any, sets: list[Members], **options: Any) -> np.ndarray:
    decoupler = pytest.importorskip("decoupler")
    frame = pd.DataFrame(matrix.toarray(), columns=NAMES)
    pairs = [(f"s{index:02}", NAMES[gene]) for index, of in enumerate(sets) for gene in of.up]
    net = pd.DataFrame(pairs, columns=["source", "target"]).assign(weight=1.0)
    found = getattr(decoupler.mt, method)(frame, net, tmin=1, empty=False, **options)[0]
    return np.asarray(found[[f"s{index:02}" for index in range(len(sets))]])


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
@pytest.mark.parametrize("n_up", [None, 37, 399])
def test_aucell_without_ties_is_that_of_decoupler(
    untied: sparse.csr_matrix, sets: list[Members], n_values: int, n_up: int | None
) -> None:
    found = Scorer(N_GENES, sets, ("aucell",), n_values=n_values, n_up=n_up).score(untied)["aucell"]
    expected = decoupler_scores("aucell", untied, sets, n_up=n_up)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_aucell_with_ties_is_the_mean_over_random_orders(
    lognorm: sparse.csr_matrix, sets: list[Members], n_values: int
) -> None:
    few = lognorm[:4]
    found = Scorer(N_GENES, sets, ("aucell",), n_values=n_values, n_up=60).score(few)["aucell"]
    random = np.random.default_rng(0)
    dense, drawn = few.toarray(), []
    for _ in range(3000):
        # Far below the difference between any two values.
        order = stats.rankdata(-(dense + 1e-9 * random.random(dense.shape)), axis=1, method="ordinal")
        gains = np.maximum(60 - order, 0)
        drawn.append(
            [
                gains[:, of.up].sum(axis=1) / np.maximum(60 - np.arange(1, of.up.size + 1), 0).sum()
                for of in sets
            ]
        )
    spread = np.std(drawn, axis=0).T / np.sqrt(len(drawn))
    assert (np.abs(found - np.mean(drawn, axis=0).T) < 5 * spread + 1e-12).all()


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_ulm_is_that_of_decoupler(lognorm: sparse.csr_matrix, sets: list[Members], n_values: int) -> None:
    found = Scorer(N_GENES, sets, ("ulm",), n_values=n_values).score(lognorm)["ulm"]
    filled = np.setdiff1d(np.arange(N_CELLS), [7])
    expected = decoupler_scores("ulm", lognorm[filled], sets)
    np.testing.assert_allclose(found[filled], expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found[filled], expected, rtol=1e-9)


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_ulm_is_the_t_of_a_line_and_takes_genes_against_a_set(
    lognorm: sparse.csr_matrix, n_values: int
) -> None:
    class Signed(Members):
        down = np.array([9, 50, 51])  # type: ignore[assignment]

    of = Signed(np.array([1, 2, 30]), 6)
    found = Scorer(N_GENES, [of], ("ulm",), n_values=n_values).score(lognorm[:3])["ulm"][:, 0]
    weight = np.zeros(N_GENES)
    weight[of.up], weight[of.down] = 1, -1
    for cell in range(3):
        line = stats.linregress(weight, lognorm[cell].toarray().ravel())
        assert found[cell] == pytest.approx(line.slope / line.stderr, rel=1e-9)


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_genes_that_no_cell_has_need_not_take_part(
    lognorm: sparse.csr_matrix, sets: list[Members], n_values: int
) -> None:
    detected = np.flatnonzero(np.asarray(lognorm.getnnz(axis=0)) > 0)
    assert detected.size < N_GENES
    place = np.full(N_GENES, -1)
    place[detected] = np.arange(detected.size)
    kept = [members(of.up[place[of.up] >= 0].tolist()) for of in sets]
    moved = [members(place[of.up].tolist()) for of in kept]
    options: dict[str, Any] = {"methods": ("aucell", "ulm"), "n_values": n_values}
    found = Scorer(N_GENES, kept, n_detected=detected.size, **options).score(lognorm)
    expected = Scorer(detected.size, moved, **options).score(lognorm[:, detected])
    for method, values in expected.items():
        np.testing.assert_array_equal(found[method], values)


@pytest.mark.parametrize("n_values", [SMALL, LARGE])
def test_counts_are_scored_as_what_is_made_of_them(
    counts: sparse.csr_matrix,
    lognorm: sparse.csr_matrix,
    sets: list[Members],
    bins: np.ndarray,
    n_values: int,
) -> None:
    found, expected = (
        Scorer(
            N_GENES,
            sets,
            ("bin_mean", "ucell", "aucell", "ulm"),
            n_values=n_values,
            bins=bins,
            target_sum=depth,
        ).score(matrix)
        for matrix, depth in ((counts, 1e4), (lognorm, None))
    )
    for method, values in expected.items():
        np.testing.assert_allclose(found[method], values, rtol=1e-11, atol=1e-11)
