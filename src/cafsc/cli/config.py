"""``--config FILE``: the options of a command from a YAML or TOML file; the command line wins."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from cafsc.errors import OptionError

MAX_BYTES = 1_000_000
MAPPINGS = ("weights",)
"""Options whose value may be a mapping in the file."""
NOT_FROM_FILE = ("config", "debug", "help", "install_completion", "show_completion")
"""Options that make sense only on the command line."""


def use_config(context: typer.Context, path: Path | None) -> Path | None:
    """Callback of an eager ``--config``: the file's values become the defaults of the other options.

    Raises
    ------
    OptionError
        If the file cannot be read, has an unknown key, or a value of the wrong kind.
    """
    if path is not None and not context.resilient_parsing:
        options = {
            parameter.name: parameter
            for parameter in context.command.params
            if parameter.param_type_name == "option" and parameter.name not in NOT_FROM_FILE
        }
        context.default_map = _checked(read_config(path), options, context, path)
    return path


def read_config(path: Path) -> dict[str, object]:
    """The mapping in a TOML (``.toml``) or YAML (any other name) file, keys with ``_`` for ``-``.

    Raises
    ------
    OptionError
        If the file cannot be read or is no mapping of option names to values.
    """
    try:
        size = path.stat().st_size
        if not path.is_file() or size > MAX_BYTES:
            raise OptionError(
                f"{path}: not a configuration file", expected=f"a file of at most {MAX_BYTES:,} bytes"
            )
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise OptionError(
            f"{path}: the configuration cannot be read ({reason})", fix="check the path of --config"
        ) from error
    content = _parsed(text, path)
    if not isinstance(content, Mapping):
        raise OptionError(
            f"{path}: no mapping of option names to values",
            expected="lines such as 'cancer: breast' (YAML) or 'cancer = \"breast\"' (TOML)",
        )
    return {str(key).replace("-", "_"): value for key, value in content.items()}


def _parsed(text: str, path: Path) -> object:
    if path.suffix == ".toml":
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise OptionError(f"{path}: not valid TOML: {error}", fix="mend the file") from error
    from cafsc.sig._yaml import YamlError, loads

    try:
        return loads(text) or {}
    except YamlError as error:
        line = "" if error.line is None else f" line {error.line}"
        raise OptionError(f"{path}{line}: {error.problem}", fix=error.fix) from error


def _checked(
    content: Mapping[str, object], options: Mapping[str, Any], context: typer.Context, path: Path
) -> dict[str, object]:
    unknown = [name for name in content if name not in options]
    if unknown:
        raise OptionError(
            f"{path}: unknown option {', '.join(repr(name) for name in unknown[:5])}",
            expected="one of " + ", ".join(sorted(name.replace("_", "-") for name in options)),
            fix="correct the name, or remove the line",
        )
    return {
        name: _converted(value, options[name], context, path)
        for name, value in content.items()
        if value is not None
    }


def _converted(value: object, option: Any, context: typer.Context, path: Path) -> object:
    """``value`` as the option's own type, by the same rules as on the command line."""
    name = option.name.replace("_", "-")
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
    words = [str(item) for item in items]
    try:
        option.process_value(context, words if option.multiple else words[0])
    except typer.BadParameter as error:
        raise OptionError(f"{path}: {name}: {value!r}: {error.message}", fix="correct the value") from error
    return words if option.multiple else words[0]
