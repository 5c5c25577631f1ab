"""Read delimited text without trusting it."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path
from typing import IO

import pandas as pd

from cafsc.errors import InputError
from cafsc.io.files import head
from cafsc.io.limits import memory, refuse_oversized

ACCEPTED = "a table of genes and samples as .tsv, .csv (also .gz), or an .h5ad"
_BYTES_PER_BYTE = 5
"""Memory that reading takes, per byte of text."""


def read_table(path: Path) -> pd.DataFrame:
    """Read tab-, comma- or semicolon-separated text, gzip-compressed or not, as it is.

    Comments and the sizes of a GCT file in front of the header are skipped. Columns are named as in the header,
    duplicates included; a header that lacks the first name, as R writes it, gets an empty one.
    """
    try:
        with _open(path) as stream:
            line = _header_line(stream)
            separator = max("\t,;", key=line.count)
            if separator not in line:
                what = f"its first line is {line[:60]!r}" if line.strip() else "it has no line with content"
                raise _not_a_table(path, f"is not a table: {what}, without tab or comma")
            names = [name.strip() for name in next(csv.reader([line], delimiter=separator))]
            frame = pd.read_csv(stream, sep=separator, header=None, low_memory=False)
    except pd.errors.EmptyDataError:
        raise _not_a_table(path, "has a header and no rows below it") from None
    except pd.errors.ParserError as error:
        cause = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise _not_a_table(path, f"is not a table: {cause}", "give all rows the same length") from error
    except UnicodeDecodeError as error:
        raise _not_a_table(path, "is not UTF-8 text", "save it as UTF-8 text") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _not_a_table(path, f"is damaged: {error}", "download or compress it again") from error
    missing = frame.shape[1] - len(names)
    if missing == 1:
        names = ["", *names]
    elif missing == -1 and not names[-1]:
        names = names[:-1]
    elif missing:
        raise _not_a_table(
            path,
            f"is not a table: {len(names):,} names in the header, {frame.shape[1]:,} fields in the rows",
            "give every column one name",
        )
    frame.columns = pd.Index(names, dtype=object)
    blank = frame.isna().all(axis=0).to_numpy() & (frame.columns == "")
    return frame.loc[:, ~blank] if frame.shape[1] > 1 else frame


def _not_a_table(path: Path, cause: str, fix: str = "give the expression table as text") -> InputError:
    return InputError(f"{path}: {cause}", expected=ACCEPTED, fix=fix)


def _unpacked(path: Path) -> IO[bytes]:
    """Decompressed bytes, up to what fits in memory: a small file can unpack to any size."""
    content, most = io.BytesIO(), memory() // _BYTES_PER_BYTE
    with gzip.open(path) as packed:
        while content.tell() <= most and (part := packed.read(2**20)):
            content.write(part)
    if content.tell() > most:
        raise InputError(
            f"{path}: unpacks to more than fits in memory",
            expected="a table that fits in memory",
            fix="split it by sample, or use a larger machine",
        )
    content.seek(0)
    return content


def _open(path: Path) -> IO[str]:
    first = head(path)
    if first.startswith(b"PK\x03\x04"):
        raise _not_a_table(
            path, "is a zip archive or an Excel workbook", "save the sheet as tab-separated text"
        )
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _not_a_table(path, "is UTF-16 text", "save it as UTF-8")
    if first.startswith(b"\x1f\x8b"):
        raw = _unpacked(path)
    elif b"\0" in first:
        raise _not_a_table(path, "is not a text table: it holds binary data")
    else:
        size = path.stat().st_size
        refuse_oversized(path, "the table", size * _BYTES_PER_BYTE, size)
        raw = path.open("rb")
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _header_line(stream: IO[str]) -> str:
    """The first line that is not a comment."""
    while line := stream.readline():
        if line.startswith("#1."):  # GCT: the sizes follow
            stream.readline()
        elif not line.startswith("#") and line.strip():
            return line.rstrip("\r\n")
    return ""
