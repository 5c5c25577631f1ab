"""What made a result: versions, options, seed, and hashes of the input and of the catalogue.

No time, host or folder is recorded, so that two runs of the same command give the same document.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import TYPE_CHECKING

from cafsc import sig
from cafsc._config import Config
from cafsc._options import RunOptions
from cafsc._version import __version__
from cafsc.sig.user import own_weights, plain_form

if TYPE_CHECKING:
    from cafsc.sig import Catalogue

_COMPUTING = (
    "numpy scipy pandas h5py anndata scanpy scikit-learn umap-learn harmonypy igraph leidenalg gseapy numba"
)
"""Distributions whose version can change a result."""


def versions() -> dict[str, str]:
    """Versions of cafsc, Python and the packages that compute; ``"not installed"`` where one is missing."""
    found = {"cafsc": __version__, "python": platform.python_version()}
    for package in _COMPUTING.split():
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def settle(options: RunOptions) -> tuple[Catalogue, RunOptions]:
    """The catalogue with the user's sets and weights, and the options with the cancer's code and all thresholds.

    An unknown cancer, scheme, weight or threshold is an `OptionError`, a faulty signature file a `CatalogueError`.
    """
    config = Config.of(options.config)
    if options.resolution is not None:
        label = config.label.model_copy(update={"resolution": options.resolution})
        config = config.model_copy(update={"label": label})
    catalogue = sig.load(*options.signatures)
    if options.weights is not None:
        catalogue = replace(catalogue, weights=own_weights(catalogue.weights, options.weights))
    for scheme in options.schemes or ():
        catalogue.sets_in_scheme(scheme)
    cancer = None if options.cancer is None else catalogue.cancer(options.cancer)
    return catalogue, replace(options, cancer=cancer, config=config)


def used(options: RunOptions, catalogue: Catalogue) -> dict[str, object]:
    """Every settled option with the value that was used."""
    found = {option.name: getattr(options, option.name) for option in fields(RunOptions)}
    found["signatures"] = [plain_form(source) for source in options.signatures]
    found["weights"] = catalogue.weights.model_dump(exclude={"why"})
    return found


def of_run(
    options: RunOptions, catalogue: Catalogue, input_file: str | None, input_sha256: str | None
) -> dict[str, object]:
    """Provenance of a run with settled options."""
    return provenance(used(options, catalogue), catalogue.sha256, input_file, input_sha256)


def provenance(
    parameters: Mapping[str, object],
    catalogue_sha256: str,
    input_file: str | PurePath | None = None,
    input_sha256: str | None = None,
) -> dict[str, object]:
    """All that is needed to make a result again, as plain JSON types.

    Every one of the `parameters` with the value that was used; of paths only the file's name is kept. An AnnData in
    memory has no file.
    """
    plain = json.loads(json.dumps(parameters, default=_plain, sort_keys=True))
    return {
        "versions": versions(),
        "parameters": plain,
        "seed": plain.get("seed"),
        "input": {"file": input_file and PurePath(input_file).name, "sha256": input_sha256},
        "catalogue": {"sha256": catalogue_sha256},
    }


def dumps(document: Mapping[str, object]) -> str:
    """One JSON string with sorted keys, the form that ``uns`` keeps."""
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
