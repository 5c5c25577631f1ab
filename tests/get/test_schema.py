"""The schema says what the tables hold, and docs/columns.md is written from it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import anndata as ad
import pandas as pd
import pytest

from cafsc import get
from cafsc.get.schema import CELLS, CLUSTERS, TABLES

ROOT = Path(__file__).parents[2]


def test_the_page_of_columns_is_that_of_the_schema() -> None:
    path = ROOT / "tools" / "make_columns_doc.py"
    spec = importlib.util.spec_from_file_location("make_columns_doc", path)
    assert spec and spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run tools/make_columns_doc.py"


@pytest.mark.parametrize("name", ["clusters", "cells", "evidence", "scores", "cancers"])
def test_a_table_has_the_columns_and_dtypes_of_the_schema(adata: ad.AnnData, name: str) -> None:
    frame: pd.DataFrame = getattr(get, name)(adata)
    columns = TABLES[name].columns
    assert list(frame.columns[: len(columns)]) == [column.name for column in columns]
    for column in columns:
        assert frame[column.name].dtype == ("object" if column.dtype == "str" else column.dtype), column.name


def test_every_column_is_explained_in_one_sentence() -> None:
    for table in TABLES.values():
        assert len({column.name for column in table.columns}) == len(table.columns)
        for column in table.columns:
            assert column.meaning.endswith("."), column.name
            assert ". " not in column.meaning, column.name


def test_codes_are_found_with_their_detail() -> None:
    assert "other cells" in CLUSTERS["reason"].word("excluded_gene:XYZ")
    assert "normal fibroblasts" in CLUSTERS["reason"].word("not_activated")
    assert CELLS["gate"].word("kept") == "kept as a fibroblast"
    assert CLUSTERS["reason"].word("a_new_code") == CLUSTERS["reason"].word("") == ""
