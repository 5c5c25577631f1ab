"""A simulated cohort and its scores, made once."""

from __future__ import annotations

import pytest
from anndata import AnnData
from mixtures import Cohort, mixture

from cafsc import bulk


@pytest.fixture(scope="session")
def cohort(_tumour: AnnData) -> Cohort:
    return mixture(_tumour)


@pytest.fixture(scope="session")
def result(cohort: Cohort) -> bulk.BulkResult:
    return bulk.score(cohort.counts, cancer="breast")
