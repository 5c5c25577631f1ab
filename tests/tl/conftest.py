"""The simulated tumour at the stages that single steps start from."""

from __future__ import annotations

import pytest
from anndata import AnnData

from cafsc import data, pp, tl


@pytest.fixture(scope="session")
def _gated() -> AnnData:
    adata = data.simulated_tumour(700, seed=11)
    pp.normalize(adata)
    pp.qc(adata)
    tl.gate(adata)
    return adata


@pytest.fixture
def gated(_gated: AnnData) -> AnnData:
    """700 simulated cells after the gate, a copy for each test."""
    return _gated.copy()


@pytest.fixture(scope="session")
def _scored(_gated: AnnData) -> AnnData:
    adata = _gated.copy()
    tl.score(adata)
    return adata


@pytest.fixture
def scored(_scored: AnnData) -> AnnData:
    """The same after scoring."""
    return _scored.copy()


@pytest.fixture(scope="session")
def _labelled(_scored: AnnData) -> AnnData:
    adata = _scored.copy()
    tl.label(adata)
    tl.programs(adata)
    return adata


@pytest.fixture
def labelled(_labelled: AnnData) -> AnnData:
    """The same with states and programmes."""
    return _labelled.copy()
