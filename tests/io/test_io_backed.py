"""A data set whose matrices stay in their file: checked as one in memory, and the same to the bit."""

from __future__ import annotations

import gc
import os
import shutil
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
from cafsc.errors import InputError
from cafsc.io.backed import _opened


def _with_everything(small: AnnData) -> AnnData:
    raw = small.copy()
    small.raw = raw
    small = small[:, :300].copy()
    small.layers["counts"] = small.X.copy()
    small.layers["dense"] = small.X.toarray()
    small.layers["by_column"] = sparse.csc_matrix(small.X)
    small.X = sparse.csr_matrix(small.X.log1p())
    small.obsm["X_pca"] = np.random.default_rng(0).normal(size=(120, 5))
    small.obsp["distances"] = sparse.random(120, 120, 0.1, format="csr", random_state=1)
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


def _in_memory(matrix: Any) -> Any:
    return io.read_rows(matrix, 0, matrix.shape[0]).toarray()


def test_matrices_stay_in_the_file_and_the_rest_is_read(stored: Path) -> None:
    whole, backed = io.read(stored), io.read(stored, backed=True)
    assert not backed.isbacked
    assert all(io.is_on_disk(matrix) for matrix in (backed.X, *backed.layers.values(), backed.raw.X))
    assert not any(io.is_on_disk(matrix) for matrix in (whole.X, *whole.layers.values(), whole.raw.X))
    pd.testing.assert_frame_equal(backed.obs, whole.obs)
    pd.testing.assert_frame_equal(backed.var, whole.var)
    pd.testing.assert_frame_equal(backed.raw.var, whole.raw.var)
    np.testing.assert_array_equal(backed.obsm["X_pca"], whole.obsm["X_pca"])
    assert (backed.obsp["distances"] != whole.obsp["distances"]).nnz == 0
    assert backed.uns["note"]["text"] == "x"
    for one, two in [
        (backed.X, whole.X),
        (backed.raw.X, whole.raw.X),
        *((backed.layers[name], whole.layers[name]) for name in whole.layers),
    ]:
        np.testing.assert_array_equal(_in_memory(one), _in_memory(two))
        assert one.shape == two.shape
        assert one.dtype == two.dtype
    io.close(backed)


def test_written_from_the_file_is_the_same_file_as_from_memory(stored: Path, tmp_path: Path) -> None:
    whole, backed = io.read(stored), io.read(stored, backed=True)
    for adata in (whole, backed):
        adata.obs["added"] = np.arange(120)
    io.write_h5ad(whole, tmp_path / "whole.h5ad")
    io.write_h5ad(backed, tmp_path / "backed.h5ad")
    io.close(backed)
    assert (tmp_path / "whole.h5ad").read_bytes() == (tmp_path / "backed.h5ad").read_bytes()
    back = anndata.read_h5ad(tmp_path / "backed.h5ad")
    assert back.layers["by_column"].format == "csc"
    assert (back.X != whole.X).nnz == 0
    assert (back.raw.X != whole.raw.X).nnz == 0


def test_repeated_entries_are_summed_in_what_is_written(small: AnnData, tmp_path: Path) -> None:
    doubled = sparse.csr_matrix(
        (np.repeat(small.X.data / 2, 2), np.repeat(small.X.indices, 2), small.X.indptr * 2), shape=small.shape
    )
    path = _stored(AnnData(doubled, obs=small.obs, var=small.var), tmp_path / "doubled.h5ad")
    whole, backed = io.read(path), io.read(path, backed=True)
    io.write_h5ad(whole, tmp_path / "whole.h5ad")
    io.write_h5ad(backed, tmp_path / "backed.h5ad")
    assert (tmp_path / "whole.h5ad").read_bytes() == (tmp_path / "backed.h5ad").read_bytes()
    assert (anndata.read_h5ad(tmp_path / "backed.h5ad").X != small.X).nnz == 0


def test_closed_matrices_cannot_be_read(small: AnnData, tmp_path: Path) -> None:
    path = _stored(small, tmp_path / "sample.h5ad")
    backed = io.read(path, backed=True)
    io.read_rows(backed.X, 0, 3)
    io.close(backed)
    with pytest.raises((RuntimeError, ValueError)):
        io.read_rows(backed.X, 0, 3)
    io.close(backed)
    io.close(small)


def _open_files(name: str) -> int:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open files are not listed here")
    return sum(name in str(item.resolve()) for item in folder.iterdir())


def test_file_is_open_as_long_as_something_leads_to_it(small: AnnData, tmp_path: Path) -> None:
    path = _stored(small, tmp_path / "lasting.h5ad")
    backed = io.read(path, backed=True)
    matrix = backed.X
    del backed
    gc.collect()
    assert (_in_memory(matrix) == small.X.toarray()).all()
    assert _open_files("lasting.h5ad") == 1
    del matrix
    gc.collect()
    assert _open_files("lasting.h5ad") == 0


def test_a_file_named_from_the_working_folder_is_the_same_from_another(
    stored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = _in_memory(io.read(stored).X)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    io.close(io.read(stored.name, backed=True))
    backed = io.read(stored.name, backed=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    np.testing.assert_array_equal(_in_memory(backed.X), expected)
    io.close(backed)


def test_a_file_that_changes_while_it_is_open_is_refused_in_the_end(small: AnnData, tmp_path: Path) -> None:
    path = _stored(small, tmp_path / "sample.h5ad")
    backed = io.read(path, backed=True)
    shutil.copy(path, tmp_path / "other.h5ad")
    (tmp_path / "other.h5ad").replace(path)
    with pytest.raises(InputError, match="changed while it was read"):
        io.close(backed)


def test_two_files_under_one_path_one_after_the_other(stored: Path, tmp_path: Path) -> None:
    first = io.read(stored, backed=True)
    if stored.is_dir():
        shutil.copytree(stored, tmp_path / "other")
        stored.rename(tmp_path / "old")
    else:
        shutil.copy(stored, tmp_path / "other")
    (tmp_path / "other").replace(stored)
    second = io.read(stored, backed=True)
    with pytest.raises(InputError, match="changed while it was read"):
        io.close(first)
    io.close(second)


def test_nothing_is_kept_of_a_file_that_was_let_go(stored: Path) -> None:
    gc.collect()
    before = len(_opened)
    backed = io.read(stored, backed=True)
    assert len(_opened) > before
    del backed
    gc.collect()
    assert len(_opened) == before


def test_nothing_is_written_from_a_file_that_changed(small: AnnData, tmp_path: Path) -> None:
    path = _stored(small, tmp_path / "sample.h5ad")
    backed = io.read(path, backed=True)
    os.utime(path, (0, 0))
    with pytest.raises(InputError, match="changed while it was read"):
        io.write_h5ad(backed, tmp_path / "out.h5ad")
    assert [item.name for item in tmp_path.iterdir()] == ["sample.h5ad"]


# ---------------------------------------------------------------- refused as in memory


def _external_link(file: h5py.File, path: Path) -> None:
    del file["X"]
    file["X"] = h5py.ExternalLink(str(path), "/X")


def _bad_index(file: h5py.File, path: Path) -> None:
    file["X/indices"][5] = 10**6


def _bad_pointer(file: h5py.File, path: Path) -> None:
    file["layers/counts/indptr"][3] = 10**6


def _no_obs(file: h5py.File, path: Path) -> None:
    del file["obs"]


@pytest.mark.parametrize("edit", [_external_link, _bad_index, _bad_pointer, _no_obs])
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
    assert _open_files("sample.h5ad") == 0


def test_truncated(small: AnnData, tmp_path: Path) -> None:
    path = _stored(small, tmp_path / "sample.h5ad")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError, match="truncated"):
        io.read(path, backed=True)


def test_damaged_values_are_an_error_where_they_are_read_or_copied(small: AnnData, tmp_path: Path) -> None:
    path = _stored(small, tmp_path / "sample.h5ad")
    with h5py.File(path) as file:
        block = file["X/data"].id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    middle = block.byte_offset + block.size // 2
    data[middle : middle + 16] = b"\xff" * 16
    path.write_bytes(bytes(data))
    with pytest.raises(InputError, match="corrupt"):
        io.read(path)
    backed = io.read(path, backed=True)
    for use in (
        lambda: io.read_rows(backed.X, 0, 50),
        lambda: io.write_h5ad(backed, tmp_path / "out.h5ad"),
    ):
        with pytest.raises(InputError, match=r"sample\.h5ad: damaged: .*corrupt"):
            use()
    assert not (tmp_path / "out.h5ad").exists()


def test_larger_than_memory_is_refused_only_for_what_is_loaded(
    small: AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _stored(small, tmp_path / "sample.h5ad")
    monkeypatch.setattr("cafsc.io.limits.memory", lambda: 40_000)
    monkeypatch.setattr("cafsc.io.limits._ALWAYS_FINE", 100)
    with pytest.raises(InputError, match="of memory") as caught:
        io.read(path)
    assert "--backed" in str(caught.value)
    backed = io.read(path, backed=True)
    io.close(backed)
    small.obsm["large"] = np.zeros((120, 400))
    with pytest.raises(InputError, match="obsm/large needs"):
        io.read(_stored(small, tmp_path / "large.h5ad"), backed=True)


def test_left_in_the_file_if_large_where_it_is_not_said(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = io.read(stored)
    parts: list[np.ndarray] = []
    for matrix in (whole.X, whole.raw.X, *whole.layers.values()):
        parts += [matrix.data, matrix.indices, matrix.indptr] if sparse.issparse(matrix) else [matrix]
    size = sum(part.nbytes for part in parts)
    for memory, is_left in ((4 * size + 4, False), (4 * size - 4, True)):
        monkeypatch.setattr("cafsc.io.backed.memory", lambda memory=memory: memory)
        adata = io.read(stored, backed=None)
        assert io.is_on_disk(adata.X) == is_left
        io.close(adata)


def test_file_of_an_older_layout(small: AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _stored(small, tmp_path / "sample.h5ad")
    with h5py.File(path, "r+") as file:
        for name in ("encoding-type", "encoding-version"):
            del file.attrs[name]
    monkeypatch.setattr("cafsc.io.backed.LARGE_SHARE", 0)
    for backed in (False, None):
        assert not io.is_on_disk(io.read(path, backed=backed).X)
    with pytest.raises(InputError, match=r"before 0\.8"):
        io.read(path, backed=True)


# ---------------------------------------------------------------- 10x


def test_tenx_h5(small: AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cafsc.io.tenx._COPIED", 500)
    path = tmp_path / "filtered.h5"
    types = ["Gene Expression"] * (small.n_vars - 2) + ["Antibody Capture"] * 2
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix")
        counts = small.X.astype(np.int32)
        for key in ("data", "indices", "indptr"):
            group.create_dataset(key, data=getattr(counts, key), compression="gzip")
        group["shape"] = np.array([small.n_vars, small.n_obs])
        group["barcodes"] = np.array(small.obs_names, "S")
        group["features/id"] = np.array([f"ENSG{number:011d}" for number in range(small.n_vars)], "S")
        group["features/name"] = np.array(small.var_names, "S")
        group["features/feature_type"] = np.array(types, "S")
    whole, backed = io.read(path), io.read(path, backed=True)
    assert io.is_on_disk(backed.X)
    rows = io.read_rows(backed.X, 0, small.n_obs)
    for name in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(rows, name), getattr(whole.X, name))
    pd.testing.assert_frame_equal(backed.var, whole.var)
    io.close(backed)
    assert not io.is_on_disk(io.read(path, backed=None).X)
    monkeypatch.setattr("cafsc.io.backed.LARGE_SHARE", 0)
    assert io.is_on_disk(io.read(path, backed=None).X)


def test_mtx_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for name in ("matrix.mtx", "features.tsv", "barcodes.tsv"):
        (tmp_path / name).write_text("x\n")
    with pytest.raises(InputError, match="read in parts") as caught:
        io.read(tmp_path, backed=True)
    assert "h5ad" in str(caught.value)


# ---------------------------------------------------------------- memory

_PROGRAM = textwrap.dedent("""
    import sys
    import numpy as np
    from pathlib import Path
    from cafsc import io

    def peak():
        # Of this program; what getrusage says starts with that of the process that started it.
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    backed = io.read(sys.argv[1], backed=True)
    before = peak()
    total = 0.0
    for start in range(0, backed.n_obs, 2048):
        total += float(io.read_rows(backed.X, start, start + 2048).sum(dtype=np.float64))
    io.write_h5ad(backed, sys.argv[2])
    io.close(backed)
    print(total, peak() - before)
""")


def _large(path: Path, n_cells: int, n_per_cell: int, by_row: bool) -> tuple[float, int]:
    """A file of one matrix that packs well; the sum of its values, and its size in memory."""
    shape = (n_cells, 4 * n_per_cell) if by_row else (4 * n_per_cell, n_cells)
    n_entries = n_cells * n_per_cell
    with h5py.File(path, "w") as file:
        anndata.io.write_elem(
            file, "/", AnnData(obs=pd.DataFrame(index=[str(number) for number in range(shape[0])]),
                               var=pd.DataFrame(index=[f"g{number}" for number in range(shape[1])]))
        )  # fmt: skip
        group = file.create_group("X")
        kind = "csr_matrix" if by_row else "csc_matrix"
        group.attrs.update({"encoding-type": kind, "encoding-version": "0.1.0", "shape": shape})
        group["indptr"] = np.arange(n_cells + 1) * n_per_cell
        for name, line in (
            ("data", np.arange(n_per_cell, dtype=np.float32) % 7 + 1),
            ("indices", np.arange(n_per_cell, dtype=np.int32) * 4),
        ):
            options = {"chunks": (2**16,), "compression": "gzip", "compression_opts": 1}
            vector = group.create_dataset(name, (n_entries,), line.dtype, **options)
            step = 1000 * n_per_cell
            for start in range(0, n_entries, step):
                vector[start : start + step] = np.tile(line, min(1000, n_cells - start // n_per_cell))
        total = float((np.arange(n_per_cell) % 7 + 1).sum()) * n_cells
    return total, n_entries * 8


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak of memory is not told here")
@pytest.mark.parametrize(("by_row", "n_cells", "share"), [(True, 15_000, 0.3), (False, 20_000, 0.5)])
def test_peak_memory_does_not_grow_with_the_matrix(
    tmp_path: Path, by_row: bool, n_cells: int, share: float
) -> None:
    """Read in blocks and written again in a part of the memory that the matrix takes."""
    total, size = _large(tmp_path / "large.h5ad", n_cells, 2_000, by_row)
    command = [sys.executable, "-c", _PROGRAM, str(tmp_path / "large.h5ad"), str(tmp_path / "out.h5ad")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found, grown = done.stdout.split()
    assert float(found) == total
    assert int(grown) < share * size, f"{int(grown) / 2**20:.0f} MB of {size / 2**20:.0f}"
