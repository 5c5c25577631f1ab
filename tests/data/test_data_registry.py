"""Datasets come from the data folder, the cache, or the network, and are what was registered."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData
from scipy import io as scipy_io

from cafsc import data, io
from cafsc.data.registry import DATA_DIR_VARIABLE, Dataset, Upstream, fetch_dataset, registry
from cafsc.errors import DatasetError

PDAC = "pdac_lin2020_P01"


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


def _registered_at(name: str, address: str, files: dict[str, Path]) -> Dataset:
    """The registry's entry, with local files in place of the authors'."""
    entry = registry()[name]
    hashes = {path: hashlib.sha256(file.read_bytes()).hexdigest() for path, file in files.items()}
    return dataclasses.replace(
        entry, upstream=dataclasses.replace(entry.upstream, base=address, files=hashes)
    )


def _as_tenx(adata: AnnData, folder: Path, prefix: str) -> None:
    """The three files of Cell Ranger that would give a dataset of the registry."""
    scipy_io.mmwrite(folder / "matrix.mtx", adata.X.T.astype(np.int32))
    barcodes = [name.removeprefix("K16733_") for name in adata.obs_names]
    rows = zip(adata.var["ensembl_id"], adata.var["gene_symbol"], strict=True)
    texts = {
        "matrix": (folder / "matrix.mtx").read_text(),
        "features": "".join(f"{identifier}\t{symbol}\tGene Expression\n" for identifier, symbol in rows),
        "barcodes": "".join(f"{name}\n" for name in barcodes),
    }
    (folder / "matrix.mtx").unlink()
    for name, text in texts.items():
        suffix = "mtx" if name == "matrix" else "tsv"
        (folder / f"{prefix}{name}.{suffix}.gz").write_bytes(gzip.compress(text.encode(), 1, mtime=0))


def test_table_of_datasets() -> None:
    frame = data.datasets()
    assert frame["name"].is_unique
    assert frame["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert {"breast_tnbc_wu2021_CID4465", PDAC} <= set(frame.loc[frame["download"], "name"])


def test_every_download_is_pinned() -> None:
    for entry in registry().values():
        for digest in entry.upstream.files.values():
            assert len(digest) == 64
        if entry.upstream.files:
            assert len(entry.upstream.commit) == 40
            assert entry.upstream.commit in entry.upstream.address
            assert entry.upstream.address.startswith("https://")


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(DatasetError, match=f"did you mean {PDAC}") as caught:
        data.fetch("pdac_lin2020")
    assert all(name in str(caught.value) for name in registry())
    assert caught.value.exit_code == 2


def test_data_dir_comes_first(
    dataset_path: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = dataset_path("mouse_gut_mca2018_219")
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(path.parent))
    assert data.fetch("mouse_gut_mca2018_219", cache=tmp_path / "cache") == path
    assert data.load("mouse_gut_mca2018_219").n_obs == 219
    assert not (tmp_path / "cache").exists()


def test_wrong_file_in_the_data_dir_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / f"{PDAC}.h5ad").write_bytes(b"something else")
    monkeypatch.setenv(DATA_DIR_VARIABLE, str(tmp_path))
    with pytest.raises(DatasetError, match="is not the registered"):
        data.fetch(PDAC, cache=tmp_path / "cache")


def test_without_network_the_message_says_so(tmp_path: Path) -> None:
    entry = _registered_at(PDAC, "http://127.0.0.1:9/", {})
    entry = dataclasses.replace(
        entry, upstream=dataclasses.replace(entry.upstream, files=registry()[PDAC].upstream.files)
    )
    with pytest.raises(DatasetError, match="network or the server is not available") as caught:
        fetch_dataset(entry, cache=tmp_path)
    assert DATA_DIR_VARIABLE in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_dataset_without_pinned_files_cannot_be_downloaded(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be downloaded"):
        data.fetch("hnscc_puram2017_180", cache=tmp_path)


def test_tenx_download_gives_the_ready_file(
    dataset: Callable[[str], AnnData], served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = served
    ready = dataset(PDAC)
    _as_tenx(ready, folder, "GSM4679532_K16733_")
    entry = _registered_at(PDAC, address, {path.name: path for path in folder.iterdir()})
    cache = tmp_path / "cache"
    path = fetch_dataset(entry, cache=cache)
    found = io.read(path)
    assert (found.X != ready.X).nnz == 0
    assert found.var_names.tolist() == ready.var_names.tolist()
    pd.testing.assert_frame_equal(found.var, ready.var, check_dtype=False, check_categorical=False)
    pd.testing.assert_frame_equal(
        found.obs.astype({"n_umi": float}),
        ready.obs.astype({"n_umi": float}),
        check_dtype=False,
        check_categorical=False,
    )
    assert {item.name for item in cache.iterdir()} == {f"{PDAC}.h5ad", f"{PDAC}.h5ad.sha256"}


@pytest.fixture
def tiny(served: tuple[Path, str]) -> Dataset:
    """A dataset of 3 cells x 4 genes that is served as an R data file."""
    import rdata

    folder, address = served
    frame = pd.DataFrame(
        np.array([[1, 0, 2], [0, 3, 0], [0, 0, 4], [5, 0, 0]], dtype=np.float64),
        index=["A", "B", "C", "D"],
        columns=["x", "y", "z"],
    )
    rdata.write_rda(folder / "tiny.rda", {"counts": frame})
    digest = hashlib.sha256((folder / "tiny.rda").read_bytes()).hexdigest()
    upstream = Upstream("someone/somewhere", converter="r", files={"tiny.rda": digest}, base=address)
    return Dataset("tiny", "tiny.h5ad", "0" * 64, 0, 3, 4, "test", "", ("barcode",), (), upstream)


def test_r_download_is_converted_and_cached(tiny: Dataset, served: tuple[Path, str], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    path = fetch_dataset(tiny, cache=cache)
    found = io.read(path)
    assert found.X.toarray().tolist() == [[1, 0, 0, 5], [0, 3, 0, 0], [2, 0, 4, 0]]
    assert found.obs["barcode"].tolist() == ["x", "y", "z"]
    (served[0] / "tiny.rda").unlink()
    assert fetch_dataset(tiny, cache=cache) == path


def test_damaged_cache_is_fetched_again(tiny: Dataset, tmp_path: Path) -> None:
    path = fetch_dataset(tiny, cache=tmp_path / "cache")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert fetch_dataset(tiny, cache=tmp_path / "cache").read_bytes() == whole


def test_changed_upstream_file_is_refused(tiny: Dataset, served: tuple[Path, str], tmp_path: Path) -> None:
    (served[0] / "tiny.rda").write_bytes(b"changed")
    with pytest.raises(DatasetError, match="not the pinned one"):
        fetch_dataset(tiny, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_missing_upstream_file_is_one_message(
    tiny: Dataset, served: tuple[Path, str], tmp_path: Path
) -> None:
    (served[0] / "tiny.rda").unlink()
    with pytest.raises(DatasetError, match="not available"):
        fetch_dataset(tiny, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("change", "word"), [({"cells": 4}, "3 cells x 4 genes"), ({"obs": ("celltypes",)}, "celltypes")]
)
def test_conversion_is_held_against_the_registry(
    tiny: Dataset, tmp_path: Path, change: dict[str, object], word: str
) -> None:
    with pytest.raises(DatasetError, match=word):
        fetch_dataset(dataclasses.replace(tiny, **change), cache=tmp_path / "cache")  # type: ignore[arg-type]


def test_cache_that_cannot_be_written(tiny: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DatasetError, match="cannot be stored"):
        fetch_dataset(tiny, cache=tmp_path / "file" / "cache")
