"""The hash of an input."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cafsc import io


def test_file_is_plain_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc" * 1000)
    assert io.sha256(path) == hashlib.sha256(b"abc" * 1000).hexdigest()


def _folder(path: Path, members: dict[str, str]) -> Path:
    for name, text in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def test_folder_depends_on_names_and_content_only(tmp_path: Path) -> None:
    one = _folder(tmp_path / "one", {"a": "1", "b/c": "2"})
    two = _folder(tmp_path / "two", {"b/c": "2", "a": "1"})
    os.utime(two / "a", (0, 0))
    assert io.sha256(one) == io.sha256(two)


def test_folder_tells_content_and_names_apart(tmp_path: Path) -> None:
    base = io.sha256(_folder(tmp_path / "one", {"a": "1", "b": "2"}))
    assert io.sha256(_folder(tmp_path / "two", {"a": "2", "b": "1"})) != base
    assert io.sha256(_folder(tmp_path / "three", {"a": "1", "c": "2"})) != base
