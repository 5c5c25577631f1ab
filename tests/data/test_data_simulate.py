"""The simulated tumour: what it is drawn from, and that it is marked as simulated."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc import data, sig
from cafsc.data.simulate import DOUBLET, PROFILES, load_profiles
from cafsc.errors import OptionError


def _log_profiles(adata: AnnData, types: list[str]) -> np.ndarray:
    means = []
    for name in types:
        cells = (adata.obs["simulated_type"] == name).to_numpy()
        total = np.asarray(adata.X[cells].sum(axis=0), dtype=np.float64).ravel()
        means.append(np.log1p(total / total.sum() * 1e4))
    return np.array(means)


def test_shape_types_and_marks(tumour: AnnData) -> None:
    assert tumour.n_obs == 1500
    assert tumour.n_vars >= 3000
    assert isinstance(tumour.X, sparse.csr_matrix)
    assert tumour.X.dtype == np.float32
    assert (tumour.X.data == np.rint(tumour.X.data)).all()
    assert tumour.X.data.min() >= 1
    assert tumour.var_names.is_unique
    assert tumour.obs_names[0] == "SIMULATED_0001"
    assert "SIMULATED" in tumour.uns["cafsc_simulated"]
    assert {
        "iCAF",
        "myCAF",
        "PVL immature",
        "PVL differentiated",
        "endothelial",
        "macrophage",
        "T CD8",
    } <= set(tumour.obs["simulated_type"])


def test_depth_is_as_asked(tumour: AnnData) -> None:
    depth = np.asarray(tumour.X.sum(axis=1)).ravel()
    assert np.median(depth) == pytest.approx(4000, rel=0.1)
    shallow = data.simulated_tumour(400, depth=500)
    assert np.median(np.asarray(shallow.X.sum(axis=1))) == pytest.approx(500, rel=0.15)


def test_same_seed_same_counts(tumour: AnnData) -> None:
    again = data.simulated_tumour()
    assert (again.X != tumour.X).nnz == 0
    other = data.simulated_tumour(seed=1)
    assert (other.X != tumour.X).nnz > 0
    assert other.obs["simulated_type"].value_counts().to_dict() == (
        tumour.obs["simulated_type"].value_counts().to_dict()
    )


def test_drawn_types_resemble_their_profiles_most(tumour: AnnData) -> None:
    profiles = load_profiles()
    types = list(profiles.types)
    drawn = _log_profiles(tumour, types)
    given = np.log1p(profiles.shares * 1e4)
    nearest = [types[int(np.argmin(((given - row) ** 2).sum(axis=1)))] for row in drawn]
    assert nearest == types


def test_markers_stand_where_they_belong(tumour: AnnData) -> None:
    def mean(gene: str, kind: str) -> float:
        cells = (tumour.obs["simulated_type"] == kind).to_numpy()
        return float(tumour[cells, gene].X.mean())

    for gene, high, low in [
        ("COL1A1", "myCAF", "T CD4"),
        ("CXCL12", "iCAF", "myCAF"),
        ("RGS5", "PVL immature", "iCAF"),
        ("MYH11", "PVL differentiated", "myCAF"),
        ("PECAM1", "endothelial", "myCAF"),
        ("CD68", "macrophage", "iCAF"),
        ("CD3E", "T CD8", "iCAF"),
        ("MKI67", "cancer cycling", "iCAF"),
    ]:
        assert mean(gene, high) > 4 * mean(gene, low), gene


def test_genes_of_every_lineage_are_in_the_table() -> None:
    genes = set(load_profiles().genes)
    for panel in sig.load().lineages.values():
        assert len(genes & set(panel.core)) >= 0.8 * len(panel.core), panel.label


def test_doublets_hold_two_types_and_more_counts() -> None:
    adata = data.simulated_tumour(600, doublets=0.2)
    paired = (adata.obs["simulated_type"] == DOUBLET).to_numpy()
    assert paired.sum() == 120
    depth = np.asarray(adata.X.sum(axis=1)).ravel()
    assert np.median(depth[paired]) > 1.5 * np.median(depth[~paired])


def test_ambient_brings_collagen_into_t_cells() -> None:
    def collagen(ambient: float) -> float:
        adata = data.simulated_tumour(600, ambient=ambient)
        cells = adata.obs["simulated_type"].isin(["T CD4", "T CD8", "B"]).to_numpy()
        return float(adata[cells, "COL1A1"].X.mean())

    assert collagen(0.3) > 5 * collagen(0.0)


@pytest.mark.parametrize(
    "options", [{"n_cells": 0}, {"depth": 0}, {"ambient": 1.0}, {"ambient": -0.1}, {"doublets": float("nan")}]
)
def test_parameters_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        data.simulated_tumour(**options)  # type: ignore[arg-type]


def _table(packed: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(gzip.decompress(packed)), sep="\t", comment="#", index_col="gene")


@pytest.mark.slow
def test_tool_gives_the_shipped_table(dataset_path: Callable[[str], Path], tmp_path: Path) -> None:
    """A paper added to the catalogue may add a gene; what is known of the others stays."""
    sample = dataset_path("breast_tnbc_wu2021_CID4465")
    tool = Path(__file__).parents[2] / "tools" / "make_simulated_tumour.py"
    for name in ("one.tsv.gz", "two.tsv.gz"):
        subprocess.run([sys.executable, str(tool), str(sample), str(tmp_path / name)], check=True)
    made = (tmp_path / "one.tsv.gz").read_bytes()
    assert made == (tmp_path / "two.tsv.gz").read_bytes()
    shipped = _table(resources.files("cafsc.data").joinpath(PROFILES).read_bytes())
    again = _table(made)
    both = shipped.index.intersection(again.index)
    assert len(both) > 0.95 * max(len(shipped), len(again))
    assert list(again.columns) == list(shipped.columns)
    np.testing.assert_allclose(again.loc[both].iloc[:, 1:], shipped.loc[both].iloc[:, 1:], rtol=0.03)
