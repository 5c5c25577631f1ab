"""What made a result: versions, parameters, seed, and hashes of the input and of the catalogue.

Nothing here changes between two runs of the same command: no time, no host, no path, so that the same input
gives the same bytes.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import TYPE_CHECKING

from cafsc import sig
from cafsc._config import AnnotateConfig
from cafsc._version import __version__
from cafsc.errors import OptionError
from cafsc.sig.user import OwnSignatures, listed, plain_form
from cafsc.sig.weights import WeightsLike, own_weights

if TYPE_CHECKING:
    from cafsc.sig import Catalogue

PACKAGES = ("numpy", "scipy", "pandas", "h5py", "anndata", "igraph", "numba")
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


def settle(
    signatures: OwnSignatures,
    weights: WeightsLike | None,
    cancer: str | None,
    config: AnnotateConfig | None,
    resolution: float | None,
) -> tuple[Catalogue, str | None, AnnotateConfig]:
    """The catalogue with the user's files and weights, the cancer's code, and every threshold."""
    config = config or AnnotateConfig()
    if resolution is not None:
        config = config.model_copy(
            update={"label": config.label.model_copy(update={"resolution": _positive(resolution)})}
        )
    catalogue = sig.load(*listed(signatures))
    if weights is not None:
        catalogue = replace(catalogue, weights=own_weights(catalogue.weights, weights))
    return catalogue, catalogue.cancer(cancer) if cancer is not None else None, config


def planned(
    catalogue: Catalogue,
    cancer: str | None,
    config: AnnotateConfig,
    species: str,
    layer: str | None,
    sample_key: str | None,
    batch_key: str | None,
    cluster_key: str | None,
    signatures: OwnSignatures,
    schemes: Sequence[str] | None,
    seed: int,
    key_added: str = "caf",
) -> dict[str, object]:
    """The provenance of a run, but for its data: all that decides the result."""
    return provenance(
        {
            "cancer": cancer,
            "species": species,
            "layer": layer,
            "sample_key": sample_key,
            "batch_key": batch_key,
            "cluster_key": cluster_key,
            "signatures": [plain_form(source) for source in listed(signatures)],
            "schemes": list(schemes) if schemes is not None else None,
            "weights": catalogue.weights.model_dump(exclude={"why"}),
            "seed": seed,
            "key_added": key_added,
            "config": config,
        },
        catalogue_sha256=catalogue.sha256,
    )


def planned_provenance(
    *,
    cancer: str | None,
    species: str,
    layer: str | None,
    sample_key: str | None,
    batch_key: str | None,
    cluster_key: str | None,
    signatures: OwnSignatures,
    schemes: Sequence[str] | None,
    weights: WeightsLike | None,
    resolution: float | None,
    seed: int,
) -> dict[str, object]:
    """The provenance that `cafsc.annotate` would write with these options, before anything is computed."""
    catalogue, code, config = settle(signatures, weights, cancer, None, resolution)
    return planned(
        catalogue, code, config, species, layer, sample_key, batch_key, cluster_key, signatures, schemes, seed
    )


def _positive(resolution: float) -> float:
    if not 0 < resolution < float("inf"):
        raise OptionError(f"resolution {resolution}", expected="a number above 0", fix="use 0.5, say")
    return resolution


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
