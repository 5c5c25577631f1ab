"""UCell beside a plain computation and pyUCell."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse, stats

from cafsc.engine.ucell import ucell
from cafsc.errors import InputError
from cafsc.tl.score.controls import SetColumns

PROGRAM = """
import numpy as np
from cafsc.engine.ucell import ucell
from cafsc.tl.score.controls import SetColumns
print(ucell(np.array([[3.0, 2.0, 0.0]]), [SetColumns(np.array([0]), np.array([], dtype=int), 1)], 3).tolist())
"""


def reference(
    dense: np.ndarray, sets: list[SetColumns], max_rank: int, zeros_tied: bool, missing_last: bool
) -> np.ndarray:
    out = np.zeros((len(dense), len(sets)))
    for cell, values in enumerate(dense):
        ranks = np.minimum(stats.rankdata(-values), max_rank)
        if not zeros_tied:
            ranks[values == 0] = max_rank
        for index, members in enumerate(sets):
            for sign, genes in ((1, members.up), (-1, members.down)):
                if not genes.size:
                    continue
                n_missing = members.n_genes - members.up.size - members.down.size
                n = genes.size + (n_missing if missing_last and sign > 0 else 0)
                u = ranks[genes].sum() + (n - genes.size) * max_rank - n * (n + 1) / 2
                out[cell, index] += sign * (1 - u / (n * max_rank - n * (n + 1) / 2))
    out = np.maximum(out, 0)
    out[:, [not (members.up.size or members.down.size) for members in sets]] = np.nan
    return out


@pytest.mark.parametrize("max_rank", [60, 150, 400, 1500])
@pytest.mark.parametrize("zeros_tied", [True, False])
@pytest.mark.parametrize("missing_last", [True, False])
def test_it_is_the_mann_whitney_u_with_ties(
    lognorm: sparse.csr_matrix,
    sets: list[SetColumns],
    max_rank: int,
    zeros_tied: bool,
    missing_last: bool,
) -> None:
    found = ucell(lognorm, sets, max_rank, zeros_tied=zeros_tied, missing_last=missing_last)
    expected = reference(lognorm.toarray(), sets, max_rank, zeros_tied, missing_last)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("max_rank", [60, 150, 390])
def test_it_is_that_of_pyucell(lognorm: sparse.csr_matrix, sets: list[SetColumns], max_rank: int) -> None:
    pyucell = pytest.importorskip("pyucell")
    adata = AnnData(lognorm.copy(), var=pd.DataFrame(index=[f"g{n}" for n in range(lognorm.shape[1])]))
    one_sided = [members for members in sets if members.up.size and not members.down.size]
    for missing in ("skip", "impute"):
        given = [SetColumns(members.up, members.down, members.up.size + 3) for members in one_sided]
        asked = {
            str(index): [*adata.var_names[members.up], "absent1", "absent2", "absent3"]
            for index, members in enumerate(given)
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pyucell.compute_ucell_scores(adata, asked, max_rank=max_rank, missing_genes=missing, n_jobs=1)
        found = ucell(lognorm, given, max_rank, zeros_tied=False, missing_last=missing == "impute")
        expected = adata.obs[[f"{index}_UCell" for index in range(len(given))]]
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_untied_values_and_values_that_all_tie(sets: list[SetColumns]) -> None:
    random = np.random.default_rng(3)
    for dense in (random.gamma(1.0, 1.0, (9, 400)), np.ones((2, 400)), np.zeros((2, 400))):
        found = ucell(dense, sets, 150)
        np.testing.assert_allclose(found, reference(dense, sets, 150, True, False), rtol=0, atol=1e-12)


def test_forms_of_the_matrix_give_the_same_scores(lognorm: sparse.csr_matrix, sets: list[SetColumns]) -> None:
    expected = ucell(lognorm, sets, 100)
    dense = lognorm.toarray()
    with_zeros = sparse.csr_matrix(
        (dense.ravel(), np.tile(np.arange(400), 70), np.arange(0, 28_001, 400)), shape=dense.shape
    )
    assert with_zeros.nnz > lognorm.nnz
    for form in (dense, with_zeros, lognorm.tocsc(), lognorm.astype(np.float32)):
        np.testing.assert_array_equal(ucell(form, sets, 100), expected)
    assert with_zeros.nnz == dense.size
    assert ucell(lognorm[:0], sets, 100).shape == (0, len(sets))
    assert ucell(lognorm, [], 100).shape == (70, 0)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_values_that_cannot_be_ranked_are_refused(lognorm: sparse.csr_matrix, bad: float) -> None:
    matrix = lognorm.copy()
    matrix.data[5] = bad
    with pytest.raises(InputError, match="negative, infinite or not a number"):
        ucell(matrix, [], 100)


def test_it_runs_where_machine_code_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    nowhere = str(tmp_path / "taken" / "cache")
    environment = {"NUMBA_CACHE_DIR": nowhere, "HOME": nowhere, "XDG_CACHE_HOME": nowhere}
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, **environment},
    )
    assert found.stdout.strip() == "[[1.0]]", found.stderr
