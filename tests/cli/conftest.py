"""Runs of the command line inside this process, and inputs for them."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pytest
from cafsc_command import Cafsc, Run
from scipy import sparse

from cafsc.cli import main


@pytest.fixture
def cafsc(capsys: pytest.CaptureFixture[str]) -> Cafsc:
    """``cafsc(*words)`` runs the command line in this process."""

    def run(*words: object) -> Run:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        said = capsys.readouterr()
        assert isinstance(stop.value.code, int)
        return Run(stop.value.code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def simulated_source(_tumour: anndata.AnnData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded simulated tumour as a file nobody may change."""
    path = tmp_path_factory.mktemp("simulated") / "tumour.h5ad"
    _tumour.write_h5ad(path)
    path.chmod(0o444)
    return path


@pytest.fixture
def source(simulated_source: Path, tmp_path: Path) -> Path:
    """A copy of the simulated tumour in a folder of the test's own."""
    path = tmp_path / "tumour.h5ad"
    path.write_bytes(simulated_source.read_bytes())
    return path


@pytest.fixture(scope="session")
def scaled(_tumour: anndata.AnnData) -> anndata.AnnData:
    """The simulated tumour with each gene centred and scaled, and no counts left."""
    counts = _tumour.X
    dense = counts.toarray() if sparse.issparse(counts) else np.asarray(counts)
    values = np.log1p(dense.astype(np.float64))
    spread = values.std(axis=0)
    spread[spread == 0] = 1
    adata = anndata.AnnData(
        ((values - values.mean(axis=0)) / spread).astype(np.float32),
        obs=_tumour.obs[[]].copy(),
        var=_tumour.var[[]].copy(),
    )
    return adata
