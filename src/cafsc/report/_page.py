"""The template, and the rules under which a browser may show it."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cafsc.pl._names import lineage_name
from cafsc.pl._text import clean
from cafsc.report._words import MATRIX_NAMES, spaced


def render(**content: Any) -> str:
    """Fill the page."""
    style, script = _file("report.css"), _file("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Styles stand inline on elements of the figures, so they cannot be listed by hash; scripts can.
    policy = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            "style-src 'unsafe-inline'",
            f"script-src 'sha256-{digest}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = _environment().get_template("report.html.j2")
    return page.render(style=Markup(style), script=Markup(script), policy=policy, **content)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cafsc.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    environment.filters |= {
        "spaced": lambda text: spaced(str(text)),
        "thousands": lambda n: f"{int(n):,}",
        "lineage": lambda code: lineage_name(str(code)),
        "matrix": lambda name: MATRIX_NAMES.get(str(name), spaced(str(name))),
    }
    return environment


def _finalize(value: Any) -> Any:
    # Every text that reaches the page goes through here, so that none is forgotten.
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _file(name: str) -> str:
    return resources.files("cafsc.report").joinpath("templates", name).read_text(encoding="utf-8")
