"""Exosomes: capacity, cargo, recipients."""

from __future__ import annotations

import pandas as pd
import pytest
from anndata import AnnData
from planted import planted_targets, standings

from cafsc import AnnotationResult, sig, tl
from cafsc.errors import InputError
from cafsc.pp.normalize import symbol_columns
from cafsc.tl.crosstalk.table import COLUMNS, CONSISTENT, NOT_MEASURED, NOT_SEEN


@pytest.fixture(scope="module")
def adata(annotated_tumour: AnnotationResult) -> AnnData:
    """The annotated simulated tumour; not to be changed."""
    return annotated_tumour.adata


@pytest.fixture(scope="module")
def table(adata: AnnData) -> pd.DataFrame:
    return tl.exosome(adata)


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_repression_is_first_among_fifty_decoys(adata: AnnData, seed: int) -> None:
    planted, catalogue = planted_targets(adata, sig.load(), plant=True, seed=seed)
    rows = tl.exosome(planted, catalogue=catalogue)
    rows = rows[rows["kind"] == "recipient"]
    assert rows.iloc[0]["id"] == "exo-planted"
    assert rows.iloc[0]["standing"] == CONSISTENT
    assert rows.iloc[0]["target"] == "epithelial"
    assert rows.iloc[0]["confidence"].startswith("low: an inference")
    assert (rows["standing"] == CONSISTENT).sum() == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_without_repression_nothing_is_found(adata: AnnData, seed: int) -> None:
    planted, catalogue = planted_targets(adata, sig.load(), plant=False, seed=seed)
    rows = tl.exosome(planted, catalogue=catalogue)
    assert standings(rows[rows["kind"] == "recipient"], "exo-planted") == {NOT_SEEN: 1}
    assert CONSISTENT not in set(rows["standing"])


def test_lost_cargo_is_expected_to_free_its_targets(adata: AnnData) -> None:
    planted, catalogue = planted_targets(adata, sig.load(), plant=True)
    axes = {
        name: axis.model_copy(update={"cargo_level": "lost"}) for name, axis in catalogue.exosome_axes.items()
    }
    rows = tl.exosome(planted, catalogue=catalogue.__class__(**{**vars(catalogue), "exosome_axes": axes}))
    assert CONSISTENT not in set(rows[rows["id"] == "exo-planted"]["standing"])


def test_every_axis_has_cargo_rows_and_recipients(table: pd.DataFrame) -> None:
    axes = sig.load().exosome_axes
    assert set(table[table["kind"] == "cargo"]["id"]) == set(axes)
    recipients = set(table[table["kind"] == "recipient"]["id"])
    assert {name for name, axis in axes.items() if axis.target_change != "none"} <= recipients
    mirna = table[
        (table["kind"] == "cargo") & table["id"].isin([n for n in axes if axes[n].cargo_kind == "mirna"])
    ]
    assert set(mirna["standing"]) == {NOT_MEASURED}
    assert mirna["reason"].str.contains("mature miRNA").all()


def test_cargo_is_the_senders_expression(adata: AnnData, table: pd.DataFrame) -> None:
    row = table[(table["kind"] == "cargo") & (table["id"] == "exo-thbs2")].iloc[0]
    cells = (adata.obs["caf_cluster"].astype(object) == row["source"].removeprefix("caf:")).to_numpy()
    seen = adata.layers["counts"][:, symbol_columns(adata)["THBS2"]].toarray().ravel()[cells] > 0
    assert row["source_fraction"] == pytest.approx(seen.mean())


def test_it_speaks_of_capacity_and_names_its_sources(table: pd.DataFrame) -> None:
    assert list(table.columns) == COLUMNS
    capacity = table[table["kind"].isin(["capacity", "uptake"])]
    assert capacity["confidence"].str.contains("capacity").all()
    own_words = table[["label", "standing", "reason", "confidence"]].map(str.casefold)
    measured = own_words[table["kind"] != "not measurable"]
    assert not measured.map(lambda text: "secret" in text).to_numpy().any()
    assert (table["papers"] != "").all()
    assert (table["doi"] != "").all()


def test_it_needs_a_run(tumour: AnnData) -> None:
    with pytest.raises(InputError, match="annotate"):
        tl.exosome(tumour)
