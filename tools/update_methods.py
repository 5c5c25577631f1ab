"""Put the default of every option, with its reason, from the configuration into the methods page."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

from pydantic import BaseModel

from cafsc import _config

PAGE = Path(__file__).parents[1] / "docs" / "methods.md"
_BLOCK = re.compile(r"(?<=<!-- options: begin -->\n).*?(?=<!-- options: end -->)", re.DOTALL)


def shown() -> str:
    """The table that the page holds."""
    block = _BLOCK.search(PAGE.read_text(encoding="utf-8"))
    if block is None:
        raise ValueError(f"{PAGE.name} has no place for the table of options")
    return block.group()


def reasons() -> dict[tuple[str, str], str]:
    """(class, option) -> the sentence that stands below it in the configuration."""
    out = {}
    for node in ast.parse(inspect.getsource(_config)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for field, after in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                text = after.value if isinstance(after, ast.Expr) else None
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    out[node.name, field.target.id] = " ".join(text.value.split())
    return out


def table(model: BaseModel, prefix: str = "") -> list[str]:
    """One line an option, those of nested steps under the step's name."""
    known = reasons()
    lines = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            lines += table(value, f"{prefix}{name}.")
        else:
            lines.append(f"| `{prefix}{name}` | {value:g} | {known.get((type(model).__name__, name), '')} |")
    return lines


def written() -> str:
    """The table as it should be."""
    return "\n".join(
        ["| option | default | what it is |", "| --- | --- | --- |", *table(_config.Config()), ""]
    )


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_BLOCK.sub(lambda _: written(), text), encoding="utf-8")
