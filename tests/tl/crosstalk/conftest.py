"""The annotated simulated tumour."""

from __future__ import annotations

import pytest
from anndata import AnnData

from cafsc import AnnotationResult


@pytest.fixture(scope="module")
def adata(annotated_tumour: AnnotationResult) -> AnnData:
    """The annotated simulated tumour; not to be changed."""
    return annotated_tumour.adata
