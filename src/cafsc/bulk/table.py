"""A table of numbers with names on both sides, read from text that nobody has vouched for."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING

from cafsc.errors import InputError
from cafsc.io.files import head
from cafsc.io.limits import memory, refuse_oversized

if TYPE_CHECKING:
    import pandas as pd

ACCEPTED = "a table of genes and samples as .tsv, .csv (also .gz), or an .h5ad"
_GZIP = b"\x1f\x8b"
_NOT_TEXT = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "save the sheet as tab-separated text"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save the sheet as tab-separated text"),
    (b"BZh", "a bzip2-compressed file", "decompress it first (bunzip2)"),
    (b"\xfd7zXZ", "an xz-compressed file", "decompress it first (unxz)"),
    (b"%PDF", "a PDF document", "give the table itself"),
    (b"RDX", "an R data file", "write the matrix with write.table in R first"),
    (b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
)
_TIMES_IN_MEMORY = 4
"""Memory that reading needs, in bytes of text."""
_GCT = "#1."


class _Limited(io.RawIOBase):
    """Decompressed bytes, up to what fits in memory: a small file may unpack to any size."""

    def __init__(self, stream: gzip.GzipFile, path: Path) -> None:
        self._stream = stream
        self._path = path
        self._left = memory() // _TIMES_IN_MEMORY

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise InputError(
                f"{self._path}: unpacks to more than fits in memory",
                expected="a table that fits in memory",
                fix="split it by sample, or use a larger machine",
            )
        buffer[: len(data)] = data
        return len(data)


def _not_a_table(path: Path, cause: str, fix: str = "give the expression table as text") -> InputError:
    return InputError(f"{path}: {cause}", expected=ACCEPTED, fix=fix)


def _open(path: Path) -> IO[str]:
    first = head(path)
    for magic, what, fix in _NOT_TEXT:
        if first.startswith(magic):
            raise _not_a_table(path, f"is not a text table but {what}", fix)
    if first.startswith(_GZIP):
        raw: IO[bytes] = io.BufferedReader(_Limited(gzip.open(path, "rb"), path))  # noqa: SIM115
    else:
        if b"\0" in first:
            raise _not_a_table(path, "is not a text table: it holds binary data")
        size = path.stat().st_size
        refuse_oversized(path, "the table", size * _TIMES_IN_MEMORY, size)
        raw = path.open("rb")
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def read_table(path: Path) -> pd.DataFrame:
    """Read a delimited table as it stands.

    Parameters
    ----------
    path
        Tab-, comma- or semicolon-separated text with a header line, gzip-compressed or not (the content
        decides). Lines in front that start with ``#`` are skipped, and the sizes of a GCT file.

    Returns
    -------
    Columns named as in the header, repeats included; a header that is one name short, as R writes it, gets an
    empty first name. Rows are numbered. Columns of numbers are numeric, all others object.

    Raises
    ------
    InputError
        It is no such table, or does not fit in memory.
    """
    import pandas as pd

    try:
        with _open(path) as stream:
            line = _header_line(stream)
            separator = _separator(line, path)
            header = next(csv.reader([line], delimiter=separator))
            frame = pd.read_csv(stream, sep=separator, header=None, low_memory=False)
    except pd.errors.EmptyDataError:
        raise _not_a_table(path, "has a header and no rows below it") from None
    except pd.errors.ParserError as error:
        cause = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise _not_a_table(path, f"is not a table: {cause}", "make all rows equally long") from error
    except UnicodeDecodeError as error:
        raise _not_a_table(path, "is not UTF-8 text", "save it as UTF-8 text") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _not_a_table(path, f"is damaged: {error}", "download or compress it again") from error
    names = _fitting(header, frame, path)
    frame.columns = pd.Index(names, dtype=object)
    blank = frame.isna().all(axis=0).to_numpy() & (frame.columns == "")
    return frame.loc[:, ~blank] if frame.shape[1] > 1 else frame


def _header_line(stream: IO[str]) -> str:
    """The first line that is no comment."""
    while line := stream.readline():
        if line.startswith(_GCT):
            stream.readline()
        elif not line.startswith("#") and line.strip():
            return line.rstrip("\r\n")
    return ""


def _separator(line: str, path: Path) -> str:
    best = max("\t,;", key=line.count)
    if not line.count(best):
        what = f"its first line is {line[:60]!r}" if line.strip() else "there is no line with content"
        raise _not_a_table(path, f"is not a table: {what}, without tab or comma")
    return best


def _fitting(header: list[str], frame: pd.DataFrame, path: Path) -> list[str]:
    names = [name.strip() for name in header]
    missing = frame.shape[1] - len(names)
    if missing == 1:
        return ["", *names]
    if missing == -1 and not names[-1]:
        return names[:-1]
    if missing:
        raise _not_a_table(
            path,
            f"is not a table: {len(names):,} names in the header, {frame.shape[1]:,} fields in the rows",
            "give every column one name",
        )
    return names
