"""Reading inputs that nobody has vouched for, and writing outputs that are whole or absent."""

from __future__ import annotations

from cafsc.io.files import sha256
from cafsc.io.read import read
from cafsc.io.write import write_bytes, write_h5ad, write_text, write_tsv

__all__ = ["read", "sha256", "write_bytes", "write_h5ad", "write_text", "write_tsv"]
