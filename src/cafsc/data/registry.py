"""Public datasets by name: found in a folder or fetched from their authors, and checked against their hashes."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cafsc import io
from cafsc.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd
    from anndata import AnnData
    from pooch import Pooch

DATA_DIR_VARIABLE = "CAFSC_DATA_DIR"
_FILES = Path(__file__).parent
_CONNECT_READ_S = (5, 60)
"""Seconds to wait for a connection, and for the next bytes."""


def registry(cache: Path | str | None = None) -> Pooch:
    """The registered files, as a pooch that stores them in a cache folder; see the head of ``registry.txt``."""
    import pooch

    store = pooch.create(path=cache or pooch.os_cache("cafsc"), base_url="")
    store.load_registry(_FILES / "registry.txt")
    return store


def datasets() -> pd.DataFrame:
    """Table of the registered datasets.

    Returns
    -------
    One row a dataset; columns ``name``, ``cells``, ``genes``, ``source``, ``what``, ``sha256`` (of the ready
    h5ad) and ``download`` (bool; the others are only read from the folder that ``CAFSC_DATA_DIR`` names).
    """
    import pandas as pd

    table = pd.read_csv(_FILES / "datasets.tsv", sep="\t")
    files = registry().registry
    downloaded = {file.split("/")[0] for file in files if "/" in file}
    return table.assign(
        sha256=[files[f"{name}.h5ad"] for name in table["name"]],
        download=[name in downloaded for name in table["name"]],
    )


def fetch(name: str, *, cache: Path | str | None = None) -> Path:
    """Path of a registered dataset, downloaded if it is not on this machine.

    The file is looked for in this order: ``<name>.h5ad`` in the folder that the environment variable
    ``CAFSC_DATA_DIR`` names; the converted h5ad in the cache; the authors' files, which are downloaded, checked
    against their hashes and converted. Reading the authors' R files needs the extra ``data``.

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
        The name is not registered, the download failed, a file has another hash than registered, or the extra
        ``data`` is not installed.

    Examples
    --------
    >>> cafsc.io.read(cafsc.data.fetch("pdac_lin2020_P01"))  # doctest: +SKIP
    """
    return fetch_from(registry(cache), name)


def load(name: str, *, cache: Path | str | None = None) -> AnnData:
    """AnnData of a registered dataset; finds, downloads and raises as `fetch`."""
    return io.read(fetch(name, cache=cache))


def fetch_from(store: Pooch, name: str) -> Path:
    """As `fetch`, from any pooch."""
    known = [file.removesuffix(".h5ad") for file in store.registry if "/" not in file]
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        raise DatasetError(
            f"unknown dataset {name!r}" + (f"; did you mean {close[0]}?" if close else ""),
            expected=f"one of {', '.join(known)}",
            fix="list them with: cafsc data list",
        )
    folder = os.environ.get(DATA_DIR_VARIABLE)
    if folder and (ready := Path(folder) / f"{name}.h5ad").is_file():
        found, expected = io.sha256(ready), store.registry[ready.name]
        if found != expected:
            raise DatasetError(
                f"{ready}: is not the registered file: its sha256 is {found[:12]}...",
                expected=f"sha256 {expected[:12]}...",
                fix=f"restore the file, or remove it from the folder of {DATA_DIR_VARIABLE}",
            )
        return ready
    converted = Path(store.abspath) / f"{name}.h5ad"
    if not converted.is_file():
        files = _download(store, name)
        adata = _read_r(name, files[0]) if len(files) == 1 else io.read(files[0].parent)
        io.write_h5ad(adata, converted, force=True)
    return converted


def _download(store: Pooch, name: str) -> list[Path]:
    """The authors' files of a dataset, in the cache."""
    import pooch

    files = [file for file in store.registry if file.startswith(f"{name}/")]
    if not files:
        raise DatasetError(
            f"{name}: cannot be downloaded: no public file is registered",
            expected=f"{name}.h5ad in the folder that {DATA_DIR_VARIABLE} names",
            fix=f"set {DATA_DIR_VARIABLE} to a folder with the file, or choose another dataset",
        )
    pooch.get_logger().setLevel("WARNING")
    try:
        fetcher = pooch.HTTPDownloader(timeout=_CONNECT_READ_S)
        return [Path(store.fetch(file, downloader=fetcher)) for file in files]
    except ValueError as error:  # by pooch, where the hash differs
        raise DatasetError(
            f"{name}: the downloaded file is not the registered one: {str(error).splitlines()[0][:160]}",
            expected="the registered sha256",
            fix="try again; if the error stays, the source has changed: do not use it",
        ) from error
    except OSError as error:  # that of requests among them
        raise DatasetError(
            f"{name}: cannot be downloaded to {store.abspath}: {error.strerror or type(error).__name__} for "
            f"{store.get_url(files[0])}",
            expected=f"a network connection and a writable cache, or {name}.h5ad in {DATA_DIR_VARIABLE}",
            fix=f"try again with a connection, or set {DATA_DIR_VARIABLE} to a folder with the file",
        ) from error


def _read_r(name: str, path: Path) -> AnnData:
    """AnnData of the object in an R data file."""
    import warnings

    import pandas as pd
    from anndata import AnnData
    from scipy import sparse

    try:
        import rdata
    except ImportError as error:
        raise DatasetError(
            f"{name}: its authors published an R file, and the package rdata is not installed",
            expected='the extra "data" of cafsc',
            fix='pip install "cafsc[data]"',
        ) from error
    with warnings.catch_warnings():
        # rdata warns of every class without a constructor; the slots are enough.
        warnings.simplefilter("ignore")
        value: Any = next(iter(rdata.read_rda(path, default_encoding="utf-8").values()))
    if hasattr(value, "colData"):  # SingleCellExperiment
        matrix, obs = value.assays.data.listData["counts"], pd.DataFrame(dict(value.colData.listData))
        matrix.Dimnames = value.rowRanges.partitioning.NAMES, value.colData.rownames
    elif hasattr(value, "meta.data"):  # Seurat
        matrix, obs = value.assays["RNA"].counts, getattr(value, "meta.data")
    elif isinstance(value, dict):
        matrix, obs = value["mtx"], value["annots"]
    else:
        matrix, obs = value, pd.DataFrame(index=value.columns)
    if hasattr(matrix, "Dim"):  # dgCMatrix, genes x cells
        values = sparse.csc_matrix((matrix.x, matrix.i, matrix.p), shape=tuple(matrix.Dim))
        genes, cells = matrix.Dimnames
    else:
        frame = matrix if isinstance(matrix, pd.DataFrame) else matrix.to_pandas()
        values, genes, cells = frame.to_numpy(dtype="float32"), frame.index, frame.columns
    obs = obs.set_axis([str(cell) for cell in cells], axis=0).rename(columns=str)
    texts = [column for column in obs if isinstance(obs[column].dtype, pd.StringDtype)]
    var = pd.DataFrame(index=[str(gene) for gene in genes])
    counts = sparse.csr_matrix(values.T, dtype="float32")
    return AnnData(counts, obs.astype(dict.fromkeys(texts, object)), var)
