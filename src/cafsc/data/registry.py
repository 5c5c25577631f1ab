"""Public datasets by name: where they are looked for, and that they are what they should be."""

from __future__ import annotations

import difflib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cafsc import io
from cafsc.errors import DatasetError, UserError

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData

DATA_DIR_VARIABLE = "CAFSC_DATA_DIR"


@dataclass(frozen=True)
class Upstream:
    """Where the authors' own files are, pinned at a commit."""

    repository: str
    commit: str = ""
    license: str = ""
    converter: str = ""
    """``r``, ``tenx_mtx``, or nothing where the files cannot be fetched."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Path in the repository -> SHA-256."""
    cell_prefix: str = ""
    mitochondrial_prefix: str = ""
    obs_values: Mapping[str, str] = field(default_factory=dict)
    base: str = "https://raw.githubusercontent.com/{repository}/{commit}/"

    @property
    def address(self) -> str:
        """Address that the paths of `files` are appended to."""
        return self.base.format(repository=self.repository, commit=self.commit)


@dataclass(frozen=True)
class Dataset:
    """One entry of the registry."""

    name: str
    file: str
    sha256: str
    """Of the ready h5ad."""
    bytes: int
    cells: int
    genes: int
    source: str
    what: str
    obs: tuple[str, ...]
    var: tuple[str, ...]
    upstream: Upstream


@cache
def registry() -> dict[str, Dataset]:
    """Every registered dataset by name."""
    text = resources.files("cafsc.data").joinpath("registry.json").read_text(encoding="utf-8")
    entries: dict[str, dict[str, Any]] = json.loads(text)
    return {name: _dataset(name, entry) for name, entry in entries.items()}


def _dataset(name: str, entry: dict[str, Any]) -> Dataset:
    plain = {key: value for key, value in entry.items() if key not in ("obs", "var", "upstream")}
    return Dataset(
        name=name,
        obs=tuple(entry["obs"]),
        var=tuple(entry["var"]),
        upstream=Upstream(**entry["upstream"]),
        **plain,
    )


def datasets() -> pd.DataFrame:
    """Table of the registered datasets.

    Returns
    -------
    One row a dataset; columns ``name``, ``cells``, ``genes``, ``source``, ``what``, ``sha256`` (of the ready
    h5ad) and ``download`` (whether it can be had from the network; the others only from ``CAFSC_DATA_DIR``).
    """
    import pandas as pd

    rows = [
        (
            entry.name,
            entry.cells,
            entry.genes,
            entry.source,
            entry.what,
            entry.sha256,
            bool(entry.upstream.files),
        )
        for entry in registry().values()
    ]
    return pd.DataFrame(rows, columns=["name", "cells", "genes", "source", "what", "sha256", "download"])


def _entry(name: str) -> Dataset:
    known = registry()
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    raise DatasetError(
        f"unknown dataset {name!r}" + (f"; did you mean {close[0]}?" if close else ""),
        expected=f"one of {', '.join(known)}",
        fix="see: cafsc data list",
    )


def _default_cache() -> Path:
    import pooch

    return Path(pooch.os_cache("cafsc"))


def _from_data_dir(dataset: Dataset) -> Path | None:
    folder = os.environ.get(DATA_DIR_VARIABLE)
    if not folder:
        return None
    path = Path(folder) / dataset.file
    if not path.is_file():
        return None
    found = io.sha256(path)
    if found != dataset.sha256:
        raise DatasetError(
            f"{path}: is not the registered {dataset.name}: its sha256 is {found[:12]}...",
            expected=f"sha256 {dataset.sha256[:12]}...",
            fix=f"restore the file, or take it out of {DATA_DIR_VARIABLE}",
        )
    return path


def _from_cache(dataset: Dataset, folder: Path) -> Path | None:
    """The converted file, if it is still the one that was written."""
    path = folder / dataset.file
    record = folder / f"{dataset.file}.sha256"
    try:
        whole = record.read_text(encoding="ascii").strip() == io.sha256(path)
    except OSError:
        return None
    return path if whole else None


def _download(dataset: Dataset, folder: Path) -> list[Path]:
    import pooch
    import requests

    # Names of files only: the repositories' own folders would not be safe to mirror into the cache.
    urls = {Path(path).name: f"{dataset.upstream.address}{path}" for path in dataset.upstream.files}
    hashes = {Path(path).name: f"sha256:{digest}" for path, digest in dataset.upstream.files.items()}
    store = pooch.create(
        path=folder, base_url=dataset.upstream.address, registry=hashes, urls=urls, retry_if_failed=1
    )
    pooch.get_logger().setLevel("WARNING")
    try:
        return [Path(store.fetch(name)) for name in urls]
    except requests.RequestException as error:
        raise DatasetError(
            f"{dataset.name}: cannot be downloaded, the network or the server is not available: "
            f"{type(error).__name__} for {dataset.upstream.address}",
            expected=f"a connection, or the ready file in the folder that {DATA_DIR_VARIABLE} names",
            fix=f"try again with a connection, or set {DATA_DIR_VARIABLE} to a folder with {dataset.file}",
        ) from error
    except ValueError as error:
        raise DatasetError(
            f"{dataset.name}: the downloaded file is not the pinned one: {str(error).splitlines()[0][:160]}",
            expected="the pinned sha256",
            fix="try again; if it persists, the source has changed and must not be trusted",
        ) from error
    except OSError as error:
        raise DatasetError(
            f"{dataset.name}: cannot be stored in {folder}: {error.strerror or error}",
            fix="free space there, or make the folder writable",
        ) from error


def fetch(name: str, *, cache: Path | str | None = None) -> Path:
    """Find a registered dataset, downloading it only if it must be.

    Looked for in this order: the ready h5ad with the registered hash in the folder that the environment
    variable ``CAFSC_DATA_DIR`` names; the converted h5ad in the cache; the authors' files at a pinned commit,
    which are checked against their hashes and converted.

    Parameters
    ----------
    name
        As in `datasets`.
    cache
        Folder of the cache; None for the user's cache folder.

    Returns
    -------
    Path of an h5ad. Do not write to it.

    Raises
    ------
    DatasetError
        The name is unknown, the network is not available, or a file is not what was registered.

    Notes
    -----
    What the tests cover: the download through a local server, the hash checks, the 10x conversion (against
    the ready file), and the conversion of R matrices, data frames and of objects with the slots of
    SingleCellExperiment and Seurat. The authors' own R files were not at hand when this was written; their
    conversion is checked at run time by the registered numbers of cells and genes and the columns of
    ``obs``.
    """
    return fetch_dataset(_entry(name), cache=Path(cache) if cache is not None else None)


def fetch_dataset(dataset: Dataset, *, cache: Path | None = None) -> Path:
    """As `fetch`, for an entry that need not be registered."""
    ready = _from_data_dir(dataset)
    if ready is not None:
        return ready
    folder = cache if cache is not None else _default_cache()
    ready = _from_cache(dataset, folder)
    if ready is not None:
        return ready
    if not dataset.upstream.files:
        raise DatasetError(
            f"{dataset.name}: cannot be downloaded: no file of {dataset.upstream.repository} is pinned",
            expected=f"{dataset.file} in the folder that {DATA_DIR_VARIABLE} names",
            fix=f"set {DATA_DIR_VARIABLE} to a folder with the file, or choose another dataset",
        )
    from cafsc.data.convert import convert

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as scratch:
            adata = convert(dataset, _download(dataset, Path(scratch)))
    except UserError:
        raise
    except OSError as error:
        raise DatasetError(
            f"{dataset.name}: cannot be stored in {folder}: {error.strerror or error}",
            fix="free space there, or make the folder writable",
        ) from error
    path = folder / dataset.file
    io.write_h5ad(adata, path, force=True)
    io.write_text(folder / f"{dataset.file}.sha256", f"{io.sha256(path)}\n", force=True)
    return path


def load(name: str, *, cache: Path | str | None = None) -> AnnData:
    """Read a registered dataset, found or downloaded as by `fetch`.

    Raises
    ------
    DatasetError
        As by `fetch`.
    """
    return io.read(fetch(name, cache=cache))
