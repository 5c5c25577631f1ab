"""Provenance: plain JSON, no machine in it, the same every time."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import cafsc
from cafsc import _provenance


@pytest.fixture
def document() -> dict[str, object]:
    return _provenance.provenance(
        {
            "seed": 3,
            "resolution": np.float64(0.5),
            "signatures": (Path("/home/somebody/mine.gmt"),),
            "schemes": {"b", "a"},
            "cancer": None,
        },
        catalogue_sha256="c" * 64,
        input_file=Path("/home/somebody/tumour.h5ad"),
        input_sha256="a" * 64,
    )


def test_it_is_json_and_says_what_made_the_result(document: dict[str, object]) -> None:
    assert json.loads(_provenance.dumps(document)) == document
    assert document["seed"] == 3
    assert document["input"] == {"file": "tumour.h5ad", "sha256": "a" * 64}
    assert document["catalogue"] == {"sha256": "c" * 64}
    assert document["parameters"] == {
        "cancer": None,
        "resolution": 0.5,
        "schemes": ["a", "b"],
        "seed": 3,
        "signatures": ["mine.gmt"],
    }


def test_versions_are_those_installed(document: dict[str, object]) -> None:
    versions = document["versions"]
    assert isinstance(versions, dict)
    assert versions["cafsc"] == cafsc.__version__
    for package in ("numpy", "anndata", "igraph", "numba"):
        assert versions[package] == version(package)


def test_no_folder_of_the_machine_is_in_it(document: dict[str, object]) -> None:
    assert "somebody" not in _provenance.dumps(document)


def test_the_same_run_gives_the_same_bytes() -> None:
    first = _provenance.provenance({"seed": 0, "a": 1}, catalogue_sha256="c")
    second = _provenance.provenance({"a": 1, "seed": 0}, catalogue_sha256="c")
    assert _provenance.dumps(first) == _provenance.dumps(second)
