"""The options of a run on the command line and in ``--config`` files, made from `RunOptions`."""

from __future__ import annotations

import functools
import inspect
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from cafsc._options import RunOptions
from cafsc.errors import OptionError

MAPPINGS = ("weights",)
"""Options whose value may be a mapping in the file."""
NOT_FROM_FILE = ("config", "debug", "help", "install_completion", "show_completion")
"""Options that make sense only on the command line."""

Debug = Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]
Force = Annotated[bool, typer.Option("--force", help="Write over existing results (never over the input).")]


def _from_catalogue(table: str) -> Callable[[str], list[str]]:
    """Completion in the shell by the names in one table of the catalogue."""

    def names(incomplete: str) -> list[str]:
        from cafsc import sig

        return [name for name in getattr(sig.load(), table) if name.startswith(incomplete)]

    return names


_COMPLETE = {"cancer": _from_catalogue("cancers"), "schemes": _from_catalogue("schemes")}


def with_run_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command an option for each of these fields of `RunOptions`, in place of its parameter ``options``.

    All fields that the command line has, where no names are given.
    """
    shown = [
        option
        for option in fields(RunOptions)
        if option.metadata["shell"] is not None and option.name in (names or [option.name])
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters: list[inspect.Parameter] = []
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            parameters += map(_parameter, shown) if parameter.name == "options" else [parameter]

        @functools.wraps(command)
        def with_options(**values: Any) -> None:
            given = {option.name: values.pop(option.name) for option in shown}
            for option in shown:
                if isinstance(given[option.name], list):
                    given[option.name] = tuple(given[option.name]) or option.default
            command(options=RunOptions(**given), **values)

        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_options

    return decorate


def _parameter(option: Field[Any]) -> inspect.Parameter:
    """One field of `RunOptions` as a parameter that typer reads."""
    more = {name: option.metadata[name] for name in ("min", "max", "metavar") if name in option.metadata}
    kind, default = option.metadata["shell"], option.default
    flags = [option.metadata["flag"]] if "flag" in option.metadata else []
    help_ = option.metadata["help"] + (" Repeatable." if "list" in str(kind) else "")
    made = typer.Option(*flags, help=help_, autocompletion=_COMPLETE.get(option.name), **more)
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=list(default) if isinstance(default, tuple) else default,
        annotation=Annotated[kind, made],
    )


def use_config(context: typer.Context, path: Path | None) -> Path | None:
    """Callback of an eager ``--config``: the file's values become the defaults of the other options."""
    if path is None or context.resilient_parsing:
        return path
    options = {
        name.lstrip("-").replace("-", "_"): parameter
        for parameter in context.command.params
        if parameter.param_type_name == "option" and parameter.name not in NOT_FROM_FILE
        for name in parameter.opts
        if name.startswith("--")
    }
    content = read_config(path)
    unknown = [name for name in content if name not in options]
    if unknown:
        raise OptionError(
            f"{path}: unknown option {', '.join(repr(name) for name in unknown[:5])}",
            expected="one of " + ", ".join(sorted(name.replace("_", "-") for name in options)),
            fix="correct the name, or remove the line",
        )
    context.default_map = {
        options[name].name: _converted(name.replace("_", "-"), value, options[name], context, path)
        for name, value in content.items()
        if value is not None
    }
    return path


def read_config(path: Path) -> dict[str, object]:
    """The mapping in a TOML (``.toml``) or YAML (any other name) file, keys with ``_`` for ``-``."""
    from cafsc.sig._yaml import YamlError, loads
    from cafsc.sig.files import read_text

    text = read_text(path)
    try:
        content = tomllib.loads(text) if path.suffix == ".toml" else loads(text) or {}
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"{path}: not valid TOML: {error}", fix="correct the file") from error
    except YamlError as error:
        line = "" if error.line is None else f" line {error.line}"
        raise OptionError(f"{path}{line}: {error.problem}", fix=error.fix) from error
    if not isinstance(content, Mapping):
        raise OptionError(
            f"{path}: no mapping of option names to values",
            expected="lines such as 'cancer: breast' (YAML) or 'cancer = \"breast\"' (TOML)",
        )
    return {str(key).replace("-", "_"): value for key, value in content.items()}


def _converted(name: str, value: object, option: Any, context: typer.Context, path: Path) -> object:
    """``value`` as the option's own type, by the same rules as on the command line."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise OptionError(f"{path}: {name}: {value!r}", expected="true or false")
        return value
    if option.name in MAPPINGS and isinstance(value, Mapping):
        return json.dumps(value)
    items = value if option.multiple and isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, bool) or not isinstance(item, str | int | float):
            raise OptionError(
                f"{path}: {name}: {item!r}",
                expected="a list of values" if option.multiple else "one value (text or a number)",
            )
    given = [str(item) for item in items] if option.multiple else str(value)
    try:
        option.process_value(context, given)
    except typer.BadParameter as error:
        raise OptionError(f"{path}: {name}: {value!r}: {error.message}", fix="correct the value") from error
    return given
