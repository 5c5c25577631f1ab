"""Reading inputs that nobody has vouched for, and writing outputs that are whole or absent."""

from __future__ import annotations

from cafsc.io.backed import close
from cafsc.io.digest import sha256
from cafsc.io.read import read
from cafsc.io.row_blocks import is_on_disk, read_rows
from cafsc.io.write import write_bytes, write_h5ad, write_text, write_tsv

__all__ = [
    "close",
    "is_on_disk",
    "read",
    "read_rows",
    "sha256",
    "write_bytes",
    "write_h5ad",
    "write_text",
    "write_tsv",
]
