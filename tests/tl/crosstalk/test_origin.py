"""Hints at origin, and stimuli."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from planted import with_counts

from cafsc import sig, tl
from cafsc._config import CrosstalkConfig
from cafsc.pp.normalize import symbol_columns
from cafsc.tl.crosstalk.table import COLUMNS, Status


@pytest.fixture(scope="module")
def table(adata: AnnData) -> pd.DataFrame:
    return tl.origin(adata)


def test_confidence_is_capped(adata: AnnData) -> None:
    columns = symbol_columns(adata)
    residue = sig.load().programs["origin-mesothelial"].up
    here = [columns[gene] for gene in residue if gene in columns]
    assert len(here) >= 3
    cluster = str(adata.uns["cafsc"]["clusters"]["cluster"].iloc[0])
    cells = np.flatnonzero((adata.obs["caf_cluster"].astype(object) == cluster).to_numpy())
    counts = np.asarray(adata.layers["counts"].todense(), dtype=np.int64)
    counts[np.ix_(cells, here)] += 8
    config = CrosstalkConfig(min_effect=1.0)
    found = tl.origin(with_counts(adata, counts), config=config)
    row = found[(found["id"] == "origin-mesothelial") & (found["target"] == f"caf:{cluster}")].iloc[0]
    assert row["status"] == Status.RAISED
    assert row["response_effect"] > 2
    assert float(row["confidence"]) == 0.3
    others = found[(found["id"] == "origin-mesothelial") & (found["target"] != f"caf:{cluster}")]
    assert set(others["confidence"]) == {"0.00"}


def test_every_origin_in_every_cluster_with_its_source(adata: AnnData, table: pd.DataFrame) -> None:
    wanted = [name for name in sig.load().programs if name.startswith("origin-")]
    rows = table[table["kind"] == "origin"]
    assert len(rows) == len(wanted) * len(adata.uns["cafsc"]["clusters"])
    assert (rows["confidence"].replace("", "0").astype(float) <= 0.3).all()
    assert list(table.columns) == COLUMNS
    assert (table["papers"] != "").all()
    assert (table["doi"] != "").all()


def test_a_stimulus_is_traced_to_the_cells_that_express_it_most(adata: AnnData, table: pd.DataFrame) -> None:
    rows = table[(table["kind"] == "stimulus") & (table["label"] == "IL1B")]
    assert set(rows["target"]) == {f"caf:{name}" for name in adata.uns["cafsc"]["clusters"]["cluster"]}
    assert set(rows["source"]) <= {"macrophage", "dendritic", "neutrophil"}
    assert set(rows["response"]) == {"program:nf-kb-response"}
