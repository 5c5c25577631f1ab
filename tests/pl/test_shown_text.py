from __future__ import annotations

import pytest

from cafsc.pl._text import clean, label


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("plain µ β", "plain µ β"),
        ("a\x1b[31mred\x1b[0m", "ared"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;https://x\x1b\\b", "ab"),
        ("a\x1bPq1\x1b\\b", "ab"),
        ("a\x9b31mb", "ab"),
        ("a\x1bcb", "ab"),
        ("a\x00b\rc", "a b c"),
        ("tumour\u202egpj", "tumourgpj"),
        ("a\ud800b", "a\ufffdb"),
        ("line\nline\ttab", "line\nline\ttab"),
    ],
)
def test_clean(dirty: str, expected: str) -> None:
    assert clean(dirty) == expected


def test_label_is_one_short_line_without_mathtext() -> None:
    text = label("a\nb " + "x" * 100, limit=20)
    assert len(text) == 20
    assert "\n" not in text
    assert label("$x$") == r"\$x\$"
