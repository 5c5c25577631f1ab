"""Pairs between CAFs and other cells."""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from planted import N_DECOYS, planted_pair
from scipy import stats

from cafsc import sig, tl
from cafsc._config import CrosstalkConfig
from cafsc.errors import OptionError
from cafsc.pp.normalize import lognorm_matrix, symbol_columns
from cafsc.tl.crosstalk.table import ALSO, COLUMNS, NAMED, Status

FEW = CrosstalkConfig(n_perms=200)


@pytest.fixture(scope="module")
def table(adata: AnnData) -> pd.DataFrame:
    return tl.crosstalk(adata, resource="catalogue", config=FEW)


def test_a_planted_pair_is_first_among_fifty_decoys(adata: AnnData) -> None:
    planted, catalogue = planted_pair(adata, sig.load(), plant=True)
    first = tl.crosstalk(planted, resource="catalogue", catalogue=catalogue, config=FEW).iloc[0]
    assert first["id"] == "lr-planted"
    assert first["status"] == Status.PAIR_AND_RESPONSE
    assert (first["source_state"], first["target"]) == ("iCAF", "t_cell")
    assert first["response"] == "program:nf-kb-response"


def test_what_is_not_planted_is_not_found(adata: AnnData) -> None:
    planted, catalogue = planted_pair(adata, sig.load(), plant=False)
    found = tl.crosstalk(planted, resource="catalogue", catalogue=catalogue, config=FEW)
    assert {Status.PAIR, Status.PAIR_AND_RESPONSE}.isdisjoint(found[found["id"] == "lr-planted"]["status"])
    # Of the decoys those with both partners are found, without an answer; a rate of false ones is what was asked for.
    both = {f"lr-decoy-{number}" for number in range(3, N_DECOYS + 1, 3)}
    paired = set(found[found["status"] == Status.PAIR]["id"])
    assert both <= paired
    assert len(paired - both) <= 0.15 * len(paired)
    assert Status.PAIR_AND_RESPONSE not in set(found["status"])


def test_every_pair_has_a_row_for_every_direction_that_is_named(table: pd.DataFrame) -> None:
    wanted = {(pair.id, direction) for pair in sig.load().pairs.values() for direction in pair.directions}
    named = table[table["named"] == NAMED]
    assert wanted == set(zip(named["id"], named["direction"], strict=True))
    assert not table.duplicated(["id", "direction", "source", "target"]).any()


def test_the_table_has_its_columns_and_its_words(table: pd.DataFrame) -> None:
    assert list(table.columns) == COLUMNS
    assert set(table["status"]) <= set(Status)
    assert table["standing"].equals(table["status"])  # the former name
    assert (table["papers"] != "").all()
    assert (table["doi"] != "").all()
    assert table[table["p"].isna() & (table["named"] == NAMED)]["reason"].ne("").all()


def test_the_false_discovery_rate_is_over_all_tests(adata: AnnData) -> None:
    every = FEW.model_copy(update={"max_fdr": 1.0})
    tested = tl.crosstalk(adata, resource="catalogue", config=every).dropna(subset="p")
    assert len(tested) > 20
    np.testing.assert_allclose(tested["fdr"], stats.false_discovery_control(tested["p"]))


def test_levels_are_means_and_shares_of_the_groups(adata: AnnData, table: pd.DataFrame) -> None:
    row = table[table["p"].notna() & (table["id"] == "lr-FN1-ITGA5")].iloc[0]
    cells = (adata.obs["caf_cluster"].astype(object) == row["source"].removeprefix("caf:")).to_numpy()
    values = lognorm_matrix(adata)[:, symbol_columns(adata)["FN1"]].toarray().ravel()[cells]
    assert row["source_level"] == pytest.approx(values.mean(), rel=1e-5)
    assert row["source_fraction"] == pytest.approx((values > 0).mean())


def test_the_seed_decides_and_the_input_stays(adata: AnnData, table: pd.DataFrame) -> None:
    before = set(adata.uns["cafsc"])
    pd.testing.assert_frame_equal(table, tl.crosstalk(adata, resource="catalogue", config=FEW))
    other = tl.crosstalk(adata, resource="catalogue", config=FEW, seed=1)
    assert not np.array_equal(table["p"].dropna().sort_values(), other["p"].dropna().sort_values())
    assert set(adata.uns["cafsc"]) == before


def test_fibroblasts_alone_have_a_potential_and_say_so(adata: AnnData) -> None:
    alone = adata[adata.obs["caf_gate"] == "kept"].copy()
    table = tl.crosstalk(alone, config=FEW)
    assert set(table["named"]) <= {NAMED, "named, in another direction"}
    away = table[(table["direction"] == "caf>tumour") & (table["status"] != Status.NOT_MEASURED)]
    assert Status.POTENTIAL in set(away["status"])
    assert away["reason"].str.contains("only fibroblasts").all()
    assert (away["target"] == "").all()


def test_a_gene_that_the_data_lack_is_not_measured(adata: AnnData) -> None:
    columns = symbol_columns(adata)
    keep = [number for symbol, number in columns.items() if symbol != "CXCL12"]
    rows = tl.crosstalk(adata[:, keep].copy(), resource="catalogue", config=FEW)
    rows = rows[rows["id"] == "lr-CXCL12-CXCR4"]
    assert set(rows["status"]) == {Status.NOT_MEASURED}
    assert rows["reason"].str.contains("CXCL12").all()
    assert rows["review_claims"].str.contains("S002-039").all()


def test_without_cafs_the_table_is_empty(adata: AnnData) -> None:
    none = adata.copy()
    none.uns["cafsc"]["clusters"] = none.uns["cafsc"]["clusters"].iloc[:0]
    table = tl.crosstalk(none, config=FEW)
    assert len(table) == 0
    assert list(table.columns) == COLUMNS


def test_errors_say_what_to_do(adata: AnnData, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match="consensus or catalogue"):
        tl.crosstalk(adata, resource="all")  # type: ignore[arg-type]

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(OptionError, match=r"cafsc\[crosstalk\]"):
        tl.crosstalk(adata, config=FEW)


@pytest.mark.slow
def test_liana_ranks_and_adds_pairs_with_their_source(adata: AnnData, table: pd.DataFrame) -> None:
    pytest.importorskip("liana")
    both = tl.crosstalk(adata, config=FEW)
    also = both[both["named"] == ALSO]
    assert len(also) > 10
    assert also["doi"].eq("10.1038/s41467-022-30755-0").all()
    assert (also["fdr"] <= FEW.max_fdr).all()
    assert set(table["id"]) == set(both["id"]) - {""}
    ranked = both.dropna(subset="magnitude_rank")
    assert len(ranked) > 50
    assert ranked[["magnitude_rank", "specificity_rank"]].to_numpy().max() <= 1
    # A pair of high levels ranks high.
    assert stats.spearmanr(ranked["magnitude_rank"], ranked["score"]).statistic < -0.5
