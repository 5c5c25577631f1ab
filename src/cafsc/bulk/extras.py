"""The packages of the optional extra ``bulk``, with a message where one is missing."""

from __future__ import annotations

import importlib
from typing import Any

from cafsc.errors import OptionError


def require(package: str, purpose: str, instead: str = "") -> Any:
    """Import a package of the extra ``bulk``.

    Parameters
    ----------
    package
        Name of the module.
    purpose
        What it is needed for, for the message.
    instead
        How to do without, for the message.

    Raises
    ------
    OptionError
        If it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise OptionError(
            f"{purpose} needs the package {package}, which is not installed",
            expected='the extra "bulk" of cafsc',
            fix=f'pip install "cafsc[bulk]"{f", or {instead}" if instead else ""}',
        ) from error
