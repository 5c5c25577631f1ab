"""Every accepted form is read, and everything else is refused with the file, the cause and the fix."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import io as scipy_io
from scipy import sparse

from cafsc import io
from cafsc.errors import InputError


@pytest.fixture
def h5ad(small: AnnData, tmp_path: Path) -> Path:
    path = tmp_path / "sample.h5ad"
    small.write_h5ad(path)
    return path


def _refused(path: Path) -> str:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(InputError) as caught:
        io.read(path)
    text = str(caught.value)
    assert path.name in text.splitlines()[0]
    assert "fix: " in text
    assert len(text.splitlines()) <= 8
    assert before is None or path.read_bytes() == before
    return text


def _same(one: AnnData, two: AnnData) -> None:
    assert (sparse.csr_matrix(one.X) != sparse.csr_matrix(two.X)).nnz == 0
    assert one.obs_names.tolist() == two.obs_names.tolist()
    assert one.var_names.tolist() == two.var_names.tolist()


# ---------------------------------------------------------------- accepted forms


def test_h5ad(h5ad: Path, small: AnnData) -> None:
    found = io.read(h5ad)
    _same(found, small)
    pd.testing.assert_frame_equal(found.obs, small.obs)


def test_content_decides_not_the_suffix(h5ad: Path, small: AnnData) -> None:
    _same(io.read(h5ad.rename(h5ad.with_name("-rf \u4e2d"))), small)


def test_zarr(small: AnnData, tmp_path: Path) -> None:
    small.write_zarr(tmp_path / "sample.zarr")
    _same(io.read(tmp_path / "sample.zarr"), small)


def test_other_byte_order(h5ad: Path, small: AnnData) -> None:
    with h5py.File(h5ad, "r+") as file:
        _replace(file["X"], "data", file["X/data"][:].astype(">f4"))
    found = io.read(h5ad)
    _same(found, small)
    assert found.X.dtype == np.dtype("=f4")


def test_repeated_entries_are_summed(h5ad: Path, small: AnnData) -> None:
    doubled = sparse.csr_matrix(
        (np.repeat(small.X.data / 2, 2), np.repeat(small.X.indices, 2), small.X.indptr * 2), shape=small.shape
    )
    with h5py.File(h5ad, "r+") as file:
        for name in ("data", "indices", "indptr"):
            _replace(file["X"], name, getattr(doubled, name))
    found = io.read(h5ad)
    _same(found, small)
    assert found.X.nnz == small.X.nnz


def test_unknown_part_of_uns_is_skipped_with_a_warning(h5ad: Path, small: AnnData) -> None:
    with h5py.File(h5ad, "r+") as file:
        file["uns"].create_group("weird").attrs["encoding-type"] = "hologram"
        file["uns/weird"].attrs["encoding-version"] = "1.0.0"
        file["uns/fine"] = 3
    with pytest.warns(UserWarning, match="skipped /uns/weird"):
        found = io.read(h5ad)
    _same(found, small)
    assert list(found.uns) == ["fine"]


def _features(n: int) -> tuple[list[str], list[str], list[str]]:
    names = [f"G{number}" for number in range(n)]
    names[3] = names[2]
    types = ["Gene Expression"] * (n - 2) + ["Antibody Capture"] * 2
    return [f"ENSG{number:011d}" for number in range(n)], names, types


def _tenx(path: Path, small: AnnData, version: int) -> None:
    ids, names, types = _features(small.n_vars)
    with h5py.File(path, "w") as file:
        group = file.create_group("GRCh38" if version == 2 else "matrix")
        counts = small.X.astype(np.int32)
        for key in ("data", "indices", "indptr"):
            group[key] = getattr(counts, key)
        group["shape"] = np.array([small.n_vars, small.n_obs])
        group["barcodes"] = np.array(small.obs_names, "S")
        if version == 3:
            group["features/id"] = np.array(ids, "S")
            group["features/name"] = np.array(names, "S")
            group["features/feature_type"] = np.array(types, "S")
        else:
            group["genes"], group["gene_names"] = np.array(ids, "S"), np.array(names, "S")


@pytest.mark.parametrize("version", [2, 3])
def test_tenx_h5(small: AnnData, tmp_path: Path, version: int) -> None:
    path = tmp_path / "filtered.h5"
    _tenx(path, small, version)
    found = io.read(path)
    n_genes = small.n_vars - (2 if version == 3 else 0)
    assert found.shape == (small.n_obs, n_genes)
    assert (small.X[:, :n_genes] != found.X).nnz == 0
    assert isinstance(found.X, sparse.csr_matrix)
    assert found.X.dtype == np.float32
    assert found.obs_names.tolist() == small.obs_names.tolist()
    assert found.var_names.tolist()[2:5] == ["G2", "G2-1", "G4"]
    assert found.var["gene_ids"].iloc[3] == "ENSG00000000003"


def test_tenx_h5_with_entries_in_parts(small: AnnData, tmp_path: Path) -> None:
    path, parted = tmp_path / "parted.h5", small.copy()
    x = small.X
    twice = (np.repeat(x.data, 2), np.repeat(x.indices, 2), 2 * x.indptr)
    parted.X = sparse.csr_matrix(twice, shape=x.shape)
    assert parted.X.nnz == 2 * x.nnz
    _tenx(path, parted, 3)
    kept = slice(0, small.n_vars - 2)
    found = io.read(path).X
    assert found.nnz == x[:, kept].nnz
    assert (found != 2 * x[:, kept]).nnz == 0


def _mtx(folder: Path, small: AnnData, *, prefix: str = "", packed: bool = True, old: bool = False) -> Path:
    folder.mkdir()
    ids, names, types = _features(small.n_vars)
    rows = zip(ids, names, strict=True) if old else zip(ids, names, types, strict=True)
    texts = {
        "genes.tsv" if old else "features.tsv": "".join("\t".join(row) + "\n" for row in rows),
        "barcodes.tsv": "".join(f"{name}\n" for name in small.obs_names),
    }
    scipy_io.mmwrite(folder / "matrix.mtx", small.X.T.astype(np.int32))
    texts["matrix.mtx"] = (folder / "matrix.mtx").read_text()
    (folder / "matrix.mtx").unlink()
    for name, text in texts.items():
        data = gzip.compress(text.encode(), mtime=0) if packed else text.encode()
        (folder / f"{prefix}{name}{'.gz' if packed else ''}").write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("prefix", "packed", "old"), [("", True, False), ("", False, True), ("GSM1_S1_", True, False)]
)
def test_tenx_mtx_folder(small: AnnData, tmp_path: Path, prefix: str, packed: bool, old: bool) -> None:
    found = io.read(_mtx(tmp_path / "filtered", small, prefix=prefix, packed=packed, old=old))
    n_genes = small.n_vars - (0 if old else 2)
    assert found.shape == (small.n_obs, n_genes)
    assert (small.X[:, :n_genes] != found.X).nnz == 0
    assert found.var_names.tolist()[2:4] == ["G2", "G2-1"]


# ---------------------------------------------------------------- not what it says


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in _refused(tmp_path / "gone.h5ad")


def test_links_that_lead_nowhere_or_round(tmp_path: Path) -> None:
    (tmp_path / "dangling.h5ad").symlink_to("gone.h5ad")
    (tmp_path / "loop.h5ad").symlink_to("loop.h5ad")
    assert "does not exist" in _refused(tmp_path / "dangling.h5ad")
    assert "loop" in _refused(tmp_path / "loop.h5ad").splitlines()[0]


def test_folder_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.h5ad").mkdir()
    assert "folder" in _refused(tmp_path / "empty.h5ad")


def test_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5ad")
    assert "pipe" in _refused(tmp_path / "pipe.h5ad")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty (0 bytes)"),
        (b"gene,c1,c2\nCOL1A1,3,4\n", "text"),
        (b"\x1f\x8b\x08\x00rest", "gzip"),
        (b"PK\x03\x04rest", "zip archive"),
        (b"%%MatrixMarket matrix coordinate integer general\n", "Matrix Market"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"\x00\x01\x02" * 100, "signature is missing"),
    ],
)
def test_other_kinds_of_files_are_named(tmp_path: Path, data: bytes, word: str) -> None:
    path = tmp_path / "odd.h5ad"
    path.write_bytes(data)
    assert word in _refused(path)


def test_truncated(h5ad: Path) -> None:
    data = h5ad.read_bytes()
    h5ad.write_bytes(data[: len(data) // 2])
    text = _refused(h5ad)
    assert "truncated" in text
    assert "again" in text


@pytest.mark.parametrize(
    ("keys", "word"),
    [(["foo"], "missing"), (["matrix", "row_attrs/Gene"], "loom"), (["mod/rna/X"], "MuData")],
)
def test_hdf5_of_another_kind(tmp_path: Path, keys: list[str], word: str) -> None:
    path = tmp_path / "other.h5ad"
    with h5py.File(path, "w") as file:
        for key in keys:
            file[key] = np.arange(4)
    assert word in _refused(path)


# ---------------------------------------------------------------- contradictions


def _replace(group: h5py.Group, name: str, value: np.ndarray | None) -> None:
    attributes = dict(group[name].attrs)
    del group[name]
    if value is not None:
        group[name] = value
        group[name].attrs.update(attributes)


def _set(name: str, where: slice | int, value: int) -> Callable[[h5py.File], None]:
    def edit(file: h5py.File) -> None:
        data = file[name][:]
        data[where] = value
        file[name][:] = data

    return edit


def _without_indptr(file: h5py.File) -> None:
    del file["X/indptr"]


def _lying_shape(file: h5py.File) -> None:
    file["X"].attrs["shape"] = np.array([120, 390])


def _short_obs(file: h5py.File) -> None:
    _replace(file["obs"], "_index", file["obs/_index"][:-5])


def _cube(file: h5py.File) -> None:
    del file["X"]
    file["X"] = np.zeros((120, 400, 1))


def _no_obs(file: h5py.File) -> None:
    del file["obs"]


def _newer(file: h5py.File) -> None:
    file.attrs["encoding-version"] = "99.0.0"


def _ghost_column(file: h5py.File) -> None:
    file["obs"].attrs["column-order"] = np.array(["sample", "ghost"], dtype=object)


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (_set("X/indices", slice(5, 9), -7), "negative"),
        (_set("X/indices", slice(5, 9), 2**31 - 5), "only 400 places"),
        (_set("X/indptr", 50, 0), "not monotonic"),
        (_set("X/indptr", -1, 10**6), "indptr ends at 1,000,000"),
        (_set("X/indptr", 0, 1), "indptr starts at 1"),
        (_without_indptr, "no indptr"),
        (_lying_shape, "places"),
        (_short_obs, "obs"),
        (_cube, "X needs"),
        (_no_obs, "obs missing"),
        (_newer, "newer anndata"),
        (_ghost_column, "ghost"),
    ],
)
def test_damaged_structure(h5ad: Path, edit: Callable[[h5py.File], None], word: str) -> None:
    with h5py.File(h5ad, "r+") as file:
        edit(file)
    assert word in _refused(h5ad)


def test_layers_are_checked_as_x_is(small: AnnData, tmp_path: Path) -> None:
    path = tmp_path / "layered.h5ad"
    small.layers["counts"] = small.X.copy()
    small.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        _set("layers/counts/indices", 0, -1)(file)
    assert "/layers/counts" in _refused(path)


# ---------------------------------------------------------------- hostile


def _external_link(file: h5py.File, other: Path) -> None:
    del file["X"]
    file["X"] = h5py.ExternalLink(str(other), "/X")


def _external_link_behind_a_soft_link(file: h5py.File, other: Path) -> None:
    del file["X"]
    file["zz"] = h5py.ExternalLink(str(other), "/")
    file["X"] = h5py.SoftLink("/zz/X")


def _external_link_deep_in_uns(file: h5py.File, other: Path) -> None:
    file["uns/a/b/c"] = h5py.ExternalLink(str(other), "/X")


def _external_storage(file: h5py.File, other: Path) -> None:
    del file["X"]
    file.create_dataset("X", shape=(120, 400), dtype="u1", external=[(str(other), 0, 120 * 400)])


def _virtual(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout(shape=(120, 400), dtype="f4")
    layout[...] = h5py.VirtualSource(str(other), "X", shape=(120, 400))
    del file["X"]
    file.create_virtual_dataset("X", layout)


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (_external_link, "external link"),
        (_external_link_behind_a_soft_link, "external link"),
        (_external_link_deep_in_uns, "external link"),
        (_external_storage, "external storage"),
        (_virtual, "virtual dataset"),
    ],
)
def test_data_of_other_files_are_refused_before_they_are_read(
    h5ad: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    edit: Callable[[h5py.File, Path], None],
    word: str,
) -> None:
    other = tmp_path / "secret.h5ad"
    shutil.copy(h5ad, other)
    with h5py.File(h5ad, "r+") as file:
        edit(file, other)

    def must_not_be_called(*_: object, **__: object) -> None:
        raise AssertionError("anndata was let in")

    monkeypatch.setattr(anndata, "read_h5ad", must_not_be_called)
    monkeypatch.setattr(anndata.experimental, "read_dispatched", must_not_be_called)
    assert word in _refused(h5ad)


def _soft_circle(file: h5py.File) -> None:
    del file["X"]
    file["X"] = h5py.SoftLink("/X")


def _hard_circle(file: h5py.File) -> None:
    file["uns/again"] = file["uns"]


def _soft_to_parent(file: h5py.File) -> None:
    file["uns/again"] = h5py.SoftLink("/uns")


@pytest.mark.parametrize("edit", [_soft_circle, _hard_circle, _soft_to_parent])
def test_circles_end(h5ad: Path, edit: Callable[[h5py.File], None]) -> None:
    with h5py.File(h5ad, "r+") as file:
        edit(file)
    assert "circle" in _refused(h5ad)


def _nested(path: Path, name: str, depth: int) -> None:
    with h5py.File(path, "r+") as file:
        group = file.require_group(name)
        for _ in range(depth):
            group = group.create_group("n")
            group.attrs["encoding-type"] = "dict"
            group.attrs["encoding-version"] = "0.1.0"


def test_nesting_ends(h5ad: Path) -> None:
    _nested(h5ad, "obsm", 500)
    assert "nested" in _refused(h5ad)


@pytest.mark.parametrize("depth", [60, 64, 70, 500])
def test_what_is_nested_too_deep_below_uns_is_left_out(h5ad: Path, small: AnnData, depth: int) -> None:
    _nested(h5ad, "uns", depth)
    if depth > 64:
        with pytest.warns(UserWarning, match="skipped /uns/n"):
            found = io.read(h5ad)
    else:
        found = io.read(h5ad)
    _same(found, small)


def _dense_bomb(file: h5py.File) -> None:
    del file["X"]
    file.create_dataset("X", shape=(120, 10**11), chunks=(1, 10**6), dtype="f4", compression="gzip")


def _sparse_bomb(file: h5py.File) -> None:
    n = 6 * 10**9
    for name, dtype in (("data", "f4"), ("indices", "i4")):
        del file["X"][name]
        file["X"].create_dataset(name, shape=(n,), chunks=(10**6,), dtype=dtype, compression="gzip")


@pytest.mark.parametrize("edit", [_dense_bomb, _sparse_bomb])
def test_claims_of_size_are_checked_before_memory_is_taken(
    h5ad: Path, edit: Callable[[h5py.File], None]
) -> None:
    with h5py.File(h5ad, "r+") as file:
        edit(file)
    assert "claims" in _refused(h5ad)


def _no_process(*_: object, **__: object) -> None:
    raise OSError(errno.EAGAIN, "no process can be started")


def test_matrix_larger_than_memory(h5ad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cafsc.io.inspect_child.subprocess.run", _no_process)
    monkeypatch.setattr("cafsc.io.limits.memory", lambda: 1000)
    monkeypatch.setattr("cafsc.io.limits._ALWAYS_FINE", 100)
    assert "of memory" in _refused(h5ad)


def test_pickle_in_a_zarr_store_is_refused(small: AnnData, tmp_path: Path) -> None:
    store = tmp_path / "sample.zarr"
    small.write_zarr(store)
    (store / "uns" / "x").mkdir(parents=True, exist_ok=True)
    (store / "uns" / "x" / ".zarray").write_text(
        '{"shape": [1], "dtype": "|O", "filters": [{"id": "pickle"}]}'
    )
    assert "pickle" in _refused(store)


def test_link_out_of_a_zarr_store_is_refused(small: AnnData, tmp_path: Path) -> None:
    store = tmp_path / "sample.zarr"
    small.write_zarr(store)
    (store / "out").symlink_to(tmp_path)
    assert "outside the store" in _refused(store)


# ---------------------------------------------------------------- damaged 10x


def test_tenx_h5_with_bad_indices(small: AnnData, tmp_path: Path) -> None:
    path = tmp_path / "filtered.h5"
    _tenx(path, small, 3)
    with h5py.File(path, "r+") as file:
        _set("matrix/indices", 3, 10**6)(file)
    assert "places" in _refused(path)


def test_mtx_folder_without_barcodes(small: AnnData, tmp_path: Path) -> None:
    folder = _mtx(tmp_path / "filtered", small)
    (folder / "barcodes.tsv.gz").unlink()
    assert "no barcodes.tsv" in _refused(folder)


def test_mtx_folder_with_two_samples(small: AnnData, tmp_path: Path) -> None:
    folder = _mtx(tmp_path / "filtered", small)
    shutil.copy(folder / "matrix.mtx.gz", folder / "other_matrix.mtx.gz")
    assert "2 matrices" in _refused(folder)


def test_mtx_of_too_few_barcodes(small: AnnData, tmp_path: Path) -> None:
    folder = _mtx(tmp_path / "filtered", small, packed=False)
    (folder / "barcodes.tsv").write_text("one\ntwo\n")
    assert "2 barcodes" in _refused(folder)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("gene,cell\n", "Matrix Market"),
        ("%%MatrixMarket matrix coordinate integer general\n% c\nx y z\n", "three whole numbers"),
        (
            "%%MatrixMarket matrix coordinate integer general\n400 120 6000000000\n1 1 1\n",
            "claims 6,000,000,000",
        ),
        ("%%MatrixMarket matrix coordinate integer general\n400 120 2\n1 1 1\n900 1 1\n", "matrix.mtx"),
    ],
)
def test_damaged_mtx(small: AnnData, tmp_path: Path, text: str, word: str) -> None:
    folder = _mtx(tmp_path / "filtered", small, packed=False)
    (folder / "matrix.mtx").write_text(text)
    with pytest.raises(InputError, match=word) as caught:
        io.read(folder)
    assert str(folder) in str(caught.value)


def test_truncated_gzip_in_mtx_folder(small: AnnData, tmp_path: Path) -> None:
    folder = _mtx(tmp_path / "filtered", small)
    data = (folder / "features.tsv.gz").read_bytes()
    (folder / "features.tsv.gz").write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match=r"features\.tsv\.gz"):
        io.read(folder)
