"""Where a run writes, what it refuses to write over, and how all of its files get their names at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cafsc.errors import OutputError

SUFFIX = ".h5ad"
INPUT_SUFFIXES = (".h5ad", ".h5", ".zarr")
_OTHER_NAME = "choose another name with --output"
OTHER_FOLDER = "choose another folder with --output"


@dataclass(frozen=True)
class Outputs:
    """The files of one run: OUT, and the folder of the same name beside it."""

    h5ad: Path
    with_report: bool = True

    @property
    def folder(self) -> Path:
        """Folder of the tables and the report."""
        return self.h5ad.with_name(self.h5ad.name.removesuffix(SUFFIX))

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    def all(self) -> dict[str, Path]:
        """Every file that will be written, by what it is.

        In the order in which they get their names: the summary first, so that what a killed run left is known as
        ours, and OUT last, so that it stands for a whole run.
        """
        names = ["summary.json", "clusters.tsv", "cells.tsv.gz", "evidence.tsv", "markers.tsv"]
        files = {name.partition(".")[0]: self.folder / name for name in names}
        if self.with_report:
            files["report"] = self.report
        return {**files, "h5ad": self.h5ad}


def default_output(source: Path) -> Path:
    """``<stem>.cafsc.h5ad`` beside the input."""
    path = source if source.name not in ("", "..") else source.resolve()
    kind = next((suffix for suffix in INPUT_SUFFIXES if path.name.lower().endswith(suffix)), "")
    stem = path.name[: len(path.name) - len(kind)] or path.name
    return path.with_name(f"{stem}.cafsc{SUFFIX}")


def check_outputs(outputs: Outputs, source: Path, *, force: bool) -> None:
    """Refuse, before anything is computed, what could not or must not be written."""
    from cafsc.io.atomic import refuse_occupied

    out = outputs.h5ad
    refuse_occupied(out, force=True)
    if not out.name.endswith(SUFFIX) or out.name == SUFFIX:
        raise OutputError(f"{out}: not a name for the output", expected=f"a file name ending in {SUFFIX}")
    folder = outputs.folder
    if out.exists() and source.exists() and out.samefile(source):
        raise OutputError(f"{out}: the output is the same file as the input", fix=_OTHER_NAME)
    if source.is_dir() and any(path.resolve().is_relative_to(source.resolve()) for path in (out, folder)):
        raise OutputError(f"{out}: the output would lie in the input folder {source}", fix=_OTHER_NAME)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file where the folder of the results should be", fix=_OTHER_NAME)
    if not force and not is_leftover(outputs):
        refuse_taken(list(outputs.all().values()))
    existing = next(path for path in (out.parent, *out.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise OutputError(f"{existing}: not a directory", fix=OTHER_FOLDER)
    if not os.access(existing, os.W_OK | os.X_OK):
        found = f"{existing}: cannot write to this directory (no permission, or read-only)"
        raise OutputError(found, fix=OTHER_FOLDER)


def refuse_taken(paths: Sequence[Path]) -> None:
    """Refuse to write over anything, a broken symbolic link too."""
    taken = [path for path in paths if os.path.lexists(path)]
    if taken:
        more = f" (and {len(taken) - 1} more of its files)" if len(taken) > 1 else ""
        raise OutputError(f"{taken[-1]}: exists already{more}", fix=f"{_OTHER_NAME}, or give --force")


def is_leftover(outputs: Outputs) -> bool:
    """Whether the folder is what a run of cafsc left whose OUT is gone, or never got its name."""
    if os.path.lexists(outputs.h5ad):
        return False
    try:
        summary = json.loads(outputs.all()["summary"].read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(summary, dict) and {"provenance", "catalogue_sha256"} <= set(summary)


@contextmanager
def staging(last: Path, *, force: bool) -> Iterator[Callable[[Path], Path]]:
    """Write the files of a run into a temporary folder; they get their names together at the end, or none does.

    The folder lies beside `last`, the file or folder that stands for the run. The function that is yielded gives the
    path to write to in place of a final path; the files get their names in the order of its calls. A symbolic link
    is replaced, and the file it leads to is left alone. After an error everything is as it was before.
    """
    last.parent.mkdir(parents=True, exist_ok=True)
    with _temporary_folder(last) as folder:
        staged: dict[Path, Path] = {}

        def at(final: Path) -> Path:
            return staged.setdefault(final, folder / final.name)

        try:
            yield at
        except OutputError as error:
            found = error.found.replace(str(folder), str(last.parent))
            raise OutputError(found, expected=error.expected, fix=error.fix) from error
        _publish(staged, folder, force=force)


def _publish(staged: dict[Path, Path], folder: Path, *, force: bool) -> None:
    """Give each file its final name; after a failure, put back what stood there."""
    with ExitStack() as undo:
        for number, (final, part) in enumerate(staged.items()):
            if not final.parent.exists():
                final.parent.mkdir(parents=True)
                undo.callback(_remove_empty, final.parent)
            if not force:
                refuse_taken([final])
                undo.callback(final.unlink, missing_ok=True)
            elif os.path.lexists(final):
                before = folder / f"{number}.before"
                # Without hard links, as on some network drives, a failure leaves this file replaced.
                with suppress(OSError):
                    os.link(final, before, follow_symlinks=False)
                    undo.callback(before.replace, final)
            else:
                undo.callback(final.unlink, missing_ok=True)
            part.replace(final)
        undo.pop_all()


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _temporary_folder(last: Path) -> Iterator[Path]:
    """A folder beside an output, locked while it is in use; those of killed runs are removed first."""
    from cafsc.io.atomic import lock

    name = re.compile(re.escape(f".{last.name}.") + r"\w+\.part")
    for old in last.parent.iterdir():
        if name.fullmatch(old.name) and old.is_dir():
            with _opened(old) as handle:
                if lock(handle, wait=False):
                    shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{last.name}.", suffix=".part", dir=last.parent))
    with _opened(folder) as handle:
        try:
            lock(handle, wait=False)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)
