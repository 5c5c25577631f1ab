"""YAML is read as plain data; everything else is refused with its place."""

from __future__ import annotations

import pytest

from cafsc.sig._yaml import MAX_DEPTH, YamlError, line_of, loads


def test_plain_words_stay_text_where_yaml_1_1_would_change_them() -> None:
    words = "NO ON YES no 2020-03-01 12:30:00 0x1F 1_000 1-Mar .nan .inf 007".split()
    assert loads(f"[{', '.join(words)}]") == words


def test_numbers_booleans_and_null_have_their_types() -> None:
    assert loads("{a: 1, b: -2.5, c: 1e3, d: true, e: null, f: ~, g: , h: '7', i: .5}") == {
        "a": 1, "b": -2.5, "c": 1000.0, "d": True, "e": None, "f": None, "g": None, "h": "7", "i": 0.5,
    }  # fmt: skip
    assert type(loads("1")) is int


def test_nested_data_and_folded_text_are_whole() -> None:
    assert loads("a:\n  - b: [1, {c: d}]\n    e: >-\n      two\n      words\n  - []\n") == {
        "a": [{"b": [1, {"c": "d"}], "e": "two words"}, []]
    }
    assert loads("# only a comment\n") is None


@pytest.mark.parametrize(
    ("text", "word", "line"),
    [
        ("a: 1\nb: !!python/object/apply:os.getcwd []", "tag", 2),
        ("a: !!str 5", "tag", 1),
        ("? !!str a\n: 1", "tag", 1),
        ("a: &x 1", "anchor", 1),
        ("a0: &a0 [x]\na1: [*a0, *a0]", "anchor", 1),
        ("a: *x", "alias", 1),
        ("&k a: 1", "anchor", 1),
        ("a: 1\nb: 2\na: 3", "duplicate key 'a'", 3),
        ("x: {call: pro, call: anti}", "duplicate key 'call'", 1),
        ("{[1]: 2}", "key", 1),
        ("a: 1\n---\nb: 2", "another document", 2),
        ("[" * 1_000_000, "deep", 1),
        ("a: [1, 2]]", "not YAML", 1),
        ("a: \x07", "not YAML", None),
    ],
)
def test_other_yaml_is_refused(text: str, word: str, line: int | None) -> None:
    with pytest.raises(YamlError, match=word) as refused:
        loads(text)
    assert refused.value.line == line
    assert refused.value.fix


def test_depth_limit_leaves_room_for_real_files() -> None:
    assert loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)


def test_line_of_a_value_or_of_the_nearest_one_around_it() -> None:
    text = "a:\n  b:\n    - x\n    - y\nc: 1\n"
    assert line_of(text, ("a", "b", 1)) == 4
    assert line_of(text, ("a", "b", 7, "z")) == 3
    assert line_of(text, ("c",)) == 5
