"""A file that crashes, hangs or swells its parser harms a child, not the user's process."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from anndata import AnnData

from cafsc import io
from cafsc.errors import InputError
from cafsc.io import watched


@pytest.fixture
def h5ad(small: AnnData, tmp_path: Path) -> Path:
    path = tmp_path / "sample.h5ad"
    small.write_h5ad(path)
    return path


def _child_that_runs(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_START", program)


@pytest.mark.parametrize(
    ("program", "word"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "crashes the library that parses it (SIGSEGV)",
        ),
        ("import os; os.abort()", "crashes the library that parses it (SIGABRT)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "does not come to an end"),
        ("print('{\"memory\": true}')", "does not fit in memory"),
    ],
)
def test_what_befalls_the_child_is_an_error_about_the_file(
    h5ad: Path, monkeypatch: pytest.MonkeyPatch, program: str, word: str
) -> None:
    _child_that_runs(program, monkeypatch)
    with pytest.raises(InputError) as caught:
        io.read(h5ad)
    assert f"{h5ad}: " in str(caught.value)
    assert word in str(caught.value)


def test_an_endless_child_is_ended(h5ad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "_LEAST_CPU_SECONDS", 1.0)
    _child_that_runs(
        "import sys; sys.path[:] = sys.argv[5:]; from cafsc.io.watched import _limit\n"
        "_limit(*map(int, sys.argv[2:5]))\nwhile True: pass",
        monkeypatch,
    )
    started = time.monotonic()
    with pytest.raises(InputError, match="does not come to an end"):
        io.read(h5ad)
    assert time.monotonic() - started < 50


@pytest.mark.parametrize("program", ["raise ImportError", "print('no JSON')"])
def test_a_child_that_cannot_start_costs_nothing(
    h5ad: Path, small: AnnData, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    _child_that_runs(program, monkeypatch)
    assert io.read(h5ad).shape == small.shape
    with h5py.File(h5ad, "r+") as file:
        file["X/indices"][0] = -1
    with pytest.raises(InputError, match="negative"):
        io.read(h5ad)


def test_where_no_process_can_be_started_the_file_is_still_looked_through(
    h5ad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "no process")

    monkeypatch.setattr("cafsc.io.watched.subprocess.Popen", refuse)
    assert io.read(h5ad).n_obs == 120
    with h5py.File(h5ad, "r+") as file:
        file["X/indices"][0] = -1
    with pytest.raises(InputError, match="negative"):
        io.read(h5ad)


def test_no_child_is_left_when_the_reader_is_interrupted(h5ad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _child_that_runs("import time; time.sleep(100)", monkeypatch)
    inspection = watched.Inspection(h5ad)
    child = inspection._child
    assert child is not None
    inspection.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(child.pid, os.WNOHANG)


def test_looking_through_a_small_file_is_quick(h5ad: Path) -> None:
    io.read(h5ad)
    spent = []
    for _ in range(3):
        started = os.times()
        inspection = watched.Inspection(h5ad)
        inspection.answer()
        inspection.close()
        ended = os.times()
        spent.append(
            ended.children_user + ended.children_system - started.children_user - started.children_system
        )
    # Time of computing, which a busy machine does not lengthen as it does the waiting.
    assert min(spent) < 0.6


def test_the_child_does_not_take_its_own_limit_for_the_machines_memory(
    h5ad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large but well-packed matrix is not refused because the child has little memory."""
    monkeypatch.setattr(watched, "_MEMORY_BESIDE_THE_FILE", 480 * 2**20)
    with h5py.File(h5ad, "r+") as file:
        file.create_dataset(
            "obsm/wide", data=np.zeros((120, 2**20), np.float32), chunks=(1, 2**20), compression="gzip"
        )
        file["obsm/wide"].attrs["encoding-type"] = "array"
        file["obsm/wide"].attrs["encoding-version"] = "0.2.0"
    inspection = watched.Inspection(h5ad)
    inspection.answer()
    inspection.close()


def test_a_file_that_changes_while_it_is_read_is_refused(h5ad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["cafsc.io.read"]
    reader = module._read_anndata

    def slow(path: Path, **options: bool) -> AnnData:
        adata = reader(path, **options)
        path.write_bytes(path.read_bytes() + b"more")
        return adata

    monkeypatch.setattr(module, "_read_anndata", slow)
    with pytest.raises(InputError, match="changed while it was read"):
        io.read(h5ad)


def test_sparse_matrix_of_a_zarr_store_is_checked(small: AnnData, tmp_path: Path) -> None:
    import zarr

    store = tmp_path / "sample.zarr"
    small.write_zarr(store)
    indices = zarr.open_group(store, mode="r+")["X/indices"]
    indices[0] = 10**6
    with pytest.raises(InputError, match=r"sparse matrix X: indices holds 1,000,000"):
        io.read(store)


def test_damaged_chunk_of_a_zarr_store_is_refused(small: AnnData, tmp_path: Path) -> None:
    store = tmp_path / "sample.zarr"
    small.write_zarr(store)
    chunk = next(path for path in sorted((store / "X" / "data").rglob("*")) if path.name in ("0", "c"))
    chunk = chunk if chunk.is_file() else next(path for path in chunk.rglob("*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:20] + b"\xff" * 40)
    with pytest.raises(InputError, match="damaged"):
        io.read(store)


@pytest.mark.parametrize("where", ["obsm", "obsp", "varm"])
def test_part_that_is_not_needed_and_cannot_be_decoded_is_left_out(
    where: str, h5ad: Path, small: AnnData
) -> None:
    with h5py.File(h5ad, "r+") as file:
        odd = file.require_group(where).create_dataset("odd", data=[1, 2])
        odd.attrs["encoding-type"] = "from-the-future"
        odd.attrs["encoding-version"] = "9.0"
    with pytest.warns(UserWarning, match=f"skipped /{where}/odd"):
        found = io.read(h5ad)
    assert found.shape == small.shape
    assert "odd" not in getattr(found, where)


def test_column_that_cannot_be_decoded_is_left_out(h5ad: Path, small: AnnData) -> None:
    with h5py.File(h5ad, "r+") as file:
        file["obs/score"].attrs["encoding-type"] = "from-the-future"
    with pytest.warns(UserWarning, match="skipped /obs/score"):
        found = io.read(h5ad)
    assert list(found.obs.columns) == ["sample"]
    assert found.obs_names.tolist() == small.obs_names.tolist()


def test_names_of_cells_that_cannot_be_decoded_are_refused(h5ad: Path) -> None:
    with h5py.File(h5ad, "r+") as file:
        file["obs"][file["obs"].attrs["_index"]].attrs["encoding-type"] = "from-the-future"
    with pytest.raises(InputError, match="names in /obs"):
        io.read(h5ad)
