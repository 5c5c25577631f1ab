from __future__ import annotations

import anndata as ad
import pytest
from annotated import annotated, without_clusters


@pytest.fixture
def adata() -> ad.AnnData:
    return annotated()


@pytest.fixture
def empty() -> ad.AnnData:
    return without_clusters()
