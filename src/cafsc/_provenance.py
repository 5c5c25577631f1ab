"""What made a result: versions, parameters, seed, and hashes of the input and of the catalogue.

Nothing here changes between two runs of the same command: no time, no host, no path, so that the same input
gives the same bytes.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath

from cafsc._version import __version__

PACKAGES = ("numpy", "scipy", "pandas", "h5py", "anndata", "igraph", "scikit-learn")
"""The distributions whose version can change a result."""


def versions() -> dict[str, str]:
    """Versions of cafsc, Python and the packages that compute.

    Returns
    -------
    Name of the distribution to its version; ``"not installed"`` where it is missing.
    """
    found = {"cafsc": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def provenance(
    parameters: Mapping[str, object],
    *,
    catalogue_sha256: str,
    input_file: str | PurePath | None = None,
    input_sha256: str | None = None,
) -> dict[str, object]:
    """All that is needed to make a result again, as plain JSON types.

    Parameters
    ----------
    parameters
        Every option with the value that was used, ``seed`` among them. Paths are cut to the file's name.
    catalogue_sha256
        Hash of the catalogue that was used.
    input_file
        Path or name of the input file; only its name is kept. ``None`` for an AnnData in memory.
    input_sha256
        Hash of the input file, where there is one.

    Returns
    -------
    dict with ``versions``, ``parameters``, ``seed``, ``input`` (``file``, ``sha256``) and ``catalogue``
    (``sha256``).
    """
    plain = json.loads(json.dumps(parameters, default=_plain, sort_keys=True))
    document: dict[str, object] = {
        "versions": versions(),
        "parameters": plain,
        "seed": plain.get("seed"),
        "input": {"file": None, "sha256": None},
        "catalogue": {"sha256": catalogue_sha256},
    }
    return with_input(document, input_file, input_sha256)


def with_input(
    document: Mapping[str, object], input_file: str | PurePath | None, input_sha256: str | None
) -> dict[str, object]:
    """Provenance with the input file named, for callers that know the file behind an AnnData.

    Parameters
    ----------
    document
        What :func:`provenance` gave.
    input_file
        Path or name of the input file; only its name is kept.
    input_sha256
        Hash of the input file.

    Returns
    -------
    A new dict; ``document`` is left as it is.
    """
    name = None if input_file is None else PurePath(input_file).name
    return {**document, "input": {"file": name, "sha256": input_sha256}}


def dumps(document: Mapping[str, object]) -> str:
    """Provenance as one JSON string with sorted keys, the form that is kept in ``uns``."""
    return json.dumps(document, sort_keys=True, allow_nan=False)


def _plain(value: object) -> object:
    """What JSON has no type for, in its types; a path only by its name, since folders belong to a machine."""
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, set | frozenset):
        return sorted(str(_plain(item)) for item in value)
    for method in ("model_dump", "item"):  # a pydantic model, a NumPy scalar
        if hasattr(value, method):
            return getattr(value, method)()
    return str(value)
