"""YAML is read as plain data, and everything else is refused with its place."""

from __future__ import annotations

import pytest

from cafsc.sig._yaml import MAX_DEPTH, YamlError, loads


def test_plain_words_stay_text_where_yaml_1_1_would_change_them() -> None:
    assert loads("[NO, ON, YES, no, 2020-03-01, 12:30:00, 0x1F, 1_000, 1-Mar, .nan, .inf]") == [
        "NO",
        "ON",
        "YES",
        "no",
        "2020-03-01",
        "12:30:00",
        "0x1F",
        "1_000",
        "1-Mar",
        ".nan",
        ".inf",
    ]


def test_numbers_booleans_and_nothing_are_what_they_look_like() -> None:
    assert loads("{a: 1, b: -2.5, c: 1e3, d: true, e: null, f: ~, g: , h: '7', i: .5}") == {
        "a": 1,
        "b": -2.5,
        "c": 1000.0,
        "d": True,
        "e": None,
        "f": None,
        "g": None,
        "h": "7",
        "i": 0.5,
    }


def test_nested_data_and_folded_text_are_whole() -> None:
    assert loads("a:\n  - b: [1, {c: d}]\n    e: >-\n      two\n      words\n  - []\n") == {
        "a": [{"b": [1, {"c": "d"}], "e": "two words"}, []]
    }


def test_empty_text_is_nothing() -> None:
    assert loads("") is None
    assert loads("# only a comment\n") is None


@pytest.mark.parametrize(
    ("text", "word", "line"),
    [
        ("a: 1\nb: !!python/object/apply:os.getcwd []", "tag", 2),
        ("a: !!str 5", "tag", 1),
        ("a: ! x", "tag", 1),
        ("? !!str a\n: 1", "tag", 1),
        ("a: &x 1", "anchor", 1),
        ("a: &x [1]\nb: *x", "anchor", 1),
        ("a: *x", "alias", 1),
        ("&k a: 1", "anchor", 1),
        ("a: 1\nb: 2\na: 3", "duplicate key 'a'", 3),
        ("x: {call: pro, call: anti}", "duplicate key 'call'", 1),
        ("{[1]: 2}", "key", 1),
        ("{{a: b}: 2}", "key", 1),
        ("a: 1\n---\nb: 2", "second document", 2),
        ("[" * 5000 + "]" * 5000, "deep", 1),
        ("a: [1, 2]]", "not YAML", 1),
        ("a: 'open", "not YAML", 1),
        ("a: \x07", "not YAML", None),
    ],
)
def test_what_is_not_plain_data_is_refused(text: str, word: str, line: int | None) -> None:
    with pytest.raises(YamlError, match=word) as refused:
        loads(text)
    assert refused.value.line == line
    assert refused.value.fix


def test_alias_bomb_ends_at_once() -> None:
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
    )
    with pytest.raises(YamlError, match="a0"):
        loads(bomb)


def test_depth_limit_leaves_room_for_real_files() -> None:
    depth = MAX_DEPTH - 1
    assert loads("[" * depth + "]" * depth)


def test_lines_name_where_each_value_stands() -> None:
    lines: dict[tuple[str | int, ...], int] = {}
    loads("a:\n  b:\n    - x\n    - y\nc: 1\n", lines)
    assert lines[("a", "b", 1)] == 4
    assert lines[("c",)] == 5
