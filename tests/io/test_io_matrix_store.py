"""Matrices are written packed, once each, and read back by everybody as they were."""

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
from numpy.typing import DTypeLike
from scipy import sparse

from cafsc import io
from cafsc.errors import InputError, OutputError
from cafsc.io import matrix_store


def _vectors(path: Path, name: str) -> list[h5py.Dataset]:
    with h5py.File(path) as file:
        return [h5py.h5o.get_info(file[name][part].id).addr for part in ("data", "indices", "indptr")]


def _same(one: Any, two: Any) -> None:
    assert type(one) is type(two)
    assert one.dtype == two.dtype
    assert one.shape == two.shape
    if sparse.issparse(one):
        for name in ("data", "indices", "indptr"):
            np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    else:
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64, np.uint8, bool])
@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
def test_every_form_and_type_reads_back(small: AnnData, tmp_path: Path, dtype: DTypeLike, form: Any) -> None:
    values = form(small.X.toarray().astype(dtype))
    path = tmp_path / "out.h5ad"
    adata = AnnData(values, obs=small.obs, var=small.var)
    io.write_h5ad(adata, path)
    _same(anndata.read_h5ad(path).X, adata.X)
    _same(io.read(path).X, adata.X)


@pytest.mark.parametrize("shape", [(0, 400), (120, 0), (120, 400)])
def test_nothing_in_it(small: AnnData, tmp_path: Path, shape: tuple[int, int]) -> None:
    adata = small[: shape[0], : shape[1]].copy()
    adata.X = sparse.csr_matrix(shape, dtype=np.float32)
    adata.layers["dense"] = np.zeros(shape)
    adata.obsm["X_pca"] = np.zeros((shape[0], 0))
    io.write_h5ad(adata, tmp_path / "out.h5ad")
    back = anndata.read_h5ad(tmp_path / "out.h5ad")
    _same(back.X, adata.X)
    _same(back.layers["dense"], adata.layers["dense"])
    assert back.obsm["X_pca"].shape == (shape[0], 0)


@pytest.mark.parametrize("block", [7, 1000, 10**6])
def test_more_blocks_than_one(
    small: AnnData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(matrix_store, "_BLOCK", block)
    monkeypatch.setattr(matrix_store, "_COPIED", 3 * block)
    small.layers["dense"] = small.X.toarray()
    small.layers["by_column"] = small.X.tocsc()
    io.write_h5ad(small, tmp_path / "out.h5ad")
    back = anndata.read_h5ad(tmp_path / "out.h5ad")
    _same(back.X, small.X)
    _same(back.layers["dense"], small.layers["dense"])
    _same(back.layers["by_column"], small.layers["by_column"])


def test_other_byte_order_and_columns_first(small: AnnData, tmp_path: Path) -> None:
    small.layers["swapped"] = np.asfortranarray(small.X.toarray().astype(">f8"))
    io.write_h5ad(small, tmp_path / "out.h5ad")
    np.testing.assert_array_equal(
        anndata.read_h5ad(tmp_path / "out.h5ad").layers["swapped"], small.X.toarray()
    )


def test_room_behind_the_last_entry_is_not_written(small: AnnData, tmp_path: Path) -> None:
    matrix = small.X.copy()
    matrix.data = np.append(matrix.data, np.float32(9))
    matrix.indices = np.append(matrix.indices, np.int32(10**6))
    small.X = matrix
    io.write_h5ad(small, tmp_path / "out.h5ad")
    assert io.read(tmp_path / "out.h5ad").X.nnz == len(matrix.data) - 1


@pytest.mark.parametrize("n_cells", [1, 1023, 1024, 70_000])
def test_columns_read_back(tmp_path: Path, n_cells: int) -> None:
    random = np.random.default_rng(0)
    obs = pd.DataFrame(
        {
            "score": random.normal(size=n_cells).astype(np.float32),
            "number": random.integers(0, 9, n_cells),
            "kept": random.random(n_cells) > 0.5,
            "kind": pd.Categorical(random.choice(["a", "b"], n_cells)),
            "word": random.choice(["x", "y"], n_cells),
        },
        index=[f"cell{number}" for number in range(n_cells)],
    )
    adata = AnnData(obs=obs)
    adata.uns["curve"] = random.normal(size=n_cells)
    adata.obsm["embedding"] = random.normal(size=(n_cells, 2))
    path = tmp_path / "out.h5ad"
    io.write_h5ad(adata, path)
    for back in (anndata.read_h5ad(path), io.read(path)):
        pd.testing.assert_frame_equal(back.obs.astype({"word": str}), obs.astype({"word": str}))
        np.testing.assert_array_equal(back.uns["curve"], adata.uns["curve"])
        np.testing.assert_array_equal(back.obsm["embedding"], adata.obsm["embedding"])


# ---------------------------------------------------------------- equal ones


def test_equal_matrices_are_stored_once(small: AnnData, tmp_path: Path) -> None:
    once, twice = tmp_path / "once.h5ad", tmp_path / "twice.h5ad"
    io.write_h5ad(small, once)
    small.layers["counts"] = small.X.copy()
    io.write_h5ad(small, twice)
    assert twice.stat().st_size < once.stat().st_size + 4000
    assert _vectors(twice, "X") == _vectors(twice, "layers/counts")
    for read in (anndata.read_h5ad, io.read):
        back = read(twice)
        _same(back.X, small.X)
        _same(back.layers["counts"], small.X)
        # Two matrices in memory all the same.
        back.X.data[:] = 0
        assert back.layers["counts"].sum() == small.X.sum()


def test_only_what_is_equal_is_linked(small: AnnData, tmp_path: Path) -> None:
    small.layers["counts"] = small.X.copy()
    small.X = small.X.log1p()
    small.layers["other_places"] = sparse.csr_matrix(
        (small.X.data, (small.X.indices + 1) % 400, small.X.indptr), shape=small.shape
    )
    small.layers["other_places"].sort_indices()
    small.layers["by_column"] = small.X.tocsc()
    small.raw = small.copy()
    path = tmp_path / "out.h5ad"
    io.write_h5ad(small, path)
    x, counts = _vectors(path, "X"), _vectors(path, "layers/counts")
    assert x[0] != counts[0]
    assert x[1:] == counts[1:]
    assert not set(x) & set(_vectors(path, "layers/other_places"))
    assert not set(x) & set(_vectors(path, "layers/by_column"))
    assert x == _vectors(path, "raw/X")
    back = io.read(path)
    _same(back.X, small.X)
    for name in small.layers:
        _same(back.layers[name], small.layers[name])


def test_equal_dense_matrices_are_stored_once(small: AnnData, tmp_path: Path) -> None:
    small.X = small.X.toarray()
    small.layers["counts"] = small.X.copy()
    small.layers["other"] = small.X + np.eye(*small.shape, dtype=np.float32)
    io.write_h5ad(small, tmp_path / "out.h5ad")
    with h5py.File(tmp_path / "out.h5ad") as file:
        address = {
            name: h5py.h5o.get_info(file[name].id).addr for name in ("X", "layers/counts", "layers/other")
        }
    assert address["X"] == address["layers/counts"] != address["layers/other"]
    back = anndata.read_h5ad(tmp_path / "out.h5ad")
    for name in ("counts", "other"):
        np.testing.assert_array_equal(back.layers[name], small.layers[name])


def test_linked_matrices_are_still_checked(small: AnnData, tmp_path: Path) -> None:
    path = tmp_path / "out.h5ad"
    small.layers["counts"] = small.X.copy()
    io.write_h5ad(small, path)
    with h5py.File(path, "r+") as file:
        file["layers/counts"].attrs["shape"] = np.array([120, 390])
    with pytest.raises(InputError, match="places"):
        io.read(path)


def test_what_is_spared_below_uns_is_not_spared_where_it_is_linked_to(small: AnnData, tmp_path: Path) -> None:
    path = tmp_path / "out.h5ad"
    small.uns["a"] = 1
    io.write_h5ad(small, path)
    with h5py.File(path, "r+") as file:
        kept, values = dict(file["X/data"].attrs), file["X/data"][...]
        del file["X/data"]
        made = file["uns"].create_dataset(
            "x", shape=values.shape, dtype=values.dtype, chunks=values.shape, compression=32_767,
            allow_unknown_filter=True,
        )  # fmt: skip
        made.id.write_direct_chunk((0,), values.tobytes())
        made.attrs.update(kept)
        file["X/data"] = made
    with pytest.raises(InputError, match=r"/X/data is compressed with a filter"):
        io.read(path)


def test_a_file_with_links_is_the_same_again(small: AnnData, tmp_path: Path) -> None:
    """In processes of other hash seeds, from memory and from the file."""
    small.layers["counts"] = small.X.copy()
    small.layers["log"] = small.X.log1p()
    io.write_h5ad(small, tmp_path / "0.h5ad")
    program = textwrap.dedent("""
        import sys
        from cafsc import io
        io.write_h5ad(io.read(sys.argv[1], backed=sys.argv[3] == "1"), sys.argv[2])
    """)
    for number in (1, 2):
        command = [sys.executable, "-c", program, str(tmp_path / "0.h5ad"), str(tmp_path / f"{number}.h5ad")]
        environment = {**os.environ, "PYTHONHASHSEED": str(number)}
        subprocess.run([*command, str(number - 1)], env=environment, check=True)
    files = [(tmp_path / f"{number}.h5ad").read_bytes() for number in range(3)]
    assert files[0] == files[1] == files[2]


def test_full_device_while_a_matrix_is_copied(small: AnnData, tmp_path: Path) -> None:
    """A limit on file sizes stands for the full device: it is noticed in the middle of a matrix."""
    source = tmp_path / "source.h5ad"
    random = np.random.default_rng(0)
    large = sparse.csr_matrix(random.random((3000, 400), dtype=np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        AnnData(large).write_h5ad(source)
    program = textwrap.dedent("""
        import resource, sys
        from cafsc import io
        from cafsc.errors import OutputError
        adata = io.read(sys.argv[1], backed=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        try:
            io.write_h5ad(adata, sys.argv[2])
        except OutputError as error:
            print(error)
            sys.exit(2)
    """)
    command = [sys.executable, "-c", program, str(source), str(tmp_path / "out.h5ad")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "no space left on the device" in done.stdout
    assert sorted(item.name for item in tmp_path.iterdir()) == ["source.h5ad"]


def _tall(n_cells: int = 1200) -> AnnData:
    obs = pd.DataFrame(index=[f"cell{number}" for number in range(n_cells)])
    return AnnData(sparse.csr_matrix((n_cells, 3), dtype=np.float32), obs=obs)


def test_a_table_of_numbers_is_written_as_anndata_writes_it(tmp_path: Path) -> None:
    adata = _tall()
    random = np.random.default_rng(0)
    adata.obsm["scores"] = pd.DataFrame(
        {
            "b": random.random(1200),
            "a:1": random.integers(0, 9, 1200),
            "is": random.random(1200) > 0.5,
            "ä": 1.0,
        },
        index=adata.obs_names,
    )
    ours, plain = tmp_path / "ours.h5ad", tmp_path / "plain.h5ad"
    io.write_h5ad(adata, ours)
    adata.write_h5ad(plain)
    pd.testing.assert_frame_equal(anndata.read_h5ad(ours).obsm["scores"], adata.obsm["scores"])
    with h5py.File(ours) as one, h5py.File(plain) as other:
        mine, theirs = one["obsm/scores"], other["obsm/scores"]
        assert set(mine) == set(theirs)
        for at in ("", *mine):
            attributes = [dict((group[at] if at else group).attrs) for group in (mine, theirs)]
            assert attributes[0].keys() == attributes[1].keys()
            assert all(np.array_equal(attributes[0][name], attributes[1][name]) for name in attributes[0])
            types = [
                {name: group[at].attrs.get_id(name).dtype for name in group[at].attrs} if at else {}
                for group in (mine, theirs)
            ]
            assert types[0] == types[1], "text of the same kind"
        assert all(mine[name].dtype == theirs[name].dtype for name in mine)


@pytest.mark.parametrize(
    "columns",
    [
        {"text": ["x", "y"] * 600, "number": 1.0},
        {"kind": pd.Categorical(["x", "y"] * 600), "number": 1.0},
        {},
    ],
)
def test_other_tables_are_left_to_anndata(tmp_path: Path, columns: dict[str, Any]) -> None:
    adata = _tall()
    adata.obsm["table"] = pd.DataFrame(columns, index=adata.obs_names)
    io.write_h5ad(adata, tmp_path / "out.h5ad")
    back = anndata.read_h5ad(tmp_path / "out.h5ad").obsm["table"]
    pd.testing.assert_frame_equal(back, adata.obsm["table"], check_column_type=False)


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    adata = _tall()
    adata.obsm["table"] = pd.DataFrame(np.ones((1200, 2)), columns=["a", "a"], index=adata.obs_names)
    with pytest.raises(OutputError, match="unique"):
        io.write_h5ad(adata, tmp_path / "out.h5ad")
