"""Compounds and biomarkers."""

from __future__ import annotations

import pandas as pd
import pytest
from anndata import AnnData

from cafsc import sig, tl
from cafsc.pp.normalize import symbol_columns
from cafsc.tl.crosstalk.targets import COLUMNS, RESTRAINING, TWO_SIDED


@pytest.fixture(scope="module")
def table(adata: AnnData) -> pd.DataFrame:
    return tl.targets(adata)


def called(adata: AnnData, call: str) -> AnnData:
    out = adata.copy()
    out.uns["cafsc"]["clusters"] = out.uns["cafsc"]["clusters"].assign(call=call)
    return out


@pytest.mark.parametrize(("call", "said"), [("anti", RESTRAINING), ("mixed", TWO_SIDED), ("pro", "")])
def test_a_restraining_cluster_is_not_to_be_depleted(adata: AnnData, call: str, said: str) -> None:
    rows = tl.targets(called(adata, call))
    rows = rows[(rows["id"] == "fap-exosome-vaccine") & (rows["cluster"] != "")]
    assert len(rows)
    assert set(rows["warning"]) == {said}
    assert RESTRAINING.startswith("DO NOT")


def test_what_else_would_be_hit(adata: AnnData, table: pd.DataFrame) -> None:
    row = table[(table["id"] == "cytochalasin-d") & (table["cluster"] != "")].iloc[0]
    column = symbol_columns(adata)["ACTB"]
    cells = (adata.obs["caf_lineage"] == "endothelial").to_numpy()
    share = (adata.layers["counts"][:, column].toarray().ravel()[cells] > 0).mean()
    assert f"endothelial (ACTB {share:.0%})" in row["also_in"]
    assert row["n_also_in"] == len(row["also_in"].split(", "))


def test_every_agent_and_biomarker_is_there_with_its_source(table: pd.DataFrame) -> None:
    catalogue = sig.load()
    assert list(table.columns) == COLUMNS
    assert set(table[table["kind"] == "agent"]["id"]) == set(catalogue.agents)
    assert set(table[table["kind"] == "biomarker"]["id"]) == set(catalogue.biomarkers)
    assert (table["papers"] != "").all()
    assert (table["doi"] != "").all()
    assert table[table["status"] == "not measured here"]["reason"].ne("").all()
    evidence = table.drop_duplicates("id").set_index("id")["evidence"]
    assert {name: evidence[name] for name in catalogue.agents} == {
        name: agent.evidence for name, agent in catalogue.agents.items()
    }
