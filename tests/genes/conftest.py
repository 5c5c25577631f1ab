"""Real datasets, where they can be had."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import anndata
import pytest


@pytest.fixture(scope="session")
def gene_names() -> Callable[[str], list[str]]:
    """``gene_names(dataset)``: the var_names of a real dataset, or a skip that says why."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("CAFSC_DATA_DIR", beside))

    def read(dataset: str) -> list[str]:
        path = folder / f"{dataset}.h5ad"
        if not path.exists():
            pytest.skip(f"{dataset}.h5ad is not in CAFSC_DATA_DIR")
        return [str(name) for name in anndata.read_h5ad(path, backed="r").var_names]

    return read
