"""What a failed run leaves of the results of an earlier one: all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cafsc.cli.outputs import _all_or_nothing
from cafsc.io import write_text


def writer(text: str) -> Callable[[Path], None]:
    return lambda path: write_text(path, text, force=True)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("ended_by", [OSError, KeyboardInterrupt])
def test_replaced_files_are_put_back_and_new_ones_go(tmp_path: Path, ended_by: type[BaseException]) -> None:
    old, other, new = (tmp_path / name for name in ("old", "other", "new"))
    old.write_text("first")
    other.write_text("first")
    with pytest.raises(ended_by), _all_or_nothing() as write:
        write(old, writer("second"))
        write(new, writer("second"))
        assert old.read_text() == new.read_text() == "second"
        raise ended_by
    assert names(tmp_path) == ["old", "other"]
    assert old.read_text() == "first"


def test_nothing_is_kept_of_what_was_replaced(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("first")
    with _all_or_nothing() as write:
        write(old, writer("second"))
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == ["old"]
    assert old.read_text() == "second"


def test_files_are_written_where_there_are_no_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.link", link)
    old = tmp_path / "old"
    old.write_text("first")
    with pytest.raises(OSError, match="later"), _all_or_nothing() as write:
        write(old, writer("second"))
        raise OSError("later")
    assert names(tmp_path) == ["old"]
    assert old.read_text() == "second"


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("first")
    # Killed before it replaced anything: the second name of the very file that stands there.
    (tmp_path / ".old.0123456789ab.part").hardlink_to(old)
    with _all_or_nothing() as write:
        write(old, writer("second"))
    assert names(tmp_path) == ["old"]
