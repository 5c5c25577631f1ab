"""The signature files are found in a checkout and in a wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cafsc.errors import CafscError
from cafsc.sig import files, read, signatures_dir

ROOT = Path(__file__).resolve().parents[2]


def test_checkout_is_found_at_the_top_of_the_repository() -> None:
    assert signatures_dir() == ROOT / "signatures"


def test_a_stray_signatures_folder_beside_site_packages_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "cafsc"
    package.mkdir(parents=True)
    (tmp_path / "signatures" / "papers").mkdir(parents=True)
    monkeypatch.setattr(files, "__file__", str(package / "sig" / "files.py"))
    with pytest.raises(CafscError, match="install"):
        signatures_dir()


@pytest.mark.slow
def test_a_real_wheel_carries_the_whole_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("cafsc-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site-packages")
    monkeypatch.setattr(files, "__file__", str(tmp_path / "site-packages" / "cafsc" / "sig" / "files.py"))
    inside = signatures_dir()
    assert inside.is_relative_to(tmp_path)
    assert read(inside).sha256 == read(ROOT / "signatures").sha256
