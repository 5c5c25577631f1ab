"""A data set whose matrices stay in their file: checked as one in memory, and with the same values."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import sparse

from cafsc import io
from cafsc.errors import InputError, UserError
from cafsc.pp.blocks import is_backed, parts


def _with_everything(small: AnnData) -> AnnData:
    small.raw = small.copy()
    small = small[:, :300].copy()
    small.layers["counts"] = small.X.copy()
    small.layers["dense"] = small.X.toarray()
    small.X = sparse.csr_matrix(small.X.log1p())
    small.obsm["X_pca"] = np.random.default_rng(0).normal(size=(120, 5))
    small.uns["note"] = {"text": "x", "numbers": np.arange(4)}
    return small


def _stored(adata: AnnData, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path.suffix == ".zarr":
            adata.write_zarr(path)
        else:
            adata.write_h5ad(path, compression="gzip")
    return path


@pytest.fixture(params=["sample.h5ad", "sample.zarr"])
def stored(request: pytest.FixtureRequest, small: AnnData, tmp_path: Path) -> Path:
    return _stored(_with_everything(small), tmp_path / request.param)


def _matrices(adata: AnnData) -> dict[str, Any]:
    return {"X": adata.X, "raw": adata.raw.X, **adata.layers}


def _dense(matrix: Any) -> Any:
    matrix = matrix.compute() if is_backed(matrix) else matrix
    return matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)


def test_matrices_stay_in_the_file_and_the_rest_is_read(stored: Path) -> None:
    whole, backed = io.read(stored), io.read(stored, backed=True)
    assert all(map(is_backed, _matrices(backed).values()))
    assert not any(map(is_backed, _matrices(whole).values()))
    pd.testing.assert_frame_equal(backed.obs, whole.obs)
    pd.testing.assert_frame_equal(backed.var, whole.var)
    pd.testing.assert_frame_equal(backed.raw.var, whole.raw.var)
    np.testing.assert_array_equal(backed.obsm["X_pca"], whole.obsm["X_pca"])
    assert backed.uns["note"]["text"] == "x"
    for name, matrix in _matrices(whole).items():
        found = _matrices(backed)[name]
        assert (found.shape, found.dtype) == (matrix.shape, matrix.dtype)
        np.testing.assert_array_equal(_dense(found), _dense(matrix))


def test_written_from_the_file_as_from_memory(stored: Path, tmp_path: Path) -> None:
    expected = io.read(stored)
    backed = io.read(stored, backed=True)
    backed.obs["added"] = np.arange(120)
    io.write_h5ad(backed, tmp_path / "out.h5ad")
    found = anndata.read_h5ad(tmp_path / "out.h5ad")
    assert found.obs["added"].tolist() == list(range(120))
    for name, matrix in _matrices(expected).items():
        np.testing.assert_array_equal(_dense(_matrices(found)[name]), _dense(matrix))


def test_repeated_entries_are_summed(small: AnnData, tmp_path: Path) -> None:
    doubled = sparse.csr_matrix(
        (np.repeat(small.X.data / 2, 2), np.repeat(small.X.indices, 2), small.X.indptr * 2), shape=small.shape
    )
    path = _stored(AnnData(doubled, obs=small.obs, var=small.var), tmp_path / "doubled.h5ad")
    found = io.read(path, backed=True).X.compute()
    assert found.nnz == small.X.nnz
    assert (found != small.X).nnz == 0


def test_a_file_that_changed_is_refused_wherever_it_is_read(stored: Path, tmp_path: Path) -> None:
    backed = io.read(stored, backed=True)
    os.utime(stored if stored.is_file() else next(stored.glob(".z*")), (0, 0))
    for use in (lambda: list(parts(backed.X)), lambda: io.write_h5ad(backed, tmp_path / "out.h5ad")):
        with pytest.raises(InputError, match="changed while it was read"):
            use()
    assert not (tmp_path / "out.h5ad").exists()


def _external_link(file: h5py.File, path: Path) -> None:
    del file["X"]
    file["X"] = h5py.ExternalLink(str(path), "/X")


def _bad_pointer(file: h5py.File, path: Path) -> None:
    file["layers/counts/indptr"][3] = 10**6


def _no_obs(file: h5py.File, path: Path) -> None:
    del file["obs"]


@pytest.mark.parametrize("edit", [_external_link, _bad_pointer, _no_obs])
def test_what_is_refused_in_memory_is_refused_from_the_file(
    small: AnnData, tmp_path: Path, edit: Any
) -> None:
    small.layers["counts"] = small.X.copy()
    path = _stored(small, tmp_path / "sample.h5ad")
    with h5py.File(path, "r+") as file:
        edit(file, tmp_path / "other.h5ad")
    said = []
    for backed in (False, True):
        with pytest.raises(InputError) as caught:
            io.read(path, backed=backed)
        said.append(str(caught.value))
    assert said[0] == said[1]


def test_damaged_values_are_an_error_where_they_are_read_or_copied(small: AnnData, tmp_path: Path) -> None:
    path = _stored(small, tmp_path / "sample.h5ad")
    with h5py.File(path) as file:
        block = file["X/data"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    middle = block.byte_offset + block.size // 2
    data[middle : middle + 16] = b"\xff" * 16
    path.write_bytes(bytes(data))
    backed = io.read(path, backed=True)
    with pytest.raises(InputError, match="corrupt"):
        list(parts(backed.X))
    with pytest.raises(UserError, match="corrupt"):
        io.write_h5ad(backed, tmp_path / "out.h5ad")
    assert not (tmp_path / "out.h5ad").exists()


def test_larger_than_memory_is_refused_only_for_what_is_loaded(
    small: AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _stored(small, tmp_path / "sample.h5ad")
    monkeypatch.setattr("cafsc.io.limits.memory", lambda: 40_000)
    monkeypatch.setattr("cafsc.io.limits._ALWAYS_FINE", 100)
    with pytest.raises(InputError, match="of memory") as caught:
        io.read(path)
    assert "backed=True" in str(caught.value.fix)
    assert is_backed(io.read(path, backed=True).X)
    small.obsm["large"] = np.zeros((120, 400))
    with pytest.raises(InputError, match="obsm/large needs"):
        io.read(_stored(small, tmp_path / "large.h5ad"), backed=True)


def test_kept_in_the_file_if_large_where_it_is_not_said(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    for matrix in _matrices(io.read(stored)).values():
        vectors = [matrix.data, matrix.indices, matrix.indptr] if sparse.issparse(matrix) else [matrix]
        sizes += [vector.nbytes for vector in vectors]
    for memory, expected in ((4 * sum(sizes) + 4, False), (4 * sum(sizes) - 4, True)):
        monkeypatch.setattr(sys.modules["cafsc.io.read"], "memory", lambda memory=memory: memory)
        assert is_backed(io.read(stored, backed=None).X) == expected


def _by_column(small: AnnData, folder: Path) -> Path:
    small.X = small.X.tocsc()
    return _stored(small, folder / "sample.h5ad")


def _old_layout(small: AnnData, folder: Path) -> Path:
    path = _stored(small, folder / "sample.h5ad")
    with h5py.File(path, "r+") as file:
        for name in ("encoding-type", "encoding-version"):
            del file.attrs[name]
    return path


@pytest.mark.parametrize(
    ("make", "word"), [(_by_column, r"stored by column \(CSC\)"), (_old_layout, r"before 0\.8")]
)
def test_what_cannot_stay_in_its_file_is_refused_with_the_way_out(
    small: AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, word: str
) -> None:
    expected = small.X.toarray()
    path = make(small, tmp_path)
    monkeypatch.setattr(sys.modules["cafsc.io.read"], "LARGE_SHARE", 0)
    np.testing.assert_array_equal(_dense(io.read(path, backed=None).X), expected)
    with pytest.raises(InputError, match=word) as caught:
        io.read(path, backed=True)
    fix = str(caught.value.fix)
    if "python -c" in fix:
        command = fix.partition('python -c "')[2].removesuffix('"')
        subprocess.run([sys.executable, "-c", command], cwd=tmp_path, check=True)
        found = io.read(tmp_path / "csr.h5ad", backed=True).X
        np.testing.assert_array_equal(_dense(found), expected)


def test_mtx_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for name in ("matrix.mtx", "features.tsv", "barcodes.tsv"):
        (tmp_path / name).write_text("x\n")
    with pytest.raises(InputError, match="in blocks of cells") as caught:
        io.read(tmp_path, backed=True)
    assert "python -c" in str(caught.value.fix)


_PROGRAM = textwrap.dedent("""
    import resource, sys
    from cafsc import io
    from cafsc.pp.blocks import parts

    backed = io.read(sys.argv[1], backed=True)
    list(parts(backed.X[:3000]))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    total = sum(float(block.sum()) for _, block in parts(backed.X))
    io.write_h5ad(backed, sys.argv[2])
    print(total, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
""")


@pytest.mark.slow
def test_peak_memory_does_not_grow_with_the_matrix(tmp_path: Path) -> None:
    """Read in blocks and written again in a part of the memory that the matrix takes."""
    random = np.random.default_rng(0)
    few = sparse.random(1_000, 8_000, 0.25, format="csr", dtype=np.float32, random_state=random)
    many = sparse.vstack([few] * 20, format="csr")
    path = tmp_path / "large.h5ad"
    AnnData(many).write_h5ad(path, compression="lzf")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(path), str(tmp_path / "out.h5ad")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    total, grown = map(float, done.stdout.split())
    assert total == pytest.approx(float(many.sum(dtype=np.float64)), rel=1e-5)
    assert grown < 0.4 * many.nnz * 8
