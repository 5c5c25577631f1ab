"""The report: one HTML file that a cancer biologist can read, print and send, with nothing to download."""

from cafsc.report._build import build, write

__all__ = ["build", "write"]
