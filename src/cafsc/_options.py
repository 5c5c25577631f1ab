"""The options of a run, each declared once: name, type, default, limits and help.

`cafsc.annotate`, ``cafsc annotate``, ``--config`` files, the workflow and the provenance all read this class.
"""

# ruff: noqa: RUF009 (`_option` makes a field of a dataclass)

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from cafsc.errors import OptionError

if TYPE_CHECKING:
    from cafsc._config import ConfigLike
    from cafsc.sig.user import OwnSource, WeightsLike

Species = Literal["auto", "human", "mouse"]
COLUMNS = ("sample_key", "batch_key", "cluster_key")
_TAB = " " * 4
Function = TypeVar("Function", bound=Callable[..., Any])


def _option(default: Any, shell: Any, help_: str, **more: Any) -> Any:
    """A field; ``more`` is what the command line reads beside the type and the help: limits, ``metavar``, ``flag``."""
    return field(default=default, metadata={"shell": shell, "help": help_, **more})


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Everything that a user may decide about a run.

    An option with ``shell=None`` exists in Python only. ``shell`` is the type that the command line reads.
    """

    cancer: str | None = _option(
        None,
        str | None,
        "Cancer of the sample, by name or code (breast, TNBC, PDAC, NSCLC, CRC ...). Claims about it weigh more.",
        metavar="NAME",
    )
    species: Species = _option("auto", Species, "Species; auto reads it from the gene names.")
    layer: str | None = _option(None, str | None, "Layer with the raw counts, instead of X.", metavar="NAME")
    sample_key: str | None = _option(
        None, str | None, "Column of obs that names the sample of each cell.", metavar="COL"
    )
    batch_key: str | None = _option(
        None,
        str | None,
        "Column of obs that names the batch of each cell; batches are aligned before clustering.",
        metavar="COL",
    )
    cluster_key: str | None = _option(
        None, str | None, "Column of obs with your clusters, used instead of ours.", metavar="COL"
    )
    signatures: tuple[OwnSource, ...] = _option(
        (),
        list[Path],
        "Your own gene sets, beside the catalogue: .yaml or .gmt file (in Python also a dict of names to genes).",
        metavar="PATH",
    )
    schemes: tuple[str, ...] | None = _option(
        None,
        list[str] | None,
        "Published schemes to name clusters in; all by default.",
        flag="--scheme",
        metavar="NAME",
    )
    weights: WeightsLike | None = _option(
        None,
        str | None,
        "YAML file with weights of claims that replace those of the catalogue; what it does not name stays.",
        metavar="FILE",
    )
    resolution: float | None = _option(
        None,
        float | None,
        "Leiden resolution among the fibroblasts; higher gives more clusters.",
        metavar="R",
        min=0.01,
        max=100,
    )
    umap: bool = _option(True, bool, "Compute a UMAP of the tissue and of the fibroblasts.")
    seed: int = _option(0, int, "Seed of everything random.", metavar="N", min=0, max=2**32 - 1)
    key_added: str = _option("caf", None, "Prefix of all slots.")
    config: ConfigLike | None = _option(
        None,
        None,
        "Thresholds of every step: a `cafsc.Config`, or a nested dict such as ``{'label': {'min_margin': 2}}``.",
    )

    def __post_init__(self) -> None:
        if self.species not in get_args(Species):
            raise OptionError(
                f"species {self.species!r}", expected="auto, human or mouse", fix="use one of these"
            )
        for option in fields(self):
            value, more = getattr(self, option.name), option.metadata
            # NaN is outside, too.
            if "min" in more and value is not None and not more["min"] <= value <= more["max"]:
                raise OptionError(
                    f"{option.name} {value}",
                    expected=f"a number from {more['min']:,} to {more['max']:,}",
                    fix="use another number",
                )

    def columns(self) -> dict[str, str | None]:
        """Columns of ``obs`` that the user may name, by option."""
        return {name: getattr(self, name) for name in COLUMNS}


def documented(function: Function) -> Function:
    """Put the help of every option into a docstring, in place of ``{options}``."""
    lines = []
    for option in fields(RunOptions):
        lines += [option.name, textwrap.indent(textwrap.fill(option.metadata["help"], 96), _TAB)]
    text = "\n".join(lines).replace("\n", f"\n{_TAB}")
    function.__doc__ = (function.__doc__ or "").replace("{options}", text)
    return function
