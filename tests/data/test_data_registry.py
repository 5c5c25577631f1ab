"""Datasets come from the data folder, the cache, or the network, and are what was registered."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pooch
import pytest
from anndata import AnnData
from scipy import io as scipy_io
from scipy import sparse

from cafsc import data, io
from cafsc.data.registry import DATA_DIR_VARIABLE, fetch_from, registry
from cafsc.errors import DatasetError

PDAC = "pdac_lin2020_P01"
GENES, CELLS = ["A", "B", "C"], ["x", "y"]
VALUES = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
TYPES = pd.DataFrame({"type": ["CAF", "PVL"]}, index=CELLS)


@pytest.fixture(autouse=True)
def _no_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_DIR_VARIABLE, raising=False)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the local address under which it is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def _store(cache: Path, address: str, name: str, folder: Path) -> pooch.Pooch:
    """A registry with the files of a local folder as the authors' files of a dataset."""
    files = {
        f"{name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
    }
    return pooch.create(
        path=cache,
        base_url="",
        registry={f"{name}.h5ad": "0" * 64, **files},
        urls={file: f"{address}{Path(file).name}" for file in files},
    )


@pytest.fixture
def tiny(served: tuple[Path, str], tmp_path: Path) -> pooch.Pooch:
    """A dataset of 3 cells x 4 genes that is served as an R data file."""
    import rdata

    folder, address = served
    frame = pd.DataFrame(
        [[1.0, 0, 2], [0, 3, 0], [0, 0, 4], [5, 0, 0]], index=list("ABCD"), columns=list("xyz")
    )
    rdata.write_rda(folder / "tiny.rda", {"counts": frame})
    return _store(tmp_path / "cache", address, "tiny", folder)


def test_table_of_datasets() -> None:
    frame = data.datasets()
    assert frame["name"].is_unique
    assert frame["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert {"breast_tnbc_wu2021_CID4465", PDAC} <= set(frame.loc[frame["download"], "name"])
    assert "xenium_breast_380genes_10000" in set(frame.loc[~frame["download"], "name"])


def test_every_download_is_pinned_at_a_commit() -> None:
    store = registry()
    assert set(store.urls) == {file for file in store.registry if "/" in file}
    for file, url in store.urls.items():
        assert url.startswith("https://") and url.endswith(file.split("/")[1])
        assert any(len(part) == 40 for part in url.split("/"))


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(DatasetError, match=f"did you mean {PDAC}") as caught:
        data.fetch("pdac_lin2020")
    assert all(name in str(caught.value) for name in data.datasets()["name"])
    assert caught.value.exit_code == 2


def test_data_dir_comes_first(
    dataset_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = dataset_path("hnscc_puram2017_180")
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(path.parent))
    assert data.fetch("hnscc_puram2017_180", cache=tmp_path / "cache") == path
    assert data.load("hnscc_puram2017_180").n_obs == 180
    assert not (tmp_path / "cache").exists()


def test_wrong_file_in_the_data_dir_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / f"{PDAC}.h5ad").write_bytes(b"something else")
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(tmp_path))
    with pytest.raises(DatasetError, match="is not the registered"):
        data.fetch(PDAC, cache=tmp_path / "cache")


def test_without_network_the_message_says_so(tiny: pooch.Pooch) -> None:
    tiny.urls["tiny/tiny.rda"] = "http://127.0.0.1:9/tiny.rda"
    with pytest.raises(DatasetError, match="cannot be downloaded") as caught:
        fetch_from(tiny, "tiny")
    assert DATA_DIR_VARIABLE in str(caught.value)


def test_dataset_without_public_files_cannot_be_downloaded(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no public file is registered"):
        data.fetch("hnscc_puram2017_180", cache=tmp_path)


def test_tenx_download_gives_the_matrix(small: AnnData, served: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = served
    scipy_io.mmwrite(tmp_path / "matrix.mtx", small.X.T.astype(np.int32))
    texts = {
        "matrix.mtx": (tmp_path / "matrix.mtx").read_text(),
        "features.tsv": "".join(f"{name}\t{name}\tGene Expression\n" for name in small.var_names),
        "barcodes.tsv": "".join(f"{name}\n" for name in small.obs_names),
    }
    for name, text in texts.items():
        (folder / f"GSM1_{name}.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))
    store = _store(tmp_path / "cache", address, "small", folder)
    found = io.read(fetch_from(store, "small"))
    assert (found.X != small.X).nnz == 0
    assert found.obs_names.tolist() == small.obs_names.tolist()


def test_r_download_is_converted_and_cached(tiny: pooch.Pooch, served: tuple[Path, str]) -> None:
    path = fetch_from(tiny, "tiny")
    found = io.read(path)
    assert found.X.toarray().tolist() == [[1, 0, 0, 5], [0, 3, 0, 0], [2, 0, 4, 0]]
    assert found.obs_names.tolist() == ["x", "y", "z"]
    (served[0] / "tiny.rda").unlink()
    assert fetch_from(tiny, "tiny") == path


def test_changed_upstream_file_is_refused(tiny: pooch.Pooch, served: tuple[Path, str]) -> None:
    (served[0] / "tiny.rda").write_bytes(b"changed")
    with pytest.raises(DatasetError, match="not the registered one"):
        fetch_from(tiny, "tiny")
    assert not (Path(tiny.abspath) / "tiny.h5ad").exists()


def test_cache_that_cannot_be_written(tiny: pooch.Pooch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    tiny.path = tmp_path / "file" / "cache"
    with pytest.raises(DatasetError, match="writable cache"):
        fetch_from(tiny, "tiny")


def test_without_rdata_the_message_names_the_extra(
    tiny: pooch.Pooch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rdata", None)
    with pytest.raises(DatasetError, match=r"cafsc\[data\]"):
        fetch_from(tiny, "tiny")


def _dgc(names: tuple[object, object] = (GENES, CELLS)) -> SimpleNamespace:
    """A dgCMatrix as rdata gives it: a namespace of its slots."""
    matrix = sparse.csc_matrix(VALUES)
    slots = {"i": matrix.indices, "p": matrix.indptr, "x": matrix.data, "Dim": np.array(matrix.shape)}
    return SimpleNamespace(**slots, Dimnames=names)


OBJECTS: dict[str, Any] = {
    "SingleCellExperiment": SimpleNamespace(
        assays=SimpleNamespace(data=SimpleNamespace(listData={"counts": _dgc((None, None))})),
        colData=SimpleNamespace(rownames=np.array(CELLS), listData={"type": TYPES["type"].to_numpy()}),
        rowRanges=SimpleNamespace(partitioning=SimpleNamespace(NAMES=np.array(GENES))),
    ),
    "Seurat": SimpleNamespace(assays={"RNA": SimpleNamespace(counts=_dgc())}, **{"meta.data": TYPES}),
    "list of matrix and annotation": {"mtx": _dgc(), "annots": TYPES.astype("string")},
}


@pytest.mark.parametrize("kind", OBJECTS)
def test_r_objects_of_the_registered_datasets(
    kind: str, tiny: pooch.Pooch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the shapes that rdata gives the files of Wu 2021, Han 2018 and Kinchen 2018."""
    monkeypatch.setattr("rdata.read_rda", lambda *_, **__: {"object": OBJECTS[kind]})
    found = io.read(fetch_from(tiny, "tiny"))
    assert found.X.toarray().tolist() == VALUES.T.tolist()
    assert found.X.dtype == np.float32
    assert (found.obs_names.tolist(), found.var_names.tolist()) == (CELLS, GENES)
    assert found.obs["type"].tolist() == ["CAF", "PVL"]
