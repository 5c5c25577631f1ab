"""Where ``cafsc annotate`` writes, what it refuses to write over, and the writing itself."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cafsc.errors import OutputError

if TYPE_CHECKING:
    from cafsc._annotate import AnnotationResult

SUFFIX = ".h5ad"
INPUT_SUFFIXES = (".h5ad", ".h5", ".zarr")


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

    @property
    def clusters(self) -> Path:
        """One row a fibroblast cluster."""
        return self.folder / "clusters.tsv"

    @property
    def cells(self) -> Path:
        """One row a cell."""
        return self.folder / "cells.tsv.gz"

    @property
    def evidence(self) -> Path:
        """One row a claim for or against a cluster's call."""
        return self.folder / "evidence.tsv"

    @property
    def summary(self) -> Path:
        """Summary and provenance."""
        return self.folder / "summary.json"

    def all(self) -> dict[str, Path]:
        """Every file that will be written, by what it is, in the order of writing.

        The summary first, so that what a cut run left behind is known as ours; OUT last, so that it stands for a
        whole run.
        """
        files = {
            "summary": self.summary,
            "clusters": self.clusters,
            "cells": self.cells,
            "evidence": self.evidence,
        }
        if self.with_report:
            files["report"] = self.report
        return {**files, "h5ad": self.h5ad}


def default_output(source: Path) -> Path:
    """``<stem>.cafsc.h5ad`` beside the input."""
    path = source if source.name not in ("", "..") else source.resolve()
    stem = path.name
    for suffix in INPUT_SUFFIXES:
        if stem.lower().endswith(suffix) and len(stem) > len(suffix):
            stem = stem[: -len(suffix)]
            break
    return path.with_name(f"{stem}.cafsc{SUFFIX}")


def check_outputs(outputs: Outputs, source: Path, *, force: bool) -> None:
    """Refuse, before anything is computed, what could not or must not be written.

    Raises
    ------
    OutputError
        If OUT is the input or lies in it, exists without ``force``, is no ``.h5ad`` name, or its folder
        cannot be written.
    """
    out = outputs.h5ad
    if out.is_dir():
        raise OutputError(f"{out}: is a directory", expected=f"a file name ending in {SUFFIX}")
    if out.exists() and not out.is_file():
        raise OutputError(f"{out}: not a regular file", expected=f"a file name ending in {SUFFIX}")
    if not out.name.endswith(SUFFIX) or out.name == SUFFIX:
        raise OutputError(f"{out}: not a name for the output", expected=f"a file name ending in {SUFFIX}")
    _refuse_the_input(outputs, source)
    if outputs.folder.exists() and not outputs.folder.is_dir():
        raise OutputError(
            f"{outputs.folder}: is a file where the folder of the results should be",
            fix="choose another name with --output",
        )
    if not force:
        _refuse_taken(outputs)
    _check_writable(out.parent)


def _refuse_taken(outputs: Outputs) -> None:
    taken = [path for path in outputs.all().values() if os.path.lexists(path)]
    if taken and not is_leftover(outputs):
        more = f" (and {len(taken) - 1} more of its files)" if len(taken) > 1 else ""
        raise OutputError(
            f"{taken[-1]}: exists already{more}", fix="choose another name with --output, or give --force"
        )


def is_leftover(outputs: Outputs) -> bool:
    """Whether the folder is what a run of cafsc left whose OUT is gone, or was never written."""
    if os.path.lexists(outputs.h5ad):
        return False
    try:
        summary = json.loads(outputs.summary.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(summary, dict) and {"provenance", "catalogue_sha256"} <= set(summary)


def _refuse_the_input(outputs: Outputs, source: Path) -> None:
    fix = "choose another name with --output"
    if outputs.h5ad.exists() and source.exists() and outputs.h5ad.samefile(source):
        raise OutputError(f"{outputs.h5ad}: the output is the same file as the input", fix=fix)
    if source.is_dir():
        inside = source.resolve()
        if any(path.resolve().is_relative_to(inside) for path in (outputs.h5ad, outputs.folder)):
            raise OutputError(f"{outputs.h5ad}: the output would lie in the input folder {source}", fix=fix)


def _check_writable(folder: Path) -> None:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise OutputError(f"{existing}: not a directory", fix="choose another folder with --output")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise OutputError(
            f"{existing}: cannot write to this directory (no permission, or read-only)",
            fix="choose another folder with --output",
        )


def write_outputs(
    outputs: Outputs, result: AnnotationResult, summary: Mapping[str, object], *, force: bool
) -> None:
    """Write every file of a run, each one whole or not at all.

    Parameters
    ----------
    outputs
        Where to.
    result
        What :func:`cafsc.annotate` gave.
    summary
        The dict for ``summary.json``.
    force
        Write over existing files.

    Raises
    ------
    OutputError
        If a file cannot be written, or another run has written them meanwhile. Everything is then as it was before,
        where the file system has hard links; without them, files that were replaced by then stay so.
    """
    from cafsc import io

    text = json.dumps(summary, indent=2, allow_nan=False) + "\n"
    with _alone(outputs.folder), _all_or_nothing() as write:
        if not force:
            _refuse_taken(outputs)
        replace = force or is_leftover(outputs)
        write(outputs.summary, lambda path: io.write_text(path, text, force=replace))
        write(outputs.clusters, lambda path: io.write_tsv(result.clusters, path, force=replace))
        write(outputs.cells, lambda path: io.write_tsv(result.cells, path, force=replace))
        write(outputs.evidence, lambda path: io.write_tsv(result.evidence, path, force=replace))
        if outputs.with_report:
            from cafsc import report

            write(outputs.report, lambda path: report.write(result.adata, path, force=replace))
        write(outputs.h5ad, lambda path: io.write_h5ad(result.adata, path, force=force))
        if replace and not outputs.with_report:
            # It would show an earlier run beside the tables of this one.
            outputs.report.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder of the results, so that two runs to one place write one after the other.

    Where the file system has no locks, they write side by side: every file is whole all the same.
    """
    from cafsc.io.parts import is_same, lock

    made = not folder.exists()
    handle = None
    try:
        while handle is None:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY)
            lock(handle, wait=True)
            if not is_same(handle, folder):
                # The run before failed, and took its folder away.
                os.close(handle)
                handle = None
        yield
    except BaseException:
        if made:
            with suppress(OSError):
                folder.rmdir()
        raise
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def _all_or_nothing() -> Iterator[Callable[[Path, Callable[[Path], None]], None]]:
    """Give a function that writes a file; after a failure everything is again as it was before."""
    made: list[Path] = []
    with ExitStack() as replaced:

        def write(path: Path, writer: Callable[[Path], None]) -> None:
            if os.path.lexists(path):
                replaced.enter_context(_restored(path))
                writer(path)
            else:
                writer(path)
                made.append(path)

        try:
            yield write
        except BaseException:
            for path in made:
                with suppress(OSError):
                    path.unlink()
            raise


@contextmanager
def _restored(path: Path) -> Iterator[None]:
    """Put what stands under a name back there after a failure; where that cannot be, it stays replaced."""
    from cafsc.io.parts import second_name

    with second_name(path) as kept:
        try:
            yield
        except BaseException:
            if kept is not None:
                with suppress(OSError):
                    kept.replace(path)
            raise
