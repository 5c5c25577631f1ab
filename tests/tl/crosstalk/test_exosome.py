"""Exosomes: capacity, cargo, recipients."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from anndata import AnnData
from planted import planted_targets

from cafsc import sig, tl
from cafsc.tl.crosstalk.table import COLUMNS, Status


@pytest.fixture(scope="module")
def table(adata: AnnData) -> pd.DataFrame:
    return tl.exosome(adata)


def test_planted_repression_is_first_among_fifty_decoys(adata: AnnData) -> None:
    planted, catalogue = planted_targets(adata, sig.load(), plant=True)
    rows = tl.exosome(planted, catalogue=catalogue)
    rows = rows[rows["kind"] == "recipient"]
    assert tuple(rows.iloc[0][["id", "status", "target"]]) == ("exo-planted", Status.CONSISTENT, "epithelial")
    assert rows.iloc[0]["confidence"].startswith("low: an inference")
    assert (rows["status"] == Status.CONSISTENT).sum() == 1
    # Lost cargo frees its targets: low ones are then not consistent.
    axes = {
        name: axis.model_copy(update={"cargo_level": "lost"}) for name, axis in catalogue.exosome_axes.items()
    }
    rows = tl.exosome(planted, catalogue=replace(catalogue, exosome_axes=axes))
    assert Status.CONSISTENT not in set(rows[rows["id"] == "exo-planted"]["status"])


def test_without_repression_nothing_is_found(adata: AnnData) -> None:
    planted, catalogue = planted_targets(adata, sig.load(), plant=False)
    rows = tl.exosome(planted, catalogue=catalogue)
    rows = rows[rows["kind"] == "recipient"].set_index("id")
    assert rows.loc["exo-planted", "status"] == Status.NOT_SEEN
    assert Status.CONSISTENT not in set(rows["status"])


def test_every_axis_has_cargo_rows_and_recipients(table: pd.DataFrame) -> None:
    axes = sig.load().exosome_axes
    assert set(table[table["kind"] == "cargo"]["id"]) == set(axes)
    recipients = set(table[table["kind"] == "recipient"]["id"])
    assert {name for name, axis in axes.items() if axis.target_change != "none"} <= recipients
    mirna = table[
        (table["kind"] == "cargo") & table["id"].isin([n for n in axes if axes[n].cargo_kind == "mirna"])
    ]
    assert set(mirna["status"]) == {Status.NOT_MEASURED}
    assert mirna["reason"].str.contains("mature miRNA").all()


def test_it_speaks_of_capacity_and_names_its_sources(table: pd.DataFrame) -> None:
    assert list(table.columns) == COLUMNS
    capacity = table[table["kind"].isin(["capacity", "uptake"])]
    assert capacity["confidence"].str.contains("capacity").all()
    own_words = table[["label", "status", "reason", "confidence"]].map(str.casefold)
    measured = own_words[table["kind"] != "not measurable"]
    assert not measured.map(lambda text: "secret" in text).to_numpy().any()
    assert (table["papers"] != "").all()
    assert (table["doi"] != "").all()
