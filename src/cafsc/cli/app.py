"""The commands of ``cafsc``, put together; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from cafsc._version import __version__
from cafsc.cli import annotate, check, data, results, score, signatures

# Plain help: rich would take longer to import than the help takes to print.
app = typer.Typer(
    name="cafsc",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for function, short in (
    (annotate.annotate, "Name the fibroblasts of a tumour; call them pro- or anti-tumour."),
    (check.check, "List everything that is odd about a dataset; nothing is written."),
    (results.crosstalk, "List what CAFs and other cells could tell each other."),
    (results.explain, None),
    (results.report, None),
    (score.score, "Score a bulk cohort sample by sample; test survival."),
    (results.targets, "List compounds and biomarkers that CAF clusters express."),
):
    app.command(short_help=short)(function)
app.add_typer(data.app, name="data")
app.add_typer(signatures.app, name="signatures")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cafsc {__version__}")
        raise typer.Exit


@app.callback()
def cafsc(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Name the cancer-associated fibroblasts of a tumour, with the papers behind each call."""


def command() -> Callable[..., object]:
    """The whole command line as one callable, ``command()(args=[...], prog_name="cafsc")``."""
    return typer.main.get_command(app)
