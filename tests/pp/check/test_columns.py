"""Columns that a user names, and slots that a run writes over."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc.errors import InputError, OptionError
from cafsc.pp import check
from cafsc.pp.check.columns import column_findings, with_columns
from cafsc.pp.check.findings import Finding


def found(adata: AnnData, values: object, option: str = "cluster_key") -> dict[str, Finding]:
    adata.obs["given"] = values
    return {item.code: item for item in column_findings(adata, {option: "given"}, min_cells=5)}


def test_plain_columns_give_nothing(small: AnnData) -> None:
    assert not found(small, ["a", "b", "c"] * 40)
    assert not found(small, pd.Categorical(["a", "b"] * 60, categories=["a", "b", "unused"]))
    assert not found(small, [1, 2] * 60)
    assert not found(small, [True, False] * 60)
    assert not column_findings(small, {"cluster_key": None}, min_cells=5)


@pytest.mark.parametrize("missing", [np.nan, None, "nan", " "])
def test_missing_values_are_counted(small: AnnData, missing: object) -> None:
    item = found(small, ["a", "b", missing] * 40)["cluster_missing"]
    assert (item.severity, item.count) == ("warning", 40)
    assert "given" in item.message


@pytest.mark.parametrize("option", ["cluster_key", "sample_key", "batch_key"])
def test_nothing_but_missing_values_and_names_unique_to_cells_are_errors(small: AnnData, option: str) -> None:
    what = option.removesuffix("_key")
    assert found(small, [np.nan] * 120, option)[f"{what}_missing"].severity == "error"
    assert found(small, small.obs_names, option)[f"{what}_per_cell"].severity == "error"
    assert found(small, np.linspace(0, 1, 120), option)[f"{what}_continuous"].severity == "error"


def test_decimal_codes_are_no_measurements(small: AnnData) -> None:
    items = found(small, [0.0, 1.0, np.nan] * 40)
    assert set(items) == {"cluster_numbers", "cluster_missing"}


def test_one_cluster_and_small_clusters(small: AnnData) -> None:
    assert found(small, "a")["one_cluster"].severity == "warning"
    assert found(small, "a", "sample_key")["one_sample"].severity == "note"
    item = found(small, ["lonely"] + ["a"] * 119)["small_clusters"]
    assert item.examples == ("lonely",)
    assert not found(small, ["lonely"] + ["a"] * 119, "sample_key")


def test_names_that_differ_only_in_case(small: AnnData) -> None:
    item = found(small, ["Tumour 1", "tumour1", "normal"] * 40, "sample_key")["sample_names_alike"]
    assert item.count == 1
    assert "Tumour 1" in item.examples[0]


def test_slots_of_an_earlier_run_are_named(small: AnnData) -> None:
    small.obs["caf_subtype"] = "mine"
    small.obs["caf_of_mine"] = 1
    small.layers["caf_input"] = small.X.copy()
    (item,) = column_findings(small, {}, min_cells=5)
    assert (item.code, item.count) == ("slots_replaced", 2)
    assert "obs['caf_subtype']" in item.examples
    assert not column_findings(small, {}, min_cells=5, key_added="other")
    small.obs["caf_elyada"] = "mine"
    small.obsp["caf_neighbors"] = sparse.eye_array(small.n_obs, format="csr")
    (item,) = column_findings(small, {}, min_cells=5, schemes=["elyada"])
    assert {"obs['caf_elyada']", "obsp['caf_neighbors']"} <= set(item.examples)


def test_a_useless_column_ends_the_run_with_everything_that_is_wrong(small: AnnData) -> None:
    small.obs["one"] = np.nan
    small.obs["two"] = small.obs_names
    with pytest.raises(InputError) as caught:
        with_columns(check(small), small, {"sample_key": "one", "cluster_key": "two"}, 5)
    assert "sample_key 'one'" in str(caught.value)
    assert "cluster_key 'two'" in str(caught.value)
    with pytest.raises(OptionError, match="no such column"):
        with_columns(check(small), small, {"sample_key": "gone"}, 5)
