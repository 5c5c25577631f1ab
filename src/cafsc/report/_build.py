"""From the slots of a result to one HTML string or file."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cafsc import get
from cafsc.get.schema import TABLES
from cafsc.io import write_text
from cafsc.pl._canvas import clean
from cafsc.report import _words as words
from cafsc.report._figures import figures
from cafsc.report._sections import cancer_rows, cards, ledgers

if TYPE_CHECKING:
    from anndata import AnnData


def write(adata: AnnData, path: str | Path, force: bool = False, *, key_added: str = "caf") -> None:
    """Write the report of a run to one HTML file, whole or not at all.

    Parameters
    ----------
    adata
        Annotated by `cafsc.annotate` with this `key_added`; it is not changed.
    path
        File to write, ``.html``.
    force
        Replace an existing file.

    Raises
    ------
    cafsc.errors.InputError
        The AnnData holds no result under ``key_added``.
    cafsc.OutputError
        The file exists and ``force`` is false, or it cannot be written.

    Examples
    --------
    >>> cafsc.report.write(adata, "tumour.html")
    """
    write_text(Path(path), build(adata, key_added), force=force)


def build(adata: AnnData, key_added: str = "caf") -> str:
    """Make the report of a run.

    Style, script and figures are inside the one string. It asks the network for nothing, and the same result gives
    the same bytes. Text from the user or from files is escaped, and freed of control characters.

    Parameters
    ----------
    adata
        Annotated by `cafsc.annotate` with this `key_added`; it is not changed.

    Returns
    -------
    str
        An HTML document, to be stored as UTF-8.

    Raises
    ------
    cafsc.errors.InputError
        The AnnData holds no result under ``key_added``.

    Examples
    --------
    >>> html = cafsc.report.build(adata)
    """
    summary, clusters = get.summary(adata, key_added), get.clusters(adata, key_added)
    evidence, provenance = get.evidence(adata, key_added), get.provenance(adata, key_added)
    folder = resources.files("cafsc.report") / "templates"
    style, script = ((folder / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Styles stand inline on elements of the figures, so they cannot be listed by hash; scripts can.
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    environment = Environment(
        loader=PackageLoader("cafsc.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # Every text that reaches the page goes through here, so that none is forgotten.
        finalize=lambda value: (
            clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
    )
    environment.filters |= {
        "thousands": lambda n: f"{int(n):,}",
        # Most frequent first.
        "ranked": lambda counts: sorted(counts.items(), key=lambda item: (-int(item[1]), item[0])),
    }
    environment.globals |= {"words": words, "meaning": lambda table, column: TABLES[table][column].meaning}
    return environment.get_template("report.html.j2").render(
        style=Markup(style),
        script=Markup(script),
        policy=policy,
        summary=summary,
        answer=words.answer(summary, clusters),
        cards=cards(clusters, get.scores(adata, key_added), summary),
        cancers=cancer_rows(get.cancers(adata, key_added)),
        cancer_clusters=clusters["cluster"].tolist(),
        ledgers=ledgers(clusters, evidence),
        n_claims=len(evidence),
        figures=list(figures(adata, key_added)),
        provenance=sorted(pd.json_normalize(provenance).iloc[0].map(_value).items()),
        provenance_json=json.dumps(provenance, indent=2, sort_keys=True, ensure_ascii=False),
    )


def _value(value: Any) -> str:
    """A value of the provenance in one line."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
