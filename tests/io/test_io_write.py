"""Outputs are whole or absent, and never replace anything unasked."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from cafsc import io
from cafsc.errors import OutputError
from cafsc.io.atomic import atomic


def _names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def _same(one: AnnData, two: AnnData) -> None:
    assert (one.X != two.X).nnz == 0
    assert one.X.dtype == two.X.dtype
    pd.testing.assert_frame_equal(one.obs, two.obs)
    pd.testing.assert_frame_equal(one.var, two.var)


def test_h5ad_reads_back_in_plain_anndata(small: AnnData, tmp_path: Path) -> None:
    small.uns["note"] = {"text": "x", "table": pd.DataFrame({"a": [1, 2], "b": ["c", "d"]})}
    small.layers["counts"] = small.X.copy()
    path = tmp_path / "out.h5ad"
    io.write_h5ad(small, path)
    back = anndata.read_h5ad(path)
    _same(small, back)
    assert (back.layers["counts"] != small.X).nnz == 0
    assert back.uns["note"]["text"] == "x"
    pd.testing.assert_frame_equal(back.uns["note"]["table"], small.uns["note"]["table"], check_names=False)


def test_h5ad_does_not_change_the_object(small: AnnData, tmp_path: Path) -> None:
    small.obs["word"] = ["x", "y"] * 60
    before = small.obs["word"].dtype
    io.write_h5ad(small, tmp_path / "out.h5ad")
    assert small.obs["word"].dtype == before


def test_text_column_of_numbers_and_words_stays_text(small: AnnData, tmp_path: Path) -> None:
    small.obs["mix"] = ["1", "two", "3.0", ""] * 30
    io.write_h5ad(small, tmp_path / "out.h5ad")
    back = anndata.read_h5ad(tmp_path / "out.h5ad").obs["mix"]
    assert back.astype(str).tolist() == ["1", "two", "3.0", ""] * 30


def test_existing_file_is_refused_and_kept(small: AnnData, tmp_path: Path) -> None:
    path = tmp_path / "out.h5ad"
    path.write_text("precious")
    with pytest.raises(OutputError, match=r"out\.h5ad: exists already") as caught:
        io.write_h5ad(small, path)
    assert "force=True" in str(caught.value)
    assert path.read_text() == "precious"
    assert _names(tmp_path) == ["out.h5ad"]


def test_force_replaces_and_missing_folders_are_made(small: AnnData, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "out.h5ad"
    io.write_h5ad(small, path)
    io.write_h5ad(small[:10].copy(), path, force=True)
    assert anndata.read_h5ad(path).n_obs == 10
    assert _names(path.parent) == ["out.h5ad"]


def test_a_file_that_appears_while_writing_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with pytest.raises(OutputError, match="exists already"), atomic(path) as part:
        part.write_text("ours")
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert _names(tmp_path) == ["out.txt"]


def test_failure_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic(path, force=True) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["out.txt"]


def _killed_writer(path: Path) -> None:
    """Leave what a writer leaves that is killed while it writes."""
    program = "import os, sys\nfrom cafsc.io.atomic import atomic\nwith atomic(sys.argv[1]): os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL


def test_part_of_a_killed_writer_is_swept_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    _killed_writer(path)
    _killed_writer(tmp_path / "other.txt")
    left = _names(tmp_path)
    assert len(left) == 2
    (tmp_path / ".out.txt.mine.part").write_text("of somebody else")
    io.write_text(path, "x")
    assert _names(tmp_path) == sorted([".out.txt.mine.part", left[0], "out.txt"])
    assert left[0].startswith(".other.txt.")


def test_part_of_a_living_writer_is_not_swept(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with atomic(path, force=True) as part:
        part.write_text("first")
        io.write_text(path, "second", force=True)
        assert part.exists()
    assert path.read_text() == "first"
    assert _names(tmp_path) == ["out.txt"]


@pytest.mark.parametrize("target", ["", "file.txt/out.h5ad"])
def test_folder_or_file_in_the_way_is_one_clear_message(small: AnnData, tmp_path: Path, target: str) -> None:
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(OutputError) as caught:
        io.write_h5ad(small, tmp_path / target, force=True)
    assert str(tmp_path) in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert (tmp_path / "file.txt").read_text() == "x"


def test_device_is_refused_even_with_force(small: AnnData) -> None:
    with pytest.raises(OutputError, match="not a regular file"):
        io.write_h5ad(small, "/dev/null", force=True)
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.ENOSPC, "no space left"), (errno.EROFS, "read-only"), (errno.EACCES, "permission denied")],
)
def test_cause_is_named_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, word: str
) -> None:
    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=word):
        io.write_text(tmp_path / "out.txt", "x")
    assert _names(tmp_path) == []


def test_full_device_ends_in_a_message_not_in_a_crash(tmp_path: Path) -> None:
    """A limit on file sizes stands for the full device: the write fails in the same place."""
    program = textwrap.dedent("""
        import resource, sys
        from cafsc import data, io
        from cafsc.errors import OutputError
        adata = data.simulated_tumour(300)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            io.write_h5ad(adata, sys.argv[1])
        except OutputError as error:
            print(error)
            sys.exit(2)
    """)
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "out.h5ad")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "no space left on the device" in done.stdout
    assert done.stderr == ""
    assert _names(tmp_path) == []


def test_part_that_h5ad_cannot_hold_is_named(small: AnnData, tmp_path: Path) -> None:
    small.uns["odd"] = {"thing": object()}
    with pytest.raises(OutputError, match="odd") as caught:
        io.write_h5ad(small, tmp_path / "out.h5ad")
    assert "h5ad cannot hold" in str(caught.value)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("target", ["real.txt", "gone.txt"])
def test_symbolic_link_is_replaced_and_its_target_left_alone(target: str, tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(target)
    with pytest.raises(OutputError, match="exists already") as caught:
        io.write_text(tmp_path / "link.txt", "new")
    assert "force=True" in str(caught.value)
    io.write_text(tmp_path / "link.txt", "new", force=True)
    assert not (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "link.txt").read_text() == "new"
    assert (tmp_path / "real.txt").read_text() == "old"
    assert not (tmp_path / "gone.txt").exists()


def test_text_is_utf8_with_line_feeds(tmp_path: Path) -> None:
    io.write_text(tmp_path / "out.txt", "tumeur \u00e9\n\udc80\n")
    assert (tmp_path / "out.txt").read_bytes() == "tumeur \u00e9\n\\udc80\n".encode()


def _table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cell": ["a", "b", "c", "d", "e", "f"],
            "name": ["=1+1", "+x", "-2+3", "@SUM(A1)", "\t=1", "plain"],
            "=head": [-1.5, 2, np.nan, 0, 1, 3],
            "category": pd.Categorical(["=x", "y", "y", None, "-3", "-"]),
        }
    )


def test_tsv_neutralises_formulas_and_keeps_numbers(tmp_path: Path) -> None:
    io.write_tsv(_table(), tmp_path / "out.tsv")
    back = pd.read_csv(tmp_path / "out.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert list(back.columns) == ["cell", "name", "'=head", "category"]
    assert back["name"].tolist() == ["'=1+1", "'+x", "'-2+3", "'@SUM(A1)", "'\t=1", "plain"]
    assert back["'=head"].tolist() == ["-1.5", "2.0", "", "0.0", "1.0", "3.0"]
    assert back["category"].tolist() == ["'=x", "y", "y", "", "-3", "'-"]


def test_gzipped_tsv_has_no_time_stamp(tmp_path: Path) -> None:
    io.write_tsv(_table(), tmp_path / "one.tsv.gz")
    io.write_tsv(_table(), tmp_path / "two.tsv.gz")
    io.write_tsv(_table(), tmp_path / "plain.tsv")
    one = (tmp_path / "one.tsv.gz").read_bytes()
    assert one == (tmp_path / "two.tsv.gz").read_bytes()
    assert gzip.decompress(one) == (tmp_path / "plain.tsv").read_bytes()
    assert one[4:8] == bytes(4)


def test_hash_of_a_file_is_plain_sha256(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc" * 1000)
    assert io.sha256(path) == hashlib.sha256(b"abc" * 1000).hexdigest()


def _folder(path: Path, members: dict[str, str]) -> Path:
    for name, text in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def test_hash_of_a_folder_depends_on_names_and_content_only(tmp_path: Path) -> None:
    one = _folder(tmp_path / "one", {"a": "1", "b/c": "2"})
    two = _folder(tmp_path / "two", {"b/c": "2", "a": "1"})
    os.utime(two / "a", (0, 0))
    assert io.sha256(one) == io.sha256(two)
    assert io.sha256(_folder(tmp_path / "three", {"a": "2", "b/c": "1"})) != io.sha256(one)
    assert io.sha256(_folder(tmp_path / "four", {"a": "1", "b/d": "2"})) != io.sha256(one)
