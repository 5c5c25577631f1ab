"""Fixtures that all tests share: real datasets where they can be had, the simulated tumour, small counts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from anndata import AnnData

    from cafsc import AnnotationResult

# A first example may be the first to import a library, and other tests run beside it: no single one has to be quick.
settings.register_profile("cafsc", deadline=None)
settings.load_profile("cafsc")

ROOT = Path(__file__).parents[1]
DATA_DIR_VARIABLE = "CAFSC_DATA_DIR"


@pytest.fixture(scope="session")
def dataset_path() -> Callable[[str], Path]:
    """Path of a registered dataset, its hash checked; skips the test, and says why, where there is none.

    Looked for in the folder of CAFSC_DATA_DIR, or shared/data beside the checkout, then downloaded by the registry.
    """
    from cafsc import data
    from cafsc.errors import DatasetError

    folder = Path(os.environ.get(DATA_DIR_VARIABLE) or ROOT.parent / "shared" / "data")
    failed: list[str] = []

    def find(name: str) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(DATA_DIR_VARIABLE, str(folder))
            if (folder / f"{name}.h5ad").is_file():
                return data.fetch(name)
            # Without a network, one attempt is enough for the whole session.
            if not failed:
                try:
                    return data.fetch(name)
                except DatasetError as error:
                    reason = error.found.split(" for http")[0]
                    if "no public file" not in reason:
                        failed.append(reason)
            pytest.skip(f"{name} is not in {DATA_DIR_VARIABLE}; {failed[0] if failed else reason}")

    return find


@pytest.fixture(scope="session")
def dataset(dataset_path: Callable[[str], Path]) -> Callable[[str], AnnData]:
    """A registered dataset as a new AnnData at each call."""
    from cafsc import io

    return lambda name: io.read(dataset_path(name))


@pytest.fixture(scope="session")
def _tumour() -> AnnData:
    from cafsc import data

    return data.simulated_tumour()


@pytest.fixture
def tumour(_tumour: AnnData) -> AnnData:
    """The simulated tumour that cafsc ships, 1,500 cells; a copy of its own for each test."""
    return _tumour.copy()


@pytest.fixture
def small() -> AnnData:
    """120 cells x 400 human genes of random counts, CSR float32, with two columns in obs."""
    import pandas as pd
    from anndata import AnnData
    from scipy import sparse

    from cafsc import genes

    random = np.random.default_rng(1)
    rates = random.gamma(0.5, 8.0, 400) * random.lognormal(0, 0.4, (120, 1))
    obs = pd.DataFrame(
        {"sample": pd.Categorical(["a", "b", "c"] * 40), "score": random.random(120)},
        index=[f"cell{number}-1" for number in range(120)],
    )
    var = pd.DataFrame(index=sorted(genes.approved("human"))[100:500])
    return AnnData(X=sparse.csr_matrix(random.poisson(rates).astype(np.float32)), obs=obs, var=var)


@pytest.fixture(scope="session")
def annotated_tumour(_tumour: AnnData) -> AnnotationResult:
    """The simulated tumour, annotated as breast cancer, once for all tests: not to be changed."""
    import cafsc

    return cafsc.annotate(_tumour.copy(), cancer="breast")
