"""``--config``: the file's values hold, the command line wins, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from cafsc_command import Cafsc

from cafsc.cli.annotate import annotate
from cafsc.cli.options import read_config
from cafsc.errors import UserError


def values_of(*words: str) -> dict[str, object]:
    """The values of the options after a command line."""
    app = typer.Typer()
    app.command()(annotate)
    return dict(typer.main.get_command(app).make_context("annotate", list(words)).params)


YAML = """
cancer: breast
cluster-key: 3
sample_key: patient
resolution: 0.5
seed: 7
no-report: true
signatures: [a.yaml, b.gmt]
scheme: kieffer
layer: null
"""

TOML = """
cancer = "breast"
cluster-key = "3"
sample_key = "patient"
resolution = 0.5
seed = 7
no-report = true
signatures = ["a.yaml", "b.gmt"]
scheme = "kieffer"
"""


@pytest.mark.parametrize(("name", "text"), [("c.yaml", YAML), ("c.toml", TOML)])
def test_the_values_of_the_file_hold(name: str, text: str, tmp_path: Path) -> None:
    config = tmp_path / name
    config.write_text(text)
    values = values_of("x.h5ad", "--config", str(config))
    assert values["cancer"] == "breast"
    assert values["cluster_key"] == "3"
    assert values["sample_key"] == "patient"
    assert values["resolution"] == 0.5
    assert values["seed"] == 7
    assert values["no_report"] is True
    assert values["signatures"] == [Path("a.yaml"), Path("b.gmt")]
    assert values["schemes"] == ["kieffer"]
    assert values["layer"] is None
    assert values["species"] == "auto"


def test_the_command_line_wins(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(YAML)
    values = values_of(
        "x.h5ad",
        "--seed",
        "0",
        "--scheme",
        "elyada",
        "--config",
        str(config),
        "--cancer",
        "lung",
    )
    assert values["seed"] == 0
    assert values["schemes"] == ["elyada"]
    assert values["cancer"] == "lung"
    assert values["resolution"] == 0.5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("caner: breast", ["'caner'", "cancer", "cluster-key"]),
        ("debug: true", ["'debug'"]),
        ("config: other.yaml", ["'config'"]),
        ("resolution: high", ["resolution", "high"]),
        ("resolution: -1", ["resolution", "-1"]),
        ("species: rat", ["species", "rat", "mouse"]),
        ("seed: 1.5", ["seed", "1.5"]),
        ("force: perhaps", ["force", "true or false"]),
        ("cancer: [breast, lung]", ["cancer", "one value"]),
        ("cancer: true", ["cancer", "one value"]),
        ("scheme: [{a: b}]", ["scheme", "a list of values"]),
        ("cancer: breast\ncancer: lung", ["line 2", "duplicate"]),
        ("a: &x [1]\nb: *x", ["anchor"]),
        ("- cancer", ["no mapping"]),
        ("cancer: 'breast", ["line"]),
    ],
)
def test_what_is_wrong_is_named_with_the_file(
    text: str, words: list[str], tmp_path: Path, cafsc: Cafsc
) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(text)
    run = cafsc("annotate", tmp_path / "x.h5ad", "--config", config)
    assert run.code == 2
    assert run.out == ""
    assert len(run.error_lines) <= 8
    assert "c.yaml" in run.err
    for word in words:
        assert word in run.err


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("c.toml", b"cancer = ", "not valid TOML"),
        ("c.yaml", b"\xff\xfe\x00", "not UTF-8"),
        ("c.yaml", None, "no such file"),
    ],
)
def test_a_file_that_cannot_be_read(name: str, content: bytes | None, word: str, tmp_path: Path) -> None:
    config = tmp_path / name
    if content is not None:
        config.write_bytes(content)
    with pytest.raises(UserError, match=word):
        read_config(config)


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("# nothing yet\n")
    assert read_config(config) == {}
