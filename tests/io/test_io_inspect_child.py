"""A file that crashes, hangs or swells its parser harms a child, not the user's process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from anndata import AnnData

from cafsc import io
from cafsc.errors import InputError
from cafsc.io import inspect_child


@pytest.fixture
def h5ad(small: AnnData, tmp_path: Path) -> Path:
    path = tmp_path / "sample.h5ad"
    small.write_h5ad(path)
    return path


@pytest.mark.parametrize(
    ("program", "word"),
    [
        ("import os; os.kill(os.getpid(), 11)", "crashes the library that parses it (SIGSEGV)"),
        ("import os; os.abort()", "crashes the library that parses it (SIGABRT)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "does not come to an end"),
        (
            "import sys; sys.path[:] = sys.argv[4:]; from cafsc.io.inspect_child import _limit\n"
            "_limit(57, 10**10)\nwhile True: pass",
            "does not come to an end",
        ),
    ],
)
def test_what_befalls_the_child_is_an_error_about_the_file(
    h5ad: Path, monkeypatch: pytest.MonkeyPatch, program: str, word: str
) -> None:
    monkeypatch.setattr(inspect_child, "_START", program)
    with pytest.raises(InputError) as caught:
        io.read(h5ad)
    assert f"{h5ad}: " in str(caught.value)
    assert word in str(caught.value)


def test_a_child_that_waits_for_ever_is_ended(h5ad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect_child, "_SECONDS", -4)
    monkeypatch.setattr(inspect_child, "_START", "import time; time.sleep(100)")
    with pytest.raises(InputError, match="does not come to an end"):
        io.read(h5ad)


def _no_process(*_: Any, **__: Any) -> None:
    raise OSError(11, "no process can be started")


@pytest.mark.parametrize("program", ["raise ImportError", "print('no JSON')", None])
def test_without_a_child_the_file_is_still_looked_through(
    h5ad: Path, small: AnnData, monkeypatch: pytest.MonkeyPatch, program: str | None
) -> None:
    if program is None:
        monkeypatch.setattr("cafsc.io.inspect_child.subprocess.run", _no_process)
    else:
        monkeypatch.setattr(inspect_child, "_START", program)
    assert io.read(h5ad).shape == small.shape
    with h5py.File(h5ad, "r+") as file:
        file["X/indices"][0] = -1
    with pytest.raises(InputError, match="negative"):
        io.read(h5ad)


def test_the_child_does_not_take_its_own_limit_for_the_machines_memory(
    h5ad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large but well-packed matrix is not refused because the child has little memory."""
    monkeypatch.setattr(inspect_child, "_MEMORY_BESIDE_THE_FILE", 480 * 2**20)
    with h5py.File(h5ad, "r+") as file:
        wide = file.create_dataset(
            "obsm/wide", data=np.zeros((120, 2**20), np.float32), chunks=(1, 2**20), compression="gzip"
        )
        wide.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    inspect_child.inspect_input(h5ad)


def test_a_file_that_changes_while_it_is_read_is_refused(h5ad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["cafsc.io.read"]
    reader = module._read_anndata

    def slow(path: Path, *more: Any) -> AnnData:
        adata = reader(path, *more)
        path.write_bytes(path.read_bytes() + b"more")
        return adata

    monkeypatch.setattr(module, "_read_anndata", slow)
    with pytest.raises(InputError, match="changed while it was read"):
        io.read(h5ad)


def test_damage_in_a_zarr_store_is_refused(small: AnnData, tmp_path: Path) -> None:
    import zarr

    for name in ("indices", "data"):
        store = tmp_path / f"{name}.zarr"
        small.write_zarr(store)
        if name == "indices":
            zarr.open_group(store, mode="r+")["X/indices"][0] = 10**6
        else:
            chunk = next(item for item in sorted((store / "X/data").rglob("*")) if item.name.isdigit())
            chunk.write_bytes(chunk.read_bytes()[:20] + b"\xff" * 40)
        with pytest.raises(InputError, match="damaged"):
            io.read(store)


@pytest.mark.parametrize("where", ["uns", "obsm", "obsp", "varm"])
def test_part_that_is_not_needed_and_cannot_be_decoded_is_left_out(
    where: str, h5ad: Path, small: AnnData
) -> None:
    with h5py.File(h5ad, "r+") as file:
        odd = file.require_group(where).create_dataset("odd", data=[1, 2])
        odd.attrs.update({"encoding-type": "from-the-future", "encoding-version": "9.0"})
    with pytest.warns(UserWarning, match=f"skipped /{where}/odd"):
        found = io.read(h5ad)
    assert found.shape == small.shape
    assert "odd" not in getattr(found, where)


@pytest.mark.parametrize("name", ["score", "_index"])
def test_a_column_that_cannot_be_decoded_is_named(name: str, h5ad: Path) -> None:
    with h5py.File(h5ad, "r+") as file:
        file["obs"][name].attrs["encoding-type"] = "from-the-future"
    with pytest.raises(InputError, match="from-the-future"):
        io.read(h5ad)
