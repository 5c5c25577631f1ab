"""The options of a run, each declared once: name, type, default, limits and help.

`cafsc.annotate`, ``cafsc annotate``, ``--config`` files, the workflow and the provenance all read this class.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from cafsc.errors import OptionError

if TYPE_CHECKING:
    from cafsc._config import ConfigLike
    from cafsc.sig.user import OwnSource
    from cafsc.sig.weights import WeightsLike

Species = Literal["auto", "human", "mouse"]
COLUMNS = ("sample_key", "batch_key", "cluster_key")
_TAB = " " * 4
Function = TypeVar("Function", bound=Callable[..., Any])


def _shown(help_: str, **more: Any) -> dict[str, Any]:
    """What readers and the command line see: ``help``, and ``min``, ``max``, ``metavar``, ``flag`` and ``shell``."""
    return {"help": help_, **more}


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Everything that a user may decide about a run.

    An option with ``shell=None`` exists in Python only. ``shell`` is the type that the command line reads.
    """

    cancer: str | None = field(
        default=None,
        metadata=_shown(
            "Cancer of the sample, by name or code (breast, TNBC, PDAC, NSCLC, CRC ...). Claims about it weigh more.",
            metavar="NAME",
            shell=str | None,
        ),
    )
    species: Species = field(
        default="auto", metadata=_shown("Species; auto reads it from the gene names.", shell=Species)
    )
    layer: str | None = field(
        default=None,
        metadata=_shown("Layer with the raw counts, instead of X.", metavar="NAME", shell=str | None),
    )
    sample_key: str | None = field(
        default=None,
        metadata=_shown("Column of obs that names the sample of each cell.", metavar="COL", shell=str | None),
    )
    batch_key: str | None = field(
        default=None,
        metadata=_shown(
            "Column of obs that names the batch of each cell; batches are aligned before clustering.",
            metavar="COL",
            shell=str | None,
        ),
    )
    cluster_key: str | None = field(
        default=None,
        metadata=_shown(
            "Column of obs with your clusters, used instead of ours.", metavar="COL", shell=str | None
        ),
    )
    signatures: tuple[OwnSource, ...] = field(
        default=(),
        metadata=_shown(
            "Your own gene sets, beside the catalogue: .yaml or .gmt file (in Python also a dict of names to genes).",
            metavar="PATH",
            shell=list[Path],
        ),
    )
    schemes: tuple[str, ...] | None = field(
        default=None,
        metadata=_shown(
            "Published schemes to name clusters in; all by default.",
            flag="--scheme",
            metavar="NAME",
            shell=list[str] | None,
        ),
    )
    weights: WeightsLike | None = field(
        default=None,
        metadata=_shown(
            "YAML file with weights of claims that replace those of the catalogue; what it does not name stays.",
            metavar="FILE",
            shell=str | None,
        ),
    )
    resolution: float | None = field(
        default=None,
        metadata=_shown(
            "Leiden resolution among the fibroblasts; higher gives more clusters.",
            metavar="R",
            min=0.01,
            max=100,
            shell=float | None,
        ),
    )
    umap: bool = field(
        default=True, metadata=_shown("Compute a UMAP of the tissue and of the fibroblasts.", shell=bool)
    )
    seed: int = field(
        default=0, metadata=_shown("Seed of everything random.", metavar="N", min=0, max=2**32 - 1, shell=int)
    )
    key_added: str = field(default="caf", metadata=_shown("Prefix of all slots.", shell=None))
    config: ConfigLike | None = field(
        default=None,
        metadata=_shown(
            "Thresholds of every step: a `cafsc.Config`, or a nested dict such as "
            "``{'label': {'min_margin': 2}}``.",
            shell=None,
        ),
    )

    def __post_init__(self) -> None:
        if self.species not in get_args(Species):
            raise OptionError(
                f"species {self.species!r}", expected="auto, human or mouse", fix="use one of these"
            )
        for option in fields(self):
            _check_range(option, getattr(self, option.name))

    def columns(self) -> dict[str, str | None]:
        """Columns of ``obs`` that the user may name, by option."""
        return {name: getattr(self, name) for name in COLUMNS}


def _check_range(option: Field[Any], value: Any) -> None:
    """Refuse a number outside its limits; NaN is outside."""
    if "min" not in option.metadata or value is None:
        return
    low, high = option.metadata["min"], option.metadata["max"]
    if not low <= value <= high:
        raise OptionError(
            f"{option.name} {value}", expected=f"a number from {low:,} to {high:,}", fix="use another number"
        )


def documented(function: Function) -> Function:
    """Put the help of every option into a docstring, in place of ``{options}``."""
    lines = []
    for option in fields(RunOptions):
        lines += [
            option.name,
            *textwrap.wrap(option.metadata["help"], 100, initial_indent=_TAB, subsequent_indent=_TAB),
        ]
    function.__doc__ = (function.__doc__ or "").replace("{options}", f"\n{_TAB}".join(lines))
    return function
