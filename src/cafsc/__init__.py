"""cafsc: which cancer-associated fibroblasts are in a tumour, what the literature says of them, how sure it is.

>>> import cafsc
>>> result = cafsc.annotate(adata, cancer="breast")  # doctest: +SKIP
>>> result.clusters  # doctest: +SKIP

Submodules load on first use, so that ``import cafsc`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from cafsc._version import __version__

if TYPE_CHECKING:
    from cafsc import bulk, data, errors, genes, get, io, pl, pp, report, sig, tl
    from cafsc._annotate import AnnotationResult, annotate
    from cafsc._config import Config

_NAMES = {"AnnotationResult": "_annotate", "Config": "_config", "annotate": "_annotate"}

__all__ = [
    "AnnotationResult",
    "Config",
    "__version__",
    "annotate",
    "bulk",
    "data",
    "engine",
    "errors",
    "genes",
    "get",
    "io",
    "pl",
    "pp",
    "report",
    "sig",
    "tl",
]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"cafsc.{_NAMES[name]}"), name)
    if name in __all__:
        return importlib.import_module(f"cafsc.{name}")
    raise AttributeError(f"module 'cafsc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
