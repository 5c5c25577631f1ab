from __future__ import annotations

import sys
from pathlib import Path

import anndata as ad
import pytest

# The hand-built AnnData is shared with the tests of the getters.
sys.path.insert(0, str(Path(__file__).parents[1] / "get"))
from annotated import annotated, without_clusters


@pytest.fixture
def adata() -> ad.AnnData:
    return annotated()


@pytest.fixture
def empty() -> ad.AnnData:
    return without_clusters()
