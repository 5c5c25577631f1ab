"""Text from outside, made fit to be shown: no control characters, no hidden direction marks, no mathtext."""

from __future__ import annotations

import re

_TERMINAL = re.compile(
    r"(?:\x1b\]|\x9d).*?(?:\x07|\x1b\\|\x9c|$)"  # operating system commands: window titles, links
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f]).*?(?:\x1b\\|\x9c|$)"  # device control and the other strings
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # control sequences: colour, cursor
    r"|\x1b[ -/]*[0-~]?",
    re.DOTALL,
)
# Marks that reorder the text around them, or that nobody sees.
_HIDDEN = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Drop terminal escapes and hidden marks; other control characters become a space."""
    text = _HIDDEN.sub("", _TERMINAL.sub("", text))
    return _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))


def label(text: object, limit: int = 42) -> str:
    """One line for a figure: cleaned, shortened, and never read as mathtext."""
    line = " ".join(clean(str(text)).split())
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return line.replace("$", r"\$")
